-- ARGV: epoch, bucket, most units. Takes units from a sale for another bucket, and returns how many
-- were ever given to it. From then on they are on their way, until that bucket has the same number.
local key, given = P .. 'sale:' .. ARGV[1], 'given:' .. ARGV[2]
local left = tonumber(redis.call('HGET', key, 'left') or '0')
local units = math.min(left, tonumber(ARGV[3]))
if units <= 0 then return tonumber(redis.call('HGET', key, given) or '0') end
redis.call('HINCRBY', key, 'left', -units)
return redis.call('HINCRBY', key, given, units)
