-- ARGV: item or nothing. Its current sale; or an empty one, and a word for the reason.
local item, problem = item_or_only(ARGV[1])
return { problem, sale_of(item and present(item)) }
