-- ARGV: 'fresh' or 'unless-open', epoch, terms. The terms are words: item, stock, per_buyer,
-- opening and closing; a dash where there is none.
local before = present()
if before and ARGV[1] == 'unless-open' then return sale_of(before) end
-- Two processes may open a sale at the same time: the higher epoch wins, in whatever order.
if before and tonumber(before) > tonumber(ARGV[2]) then return sale_of(before) end
local epoch, terms = ARGV[2], ARGV[3]
local item, stock, per_buyer, opens, closes = string.match(terms, '(%S+) (%S+) (%S+) (%S+) (%S+)')
redis.call('HSET', P .. ':sale:' .. epoch, 'epoch', epoch, 'terms', terms, 'item', item,
  'per_buyer', per_buyer, 'opens', opens, 'closes', closes, 'left', stock, 'orders', 0)
redis.call('SET', P .. ':present', epoch)
if before then redis.call('DEL', P .. ':bought:' .. before) end
return sale_of(epoch)
