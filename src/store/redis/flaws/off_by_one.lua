-- As reserve.lua, but a unit is sold while the stock is at least the orders, not above them.
local function sell_one_more(sale, one)
  if one.epoch ~= sale.epoch then return 'lost sale_replaced' end
  if sale.left < 0 then return 'lost sold_out' end
  if at_limit(sale, one) then return 'lost already_bought' end
  sale.left = sale.left - 1
  return order(sale, one)
end

return reserve(sell_one_more)
