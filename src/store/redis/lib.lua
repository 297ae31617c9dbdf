-- Redis runs no other command during a script. Each is told one key, from which it knows the prefix
-- of all keys, and where there are several buckets, their number and which of them this is.
local P, BUCKETS, BUCKET = string.match(KEYS[1], '^(.*:)route:?(%d*):?(%d*)$')
BUCKETS, BUCKET = tonumber(BUCKETS) or 1, tonumber(BUCKET) or 0

-- What is known of a request id: a word and a record.
local function known(id)
  local decided = redis.call('HGET', P .. 'decided', id)
  if decided then return 'decided', decided end
  local waiting = redis.call('HGET', P .. 'waiting', id)
  if not waiting then return 'unknown', '' end
  local announced = redis.call('SISMEMBER', P .. 'unconfirmed', id) == 1
  return announced and 'announced' or 'waiting', waiting
end

-- Creates a sale with these terms, of which this many units are here. The terms are words: item,
-- stock, per_buyer, opening and closing, with a dash where there is none; and the hold of orders,
-- which may be left out.
local function create_sale(epoch, terms, left)
  local item, _, per_buyer, opens, closes, hold =
    string.match(terms, '^(%S+) (%S+) (%S+) (%S+) (%S+) ?(%S*)$')
  redis.call('HSET', P .. 'sale:' .. epoch, 'epoch', epoch, 'terms', terms, 'item', item,
    'per_buyer', per_buyer, 'opens', opens, 'closes', closes, 'left', left, 'orders', 0)
  if hold ~= '' then redis.call('HSET', P .. 'sale:' .. epoch, 'hold', hold) end
end

-- Makes a sale the current one of its item, in the place of the one before.
local function make_current(item, epoch, before)
  redis.call('HSET', P .. 'items', item, epoch)
  if before then redis.call('DEL', P .. 'bought:' .. before) end
end

-- Id, buyer, item, epoch and position of an attempt, from its record.
local function fields(record)
  return string.match(record, '^(%S+) (%S+) (%S+) (%S+) (%S+)')
end

-- Removes attempts at one item from the register.
local function remove(item, ids)
  redis.call('HDEL', P .. 'waiting', unpack(ids))
  redis.call('SREM', P .. 'unconfirmed', unpack(ids))
  redis.call('ZREM', P .. 'queued:' .. item, unpack(ids))
  redis.call('SREM', P .. 'twins', unpack(ids))
end

-- What is read of a sale: its epoch, terms, units left, orders made, orders given back, orders
-- paid.
local SALE = { 'epoch', 'terms', 'left', 'orders', 'returned', 'paid' }

-- The last two are zero at a sale that does not hold its orders.
local function with_zeros(sale)
  sale[5], sale[6] = sale[5] or '0', sale[6] or '0'
  return sale
end

-- The sale of an epoch; empty when there is none.
local function sale_of(epoch)
  if not epoch then return {} end
  local sale = redis.call('HMGET', P .. 'sale:' .. epoch, unpack(SALE))
  if not sale[1] then return {} end
  return with_zeros(sale)
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

-- The item's current sale, counted in memory while attempts at it are decided, since Redis runs no
-- other command meanwhile; false when the item has none. `write` stores what was counted.
local function counted_sale(all)
  local epoch = present(all[1].item)
  if not epoch then return false end
  local key, bought_key = P .. 'sale:' .. epoch, P .. 'bought:' .. epoch
  local terms = redis.call('HMGET', key, 'left', 'per_buyer', 'item', 'orders', 'hold')
  local counts, bought = redis.call('HMGET', bought_key, unpack(each(all, 'buyer'))), {}
  for i, one in ipairs(all) do bought[one.buyer] = tonumber(counts[i] or '0') end
  return {
    epoch = epoch, key = key, bought_key = bought_key, item = terms[3],
    left = tonumber(terms[1]), left_before = tonumber(terms[1]), per_buyer = tonumber(terms[2]),
    orders = tonumber(terms[4]), sold = 0, bought = bought, changed = {},
    hold = tonumber(terms[5] or ''), held = {},
  }
end

local function write(sale)
  if sale.left ~= sale.left_before then
    redis.call('HINCRBY', sale.key, 'left', sale.left - sale.left_before)
  end
  if sale.sold == 0 then return end
  redis.call('HINCRBY', sale.key, 'orders', sale.sold)
  redis.call('HSET', sale.bought_key, unpack(sale.changed))
  if #sale.held > 0 then redis.call('ZADD', P .. 'held', unpack(sale.held)) end
end

local function at_limit(sale, one)
  return sale.bought[one.buyer] >= sale.per_buyer
end

-- Makes an order of a unit that was taken.
local function order(sale, one)
  sale.orders, sale.sold = sale.orders + 1, sale.sold + 1
  sale.bought[one.buyer] = sale.bought[one.buyer] + 1
  sale.changed[#sale.changed + 1] = one.buyer
  sale.changed[#sale.changed + 1] = sale.bought[one.buyer]
  local number = (sale.orders - 1) * BUCKETS + BUCKET + 1
  local won = string.format('won %s-%s-%d', sale.item, sale.epoch, number)
  if not sale.hold then return won end
  local held_until = string.format('%.0f', tonumber(ARGV[1]) + sale.hold)
  sale.held[#sale.held + 1] = held_until
  sale.held[#sale.held + 1] = one.id
  return won .. ' ' .. held_until
end

-- The rule for attempts at the current sale: whether this buyer gets one of the units left.
local function sell(sale, one)
  if one.epoch ~= sale.epoch then return 'lost sale_replaced' end
  if sale.left <= 0 then return 'lost sold_out' end
  if at_limit(sale, one) then return 'lost already_bought' end
  sale.left = sale.left - 1
  return order(sale, one)
end

-- Decides attempts by a rule, one after the other, and stores the decisions: in the results and the
-- ledger, and removes them from the register. `before` holds the earlier decisions and is extended.
-- Returns the decision where it is new, the whole record where it is not, and nothing for an
-- attempt that was withdrawn. The second value of the rule says that its answer is no decision.
local function decide(all, before, rule)
  local answers, fresh, ids, ledgers = {}, {}, {}, {}
  local left_out = withdrawn(all)
  for i, one in ipairs(all) do
    local answer = before[one.id]
    if not answer and left_out[i] then
      answer = ''
    elseif not answer then
      local is_undecided
      answer, is_undecided = rule(one)
      if not is_undecided then
        local record = ARGV[1] .. ' ' .. one.record .. ' ' .. answer
        before[one.id] = record
        fresh[#fresh + 1] = one.id
        fresh[#fresh + 1] = record
        ids[#ids + 1] = one.id
        ledgers[one.epoch] = ledgers[one.epoch] or {}
        table.insert(ledgers[one.epoch], one.id)
      end
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

-- Decides the attempts at one item in ARGV by a rule for its current sale, all or none. One that
-- was decided before keeps its decision; `before`, if it is given, counts as the earlier decisions.
local function reserve(rule, before)
  local all = attempts()
  local sale = counted_sale(all)
  local answers = decide(all, before or decided_before(all), function(one)
    if not sale then return 'lost sale_replaced' end
    return rule(sale, one)
  end)
  if sale then write(sale) end
  return answers
end

-- The end of an order, by the attempt that won it: its status and when it ended; false while it is
-- held.
local function end_of(id)
  local ended = redis.call('HGET', P .. 'ended', id)
  if not ended then return false end
  return string.match(ended, '^(%S+) (%S+)$')
end

-- The attempt that won an order which needs a payment; false when there is none.
local function winner(id)
  local record = redis.call('HGET', P .. 'decided', id)
  if not record then return false end
  local pattern = '^%S+ %S+ (%S+) (%S+) (%S+) %S+ %S+ won (%S+) (%S+)$'
  local buyer, item, epoch, order_id, held_until = string.match(record, pattern)
  if not buyer then return false end
  return { id = id, buyer = buyer, item = item, epoch = epoch, order_id = order_id,
    held_until = tonumber(held_until) }
end

-- Records the end of an order.
local function set_ended(one, status, now_us)
  redis.call('ZREM', P .. 'held', one.id)
  redis.call('HSET', P .. 'ended', one.id, status .. ' ' .. now_us)
  redis.call('RPUSH', P .. 'ends:' .. one.epoch, one.id .. ' ' .. status .. ' ' .. now_us)
  return status
end

-- Ends an order with a payment.
local function keep_order(one, now_us)
  redis.call('HINCRBY', P .. 'sale:' .. one.epoch, 'paid', 1)
  return set_ended(one, 'paid', now_us)
end

-- Ends an order, and gives its unit and its buyer's place back. The orders of each buyer are
-- counted for current sales only.
local function give_order_back(one, status, now_us)
  redis.call('HINCRBY', P .. 'sale:' .. one.epoch, 'left', 1)
  redis.call('HINCRBY', P .. 'sale:' .. one.epoch, 'returned', 1)
  local bought = P .. 'bought:' .. one.epoch
  if redis.call('HEXISTS', bought, one.buyer) == 1 then
    redis.call('HINCRBY', bought, one.buyer, -1)
  end
  return set_ended(one, status, now_us)
end

-- Ends the hold of an order, if it is held, and returns its status. From its deadline on it
-- expires, whatever is to end it. This is the only place where a unit comes back.
local function end_order(one, ending, now_us)
  local status = end_of(one.id)
  if status then return status end
  if tonumber(now_us) >= one.held_until then return give_order_back(one, 'expired', now_us) end
  if ending == 'pay' then return keep_order(one, now_us) end
  if ending == 'cancel' then return give_order_back(one, 'cancelled', now_us) end
  return 'held'
end

-- Ends the order that ARGV names by a rule. ARGV: request id, order id, ending, now_us.
local function end_named(rule)
  local one = winner(ARGV[1])
  if not one or one.order_id ~= ARGV[2] then return '' end
  return rule(one, ARGV[3], ARGV[4])
end

-- Expires orders that are due by a rule, and returns how many there were. ARGV: now_us, most
-- orders.
local function expire(rule)
  local due = redis.call('ZRANGEBYSCORE', P .. 'held', '-inf', ARGV[1], 'LIMIT', 0, ARGV[2])
  for _, id in ipairs(due) do
    local one = winner(id)
    if one then rule(one, 'expire', ARGV[1]) else redis.call('ZREM', P .. 'held', id) end
  end
  return #due
end

-- Adds units to a sale that another bucket has given: as many as its number of units given to this
-- one is above the number that has arrived. So each unit arrives once, however often this is
-- called.
local function take(epoch, bucket, given)
  local key, got = P .. 'sale:' .. epoch, 'got:' .. bucket
  local units = tonumber(given) - tonumber(redis.call('HGET', key, got) or '0')
  if units <= 0 then return end
  redis.call('HINCRBY', key, 'left', units)
  redis.call('HINCRBY', key, got, units)
end
