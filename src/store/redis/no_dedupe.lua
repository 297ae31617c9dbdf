-- As reserve.lua, but it never looks whether an attempt was decided before.
local records = {}
for i = 2, #ARGV, 4 do
  local id, buyer, epoch, attempt = ARGV[i], ARGV[i + 1], ARGV[i + 2], ARGV[i + 3]
  records[#records + 1] = decide(ARGV[1], id, epoch, attempt, sell(buyer, epoch))
end
redis.call('INCR', P .. ':progress')
return records
