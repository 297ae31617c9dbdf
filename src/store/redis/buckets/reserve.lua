-- Decides attempts at one item in one of several buckets. ARGV: now_us; 1 if their ids are claimed;
-- the epoch that is known to be sold out; epoch, bucket and number of units on their way here, all
-- of these or nothing; then the attempts. Undecided stay attempts whose ids are not claimed, and
-- those for which no unit is here, while there may be one elsewhere.
local is_claimed, sold_out = ARGV[2] == '1', ARGV[3]
if ARGV[4] ~= '' then take(ARGV[4], ARGV[5], ARGV[6]) end
for _ = 2, 6 do table.remove(ARGV, 2) end
local all = attempts()
-- Attempts of the register that were published are claimed.
local registered = redis.call('HMGET', P .. 'waiting', unpack(each(all, 'id')))
for i, one in ipairs(all) do one.is_claimed = is_claimed or registered[i] end
local sale = counted_sale(all)
local answers = decide(all, decided_before(all), function(one)
  if not one.is_claimed then return 'unclaimed', true end
  if not sale then return 'lost sale_replaced' end
  if one.epoch ~= sale.epoch or sale.left > 0 or sale.epoch == sold_out then
    return sell(sale, one)
  end
  if at_limit(sale, one) then return 'lost already_bought' end
  return 'dry ' .. sale.epoch, true
end)
if sale then write(sale) end
return answers
