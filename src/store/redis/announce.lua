-- ARGV: request id, attempt up to its epoch, accepted_us.
local id = ARGV[1]
local state, record = known(id)
if state == 'announced' then redis.call('HSET', P .. ':twins', id, 1) end
if state == 'unknown' then record = announce(id, ARGV[2], ARGV[3]) end
return { state, record }
