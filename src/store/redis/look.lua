-- ARGV: request id, buyer.
local state, record = known(ARGV[1])
local epoch = present()
local at_limit = 0
if epoch then
  local orders = redis.call('HGET', P .. ':bought:' .. epoch, ARGV[2])
  local limit = redis.call('HGET', P .. ':sale:' .. epoch, 'per_buyer')
  if orders and limit and tonumber(orders) >= tonumber(limit) then at_limit = 1 end
end
return { state, record, at_limit, sale_of(epoch) }
