"""What a quantity used by an account costs, by its offer, its segment and what was granted to it; nothing is written.

The last line of output is a JSON object: the quote as price_quantity gives it, and whose price it is.
"""

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from accounts.admin.found_rows import find_account
from accounts.errors import DomainError
from quotas.admin.price_forms import moment_or_now
from quotas.pricing.answers import quote_as_json
from quotas.pricing.faults import Faults
from quotas.pricing.fields import is_text, read_number
from quotas.usage_quotes import price_usage


class Command(BaseCommand):
    help = __doc__

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("account", help="its id: ba_…")
        parser.add_argument("metric", help="such as gpu.hours")
        parser.add_argument("quantity", help="a plain decimal, such as 12.5")
        parser.add_argument("--dimension", action="append", default=[], metavar="NAME=VALUE", help="any number of them")
        parser.add_argument("--at", default="", help="as of which moment: 2026-04-01T00:00:00Z; now where left out")

    def handle(self, **options: Any) -> None:
        try:
            answer = _answer(options)
        except DomainError as error:
            raise CommandError(": ".join(filter(None, (error.code, error.field, error.detail)))) from error
        self.stdout.write(json.dumps({"act": "price_usage", **answer}))


def _answer(options: dict[str, Any]) -> dict[str, Any]:
    faults = Faults()
    quantity = read_number(options["quantity"], "quantity", faults, below=10**15)
    faults.raise_any()
    if quantity is None or not is_text(options["metric"], 253):
        raise DomainError("write the name of a meter", field="metric", code="text_invalid")
    account = find_account(options["account"])
    dimensions = dict(_pair(text) for text in options["dimension"])
    at = moment_or_now(options["at"], "at")
    priced = price_usage(account, options["metric"], quantity, dimensions=dimensions, at=at)
    return {
        **quote_as_json(priced.quote),
        "account": account.public_id,
        "metric": options["metric"],
        "offer": priced.entitlement.offer.code,
        "segment": priced.segment.code if priced.segment else None,
        "price_for": str(priced.price.audience),
    }


def _pair(text: str) -> tuple[str, str]:
    name, separator, value = text.partition("=")
    if not separator or not name or not value:
        raise DomainError("write a dimension as region=eu", field="dimension", code="dimensions_invalid")
    return name, value
