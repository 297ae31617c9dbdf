-- ARGV: item, epoch. Notes that this sale is the current one in all buckets.
if redis.call('HGET', P .. 'opening', ARGV[1]) == ARGV[2] then
  redis.call('HDEL', P .. 'opening', ARGV[1])
end
return 1
