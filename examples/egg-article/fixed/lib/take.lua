-- Decides one purchase in one step, between which no other command runs.
-- KEYS: count, buslist, buyers, requests. ARGV: the buyer and the id of the request.
local count, buslist, buyers, requests = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local uid, request_id = ARGV[1], ARGV[2]

-- A message that is delivered again, or a request that is sent again.
if redis.call('SISMEMBER', requests, request_id) == 1 then return 'decided' end

local answer = 'sold'
if redis.call('SISMEMBER', buyers, uid) == 1 then
    answer = 'already_bought'
elseif tonumber(redis.call('GET', count) or '0') <= 0 then
    answer = 'sold_out'
else
    redis.call('RPUSH', buslist, uid)
    redis.call('SADD', buyers, uid)
    redis.call('DECR', count)
end
redis.call('SADD', requests, request_id)
return answer
