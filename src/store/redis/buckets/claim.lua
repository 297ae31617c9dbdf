-- Claims request ids for attempts. ARGV, for each attempt: its id; its bucket and its position
-- there, or nothing to only read; and the claim in whose place it is put, or nothing. Returns the
-- claim that each id has then. An id stays with the bucket that has claimed it, unless that claim
-- is named.
local function parts(claim)
  local bucket, seq = string.match(claim, '^(%d+) (%d+)$')
  return bucket, tonumber(seq)
end

local claims = {}
for i = 1, #ARGV, 3 do
  local id, mine, replaced = ARGV[i], ARGV[i + 1], ARGV[i + 2]
  local claim = redis.call('HGET', P .. 'ids', id)
  if mine ~= '' and claim ~= mine then
    local bucket, seq = parts(mine)
    local owner, last = parts(claim or mine)
    -- A claim that comes late does not lower the position, by which a claim is known to be old.
    if not claim or claim == replaced or (owner == bucket and seq > last) then
      redis.call('HSET', P .. 'ids', id, mine)
      claim = mine
    end
  end
  claims[#claims + 1] = claim or ''
end
return claims
