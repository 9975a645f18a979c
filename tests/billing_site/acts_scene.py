"""Something for every act of the finance desk to act upon, as of this moment: acts read the clock."""

from dataclasses import dataclass
from datetime import timedelta

from accounts import api_keys, approvals, memberships
from accounts.abilities import READ_BILLING, REPORT_USAGE
from accounts.account_phases import suspend
from accounts.audit import person
from accounts.clock import now
from accounts.lifecycle import open_billing_account, open_project
from accounts.models import (
    ApiKey,
    ApprovalRequest,
    BillingAccount,
    Membership,
    OutboxDelivery,
    Project,
    TrustedIssuer,
)
from accounts.public_ids import encode
from ledger import adjustments, parking
from ledger.errors import Unpriced
from ledger.models import LedgerTransaction
from payments import bank_transfers
from quotas.allocations import request_release, start
from quotas.catalog.document import parse
from quotas.catalog.faults import CatalogInvalid, Fault
from quotas.catalog_drafts import open_draft
from quotas.catalog_refusals import raise_alarm
from quotas.external_ips import hold_address
from quotas.models import Allocation, CatalogRefusal, CatalogVersion, ExternalIp, Subscription
from quotas.project_quotas import set_project_quota
from tests.cast import ACTOR, BEGINNING, Cast
from tests.quotas.offer_scene import PriceBook, set_price_book
from tests.quotas.plans import another_document, publish, subscribed

# Fault 23 of the reliability list: what is never an amount. Zero and below are no quantity either.
BAD_AMOUNTS = (
    *("0", "1.5", "1e3", "1_000", "１００", "٣", "9223372036854775808", "NaN", "Infinity", "-Infinity", "", " "),
    *("true", "True", "null", "1,000", "0x10", "+5", "--5", "²", "1000000000000001", "= 5", "1 000", "½"),
)
BAD_QUANTITIES = (*(amount for amount in BAD_AMOUNTS if amount != "1.5"), "-1", "0.0000001", "1.", ".5", "-0", "1" * 40)
BAD_REASONS = ("", " ", "x", "x" * 2001, "nul\x00here")


@dataclass
class ActsScene:
    cast: Cast
    suspended: BillingAccount
    empty: BillingAccount  # nothing runs and nothing stands on it
    free: Project  # no account pays for it
    running: Allocation
    releasing: Allocation
    transaction: str  # public id of the transfer that is on the prepaid account
    asked: ApprovalRequest  # Dana asks for 500.00 USD for the prepaid account
    dead: OutboxDelivery  # the mail about the parked account
    subscriptions: dict[str, Subscription]  # by status, each of an organization of its own
    book: PriceBook
    refusal: CatalogRefusal
    draft: CatalogVersion  # with another overhead than what is in force
    address: ExternalIp
    issuer: TrustedIssuer
    key: ApiKey  # of Acme
    platform_key: ApiKey
    bob: Membership  # of Acme, let into the prepaid project

    @property
    def parked(self) -> BillingAccount:
        return self.cast.postpaid


def set_acts_scene(cast: Cast) -> ActsScene:
    """100.00 USD on the prepaid account, two machines that run, one account parked, one suspended, one empty."""
    at = now()
    proposal = bank_transfers.payload(
        cast.prepaid, amount_minor=10_000, currency="USD", value_date=at.date(), reference="STMT-1"
    )
    bank_transfers.record_transfer(proposal, actor=person(cast.dana), reason="statement 1", at=at)
    hour_ago = at - timedelta(hours=1)
    running, releasing = (start(cast.project, cast.gpu, quantity="2", actor=ACTOR, at=hour_ago) for _ in range(2))
    request_release(releasing.pk, actor=ACTOR, at=at)
    parking.park(cast.postpaid.pk, Unpriced([cast.postpaid.pk]), at=at)
    suspend(cast.foreign.pk, actor=person(cast.dana), reason="unpaid", at=at)
    asked = approvals.submit(
        adjustments.ACT, adjustments.payload(cast.prepaid, 50_000, "USD"), maker=cast.dana, reason="goodwill", at=at
    ).request
    assert asked is not None
    transaction = LedgerTransaction.objects.get(business_key="transfer:STMT-1")
    dead = OutboxDelivery.objects.get(message__topic="ledger.account_parked")
    OutboxDelivery.objects.filter(pk=dead.pk).update(state="dead", attempts=12, finished_at=at, last_error="away")
    publish(at=hour_ago)
    set_project_quota(cast.postpaid_project, {"cpu": "3"}, actor=ACTOR, reason="room for training", at=hour_ago)
    bob = Membership.objects.get(user=cast.bob)
    memberships.let_in(bob.pk, cast.project.pk, actor=ACTOR, at=hour_ago)
    statuses = ("active", "canceling", "past_due", "suspended")
    return ActsScene(
        cast=cast,
        suspended=cast.foreign,
        empty=open_billing_account(
            cast.acme, cast.entity, "Empty", currency="USD", settlement="prepaid", actor=ACTOR, at=BEGINNING
        ),
        free=open_project(cast.acme, "Free", "free", at=BEGINNING),
        running=running,
        releasing=releasing,
        transaction=encode(LedgerTransaction.PUBLIC_PREFIX, transaction.pk),
        asked=asked,
        dead=dead,
        subscriptions={status: subscribed(cast.alice, status, at=hour_ago) for status in statuses},
        book=set_price_book(cast, at),
        refusal=raise_alarm("plans.yaml", CatalogInvalid([Fault("eipQuota", "is required")]), at=at),
        draft=open_draft(parse(another_document()), source="plans.yaml", actor=ACTOR, at=at),
        address=hold_address(cast.acme, "mail", "public", actor=ACTOR, at=hour_ago),
        issuer=TrustedIssuer.objects.create(
            issuer="https://old.example",
            jwks_uri="https://old.example/keys",
            audience="countinghouse",
            algorithms=["RS256"],
            created_at=hour_ago,
        ),
        key=api_keys.create(cast.acme.pk, "console", [READ_BILLING], actor=ACTOR, at=hour_ago).key,
        platform_key=api_keys.create(None, "meter", [REPORT_USAGE], actor=ACTOR, at=hour_ago).key,
        bob=bob,
    )
