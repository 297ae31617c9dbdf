-- As end.lua, but a payment looks neither at the deadline nor at whether the order has expired.
local function pay_at_any_time(one, ending, now_us)
  local status = end_of(one.id) or 'held'
  if ending == 'pay' and (status == 'held' or status == 'expired') then
    return keep_order(one, now_us)
  end
  return end_order(one, ending, now_us)
end

return end_named(pay_at_any_time)
