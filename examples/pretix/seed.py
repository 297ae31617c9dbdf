"""Puts one ticket with a small quota on sale and opens the API. Run by `python -m pretix shell`."""

import os
from datetime import timedelta

from django.utils.timezone import now
from django_scopes import scopes_disabled
from pretix.base.models import Event, Organizer, Team, TeamAPIToken

with scopes_disabled():
    organizer = Organizer.objects.create(name="Flash", slug="flash")
    event = Event.objects.create(
        organizer=organizer,
        name="Sale",
        slug="sale",
        currency="EUR",
        live=True,
        plugins="pretix.plugins.banktransfer",
        date_from=now() + timedelta(days=30),
    )
    ticket = event.items.create(name="Ticket", default_price=0, active=True)
    quota = event.quotas.create(name="Ticket", size=int(os.environ["SHOP_STOCK"]))
    quota.items.add(ticket)
    team = Team.objects.create(
        organizer=organizer,
        name="API",
        all_events=True,
        all_event_permissions=True,
    )
    TeamAPIToken.objects.create(team=team, name="seckill", token=os.environ["SHOP_TOKEN"])
