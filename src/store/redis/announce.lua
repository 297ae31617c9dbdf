-- ARGV: request id, attempt up to its epoch, accepted_us.
local id = ARGV[1]
local state, record = known(id)
if state == 'announced' then redis.call('HSET', P .. ':twins', id, 1) end
if state ~= 'unknown' then return { state, record } end
record = ARGV[2] .. ' ' .. redis.call('INCR', P .. ':seq') .. ' ' .. ARGV[3]
redis.call('HSET', P .. ':waiting', id, record)
redis.call('SADD', P .. ':unconfirmed', id)
return { 'unknown', record }
