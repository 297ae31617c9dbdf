-- ARGV: epoch. The ids of all announced attempts at the item of this sale.
local item = redis.call('HGET', P .. 'sale:' .. ARGV[1], 'item')
if not item then return {} end
return redis.call('SMEMBERS', P .. 'queued:' .. item)
