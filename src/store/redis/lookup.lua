-- Looks attempts up, and announces those that nothing speaks against. ARGV, for each item: its name
-- or nothing, and the number of its attempts; then of each of these its request id, its buyer, when
-- it is announced or nothing, and the epoch for which it is announced, whatever the current sale
-- says, or nothing.
local groups, all, at = {}, {}, 1
while at <= #ARGV do
  local group = { item = ARGV[at], attempts = {} }
  groups[#groups + 1] = group
  local last = at + 1 + 4 * tonumber(ARGV[at + 1])
  for i = at + 2, last, 4 do
    local one = { id = ARGV[i], buyer = ARGV[i + 1], at_us = ARGV[i + 2], epoch = ARGV[i + 3] }
    table.insert(group.attempts, one)
    all[#all + 1] = one
  end
  at = last + 1
end

local ids = each(all, 'id')
local decided = redis.call('HMGET', P .. 'decided', unpack(ids))
local waiting = redis.call('HMGET', P .. 'waiting', unpack(ids))
for i, one in ipairs(all) do one.decided, one.waiting = decided[i], waiting[i] end

-- The records that this call has put into the register, by request id.
local announced = {}

-- What is known of an attempt: as `known` says it. A concurrent retry may republish an attempt that
-- is announced twice, so it must not be withdrawn.
local function recorded(one)
  if one.decided then return 'decided', one.decided end
  local record = announced[one.id] or one.waiting
  if not record then return 'unknown', '' end
  if not announced[one.id] and redis.call('SISMEMBER', P .. 'unconfirmed', one.id) == 0 then
    return 'waiting', record
  end
  redis.call('SADD', P .. 'twins', one.id)
  return 'announced', record
end

-- The current sale of an item, and the orders of each buyer.
local function offer_of(group)
  local item, problem = item_or_only(group.item)
  local epoch = item and present(item)
  if not epoch then return { problem = problem, sale = {}, left = 0 } end
  local names = { 'per_buyer', 'opens', 'closes', unpack(SALE) }
  local found = redis.call('HMGET', P .. 'sale:' .. epoch, unpack(names))
  local buyers = each(group.attempts, 'buyer')
  return {
    problem = problem, sale = with_zeros({ unpack(found, 4, 9) }), item = item, epoch = epoch,
    limit = tonumber(found[1]), opens = tonumber(found[2]), closes = tonumber(found[3]),
    left = tonumber(found[6]),
    orders = redis.call('HMGET', P .. 'bought:' .. epoch, unpack(buyers)),
  }
end

local function is_open(offer, now_us)
  local is_early = offer.opens and now_us < offer.opens
  return not is_early and not (offer.closes and now_us >= offer.closes)
end

-- The state of an attempt and its record. One that is to be announced in this call is `fresh`.
local function look_up(one, offer, orders)
  local state, record = recorded(one)
  if state ~= 'unknown' then return state, record end
  local is_at_limit = offer.limit and tonumber(orders or '0') >= offer.limit
  if one.at_us == '' then return is_at_limit and 'at_limit' or state, '' end
  if one.epoch == '' then
    if is_at_limit then return 'at_limit', '' end
    if offer.left <= 0 or not is_open(offer, tonumber(one.at_us)) then return state, '' end
  end
  return 'fresh', ''
end

-- The position of an attempt after the last one that was given. Each of several buckets gives its
-- own, in tenths of a millisecond, so that their order is about that of acceptance.
local function next_after(last, at_us)
  if BUCKETS == 1 then return last + 1 end
  return math.max(last + 1, math.floor(tonumber(at_us) / 100))
end

local function look_up_all(group)
  local offer, answers, fresh = offer_of(group), {}, {}
  local before = tonumber(redis.call('GET', P .. 'seq') or '0')
  local last = before
  local records, queued = {}, {}
  for i, one in ipairs(group.attempts) do
    local state, record = look_up(one, offer, offer.orders and offer.orders[i])
    if state == 'fresh' then
      local item, epoch = offer.item, one.epoch
      if epoch == '' then epoch = offer.epoch else item = group.item end
      fresh[#fresh + 1] = one.id
      last = next_after(last, one.at_us)
      local place = string.format('%.0f', last * BUCKETS + BUCKET)
      record = table.concat({ one.id, one.buyer, item, epoch, place, one.at_us }, ' ')
      announced[one.id] = record
      records[#records + 1], records[#records + 2] = one.id, record
      queued[#queued + 1], queued[#queued + 2] = place, one.id
    end
    answers[#answers + 1], answers[#answers + 2] = state, record
  end
  if #fresh > 0 then
    redis.call('INCRBY', P .. 'seq', string.format('%.0f', last - before))
    redis.call('HSET', P .. 'waiting', unpack(records))
    redis.call('SADD', P .. 'unconfirmed', unpack(fresh))
    redis.call('ZADD', P .. 'queued:' .. (offer.item or group.item), unpack(queued))
  end
  return { offer.problem, offer.sale, answers }
end

-- What cannot be read or written of one item fails the attempts at it, and no others.
local replies = {}
for i, group in ipairs(groups) do
  local is_done, reply = pcall(look_up_all, group)
  if not is_done then
    local problem = type(reply) == 'table' and reply.err or tostring(reply)
    reply = { 'failed', { problem }, {} }
  end
  replies[i] = reply
end
return replies
