"""One box for everything: what is named opens at once, each look-up uses an index, and nobody learns an address."""

import re
from collections.abc import Callable

import pytest
from django.contrib.auth.models import Group as StaffGroup
from django.db import connection
from django.db.models import Model
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.audit import record, system
from accounts.bindings import bind as bind_project
from accounts.correlation import bind
from accounts.lifecycle import open_billing_account, open_organization, open_project
from accounts.models import AuditLog, Membership, OrganizationRole, User
from ledger import adjustments
from ledger.models import LedgerEntry, LedgerTransaction, UsageRecord
from payments.models import BankTransfer
from quotas.allocations import start
from quotas.models import Allocation
from tests.billing_site import large_tables
from tests.billing_site.back_office_scene import Scene
from tests.billing_site.test_back_office_access import MODELS
from tests.cast import ACTOR, NOON, Cast, allow_many_accounts

SEARCH = reverse("admin:search")


@pytest.fixture
def scene(back_office_scene: Scene) -> Scene:
    return back_office_scene


@pytest.fixture
def dana(cast: Cast, client: Client) -> Client:
    client.force_login(cast.dana)
    return client


@pytest.fixture
def patricia(cast: Cast) -> Client:
    user = User.objects.create_user("patricia@countinghouse.example", is_staff=True)
    user.groups.set(StaffGroup.objects.filter(name="platform-admin"))
    client = Client()
    client.force_login(user)
    return client


def page_of(row: Model) -> str:
    return reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_change", args=[row.pk])


def opened(client: Client, term: str) -> str:
    """Where the box leads at once; nothing where it offers a choice."""
    response = client.get(SEARCH, {"q": term})
    return response.url if response.status_code == 302 else ""


def offered(client: Client, term: str) -> dict[str, set[str]]:
    """What the box offers, by kind: addresses of pages."""
    response = client.get(SEARCH, {"q": term})
    assert response.status_code == 200
    return {group.title: {hit.url for hit in group.hits} for group in response.context["found"].groups}


def first(model: type[Model]) -> Model:
    row = model._default_manager.order_by("pk").first()
    assert row is not None
    return row


EXACT: dict[str, Callable[[Cast, Scene], tuple[str, Model]]] = {
    "organization": lambda cast, _: (cast.acme.public_id, cast.acme),
    "project": lambda cast, _: (cast.project.public_id, cast.project),
    "account": lambda cast, _: (cast.prepaid.public_id, cast.prepaid),
    "account in capitals": lambda cast, _: (f"  {cast.prepaid.public_id.upper()} ", cast.prepaid),
    "legal entity": lambda cast, _: (cast.entity.public_id, cast.entity),
    "sku": lambda cast, _: (cast.gpu.public_id, cast.gpu),
    "sku code": lambda cast, _: ("GPU", cast.gpu),
    "transaction": lambda _, scene: _by(LedgerTransaction.objects.get(pk=scene.transfer)),
    "entry": lambda *_: _by(first(LedgerEntry)),
    "usage record": lambda *_: _by(first(UsageRecord)),
    "allocation": lambda *_: _by(first(Allocation)),
    "transfer": lambda *_: _by(first(BankTransfer)),
    "approval": lambda _, scene: _by(scene.waiting),
    "bank reference": lambda *_: ("STMT-1", first(BankTransfer)),
    "business key": lambda _, scene: ("transfer:STMT-1", LedgerTransaction.objects.get(pk=scene.transfer)),
    "name of an account": lambda cast, _: ("acme PREPAID", cast.prepaid),
}


def _by(row: Model) -> tuple[str, Model]:
    return row.public_id, row  # type: ignore[attr-defined]


@pytest.mark.parametrize("what", EXACT)
def test_what_is_named_opens_at_once(cast: Cast, dana: Client, scene: Scene, what: str) -> None:
    term, row = EXACT[what](cast, scene)
    assert opened(dana, term) == page_of(row)
    assert dana.get(opened(dana, term)).status_code == 200


def test_an_external_id_leads_to_its_allocation_and_two_are_a_choice(cast: Cast, dana: Client) -> None:
    second = open_project(cast.acme, "Second", "second", at=NOON)
    bind_project(second, cast.postpaid, actor=ACTOR, at=NOON)
    started = []
    for project in (cast.postpaid_project, second):
        started.append(start(project, cast.gpu, quantity="1", external_id="node-7", actor=ACTOR, at=NOON))
        if project != second:
            assert opened(dana, "node-7") == page_of(started[0])
    assert offered(dana, "node-7") == {"Allocations": {page_of(row) for row in started}}


def test_beginnings_of_names_are_a_choice_grouped_by_kind(cast: Cast, dana: Client) -> None:
    organization, prepaid, postpaid = (page_of(row) for row in (cast.acme, cast.prepaid, cast.postpaid))
    assert offered(dana, "AC") == {"Organizations": {organization}, "Billing accounts": {prepaid, postpaid}}
    assert offered(dana, "acme p") == {"Billing accounts": {prepaid, postpaid}}
    assert offered(dana, "train") == {"Projects": {page_of(cast.project)}}
    assert offered(dana, "elsewhere") == {
        "Organizations": {page_of(cast.strangers)},
        "Billing accounts": {page_of(cast.foreign)},
    }
    text = dana.get(SEARCH, {"q": "acme p"}).text
    assert f"prepaid, USD, Ready · of Acme · {cast.prepaid.public_id}" in text


def test_one_that_only_begins_so_is_offered_and_not_opened(cast: Cast, dana: Client) -> None:
    assert opened(dana, "trainin") == ""
    assert opened(dana, "training") == page_of(cast.project)


def test_a_request_id_finds_all_that_it_wrote(cast: Cast, dana: Client) -> None:
    with bind("req-77"):
        posted = adjustments.adjust(
            adjustments.payload(cast.prepaid, 500, "USD"), actor=system("test"), reason="one request", at=NOON
        )
    transaction = reverse("admin:ledger_ledgertransaction_change", args=[posted["transaction"]])
    found = offered(dana, "req-77")["Written by one request"]
    assert transaction in found
    assert {page_of(row) for row in AuditLog.objects.filter(correlation_id="req-77")} <= found
    with bind("req-78"):
        row = record(ACTOR, "test.act", subject=("test", None), at=NOON)
    assert opened(dana, "req-78") == page_of(row)


def test_an_address_leads_to_what_its_person_belongs_to(cast: Cast, dana: Client, patricia: Client) -> None:
    Membership.objects.create(
        organization=cast.strangers, user=cast.bob, role=OrganizationRole.BILLING_VIEWER, created_at=NOON
    )
    organizations = {page_of(cast.acme), page_of(cast.strangers)}
    accounts = {page_of(cast.prepaid), page_of(cast.postpaid), page_of(cast.foreign)}
    for term in ("bob@acme.example", " BOB@Acme.Example ", cast.bob.public_id):
        assert offered(dana, term) == {"Organizations": organizations, "Billing accounts": accounts}
    assert offered(dana, "alice@acme.example")["Organizations"] == {page_of(cast.acme)}  # owns and belongs: once
    seen = offered(patricia, "bob@acme.example")
    assert seen == {"People": {page_of(cast.bob)}, "Organizations": organizations, "Billing accounts": accounts}
    assert opened(patricia, cast.bob.public_id) == page_of(cast.bob)


def test_nobody_learns_an_address_from_the_box(cast: Cast, dana: Client, patricia: Client) -> None:
    for client in (dana, patricia):
        page = client.get(SEARCH, {"q": cast.bob.public_id}, follow=True).text
        assert "bob@acme.example" not in page
        assert "Bob" not in page
        for beginning in ("bob@", "bob@acme", "@acme.example", "%@acme.example"):
            assert offered(client, beginning) == {}
    assert "b***@acme.example" in patricia.get(SEARCH, {"q": "bob@acme.example"}).text


@pytest.mark.parametrize(
    "term",
    [
        *(
            "",
            "   ",
            "nothing of that name",
            "%",
            "_",
            "a%",
            "\\",
            "'",
            '"><script>alert(1)</script>',
            "\x00",
            "a\x00b",
        ),
        *("x" * 200, "x" * 5000, "٣", "ｇｐｕ", "ba_", "ba_zzzzzzzzzzzzz", "ba_0000000000zzz", "usr_0000000000zzz"),
        *("sku_gpu", "dep_0000000000001", "nobody@acme.example", "@", "@@", "-1", "1e9", "🙂"),
    ],
)
def test_nothing_found_says_what_can_be_searched(dana: Client, scene: Scene, term: str) -> None:
    response = dana.get(SEARCH, {"q": term})
    assert response.status_code == 200
    assert response.context["found"].groups == []
    assert "What can be searched" in response.text
    assert "<script>alert(1)" not in response.text


def test_many_are_cut_short_and_it_is_said(cast: Cast, dana: Client) -> None:
    organization = open_organization("Many", "many", owner=cast.alice, at=NOON)
    allow_many_accounts(organization)
    for number in range(12):
        open_billing_account(
            organization, cast.entity, f"Same {number}", currency="USD", settlement="prepaid", actor=ACTOR, at=NOON
        )
    assert len(offered(dana, "same")["Billing accounts"]) == 8
    assert "There are more." in dana.get(SEARCH, {"q": "same"}).text


FOR_FEW = ("accounts_user", "auth_group", "accounts_trustedissuer")  # platform-admin's pages


def test_the_box_stands_on_every_page(dana: Client, scene: Scene) -> None:
    pages = [reverse("admin:index"), SEARCH, reverse("admin:ledger_ledgerentry_adjust")]
    pages += [scene.address(f"{model}_changelist") for model in MODELS if model not in FOR_FEW]
    pages += [scene.address("ledger_ledgertransaction_change"), scene.address("accounts_billingaccount_change")]
    for page in pages:
        text = dana.get(page).text
        assert text.count(f'action="{SEARCH}"') == 1, page
        assert "search-input-command" not in text, page


TERMS = (
    *("STMT-1", "large 5", "Large 777", "machine-99", "usage:large:77", "tick-55", "nothing", "gpu", "a b c", "o"),
    *("person-500@large.example", "alice@acme.example", "nobody@large.example"),
)


@pytest.mark.usefixtures("back_office_scene")
def test_every_look_up_uses_an_index_and_they_are_few(committed_db: str, cast: Cast, client: Client) -> None:
    large_tables.fill(cast, rows=20_000)
    named = [first(model).public_id for model in (LedgerEntry, LedgerTransaction, UsageRecord, Allocation)]  # type: ignore[attr-defined]
    root = User.objects.create_superuser("root@countinghouse.example")
    for reader in (cast.dana, root):
        client.force_login(reader)
        for term in (*TERMS, *named, cast.alice.public_id):
            with CaptureQueriesContext(connection) as queries:
                client.get(SEARCH, {"q": term})
            statements = [query["sql"] for query in queries]
            assert len(statements) <= 12, (term, statements)
            assert [sql for sql in statements if "COUNT(" in sql.upper()] == []
            for sql in statements:
                assert_no_whole_table(sql)


def assert_no_whole_table(sql: str) -> None:
    """The plan of a query reads no large table from its beginning to its end."""
    if not sql.lstrip("( ").upper().startswith("SELECT"):
        return
    plan = plan_of(sql)
    scans = re.findall(r"Seq Scan on ([a-z_]+?)(?:_\d{4}_\d\d)?\b.*cost=\S+\.\.(\S+)", plan)
    read_whole = {table for table, cost in scans if cost != "0.00"}  # an empty month costs nothing
    assert read_whole & set(large_tables.TABLES) == set(), f"{sql}\n{plan}"


def plan_of(sql: str) -> str:
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN {sql}".replace("%", "%%"), [])
        return "\n".join(line for (line,) in cursor.fetchall())
