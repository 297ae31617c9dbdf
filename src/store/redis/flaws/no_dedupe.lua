-- As reserve.lua, but without checking whether an attempt was decided before.
local all = attempts()
local sell, write = seller(all)
local answers = decide(all, {}, sell)
write()
return answers
