-- ARGV: request id, item, attempt up to its epoch, accepted_us.
local id = ARGV[1]
local state, record = known(id)
if state == 'announced' then redis.call('SADD', P .. 'twins', id) end
if state == 'unknown' then record = announce(id, ARGV[2], ARGV[3], ARGV[4]) end
return { state, record }
