-- ARGV: epoch. The sale, and how many decisions and ends of orders it has at this moment; and all
-- that its record has, if it is in one of several buckets.
local decisions, ends = P .. 'ledger:' .. ARGV[1], P .. 'ends:' .. ARGV[1]
local all = BUCKETS > 1 and redis.call('HGETALL', P .. 'sale:' .. ARGV[1]) or {}
return { sale_of(ARGV[1]), redis.call('LLEN', decisions), redis.call('LLEN', ends), all }
