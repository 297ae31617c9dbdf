-- ARGV: moment. At most a thousand of the attempts that were announced before it and are not known
-- to be queued. The caller is going to publish them, so they must not be withdrawn from now on.
local records = {}
for _, id in ipairs(redis.call('SRANDMEMBER', P .. ':unconfirmed', 1000)) do
  local record = redis.call('HGET', P .. ':waiting', id)
  if record and tonumber(string.match(record, '%d+$')) <= tonumber(ARGV[1]) then
    redis.call('HSET', P .. ':twins', id, 1)
    records[#records + 1] = record
  end
end
return records
