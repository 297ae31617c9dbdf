-- P, the prefix of all keys, is defined above this. Redis runs no other command during a script.

-- What is known of a request id: a word and a record.
local function known(id)
  local decided = redis.call('HGET', P .. 'decided', id)
  if decided then return 'decided', decided end
  local waiting = redis.call('HGET', P .. 'waiting', id)
  if not waiting then return 'unknown', '' end
  local announced = redis.call('SISMEMBER', P .. 'unconfirmed', id) == 1
  return announced and 'announced' or 'waiting', waiting
end

-- Id, buyer, item, epoch and position of an attempt, from its record.
local function fields(record)
  return string.match(record, '^(%S+) (%S+) (%S+) (%S+) (%S+)')
end

-- Puts an attempt that is not known into the register. `attempt` is its record up to its epoch.
local function announce(id, item, attempt, accepted_us)
  local record = attempt .. ' ' .. redis.call('INCR', P .. 'seq') .. ' ' .. accepted_us
  redis.call('HSET', P .. 'waiting', id, record)
  redis.call('SADD', P .. 'unconfirmed', id)
  redis.call('SADD', P .. 'queued:' .. item, id)
  return record
end

-- Removes attempts at one item from the register.
local function remove(item, ids)
  redis.call('HDEL', P .. 'waiting', unpack(ids))
  redis.call('SREM', P .. 'unconfirmed', unpack(ids))
  redis.call('SREM', P .. 'queued:' .. item, unpack(ids))
  redis.call('SREM', P .. 'twins', unpack(ids))
end

-- The sale of an epoch: epoch, terms, left, orders; empty when there is none.
local function sale_of(epoch)
  if not epoch then return {} end
  local sale = redis.call('HMGET', P .. 'sale:' .. epoch, 'epoch', 'terms', 'left', 'orders')
  if not sale[1] then return {} end
  return sale
end

-- The epoch of the item's current sale; false when there is none.
local function present(item)
  return redis.call('HGET', P .. 'items', item)
end

-- The named item, or the only one that is on sale. Otherwise false, and a word for the reason.
local function item_or_only(item)
  if item ~= '' then return item, '' end
  local count = redis.call('HLEN', P .. 'items')
  if count ~= 1 then return false, count > 1 and 'item_required' or '' end
  return redis.call('HKEYS', P .. 'items')[1], ''
end

-- The attempts at one item in ARGV: now_us, then their records.
local function attempts()
  local all = {}
  for i = 2, #ARGV do
    local id, buyer, item, epoch, seq = fields(ARGV[i])
    all[#all + 1] =
      { id = id, buyer = buyer, item = item, epoch = epoch, seq = tonumber(seq), record = ARGV[i] }
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
  local records, found = redis.call('HMGET', P .. 'decided', unpack(each(all, 'id'))), {}
  for i, one in ipairs(all) do
    if records[i] then found[one.id] = records[i] end
  end
  return found
end

-- Whether each of the attempts was withdrawn.
local function withdrawn(all)
  local by_epoch, found = {}, {}
  for i, one in ipairs(all) do
    local of_epoch = by_epoch[one.epoch] or { places = {}, ids = {} }
    by_epoch[one.epoch] = of_epoch
    table.insert(of_epoch.places, i)
    table.insert(of_epoch.ids, one.id)
  end
  for epoch, of_epoch in pairs(by_epoch) do
    local seqs = redis.call('HMGET', P .. 'withdrawn:' .. epoch, unpack(of_epoch.ids))
    for i, place in ipairs(of_epoch.places) do
      found[place] = seqs[i] and all[place].seq <= tonumber(seqs[i])
    end
  end
  return found
end

-- The rule for attempts at the current sale: whether this buyer gets one of the units left. It
-- counts in memory, since Redis runs no other command meanwhile; `write` stores what was sold.
local function seller(all)
  local epoch = present(all[1].item)
  if not epoch then
    return function() return 'lost sale_replaced' end, function() end
  end
  local sale, bought_key = P .. 'sale:' .. epoch, P .. 'bought:' .. epoch
  local terms = redis.call('HMGET', sale, 'left', 'per_buyer', 'item', 'orders')
  local left, per_buyer, orders = tonumber(terms[1]), tonumber(terms[2]), tonumber(terms[4])
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
    return string.format('won %s-%s-%d', terms[3], epoch, orders)
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
  local left_out = withdrawn(all)
  for i, one in ipairs(all) do
    local answer = before[one.id]
    if not answer and left_out[i] then
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
    redis.call('HSET', P .. 'decided', unpack(fresh))
    for epoch, of_epoch in pairs(ledgers) do
      redis.call('RPUSH', P .. 'ledger:' .. epoch, unpack(of_epoch))
    end
    remove(all[1].item, ids)
  end
  return answers
end
