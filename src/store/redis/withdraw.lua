-- ARGV: request id. Returns 1 when the attempt left the register and will not be decided.
local id = ARGV[1]
if known(id) ~= 'announced' then return 0 end
if redis.call('HEXISTS', P .. ':twins', id) == 1 then return 0 end
redis.call('HDEL', P .. ':waiting', id)
redis.call('SREM', P .. ':unconfirmed', id)
return 1
