-- The present sale.
return sale_of(present())
