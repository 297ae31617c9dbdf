-- ARGV: moment. At most a thousand of the attempts that were announced before it and are not known
-- to be queued. The caller is going to publish them, so they must not be withdrawn from now on.
local ids = redis.call('SRANDMEMBER', P .. 'unconfirmed', 1000)
if #ids == 0 then return {} end
local records, old, old_ids = redis.call('HMGET', P .. 'waiting', unpack(ids)), {}, {}
for i, id in ipairs(ids) do
  local record = records[i]
  if record and tonumber(string.match(record, '%d+$')) <= tonumber(ARGV[1]) then
    old[#old + 1] = record
    old_ids[#old_ids + 1] = id
  end
end
if #old > 0 then redis.call('SADD', P .. 'twins', unpack(old_ids)) end
return old
