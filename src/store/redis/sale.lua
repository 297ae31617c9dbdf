-- The current sale.
return sale_of(present())
