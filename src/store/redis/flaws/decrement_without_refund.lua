-- As reserve.lua, but the unit is taken before the buyer's limit is checked, and is not given back
-- when the buyer is at the limit.
local function take_then_check(sale, one)
  if one.epoch ~= sale.epoch then return 'lost sale_replaced' end
  if sale.left <= 0 then return 'lost sold_out' end
  sale.left = sale.left - 1
  if at_limit(sale, one) then return 'lost already_bought' end
  return order(sale, one)
end

return reserve(take_then_check)
