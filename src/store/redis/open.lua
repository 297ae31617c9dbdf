-- ARGV: 'fresh' or 'unless-open', terms. The terms are words: item, stock, per_buyer, opening and
-- closing, with a dash where there is none; and the hold of orders, which may be left out.
local terms = ARGV[2]
local item, stock, per_buyer, opens, closes, hold =
  string.match(terms, '^(%S+) (%S+) (%S+) (%S+) (%S+) ?(%S*)$')
local before = present(item)
if before and ARGV[1] == 'unless-open' then return sale_of(before) end
local epoch = redis.call('INCR', P .. 'epochs')
redis.call('HSET', P .. 'sale:' .. epoch, 'epoch', epoch, 'terms', terms, 'item', item,
  'per_buyer', per_buyer, 'opens', opens, 'closes', closes, 'left', stock, 'orders', 0)
if hold ~= '' then redis.call('HSET', P .. 'sale:' .. epoch, 'hold', hold) end
redis.call('HSET', P .. 'items', item, epoch)
if before then redis.call('DEL', P .. 'bought:' .. before) end
return sale_of(epoch)
