-- As reserve.lua, but without checking whether an attempt was decided before.
local all = attempts()
local sold, store = seller(all, sell)
local answers = decide(all, {}, sold)
store()
return answers
