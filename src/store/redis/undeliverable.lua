-- Decides attempts as undeliverable, unless they were decided before.
local all = attempts()
return decide(all, decided_before(all), function() return 'lost undeliverable' end)
