-- Decides that attempts could not be delivered, unless they were decided before.
local all = attempts()
return decide(all, decided_before(all), function() return 'lost undeliverable' end)
