-- ARGV: request id, position. Removes an attempt from the register that was announced here, and
-- whose id belongs to another bucket. It was never published, so it needs no tombstone.
if redis.call('SISMEMBER', P .. 'unconfirmed', ARGV[1]) == 0 then return 0 end
local record = redis.call('HGET', P .. 'waiting', ARGV[1])
if not record then return 0 end
local id, _, item, _, seq = fields(record)
if seq ~= ARGV[2] then return 0 end
remove(item, { id })
return 1
