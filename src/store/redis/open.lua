-- ARGV: 'fresh' or 'unless-open', terms, of which `create_sale` says what they are.
local item, stock = string.match(ARGV[2], '^(%S+) (%S+) ')
local before = present(item)
if before and ARGV[1] == 'unless-open' then return sale_of(before) end
local epoch = redis.call('INCR', P .. 'epochs')
create_sale(epoch, ARGV[2], stock)
make_current(item, epoch, before)
return sale_of(epoch)
