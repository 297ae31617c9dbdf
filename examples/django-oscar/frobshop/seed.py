"""Puts one product with a small stock on sale. `django-admin shell < frobshop/seed.py` runs it."""

import os

from oscar.apps.address.models import Country
from oscar.apps.catalogue.models import Category, Product, ProductClass
from oscar.apps.partner.models import Partner, StockRecord

Country.objects.get_or_create(
    iso_3166_1_a2="GB",
    defaults={"printable_name": "United Kingdom", "is_shipping_country": True},
)
kind, _ = ProductClass.objects.get_or_create(name="Phones", track_stock=True)
partner, _ = Partner.objects.get_or_create(name="Warehouse")
phone, _ = Product.objects.get_or_create(
    pk=1, defaults={"title": "Phone", "slug": "phone", "product_class": kind}
)
phone.categories.add(Category.objects.first() or Category.add_root(name="Sale"))
StockRecord.objects.update_or_create(
    product=phone,
    partner=partner,
    partner_sku="phone",
    defaults={
        "price": 10,
        "num_in_stock": int(os.environ.get("SHOP_STOCK", "10")),
        "num_allocated": 0,
    },
)
