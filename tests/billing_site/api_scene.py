"""Who asks and what there is to ask for, where the access of the API is tried."""

from dataclasses import dataclass
from typing import Any

from django.contrib.auth.models import Group
from django.db.models import Model
from django.test import Client

from accounts import memberships, staff_roles
from accounts.abilities import OF_ROLES
from accounts.models import (
    ApprovalRequest,
    BillingAccountBinding,
    LegalEntity,
    Membership,
    OrganizationRole,
    User,
)
from accounts.public_ids import encode
from ledger.models import LedgerEntry, LedgerTransaction
from payments.models import BankTransfer
from quotas.external_ips import hold_address
from quotas.models import (
    AccountCommitment,
    AccountDiscount,
    Allocation,
    CatalogVersion,
    CustomerSegment,
    Meter,
    Offer,
    ServicePrice,
    Subscription,
)
from tests.billing_site.back_office_scene import Scene
from tests.cast import ACTOR, BEGINNING, NOON, Cast

# Names of what belongs to no organization: everybody who may ask finds the same.
COMMON = frozenset({"sku", "plan", "addon", "catalog", "meter", "price", "offer", "segment", "legal_entity", "key"})

# The scene's first row of each is Acme's, or everybody's.
MODELS: dict[str, type[Model]] = {
    "allocation": Allocation,
    "approval": ApprovalRequest,
    "binding": BillingAccountBinding,
    "catalog": CatalogVersion,
    "commitment": AccountCommitment,
    "discount": AccountDiscount,
    "entry": LedgerEntry,
    "legal_entity": LegalEntity,
    "meter": Meter,
    "offer": Offer,
    "price": ServicePrice,
    "segment": CustomerSegment,
    "subscription": Subscription,
    "transfer": BankTransfer,
}


@dataclass(frozen=True)
class Names:
    """What stands in addresses: Acme's own, and of the same kinds what nobody has."""

    own: dict[str, str]
    unknown: dict[str, str]


@dataclass(frozen=True)
class Callers:
    cast: Cast
    people: dict[str, User]
    ours: dict[str, User]

    def of(self, role: str) -> tuple[Client, frozenset[str]]:
        """A signed-in member of Acme in that role, and what the role may do; `stranger` is admin elsewhere."""
        if role == "nobody":
            return Client(), frozenset()
        held = {"stranger": OF_ROLES["org-admin"], "withdrawn": frozenset[str]()}.get(role)
        return _signed_in(self.people[role]), OF_ROLES[role] if held is None else held

    def staff(self, who: str) -> tuple[Client, frozenset[str]]:
        """A signed-in member of staff, and their abilities of staff."""
        user = self.ours[who]
        return _signed_in(user), frozenset(name for name, held in staff_roles.abilities_of(user).items() if held)


def gather_callers(cast: Cast) -> Callers:
    people = {"org-admin": cast.alice, "project-user": cast.bob, "stranger": cast.charlie}
    for role in (*OrganizationRole.values, "withdrawn"):
        if role not in people:
            people[role] = User.objects.create(email=f"{role}@acme.example", password="!")
            wanted = OrganizationRole.ORG_ADMIN if role == "withdrawn" else role
            Membership.objects.create(organization=cast.acme, user=people[role], role=wanted, created_at=BEGINNING)
    gone = Membership.objects.get(user=people["withdrawn"])
    memberships.withdraw(gone.pk, actor=ACTOR, at=NOON)
    ours = {"operator": cast.dana, "approver": cast.erin}
    for who, group in (("viewer", "finance-viewer"), ("platform-admin", "platform-admin")):
        ours[who] = User.objects.create(email=f"{who}@countinghouse.example", is_staff=True, password="!")
        ours[who].groups.set(Group.objects.filter(name=group))
    return Callers(cast, people, ours)


def name_everything(cast: Cast, scene: Scene) -> Names:
    address = hold_address(cast.acme, "web", "public", actor=ACTOR, at=NOON)
    own = {
        "organization": cast.acme.public_id,
        "project": cast.project.public_id,
        "account": cast.prepaid.public_id,
        "billing_account": cast.prepaid.public_id,
        "user": cast.bob.public_id,
        "subject": cast.acme.public_id,
        "external_ip": address.public_id,
        "transaction": encode(LedgerTransaction.PUBLIC_PREFIX, scene.transfer),
        "sku": cast.gpu.public_id,
        "plan": "pro-pool",
        "addon": "turbo-x1",
        "feature": "multi-billing-accounts",
        "key": "quotas.projects_limit",
        **{name: _first(model) for name, model in MODELS.items()},
    }
    return Names(own, {name: _nobody_s(text) for name, text in own.items()})


def _first(model: type[Model]) -> str:
    row: Any = model._default_manager.order_by("pk").first()
    assert row is not None, f"the scene has no {model.__name__}"
    return str(row.public_id)


def _nobody_s(text: str) -> str:
    """The id of the same kind that nobody has; another word where it is none."""
    head, separator, digits = text.rpartition("_")
    return f"{head}_{'0' * 6}zzzzzzz" if separator and len(digits) == 13 else "no-such-thing"


def _signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client
