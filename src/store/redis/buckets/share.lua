-- Opens a sale in one of several buckets. ARGV: epoch, terms, units of this bucket, and how:
-- 'prepare' to create it only; 'fresh' to make it the current one of its item, if that is not a
-- later one; or 'unless-open' if there is none. It may be repeated. Returns the epoch of the item's
-- current sale.
local epoch, terms, left, how = unpack(ARGV)
local item = string.match(terms, '^(%S+) ')
if redis.call('EXISTS', P .. 'sale:' .. epoch) == 0 then
  create_sale(epoch, terms, left)
  redis.call('HSET', P .. 'sale:' .. epoch, 'prepared', 1)
end
local before = present(item)
if how == 'prepare' or (how == 'unless-open' and before) then return tonumber(before or '0') end
-- A sale that stays prepared, since another process has opened one meanwhile, is none.
redis.call('HDEL', P .. 'sale:' .. epoch, 'prepared')
if before and tonumber(before) >= tonumber(epoch) then return tonumber(before) end
make_current(item, epoch, before)
-- Whoever finds this completes it, if this process does not.
if BUCKET == 0 then redis.call('HSET', P .. 'opening', item, epoch) end
return tonumber(epoch)
