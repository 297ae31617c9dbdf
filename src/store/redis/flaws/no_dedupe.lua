-- As reserve.lua, but without checking whether an attempt was decided before.
return reserve(sell, {})
