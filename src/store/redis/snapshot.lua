-- ARGV: epoch. The sale, and how many decisions and ends of orders it has at this moment.
local decisions, ends = P .. 'ledger:' .. ARGV[1], P .. 'ends:' .. ARGV[1]
return { sale_of(ARGV[1]), redis.call('LLEN', decisions), redis.call('LLEN', ends) }
