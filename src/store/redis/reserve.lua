-- Decides attempts at one item by the rule.
return reserve(sell)
