-- ARGV: epoch. The sale, and how many decisions it has at this moment.
return { sale_of(ARGV[1]), redis.call('LLEN', P .. 'ledger:' .. ARGV[1]) }
