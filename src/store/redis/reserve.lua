-- Decides attempts at one item, all or none; one that was decided before keeps its decision.
local all = attempts()
local sold, store = seller(all, sell)
local answers = decide(all, decided_before(all), sold)
store()
return answers
