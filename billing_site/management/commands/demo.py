"""Lay three weeks of a small GPU cloud's history, once, and print where to look and how to log in."""

import os
import sys
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction
from tqdm import tqdm

from accounts import clock, outbox_relay
from accounts.models import Organization
from billing_site.demo.credentials import demo_credentials
from billing_site.demo.curl_lines import curl_lines
from billing_site.demo.people import PASSWORD, STAFF
from billing_site.demo.stage import CUSTOMERS
from billing_site.demo.story import DAYS, Story, open_story
from ledger.verification import verify
from quotas.models import Sku


class Command(BaseCommand):
    help = __doc__

    def handle(self, **options: Any) -> None:
        if settings.ENVIRONMENT != "embedded":
            raise CommandError("the demo's logins are public; it runs only on an embedded site (ENVIRONMENT=embedded)")
        if not Organization.objects.filter(slug=CUSTOMERS[-1][0]).exists():
            self._lay()
        port = os.environ.get("PORT", "8000")
        self.stdout.write(_greeting(port))
        if settings.DEMO:
            self.stdout.write(_to_try(port))

    def _lay(self) -> None:
        # Whole or not at all: what is posted cannot be taken back by a second try.
        with transaction.atomic():
            story = open_story(clock.now())
            self._tell(story)
        outbox_relay.drain(clock.now())
        run = verify(clock.now(), full=True)
        if run.violation_count:
            raise CommandError(f"the demo's books are not clean: {run.violations[:3]}")

    def _tell(self, story: Story) -> None:
        with tqdm(total=len(story.chapters()) + DAYS, unit="act", desc="three weeks", file=sys.stderr) as bar:
            story.tell(bar.update)


def _greeting(port: str) -> str:
    site = f"http://127.0.0.1:{port}"
    widest = max(len(login.email) for login in STAFF)
    lines = [
        "Countinghouse demo: seven customers of a GPU cloud, three weeks of history, billed by the minute from now on.",
        f"  Back office   {site}/admin/",
        f"  Health        {site}/healthz and {site}/readyz",
        f"  Log in with the password {PASSWORD}:",
        *(f"    {login.email:<{widest}}  {login.says}" for login in STAFF),
        "  To see: Grove Media is parked (a typing error in a quantity), a transfer and a credit wait for Erin,",
        "  Dune Weather ran dry and its machine was never confirmed gone, Cinder Studio is low and runs dry in hours,",
        "  Borealis moved to a second account inside an hour.",
    ]
    return "\n".join(lines)


def _to_try(port: str) -> str:
    """Lines for the API, with a key and tokens of this demo's own."""
    organization = Organization.objects.get(slug=CUSTOMERS[0][0])
    account, project = (rows.order_by("pk")[0] for rows in (organization.billing_accounts, organization.projects))
    made = demo_credentials(int(port), at=clock.now())
    sku = Sku.objects.order_by("pk")[0]
    lines = curl_lines(
        f"http://127.0.0.1:{port}", made, account=account.public_id, project=project.public_id, sku=sku.public_id
    )
    shown = "\n".join(f"  # {one.shows}\n  {one.line}" for one in lines)
    return f"  To try the API (described at http://127.0.0.1:{port}/api/docs/):\n{shown}"
