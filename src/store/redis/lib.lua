-- KEYS[1] is what all keys of one item begin with: they share its hash tag, and so its slot.
local P = KEYS[1]

-- What is known of a request id: a word and a record.
local function known(id)
  local decided = redis.call('HGET', P .. ':decided', id)
  if decided then return 'decided', decided end
  local waiting = redis.call('HGET', P .. ':waiting', id)
  if waiting then
    local announced = redis.call('SISMEMBER', P .. ':unconfirmed', id) == 1
    return announced and 'announced' or 'waiting', waiting
  end
  return 'unknown', ''
end

-- The sale of an epoch: epoch, terms, left, orders; empty when there is none.
local function sale_of(epoch)
  if not epoch then return {} end
  local fields = redis.call('HMGET', P .. ':sale:' .. epoch, 'epoch', 'terms', 'left', 'orders')
  if not fields[1] then return {} end
  return fields
end

local function present()
  return redis.call('GET', P .. ':present')
end

-- Writes a decision down: the result, the ledger, and out of the register.
local function decide(now, id, epoch, attempt, decision)
  local record = now .. ' ' .. attempt .. ' ' .. decision
  redis.call('HSET', P .. ':decided', id, record)
  redis.call('RPUSH', P .. ':ledger:' .. epoch, id)
  redis.call('HDEL', P .. ':waiting', id)
  redis.call('SREM', P .. ':unconfirmed', id)
  redis.call('HDEL', P .. ':twins', id)
  return record
end

-- The rule: may this buyer have one of what is left? Takes a unit if so.
local function sell(buyer, epoch)
  if epoch ~= present() then return 'lost sale_replaced' end
  local sale, bought = P .. ':sale:' .. epoch, P .. ':bought:' .. epoch
  local fields = redis.call('HMGET', sale, 'left', 'per_buyer', 'item')
  if tonumber(fields[1]) <= 0 then return 'lost sold_out' end
  local orders = tonumber(redis.call('HGET', bought, buyer) or '0')
  if orders >= tonumber(fields[2]) then return 'lost already_bought' end
  redis.call('HINCRBY', sale, 'left', -1)
  redis.call('HINCRBY', bought, buyer, 1)
  return 'won ' .. fields[3] .. '-' .. epoch .. '-' .. redis.call('HINCRBY', sale, 'orders', 1)
end
