-- Expires the orders that are due, by the rule.
return expire(end_order)
