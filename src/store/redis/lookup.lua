-- ARGV: request id, buyer; and, to announce the attempt if nothing speaks against it, its item and
-- now_us.
local id, buyer, item, now_us = ARGV[1], ARGV[2], ARGV[3], tonumber(ARGV[4])
local state, record = known(id)
-- A concurrent retry may republish this attempt, so it must not be withdrawn.
if state == 'announced' then redis.call('HSET', P .. ':twins', id, 1) end
local epoch = present()
local at_limit, announced = 0, ''
if epoch then
  local orders = redis.call('HGET', P .. ':bought:' .. epoch, buyer)
  local names = { 'per_buyer', 'left', 'opens', 'closes' }
  local terms = redis.call('HMGET', P .. ':sale:' .. epoch, unpack(names))
  local limit, left = tonumber(terms[1]), tonumber(terms[2])
  local opens, closes = tonumber(terms[3]), tonumber(terms[4])
  if tonumber(orders or '0') >= limit then at_limit = 1 end
  if now_us and state == 'unknown' and at_limit == 0 and left > 0
    and not (opens and now_us < opens) and not (closes and now_us >= closes) then
    announced = announce(id, id .. ' ' .. buyer .. ' ' .. item .. ' ' .. epoch, ARGV[4])
  end
end
return { state, record, at_limit, sale_of(epoch), announced }
