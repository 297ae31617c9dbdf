-- Claims request ids for attempts. ARGV, for each attempt: its id; its bucket and its position there,
-- or nothing to only read; and the claim in whose place it is put, or nothing. Returns the claim that
-- each id has then. An id stays with the bucket that has claimed it, unless that claim is named.
local ids = {}
for i = 1, #ARGV, 3 do ids[#ids + 1] = ARGV[i] end
local claims, changed, fresh = redis.call('HMGET', P .. 'ids', unpack(ids)), {}, {}

-- Whether it is of the same bucket, and of a later attempt. A claim that comes late does not lower the
-- position, by which a claim is known to be old.
local function is_later(mine, claim)
  local bucket, seq = string.match(mine, '^(%d+) (%d+)$')
  local owner, last = string.match(claim, '^(%d+) (%d+)$')
  return bucket == owner and tonumber(seq) > tonumber(last)
end

for n, id in ipairs(ids) do
  local mine, replaced, claim = ARGV[3 * n - 1], ARGV[3 * n], changed[id] or claims[n]
  if mine ~= '' and (not claim or claim == replaced or is_later(mine, claim)) then
    claim, changed[id] = mine, mine
    fresh[#fresh + 1], fresh[#fresh + 2] = id, mine
  end
  claims[n] = claim or ''
end
if #fresh > 0 then redis.call('HSET', P .. 'ids', unpack(fresh)) end
return claims
