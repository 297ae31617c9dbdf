-- Ends an order by the rule.
return end_named(end_order)
