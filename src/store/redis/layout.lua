-- KEYS: the layout's key, a key of the first layout. ARGV: the layout of this version and number of
-- buckets, which an empty database gets. Returns the layout.
local layout = redis.call('GET', KEYS[1])
if layout then return layout end
if redis.call('EXISTS', KEYS[2]) == 1 then return '1' end
redis.call('SET', KEYS[1], ARGV[1])
return ARGV[1]
