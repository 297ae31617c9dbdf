-- Decides attempts at one item, all or none; one that was decided before keeps its decision.
local all = attempts()
local sell, write = seller(all)
local answers = decide(all, decided_before(all), sell)
write()
return answers
