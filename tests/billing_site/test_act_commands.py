"""Every act as a command: dry, done, and refused with a stable code and nothing written."""

import io
import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.core.management import CommandError, call_command, get_commands, load_command_class

from accounts import features
from accounts.act_commands import ActCommand
from accounts.billing_details import Address, Contact, details_of
from accounts.models import (
    ApiKey,
    AuditLog,
    BillingAccount,
    Feature,
    Membership,
    Organization,
    OutboxDelivery,
    Phase,
    PolicyValue,
    Project,
    TrustedIssuer,
    User,
)
from ledger.balances import balance
from ledger.models import AccrualSchedule
from payments import registry
from payments.models import BankTransfer
from quotas.models import (
    Allocation,
    BillingEntitlement,
    CatalogVersion,
    CommitmentDraw,
    CustomerSegment,
    Limit,
    Meter,
    Offer,
    ServicePrice,
    SkuRate,
    Subscription,
)
from tests.billing_site.acts_scene import (
    BAD_AMOUNTS,
    BAD_QUANTITIES,
    BAD_REASONS,
    ActsScene,
)
from tests.cast import Cast
from tests.row_counts import row_counts

REASON = "the desk decided so"
# In place of a public id: nothing of the kind, another kind, out of range, no id at all.
BAD_IDS = (
    "",
    " ",
    "1",
    "{prefix}_",
    "{prefix}_0000000zzzzzz",
    "{prefix}_zzzzzzzzzzzzz",
    "le_0000000000001",
    "ba-1",
    "１",
)


@dataclass(frozen=True)
class Case:
    """A command: valid arguments for the scene, the place of its id, its amount, and what it wrote."""

    arguments: Callable[[ActsScene], list[str]]
    did: Callable[[ActsScene], bool]
    action: str
    prefix: str = ""
    id_at: int | None = 0  # None where it names nothing that exists
    amount: str = ""
    bad_amounts: tuple[str, ...] = ()
    by: str = "dana"
    reasoned: bool = True


def _transfer(scene: ActsScene) -> list[str]:
    day = BankTransfer.objects.get().value_date.isoformat()
    return [
        *(scene.cast.prepaid.public_id, "--amount-minor=700", "--currency=USD"),
        *(f"--value-date={day}", "--reference=STMT-2"),
    ]


def _own_quota(project_id: int) -> Any:
    return Limit.objects.filter(project=project_id).values_list("values", flat=True).first()


def _standing(subscription: Subscription) -> str:
    return Subscription.objects.get(pk=subscription.pk).status


def _phase(account: BillingAccount) -> Phase:
    return Phase(BillingAccount.objects.get(pk=account.pk).phase)


def _payer(project: Project) -> BillingAccount | None:
    binding = project.bindings.filter(phase="Active").first()
    return binding.billing_account if binding else None


def _status(allocation: Allocation) -> str:
    return Allocation.objects.get(pk=allocation.pk).status


def _wallet(scene: ActsScene) -> int:
    return balance(scene.cast.prepaid).amount_minor


CASES = {
    "adjust_account": Case(
        lambda scene: [scene.cast.prepaid.public_id, "--amount-minor=-250", "--currency=USD"],
        lambda scene: _wallet(scene) == 9_750,
        "ledger.adjust",
        "ba",
        amount="--amount-minor",
        bad_amounts=BAD_AMOUNTS,
    ),
    "grant_credit": Case(
        lambda scene: [scene.cast.prepaid.public_id, "--amount-minor=250", "--currency=USD"],
        lambda scene: _wallet(scene) == 10_250,
        "ledger.grant_credit",
        "ba",
        amount="--amount-minor",
        bad_amounts=(*BAD_AMOUNTS, "-1"),
    ),
    "correct_transaction": Case(
        lambda scene: [scene.transaction], lambda scene: _wallet(scene) == 0, "ledger.correct", "tx"
    ),
    "switch_provider": Case(
        lambda scene: ["none"],
        lambda scene: registry.active().name == "none",
        "billing_provider.switch",
        id_at=None,
        by="patricia",
    ),
    "record_transfer": Case(
        _transfer,
        lambda scene: _wallet(scene) == 10_700,
        "payments.record_transfer",
        "ba",
        amount="--amount-minor",
        bad_amounts=(*BAD_AMOUNTS, "-1"),
    ),
    "start_allocation": Case(
        lambda scene: [scene.cast.project.public_id, "gpu", "2.5", "--external-id=job-1"],
        lambda scene: Allocation.objects.filter(external_id="job-1", status="active").exists(),
        "allocation.start",
        "prj",
        amount="quantity",
        bad_amounts=BAD_QUANTITIES,
    ),
    "resize_allocation": Case(
        lambda scene: [scene.running.public_id, "7"],
        lambda scene: scene.running.quantities.get(effective_to=None).quantity == 7,
        "allocation.resize",
        "alc",
        amount="quantity",
        bad_amounts=BAD_QUANTITIES,
    ),
    "release_allocation": Case(
        lambda scene: [scene.running.public_id],
        lambda scene: _status(scene.running) == "releasing",
        "allocation.request_release",
        "alc",
    ),
    "release_allocation --completed-at": Case(
        lambda scene: [scene.releasing.public_id, "--completed-at=now"],
        lambda scene: _status(scene.releasing) == "released",
        "allocation.release",
        "alc",
    ),
    "set_project_quota": Case(
        lambda scene: [scene.cast.project.public_id, "--cpu=4", "--memory=16Gi"],
        lambda scene: _own_quota(scene.cast.project.pk) == {"requests.cpu": "4", "requests.memory": "16Gi"},
        "project_quota.set",
        "prj",
        amount="--cpu",
        bad_amounts=("NaN", "-1", "1e400", "0x10", "half"),
    ),
    "remove_project_quota": Case(
        lambda scene: [scene.cast.postpaid_project.public_id],
        lambda scene: _own_quota(scene.cast.postpaid_project.pk) is None,
        "project_quota.remove",
        "prj",
    ),
    "hold_address": Case(
        lambda scene: [scene.cast.acme.public_id, "web", "--network-type=public"],
        lambda scene: scene.cast.acme.external_ips.filter(name="web", released_at=None).exists(),
        "external_ip.hold",
        "org",
    ),
    "release_address": Case(
        lambda scene: [scene.address.public_id],
        lambda scene: scene.cast.acme.external_ips.filter(released_at__isnull=False).exists(),
        "external_ip.release",
        "eip",
    ),
    **{
        f"move_subscription {act}": Case(
            lambda scene, act=act, begins=begins: [scene.subscriptions[begins].public_id, act],
            lambda scene, begins=begins, ends=ends: _standing(scene.subscriptions[begins]) == ends,
            f"subscription.{ends}",
            "sub",
        )
        for act, begins, ends in (
            *(("cancel", "active", "canceling"), ("keep", "canceling", "active"), ("overdue", "active", "past_due")),
            *(("paid", "past_due", "active"), ("suspend", "active", "suspended")),
            ("resubscribe", "suspended", "active"),
        )
    },
    "suspend_account": Case(
        lambda scene: [scene.cast.prepaid.public_id],
        lambda scene: _phase(scene.cast.prepaid) == "Suspended",
        "billing_account.suspend",
        "ba",
    ),
    "reactivate_account": Case(
        lambda scene: [scene.suspended.public_id],
        lambda scene: _phase(scene.suspended) == "Ready",
        "billing_account.reactivate",
        "ba",
    ),
    "archive_account": Case(
        lambda scene: [scene.empty.public_id],
        lambda scene: _phase(scene.empty) == "Archived",
        "billing_account.archive",
        "ba",
    ),
    "open_organization": Case(
        lambda scene: ["Nova", "nova", "--owner=nora@nova.example"],
        lambda scene: Organization.objects.filter(slug="nova", owner__email="nora@nova.example").exists(),
        "organization.open",
        id_at=None,
    ),
    "open_project": Case(
        lambda scene: [scene.cast.acme.public_id, "Nova", "nova"],
        lambda scene: scene.cast.acme.projects.filter(slug="nova").exists(),
        "project.open",
        "org",
    ),
    "open_account": Case(
        lambda scene: [
            *(scene.cast.acme.public_id, "Third", "--currency=USD", "--settlement=postpaid"),
            f"--legal-entity={scene.cast.entity.public_id}",
        ],
        lambda scene: scene.cast.acme.billing_accounts.filter(name="Third", phase="Ready").exists(),
        "billing_account.open",
        "org",
    ),
    "grant_feature": Case(
        lambda scene: [scene.cast.strangers.public_id, "multi-billing-accounts"],
        lambda scene: features.has(scene.cast.strangers.pk, Feature.MULTI_BILLING_ACCOUNTS),
        "feature.grant",
        "org",
    ),
    "revoke_feature": Case(
        lambda scene: [scene.cast.acme.public_id, "multi-billing-accounts"],
        lambda scene: not features.has(scene.cast.acme.pk, Feature.MULTI_BILLING_ACCOUNTS),
        "feature.revoke",
        "org",
    ),
    "add_member": Case(
        lambda scene: [scene.cast.acme.public_id, "charlie@else.example", "--role=guest"],
        lambda scene: scene.cast.acme.memberships.filter(user=scene.cast.charlie, role="guest").exists(),
        "membership.add",
        "org",
    ),
    "change_role": Case(
        lambda scene: [scene.bob.public_id, "guest"],
        lambda scene: Membership.objects.get(pk=scene.bob.pk).role == "guest",
        "membership.change_role",
        "mbr",
    ),
    "withdraw_member": Case(
        lambda scene: [scene.bob.public_id],
        lambda scene: Membership.objects.get(pk=scene.bob.pk).withdrawn_at is not None,
        "membership.withdraw",
        "mbr",
    ),
    "let_into_project": Case(
        lambda scene: [scene.bob.public_id, scene.free.public_id],
        lambda scene: scene.bob.projects.filter(project=scene.free, withdrawn_at=None).exists(),
        "membership.let_in",
        "mbr",
    ),
    "let_out_of_project": Case(
        lambda scene: [scene.bob.public_id, scene.cast.project.public_id],
        lambda scene: scene.bob.projects.filter(project=scene.cast.project, withdrawn_at__isnull=False).exists(),
        "membership.let_out",
        "mbr",
    ),
    "create_api_key": Case(
        lambda scene: [scene.cast.acme.public_id, "etl", "--scopes=billing:read events:read"],
        lambda scene: ApiKey.objects.filter(name="etl", scopes=["billing:read", "events:read"]).exists(),
        "api_key.create",
        "org",
    ),
    "rotate_api_key": Case(
        lambda scene: [scene.key.public_id, "--expires-in-days=30"],
        lambda scene: ApiKey.objects.filter(name="console", revoked_at=None).count() == 2,
        "api_key.create",
        "key",
    ),
    "revoke_api_key": Case(
        lambda scene: [scene.key.public_id],
        lambda scene: ApiKey.objects.get(pk=scene.key.pk).revoked_at is not None,
        "api_key.revoke",
        "key",
    ),
    "create_platform_key": Case(
        lambda scene: ["provisioner", "--scopes=releases:confirm,events:read"],
        lambda scene: ApiKey.objects.filter(organization=None, name="provisioner").exists(),
        "api_key.create",
        id_at=None,
        by="patricia",
    ),
    "revoke_platform_key": Case(
        lambda scene: [scene.platform_key.public_id],
        lambda scene: ApiKey.objects.get(pk=scene.platform_key.pk).revoked_at is not None,
        "api_key.revoke",
        "key",
        by="patricia",
    ),
    "connect_issuer": Case(
        lambda scene: [scene.cast.acme.public_id, f"--issuer={scene.issuer.issuer}"],
        lambda scene: Organization.objects.get(pk=scene.cast.acme.pk).issuer == scene.issuer,
        "organization.connect",
        "org",
        by="patricia",
    ),
    "trust_issuer": Case(
        lambda scene: [
            *("https://id.example", "--jwks-uri=https://id.example/keys", "--audience=countinghouse"),
            *("--algorithms=RS256,ES256", "--trusted=yes", "--active=yes"),
        ],
        lambda scene: TrustedIssuer.objects.filter(trusted=True, algorithms=["ES256", "RS256"]).exists(),
        "issuer.set",
        id_at=None,
        by="patricia",
    ),
    "bind_project": Case(
        lambda scene: [scene.free.public_id, scene.empty.public_id],
        lambda scene: _payer(scene.free) == scene.empty,
        "project.bind",
        "prj",
    ),
    "rebind_project": Case(
        lambda scene: [scene.cast.postpaid_project.public_id, scene.empty.public_id],
        lambda scene: _payer(scene.cast.postpaid_project) == scene.empty,
        "project.rebind",
        "prj",
    ),
    "close_project": Case(
        lambda scene: [scene.free.public_id],
        lambda scene: Project.objects.filter(pk=scene.free.pk, closed_at__isnull=False).exists(),
        "project.close",
        "prj",
    ),
    "close_organization": Case(
        lambda scene: [scene.cast.strangers.public_id],
        lambda scene: Organization.objects.filter(pk=scene.cast.strangers.pk, closed_at__isnull=False).exists(),
        "organization.close",
        "org",
    ),
    "delete_account": Case(
        lambda scene: [scene.empty.public_id],
        lambda scene: BillingAccount.objects.filter(pk=scene.empty.pk, deleted_at__isnull=False).exists(),
        "billing_account.delete",
        "ba",
    ),
    "set_payment_terms": Case(
        lambda scene: [scene.cast.prepaid.public_id, "--net-days=45", "--invoice-frequency=Annual", "--invoice-day=28"],
        lambda scene: BillingAccount.objects.filter(pk=scene.cast.prepaid.pk, net_days=45, invoice_day=28).exists(),
        "billing_account.set_terms",
        "ba",
    ),
    "set_time_zone": Case(
        lambda scene: [scene.cast.prepaid.public_id, "Europe/Berlin"],
        lambda scene: BillingAccount.objects.get(pk=scene.cast.prepaid.pk).time_zone == "Europe/Berlin",
        "billing_account.set_time_zone",
        "ba",
    ),
    "set_billing_contact": Case(
        lambda scene: [scene.cast.prepaid.public_id, "--email=billing@acme.example"],
        lambda scene: details_of(scene.cast.prepaid).contact == Contact("billing@acme.example"),
        "billing_account.set_contact",
        "ba",
    ),
    "set_invoice_emails": Case(
        lambda scene: [scene.cast.prepaid.public_id, "b@acme.example; a@acme.example"],
        lambda scene: details_of(scene.cast.prepaid).invoice_emails == ("b@acme.example", "a@acme.example"),
        "billing_account.set_invoice_emails",
        "ba",
    ),
    "set_billing_address": Case(
        lambda scene: [scene.cast.prepaid.public_id, "--country=GB", "--city=Leeds"],
        lambda scene: details_of(scene.cast.prepaid).address == Address("GB", city="Leeds"),
        "billing_account.set_address",
        "ba",
    ),
    "set_tax_ids": Case(
        lambda scene: [scene.cast.prepaid.public_id, "gb_vat GB1; de_vat DE2"],
        lambda scene: details_of(scene.cast.prepaid).tax_ids == (("de_vat", "DE2"), ("gb_vat", "GB1")),
        "billing_account.set_tax_ids",
        "ba",
    ),
    "retry_account": Case(
        lambda scene: [scene.parked.public_id],
        lambda scene: AuditLog.objects.filter(action="accrual.retry", subject_id=scene.parked.pk).exists(),
        "accrual.retry",
        "ba",
    ),
    "replay_delivery": Case(
        lambda scene: [scene.dead.public_id],
        lambda scene: OutboxDelivery.objects.get(pk=scene.dead.pk).state == "pending",
        "outbox.replay",
        "dlv",
    ),
    "decide_approval": Case(
        lambda scene: ["approve", scene.asked.public_id, f"--note={REASON}"],
        lambda scene: _wallet(scene) == 60_000,
        "approval.approve",
        "apr",
        id_at=1,
        by="erin",
        reasoned=False,
    ),
    "decide_approval reject": Case(
        lambda scene: ["reject", scene.asked.public_id, f"--note={REASON}"],
        lambda scene: _wallet(scene) == 10_000,
        "approval.reject",
        "apr",
        id_at=1,
        by="erin",
        reasoned=False,
    ),
    "set_policy": Case(
        lambda scene: ["quotas.projects_limit", "20", "--scope=tenant", f"--subject={scene.cast.acme.public_id}"],
        lambda scene: PolicyValue.objects.filter(key="quotas.projects_limit", value=20).exists(),
        "policy.set",
        amount="value",
        bad_amounts=tuple(amount for amount in BAD_AMOUNTS if amount != "0"),
    ),
    "publish_catalog": Case(
        lambda scene: [scene.draft.public_id, "--existing=keep"],
        lambda scene: CatalogVersion.objects.get(pk=scene.draft.pk).number == 2,
        "catalog.published",
        "cat",
    ),
    "discard_catalog_draft": Case(
        lambda scene: [scene.draft.public_id],
        lambda scene: CatalogVersion.objects.get(pk=scene.draft.pk).state == "discarded",
        "catalog.discard",
        "cat",
    ),
    "set_rate": Case(
        lambda scene: [
            *("gpu", "--currency=USD", "--rate-per-unit-hour=3.10", "--effective-from=2090-01-01T00:00:00Z"),
        ],
        lambda scene: SkuRate.objects.filter(rate_per_unit_hour="3.10").exists(),
        "sku.set_rate",
        amount="--rate-per-unit-hour",
        bad_amounts=tuple(amount for amount in BAD_QUANTITIES if amount not in ("0", "1.5", "0.0000001")),
        reasoned=False,
    ),
}

CASES |= {
    "define_meter": Case(
        lambda scene: ["net.bytes", "--display-name=Traffic", "--unit=By", "--aggregation=Sum"],
        lambda scene: Meter.objects.filter(name="net.bytes", phase="Draft").exists(),
        "meter.define",
        id_at=None,
    ),
    "add_dimensions": Case(
        lambda scene: [scene.book.meter.public_id, "class, zone"],
        lambda scene: Meter.objects.get(pk=scene.book.meter.pk).dimensions == ["class", "zone"],
        "meter.add_dimensions",
        "mtr",
    ),
    "advance_meter": Case(
        lambda scene: [scene.book.meter.public_id],
        lambda scene: Meter.objects.get(pk=scene.book.meter.pk).phase == "Published",
        "meter.published",
        "mtr",
    ),
    "save_price": Case(
        lambda scene: [
            *("gpu-eur", '{"flat": "2.20"}', "--charge-type=Usage", "--currency=EUR", "--metric=gpu.hours"),
        ],
        lambda scene: ServicePrice.objects.filter(code="gpu-eur", document={"flat": "2.20"}).exists(),
        "price.save",
        id_at=None,
    ),
    "save_offer": Case(
        lambda scene: ["small", "--display-name=Small", "--charge-types=Usage", "--prices=gpu"],
        lambda scene: Offer.objects.filter(code="small", launch_stage="Draft").exists(),
        "offer.save",
        id_at=None,
    ),
    "publish_offer": Case(
        lambda scene: [scene.book.draft.public_id],
        lambda scene: Offer.objects.get(pk=scene.book.draft.pk).launch_stage == "GA",
        "offer.publish",
        "ofr",
    ),
    "rename_offer": Case(
        lambda scene: [scene.book.offer.public_id, "Basic 2026"],
        lambda scene: Offer.objects.get(pk=scene.book.offer.pk).display_name == "Basic 2026",
        "offer.rename",
        "ofr",
    ),
    "assign_offer": Case(
        lambda scene: [scene.cast.postpaid.public_id, "basic"],
        lambda scene: BillingEntitlement.objects.filter(billing_account=scene.cast.postpaid).exists(),
        "entitlement.assign",
        "ba",
    ),
    "open_segment": Case(
        lambda scene: ["uni", "--segment-name=Universities"],
        lambda scene: CustomerSegment.objects.filter(code="uni").exists(),
        "segment.open",
        id_at=None,
    ),
    "place_account": Case(
        lambda scene: [scene.cast.prepaid.public_id, "--segment=startup"],
        lambda scene: scene.cast.prepaid.segments.filter(effective_to=None).exists(),
        "segment.place",
        "ba",
    ),
    "grant_discount": Case(
        lambda scene: [scene.cast.postpaid.public_id, "--amount-minor=500", "--times=3"],
        lambda scene: scene.cast.postpaid.discounts.filter(amount_minor=500, times=3).exists(),
        "discount.grant",
        "ba",
        amount="--amount-minor",
        bad_amounts=tuple(amount for amount in (*BAD_AMOUNTS, "-1") if amount.strip()),
    ),
    "withdraw_discount": Case(
        lambda scene: [scene.book.discount.public_id],
        lambda scene: scene.cast.prepaid.discounts.filter(withdrawn_at__isnull=False).exists(),
        "discount.withdraw",
        "dsc",
    ),
    "grant_commitment": Case(
        lambda scene: [
            *(scene.cast.postpaid.public_id, "gpu.hours", "--amount-minor=120000", "--months=12", "--paid=advance"),
        ],
        lambda scene: scene.cast.postpaid.commitments.filter(in_advance=True, months=12).exists(),
        "commitment.grant",
        "ba",
        amount="--amount-minor",
        bad_amounts=(*BAD_AMOUNTS, "-1"),
    ),
    "draw_commitment": Case(
        lambda scene: [scene.book.commitment.public_id, "12.5"],
        lambda scene: CommitmentDraw.objects.filter(true_up_minor=97_187, billed_minor=100_000).exists(),
        "commitment.draw",
        "cmt",
        amount="quantity",
        bad_amounts=BAD_QUANTITIES,
    ),
}

every_command = pytest.mark.parametrize("name", CASES)


@pytest.fixture
def scene(acts_scene: ActsScene) -> ActsScene:
    patricia = User.objects.create_user("patricia@countinghouse.example", is_staff=True)
    patricia.groups.add(Group.objects.get(name="platform-admin"))
    return acts_scene


def run(name: str, *arguments: str, by: User, dry: bool = False, reason: str = REASON) -> dict[str, Any]:
    """Run a command of the table; its last line as JSON."""
    printed = io.StringIO()
    options = [f"--as={by.email}", *(["--dry-run"] if dry else [])]
    if CASES[name].reasoned:
        options.append(f"--reason={reason}")
    options += [argument for argument in arguments if _is_option(argument)]
    positional = [argument for argument in arguments if not _is_option(argument)]
    call_command(name.split()[0], *options, "--", *positional, stdout=printed)
    answer: dict[str, Any] = json.loads(printed.getvalue().splitlines()[-1])
    return answer


def _is_option(argument: str) -> bool:
    return argument.startswith("--") and argument[2:3].isalpha()


def refused(name: str, *arguments: str, **how: Any) -> str:
    """Run it; it must be refused with a code, and no table may have moved. Returns code and sentence."""
    before = row_counts()
    with pytest.raises(CommandError) as caught:
        run(name, *arguments, **how)
    assert row_counts() == before, (name, arguments)
    assert caught.value.returncode == 1
    code = str(caught.value).partition(":")[0]
    assert code.replace("_", "").isalpha(), caught.value
    assert code == code.lower()
    return str(caught.value)


def valid(name: str, scene: ActsScene) -> list[str]:
    return CASES[name].arguments(scene)


def actor(name: str, scene: ActsScene) -> User:
    if CASES[name].by == "patricia":
        return User.objects.get(email__startswith="patricia")
    user: User = getattr(scene.cast, CASES[name].by)
    return user


def test_every_command_of_an_act_is_in_the_table() -> None:
    ours = {"accounts", "quotas", "ledger", "payments", "billing_site"}
    found = {name for name, app in get_commands().items() if app in ours}
    acts = {name for name in found if isinstance(load_command_class(get_commands()[name], name), ActCommand)}
    assert acts == {name.split()[0] for name in CASES}


@every_command
def test_a_dry_run_says_what_would_be_done_and_writes_nothing(scene: ActsScene, name: str) -> None:
    before = row_counts()
    answer = run(name, *valid(name, scene), by=actor(name, scene), dry=True)
    assert row_counts() == before
    assert (answer["act"], answer["dry_run"]) == (name.split()[0], True)
    assert answer["facts"]
    assert "<" not in json.dumps(answer), "a page's markup"
    if answer["journal"]:
        assert sum(row["amount_minor"] for row in answer["journal"]) == 0
    rejected = name == "decide_approval reject"
    assert CASES[name].did(scene) == rejected  # the balance is as it was, which is what a rejection leaves


@every_command
def test_the_act_is_done_by_that_person_for_that_reason(scene: ActsScene, name: str) -> None:
    person = actor(name, scene)
    answer = run(name, *valid(name, scene), by=person)
    assert answer["dry_run"] is False
    assert answer["waiting"] is False
    assert CASES[name].did(scene)
    row = AuditLog.objects.filter(action=CASES[name].action).latest("pk")
    assert row.actor == person
    assert row.correlation_id.startswith(f"{name.split()[0]}-")
    if name != "set_rate":
        assert row.reason == REASON


@every_command
def test_only_those_whose_role_allows_it_may_act(scene: ActsScene, name: str) -> None:
    viewer, gone = (
        User.objects.create_user(f"{word}@countinghouse.example", is_staff=True, is_active=word != "gone")
        for word in ("viewer", "gone")
    )
    viewer.groups.add(Group.objects.get(name="finance-viewer"))
    gone.groups.set(Group.objects.filter(name__in=["finance-operator", "finance-approver"]))
    other = scene.cast.erin if CASES[name].by == "dana" else scene.cast.dana
    for user in (viewer, gone, other, scene.cast.alice, scene.cast.charlie):
        for dry in (False, True):
            assert refused(name, *valid(name, scene), by=user, dry=dry).startswith("forbidden: as: ")
    for address in ("nobody@countinghouse.example", "", "dana", "d@x\udcff"):
        said = refused(name, *valid(name, scene), by=User(email=address))
        assert said.startswith(("not_found: as: ", "text_invalid: acting: "))


@pytest.mark.parametrize("name", [name for name, case in CASES.items() if case.id_at is not None])
def test_what_names_nothing_is_not_found(scene: ActsScene, name: str) -> None:
    case = CASES[name]
    assert case.id_at is not None
    for bad in BAD_IDS:
        arguments = valid(name, scene)
        arguments[case.id_at] = bad.format(prefix=case.prefix or "sku")
        for dry in (False, True):
            said = refused(name, *arguments, by=actor(name, scene), dry=dry)
            assert said.startswith(("not_found: ", "policy_invalid: ", "required: ")), said
    for bad in ("\x00", "ba_\udcff"):
        arguments[case.id_at] = bad
        assert refused(name, *arguments, by=actor(name, scene)).startswith("text_invalid: ")


@pytest.mark.parametrize("name", [name for name, case in CASES.items() if case.bad_amounts])
def test_what_is_no_amount_is_refused_by_its_code(scene: ActsScene, name: str) -> None:
    case = CASES[name]
    for amount in case.bad_amounts:
        arguments = valid(name, scene)
        if case.amount.startswith("--"):
            place = next(n for n, argument in enumerate(arguments) if argument.startswith(case.amount))
            arguments[place] = f"{case.amount}={amount}"
        else:
            arguments = _with_quantity(arguments, amount)
        for dry in (False, True):
            said = refused(name, *arguments, by=actor(name, scene), dry=dry)
            codes = ("amount_invalid: ", "quantity_invalid: ", "rate_invalid: ", "policy_invalid: ", "required: ")
            assert said.startswith(codes), (amount, said)


def _with_quantity(arguments: list[str], quantity: str) -> list[str]:
    """The quantity stands last among the positional arguments."""
    places = [n for n, argument in enumerate(arguments) if not _is_option(argument)]
    return [*arguments[: places[-1]], quantity, *arguments[places[-1] + 1 :]]


@pytest.mark.parametrize("name", [name for name, case in CASES.items() if case.reasoned])
def test_a_reason_is_given(scene: ActsScene, name: str) -> None:
    for reason in BAD_REASONS:
        said = refused(name, *valid(name, scene), by=actor(name, scene), reason=reason)
        assert said.startswith(("reason_required: ", "required: reason", "max_length: reason", "text_invalid: reason"))


def test_what_is_done_is_not_done_again(scene: ActsScene) -> None:
    """The same command a second time: by the business key, the phase, the status or the decision."""
    again = {
        "correct_transaction": "already_posted",
        "record_transfer": "reference_used",
        "start_allocation": "external_id_taken",
        "release_allocation --completed-at": "wrong_status",
        "suspend_account": "wrong_phase",
        "reactivate_account": "wrong_phase",
        "archive_account": "wrong_phase",
        "decide_approval": "approval_refused",
        "replay_delivery": "not_dead",
        "set_rate": "rate_exists",
        "hold_address": "name_taken",
        "release_address": "already_released",
    }
    again |= dict.fromkeys(("move_subscription keep", "move_subscription suspend"), "wrong_status")
    order = [name for name in CASES if name in again and name != "suspend_account"] + ["suspend_account"]
    for name in order:
        arguments = valid(name, scene) if name != "record_transfer" else _transfer(scene)
        run(name, *arguments, by=actor(name, scene))
        if name == "release_allocation --completed-at":
            continue  # the same moment twice is one; a second "now" is another moment
        assert refused(name, *arguments, by=actor(name, scene)).startswith(f"{again[name]}: "), name


def test_a_second_release_at_another_moment_is_refused(scene: ActsScene) -> None:
    name = "release_allocation --completed-at"
    run(name, *valid(name, scene), by=scene.cast.dana)
    assert refused(name, *valid(name, scene), by=scene.cast.dana).startswith("wrong_status: ")


@pytest.mark.parametrize(
    ("moment", "code"),
    [
        ("2999-01-01T00:00:00Z", "time_invalid"),
        ("10000-01-01T00:00:00Z", "time_invalid"),
        ("2026-03-10T12:00:00", "time_invalid"),
        ("yesterday", "time_invalid"),
        ("2090-01-01T00:00:00Z", "time_invalid"),
        ("2001-01-01T00:00:00Z", "release_before_start"),
        ("２０２６-01-01T00:00:00Z", "time_invalid"),
    ],
)
def test_a_wrong_moment_of_release_is_refused(scene: ActsScene, moment: str, code: str) -> None:
    name = "release_allocation --completed-at"
    for dry in (True, False):
        arguments = [scene.running.public_id, f"--completed-at={moment}"]
        assert refused(name, *arguments, by=scene.cast.dana, dry=dry).startswith(f"{code}: completed_at: ")


def test_above_the_limit_a_second_person_decides_and_it_is_not_the_first(scene: ActsScene) -> None:
    """A superuser may do everything but decide what they asked for, whichever door they come by."""
    root = User.objects.create_superuser("root@countinghouse.example")
    arguments = [scene.cast.prepaid.public_id, "--amount-minor=20000", "--currency=USD"]
    before = row_counts()
    dry = run("adjust_account", *arguments, by=root, dry=True)
    assert "second_person" in dry
    assert dry["second_person"]
    assert row_counts() == before
    filed = run("adjust_account", *arguments, by=root)
    assert filed["waiting"] is True
    assert _wallet(scene) == 10_000
    asked = filed["approval"]
    for dry_run in (True, False):
        said = refused("decide_approval", "approve", asked, by=root, dry=dry_run)
        assert said.startswith("maker_is_checker: ")
    assert refused("decide_approval", "perhaps", asked, by=scene.cast.erin).startswith("decision_invalid: decision: ")
    assert run("decide_approval", "approve", asked, by=scene.cast.erin)["state"] == "approved"
    assert _wallet(scene) == 30_000


def test_a_wallet_is_not_adjusted_below_zero(scene: ActsScene) -> None:
    run("correct_transaction", scene.transaction, by=scene.cast.dana)
    arguments = [scene.cast.prepaid.public_id, "--amount-minor=-1", "--currency=USD"]
    for dry in (True, False):
        said = refused("adjust_account", *arguments, by=scene.cast.dana, dry=dry)
        assert said.startswith("insufficient_balance: amount_minor: ")


def test_archiving_names_what_is_in_the_way(scene: ActsScene) -> None:
    said = refused("archive_account", scene.cast.prepaid.public_id, by=scene.cast.dana)
    assert said == "has_running_allocations: allocations are still running; the balance is not zero"


def test_a_retry_of_what_is_not_parked_is_refused(scene: ActsScene) -> None:
    assert refused("retry_account", scene.empty.public_id, by=scene.cast.dana).startswith("not_found: ")
    AccrualSchedule.objects.filter(pk=scene.parked.pk).update(parked_at=None, retry_at=None)
    assert refused("retry_account", scene.parked.public_id, by=scene.cast.dana).startswith("not_parked: ")


def test_on_the_server_a_refusal_ends_with_exit_code_1_and_an_act_with_json(
    committed_db: str, process_environment: dict[str, str], cast: Cast
) -> None:
    command = [sys.executable, "manage.py", "suspend_account", cast.prepaid.public_id, "--reason=unpaid"]

    def run_it(*options: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*command, *options],
            cwd=Path(__file__).parents[2],
            env=process_environment,
            capture_output=True,
            text=True,
            check=False,
        )

    done = run_it(f"--as={cast.dana.email}")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout.splitlines()[-1])["phase"] == "Suspended"
    before = row_counts()
    again = run_it(f"--as={cast.dana.email}")
    assert again.returncode == 1
    assert "wrong_phase: billing_account: the account is Suspended" in again.stderr
    assert again.stdout == ""
    assert run_it(f"--as={cast.erin.email}").returncode == 1
    assert row_counts() == before
