-- ARGV: request id.
local state, record = known(ARGV[1])
return { state, record }
