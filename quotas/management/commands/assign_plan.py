"""Let an organization hold a plan and exactly these add-ons: the limits follow in the same transaction."""

from argparse import ArgumentParser
from typing import Any

from accounts.act_commands import acting
from accounts.admin.act_pages import rehearse
from accounts.admin.found_rows import find_account, find_organization
from accounts.audit import person, system
from accounts.clock import now, parse_moment
from accounts.errors import TimeInvalid
from accounts.json_commands import JsonCommand, Options
from quotas.addon_words import addons_of
from quotas.models import Limit, Subscription
from quotas.subscription_items import parse_count
from quotas.subscriptions import assign_plan, state


class Command(JsonCommand):
    help = __doc__

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("organization", nargs="?", default="", help="its id, org_…, or its short name")
        parser.add_argument("--organization", dest="named", default="", help="the same")
        parser.add_argument("--plan", required=True, metavar="ID")
        parser.add_argument("--addon", action="append", default=[], metavar="ID=N", help="may be given several times")
        parser.add_argument("--billing-account", default="", help="who pays: ba_…; empty: the only one that fits")
        parser.add_argument("--interval", default="month", help="day, week, month, quarter or year")
        parser.add_argument("--timezone", default="UTC", help="whose wall clock the periods follow")
        parser.add_argument("--newest", action="store_true", help="take the newest version and price of what is held")
        parser.add_argument("--at", default="", help="not in the future; empty means now")
        parser.add_argument("--as", dest="acting", metavar="EMAIL", help="the member of staff who acts")
        parser.add_argument("--reason", default="assigned on the server")
        parser.add_argument("--dry-run", action="store_true", help="rehearse it and write nothing")

    def answer(self, options: Options) -> dict[str, Any]:
        told: dict[str, Any] = {}

        def act() -> None:
            told.update(_told(self.assign(options)))

        if options["dry_run"]:
            rehearse(act)
        else:
            act()
        return {"dry_run": options["dry_run"], **told}

    def assign(self, options: Options) -> Subscription:
        clock = now()
        at = parse_moment(options["at"]) if options["at"] else clock
        if at > clock:
            raise TimeInvalid("a plan is assigned from now on, or from the past on")
        user = acting(options["acting"], "operate") if options["acting"] else None
        return assign_plan(
            find_organization(options["organization"] or options["named"]),
            options["plan"],
            {code: parse_count(count) for code, count in addons_of(options["addon"]).items()},
            account=find_account(named) if (named := options["billing_account"]) else None,
            interval=options["interval"],
            time_zone=options["timezone"],
            newest=options["newest"],
            actor=person(user) if user else system("assign_plan"),
            reason=options["reason"],
            at=at,
        )


def _told(subscription: Subscription) -> dict[str, Any]:
    limits = Limit.objects.filter(organization=subscription.organization_id, project=None).order_by("kind")
    return {
        "organization": subscription.organization.public_id,
        "subscription": subscription.public_id,
        **state(subscription),
        "limits": {limit.kind: limit.values for limit in limits},
    }
