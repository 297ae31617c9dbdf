-- As end.lua, but a payment or a cancellation of an expired order gives its unit back once more.
local function refund_again(one, ending, now_us)
  if end_of(one.id) == 'expired' then return give_order_back(one, 'expired', now_us) end
  return end_order(one, ending, now_us)
end

return end_named(refund_again)
