-- ARGV: now_us, then for each attempt: request id, buyer, epoch, record.
local records = {}
for i = 2, #ARGV, 4 do
  local id, buyer, epoch, attempt = ARGV[i], ARGV[i + 1], ARGV[i + 2], ARGV[i + 3]
  local record = redis.call('HGET', P .. ':decided', id)
  if not record then record = decide(ARGV[1], id, epoch, attempt, sell(buyer, epoch)) end
  records[#records + 1] = record
end
redis.call('INCR', P .. ':progress')
return records
