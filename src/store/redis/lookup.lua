-- ARGV: request id, buyer, item or nothing; and, to announce the attempt if nothing speaks against it,
-- now_us.
local id, buyer, now_us = ARGV[1], ARGV[2], tonumber(ARGV[4])
local state, record = known(id)
-- A concurrent retry may republish this attempt, so it must not be withdrawn.
if state == 'announced' then redis.call('SADD', P .. 'twins', id) end
local item, problem = item_or_only(ARGV[3])
local epoch = item and present(item)
local sale, at_limit, announced = {}, 0, ''
if epoch then
  local orders = redis.call('HGET', P .. 'bought:' .. epoch, buyer)
  local names = { 'per_buyer', 'opens', 'closes', unpack(SALE) }
  local found = redis.call('HMGET', P .. 'sale:' .. epoch, unpack(names))
  local limit, opens, closes = tonumber(found[1]), tonumber(found[2]), tonumber(found[3])
  sale = with_zeros({ found[4], found[5], found[6], found[7], found[8], found[9] })
  local left = tonumber(sale[3])
  if tonumber(orders or '0') >= limit then at_limit = 1 end
  if now_us and state == 'unknown' and at_limit == 0 and left > 0
    and not (opens and now_us < opens) and not (closes and now_us >= closes) then
    local attempt = id .. ' ' .. buyer .. ' ' .. item .. ' ' .. epoch
    announced = announce(id, item, attempt, ARGV[4])
  end
end
return { state, record, at_limit, problem, sale, announced }
