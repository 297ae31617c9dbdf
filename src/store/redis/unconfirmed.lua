-- A thousand, at the most, of the announced attempts that are not known to be queued.
local records = {}
for _, id in ipairs(redis.call('SRANDMEMBER', P .. ':unconfirmed', 1000)) do
  local record = redis.call('HGET', P .. ':waiting', id)
  if record then records[#records + 1] = record end
end
return records
