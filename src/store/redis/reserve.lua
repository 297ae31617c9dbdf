-- Decides attempts at one item, at once or not at all; one that was decided keeps its decision.
local all = attempts()
local sell, write = seller(all)
local answers = decide(all, decided_before(all), sell)
write()
return answers
