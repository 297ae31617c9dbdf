-- KEYS[1] is the common prefix of all keys of one item: they share its hash tag, and so its slot.
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

-- Puts an attempt that is not known into the register.
local function announce(id, attempt, accepted_us)
  local record = attempt .. ' ' .. redis.call('INCR', P .. ':seq') .. ' ' .. accepted_us
  redis.call('HSET', P .. ':waiting', id, record)
  redis.call('SADD', P .. ':unconfirmed', id)
  return record
end

-- The epoch and the position of an attempt, from its record.
local function position(record)
  return string.match(record, '(%d+) (%d+) %d+$')
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

-- The attempts in ARGV: now_us, then for each its request id, buyer, epoch and record.
local function attempts()
  local all = {}
  for i = 2, #ARGV, 4 do
    all[#all + 1] = { id = ARGV[i], buyer = ARGV[i + 1], epoch = ARGV[i + 2], record = ARGV[i + 3] }
  end
  return all
end

local function each(all, name)
  local values = {}
  for i, one in ipairs(all) do values[i] = one[name] end
  return values
end

-- Decisions that were made before, by request id.
local function decided_before(all)
  local records, found = redis.call('HMGET', P .. ':decided', unpack(each(all, 'id'))), {}
  for i, one in ipairs(all) do
    if records[i] then found[one.id] = records[i] end
  end
  return found
end

-- The last withdrawn position of each attempt, a number, or false where there is none.
local function withdrawn_until(all)
  local by_epoch, found = {}, {}
  for i, one in ipairs(all) do
    by_epoch[one.epoch] = by_epoch[one.epoch] or { places = {}, ids = {} }
    table.insert(by_epoch[one.epoch].places, i)
    table.insert(by_epoch[one.epoch].ids, one.id)
  end
  for epoch, of_epoch in pairs(by_epoch) do
    local seqs = redis.call('HMGET', P .. ':withdrawn:' .. epoch, unpack(of_epoch.ids))
    for i, place in ipairs(of_epoch.places) do found[place] = tonumber(seqs[i]) or false end
  end
  return found
end

-- The rule for attempts at the current sale: whether this buyer gets one of the units left. It
-- counts in memory, since Redis runs no other command meanwhile; `write` stores what was sold.
local function seller(all)
  local epoch = present()
  if not epoch then
    return function() return 'lost sale_replaced' end, function() end
  end
  local sale, bought_key = P .. ':sale:' .. epoch, P .. ':bought:' .. epoch
  local fields = redis.call('HMGET', sale, 'left', 'per_buyer', 'item', 'orders')
  local left, per_buyer, orders = tonumber(fields[1]), tonumber(fields[2]), tonumber(fields[4])
  local counts, bought = redis.call('HMGET', bought_key, unpack(each(all, 'buyer'))), {}
  for i, one in ipairs(all) do bought[one.buyer] = tonumber(counts[i] or '0') end
  local sold, changed = 0, {}
  local function sell(one)
    if one.epoch ~= epoch then return 'lost sale_replaced' end
    if left <= 0 then return 'lost sold_out' end
    if bought[one.buyer] >= per_buyer then return 'lost already_bought' end
    left, orders, sold = left - 1, orders + 1, sold + 1
    bought[one.buyer] = bought[one.buyer] + 1
    changed[#changed + 1] = one.buyer
    changed[#changed + 1] = bought[one.buyer]
    return string.format('won %s-%s-%d', fields[3], epoch, orders)
  end
  local function write()
    if sold == 0 then return end
    redis.call('HINCRBY', sale, 'left', -sold)
    redis.call('HINCRBY', sale, 'orders', sold)
    redis.call('HSET', bought_key, unpack(changed))
  end
  return sell, write
end

-- Decides attempts by a rule, one after the other, and stores the decisions: in the results and the
-- ledger, and removes them from the register. `before` holds the earlier decisions and is extended.
-- Returns the decision where it is new, the whole record where it is not, and nothing for an attempt
-- that was withdrawn.
local function decide(all, before, rule)
  local answers, fresh, ids, ledgers = {}, {}, {}, {}
  local withdrawn = withdrawn_until(all)
  for i, one in ipairs(all) do
    local answer = before[one.id]
    local _, seq = position(one.record)
    if not answer and withdrawn[i] and tonumber(seq) <= withdrawn[i] then
      answer = ''
    elseif not answer then
      answer = rule(one)
      local record = ARGV[1] .. ' ' .. one.record .. ' ' .. answer
      before[one.id] = record
      fresh[#fresh + 1] = one.id
      fresh[#fresh + 1] = record
      ids[#ids + 1] = one.id
      ledgers[one.epoch] = ledgers[one.epoch] or {}
      table.insert(ledgers[one.epoch], one.id)
    end
    answers[i] = answer
  end
  if #ids > 0 then
    redis.call('HSET', P .. ':decided', unpack(fresh))
    for epoch, of_epoch in pairs(ledgers) do
      redis.call('RPUSH', P .. ':ledger:' .. epoch, unpack(of_epoch))
    end
    redis.call('HDEL', P .. ':waiting', unpack(ids))
    redis.call('SREM', P .. ':unconfirmed', unpack(ids))
    redis.call('HDEL', P .. ':twins', unpack(ids))
  end
  return answers
end
