-- ARGV: now_us, then for each attempt: request id, buyer, epoch, record.
local records = {}
for i = 2, #ARGV, 4 do
  local id, epoch, attempt = ARGV[i], ARGV[i + 2], ARGV[i + 3]
  local state, record = known(id)
  if state ~= 'decided' then record = decide(ARGV[1], id, epoch, attempt, 'lost undeliverable') end
  records[#records + 1] = record
end
redis.call('INCR', P .. ':progress')
return records
