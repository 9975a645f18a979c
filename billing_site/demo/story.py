"""What happens in the demo, day by day: each line is one real act at its moment."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from accounts import approvals, features
from accounts.audit import person
from accounts.bindings import rebind
from accounts.lifecycle import open_billing_account
from accounts.models import BillingAccount, Feature
from billing_site.demo import details, plans
from billing_site.demo.rings import rings_before
from billing_site.demo.stage import ACTOR, WINDOW_SECONDS, Stage, set_stage, set_window
from ledger import accrual, adjustments, corrections, credits, daily_totals
from ledger.models import LedgerTransaction
from payments import bank_transfers
from quotas.allocations import complete_release, request_release, resize, start
from quotas.models import SubscriptionStatus

DAYS = 21
# What the platform reports in the end; None is what it could not count.
USED: dict[str, dict[str, object]] = {
    "aurora": {
        "cpu": "61",
        "memory": "212Gi",
        "storage": "1100Gi",
        "pods": 640,
        "services.loadbalancers": 11,
        "external_ips": 3,
        "object_storage": "3900",
    },
    "borealis": {
        "cpu": "9500m",
        "memory": "31Gi",
        "storage": "120Gi",
        "pods": 77,
        "services.loadbalancers": 2,
        "external_ips": 0,
        "object_storage": None,
    },
    "cinder": {
        "cpu": "3800m",
        "memory": "9Gi",
        "storage": "99Gi",
        "pods": 31,
        "services.loadbalancers": 1,
        "external_ips": 1,
        "object_storage": "12",
    },
}
Act = Callable[[datetime], object]


@dataclass
class Story:
    stage: Stage
    begins_at: datetime
    running: dict[str, int] = field(default_factory=dict)

    def chapters(self) -> list[tuple[float, Act]]:
        """(day, act), each at its moment."""
        return [*self._money(), *self._plans(), (0.3, lambda at: details.tell(self.stage, at))]

    def _plans(self) -> list[tuple[float, Act]]:
        stage = self.stage
        return [
            (0.05, lambda at: plans.publish_catalog(stage, at)),
            (0.2, lambda at: plans.subscribe(stage, "aurora", "fleet", {"boost": 2}, at)),
            (0.25, lambda at: plans.subscribe(stage, "borealis", "team", {}, at)),
            (1.0, lambda at: plans.subscribe(stage, "cinder", "starter", {}, at)),
            (1.1, lambda at: plans.subscribe(stage, "ember", "team", {"vault": 1}, at)),
            (1.9, lambda at: plans.subscribe(stage, "dune", "starter", {}, at)),
            (2.2, lambda at: plans.subscribe(stage, "fuji", "team", {}, at)),
            (5.0, lambda at: plans.hold_addresses(stage, "aurora", 3, at)),
            (9.0, lambda at: plans.subscribe(stage, "ember", "team", {"vault": 1, "boost": 1}, at)),
            (11.0, lambda at: plans.cap_production(stage, "aurora", at)),
            (14.0, lambda at: plans.raise_the_price_of_team(stage, at)),
            (16.0, lambda at: plans.bring(stage, "fuji", SubscriptionStatus.SUSPENDED, "two invoices unpaid", at)),
            (18.0, lambda at: plans.bring(stage, "ember", SubscriptionStatus.CANCELING, "asked for by mail", at)),
            (19.0, lambda at: plans.subscribe(stage, "grove", "team", {}, at)),
            (20.0, lambda at: plans.draft_a_larger_team(stage, at)),
            *[(20.5, self._usage(customer)) for customer in USED],
        ]

    def _usage(self, customer: str) -> Act:
        return lambda at: plans.use(self.stage, customer, USED[customer], at)

    def _money(self) -> list[tuple[float, Act]]:
        return [
            (0.1, lambda at: self.transfer("aurora", 900_000, "MC-2041", at)),
            (0.1, lambda at: self.transfer("cinder", 30_000, "MC-2042", at)),
            (0.1, lambda at: self.transfer("dune", 20_000, "MC-2043", at)),
            (0.1, lambda at: self.transfer("ember", 250_000, "MC-2044", at)),
            (0.1, lambda at: self.transfer("grove", 50_000, "MC-2045", at)),
            (0.3, lambda at: self.start("aurora-train", "aurora", "h100", "4", at)),
            (0.4, lambda at: self.start("borealis-fold", "borealis", "a100", "8", at)),
            (0.5, lambda at: self.start("borealis-serve", "borealis", "vcpu", "64", at)),
            (0.6, lambda at: self.start("ember-tiles", "ember", "a100", "1.5", at)),
            (0.7, lambda at: self.start("fuji-detect", "fuji", "h100", "2", at)),
            (0.9, lambda at: self.grant("ember", 5_000, "welcome to the beta programme", at)),
            (1.2, lambda at: self.start("cinder-render", "cinder", "a100", "0.485", at)),
            (2.0, lambda at: self.start("dune-forecast", "dune", "h100", "0.5", at)),
            (4.5, lambda at: resize(self.running["aurora-train"], quantity="8", actor=ACTOR, at=at)),
            (6.0, lambda at: self.release("dune-forecast", at)),
            (7.3, lambda at: self.adjust("borealis", 4_500, "goodwill for the storage incident", at)),
            (8.0, lambda at: resize(self.running["aurora-train"], quantity="4", actor=ACTOR, at=at)),
            (8.5, lambda at: self.adjust("aurora", -2_500, "support package, agreed by mail", at)),
            (8.6, lambda at: self.undo_adjustment("aurora", "the package was never delivered", at)),
            (10.0, lambda at: self.release_reported_late("fuji-detect", at)),
            (10.4, lambda at: self.start("fuji-retrain", "fuji", "h100", "1", at)),
            (12.0, lambda at: self.transfer("borealis", 150_000, "MC-2077", at)),
            (13.5, self.move_borealis_to_its_second_account),
            (17.0, lambda at: self.start("dune-storm", "dune", "h100", "1", at)),
            (20.7, lambda at: self.start("grove-typo", "grove", "nvl72", "900000000000", at)),
            (20.8, lambda at: self.transfer("aurora", 500_000, "MC-2101", at, decided=False)),
            (20.9, lambda at: self.adjust("cinder", 15_000, "credit for the lost render", at, decided=False)),
        ]

    def tell(self, progress: Callable[[int], object] = lambda step: None) -> None:
        """Play every act at its moment, ticking once a day and before each act; then let the clocks run free."""
        ended = self.begins_at + timedelta(days=DAYS)
        moments = [(self.begins_at + timedelta(days=day), act) for day, act in self.chapters()]
        daily = [(self.begins_at + timedelta(days=day), None) for day in range(1, DAYS + 1)]
        for moment, act in sorted([*moments, *daily], key=lambda step: step[0]):
            self.advance(moment)
            if act:
                act(moment)
            progress(1)
        self.release_the_clocks(ended)

    def advance(self, moment: datetime) -> None:
        """Tick at the moment, and before it wherever a balance is about to run dry: nobody was asleep in the demo."""
        accounts = [account.pk for account in self.stage.accounts.values()]
        for ring in [*rings_before(moment, accounts), moment]:
            BillingAccount.objects.filter(pk__in=accounts).update(test_now=ring)
            accrual.drain(ring, only=accounts)
        plans.ring(moment)

    def release_the_clocks(self, moment: datetime) -> None:
        """From now on the real clock, by the minute."""
        for account in self.stage.accounts.values():
            set_window(account.organization, WINDOW_SECONDS, at=moment)
        accounts = [account.pk for account in self.stage.accounts.values()]
        BillingAccount.objects.filter(pk__in=accounts).update(test_now=None)
        daily_totals.fold()

    def start(self, name: str, customer: str, sku: str, quantity: str, at: datetime) -> None:
        allocation = start(
            self.stage.projects[customer],
            self.stage.skus[sku],
            quantity=quantity,
            external_id=name,
            actor=ACTOR,
            at=at,
        )
        self.running[name] = allocation.pk

    def release(self, name: str, at: datetime) -> None:
        request_release(self.running[name], actor=ACTOR, at=at)
        complete_release(self.running[name], completed_at=at, actor=ACTOR, at=at)

    def release_reported_late(self, name: str, at: datetime) -> None:
        """The platform says at noon that the machine was gone four and a half hours ago; the difference is credited."""
        complete_release(self.running[name], completed_at=at - timedelta(hours=4.5), actor=ACTOR, at=at)

    def transfer(self, customer: str, amount_minor: int, reference: str, at: datetime, *, decided: bool = True) -> None:
        account = self.stage.accounts[customer]
        payload = bank_transfers.payload(
            account,
            amount_minor=amount_minor,
            currency=account.currency,
            value_date=at.date(),
            reference=reference,
        )
        self.submit(bank_transfers.ACT, payload, "seen on the bank statement", at, decided=decided)

    def adjust(self, customer: str, amount_minor: int, reason: str, at: datetime, *, decided: bool = True) -> None:
        account = self.stage.accounts[customer]
        payload = adjustments.payload(account, amount_minor, account.currency)
        self.submit(adjustments.ACT, payload, reason, at, decided=decided)

    def grant(self, customer: str, amount_minor: int, reason: str, at: datetime) -> None:
        account = self.stage.accounts[customer]
        self.submit(credits.ACT, credits.payload(account, amount_minor, account.currency), reason, at)

    def undo_adjustment(self, customer: str, reason: str, at: datetime) -> None:
        account = self.stage.accounts[customer]
        newest = LedgerTransaction.objects.filter(kind="adjustment", entries__billing_account=account).latest("id")
        self.submit(corrections.ACT, corrections.payload(newest), reason, at)

    def submit(self, act: str, payload: dict[str, object], reason: str, at: datetime, *, decided: bool = True) -> None:
        """Dana asks; where a second person is needed, Erin decides, unless the request is to wait for the reader."""
        outcome = approvals.submit(act, payload, maker=self.stage.staff["dana"], reason=reason, at=at)
        if outcome.request and decided:
            approvals.decide(
                outcome.request.pk, checker=self.stage.staff["erin"], approve=True, note="statement checked", at=at
            )

    def move_borealis_to_its_second_account(self, at: datetime) -> None:
        """A rebind inside an hour: what ran before stays with the old account, to the cent."""
        old, dana = self.stage.accounts["borealis"], person(self.stage.staff["dana"])
        features.grant(
            old.organization_id,
            Feature.MULTI_BILLING_ACCOUNTS,
            actor=dana,
            reason="a grant pays for part of its work",
            at=at,
        )
        account = open_billing_account(
            old.organization,
            self.stage.entity,
            "Borealis Genomics · grant 7731",
            currency="USD",
            settlement="postpaid",
            actor=dana,
            at=at,
        )
        BillingAccount.objects.filter(pk=account.pk).update(test_now=at)
        self.stage.accounts["borealis-grant"] = account
        rebind(self.stage.projects["borealis"], account, actor=dana, at=at)


def open_story(now: datetime) -> Story:
    """Set the stage so that the story ends at the last full hour."""
    begins_at = now.replace(minute=0, second=0, microsecond=0) - timedelta(days=DAYS)
    return Story(set_stage(begins_at), begins_at)
