-- ARGV: request id, position, most tombstones of a sale. Returns 1 when the attempt left the
-- register and will not be decided.
local id = ARGV[1]
local state, record = known(id)
if state ~= 'announced' then return 0 end
if redis.call('SISMEMBER', P .. 'twins', id) == 1 then return 0 end
local _, _, item, epoch, seq = fields(record)
-- This call may be late, and the id may belong to a later attempt by now.
if seq ~= ARGV[2] then return 0 end
local tombs = P .. 'withdrawn:' .. epoch
if redis.call('HLEN', tombs) >= tonumber(ARGV[3]) and redis.call('HEXISTS', tombs, id) == 0 then
  return 0
end
redis.call('HSET', tombs, id, seq)
remove(item, { id })
return 1
