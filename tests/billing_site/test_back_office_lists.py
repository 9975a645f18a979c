"""Lists: never counted, few queries, filters that refuse what they do not offer, an export that is harmless."""

import csv
import io
import re
import tracemalloc
from datetime import datetime, timedelta
from urllib.parse import parse_qsl

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.admin.csv_export import safe
from accounts.lifecycle import open_billing_account, open_organization
from accounts.models import AuditLog, OutboxMessage, User
from ledger import accrual
from ledger.admin import entries
from ledger.balances import balance
from ledger.models import LedgerEntry
from payments.models import BankTransfer
from quotas.allocations import start
from tests.billing_site import large_tables
from tests.billing_site.back_office_scene import Scene
from tests.billing_site.test_back_office_access import MODELS
from tests.billing_site.test_back_office_search import assert_no_whole_table, plan_of
from tests.cast import ACTOR, NOON, Cast

ENTRIES = "admin:ledger_ledgerentry_changelist"
EXPORT = "admin:ledger_ledgerentry_export"


@pytest.fixture
def scene(back_office_scene: Scene) -> Scene:
    return back_office_scene


@pytest.fixture
def dana(cast: Cast, client: Client) -> Client:
    client.force_login(cast.dana)
    return client


@pytest.fixture
def root(cast: Cast) -> Client:
    client = Client()
    client.force_login(User.objects.create_superuser("root@countinghouse.example"))
    return client


def exported(client: Client, query: str = "") -> list[dict[str, str]]:
    response = client.get(reverse(EXPORT) + query)
    assert response.status_code == 200
    assert response["Content-Disposition"] == 'attachment; filename="ledger-entries.csv"'
    text = b"".join(response.streaming_content).decode("utf-8-sig")  # type: ignore[attr-defined]
    return list(csv.DictReader(io.StringIO(text)))


def test_no_list_counts_its_rows_and_each_is_few_queries(cast: Cast, scene: Scene) -> None:
    cast.dana.is_superuser = True
    cast.dana.save()
    client = Client()
    client.force_login(cast.dana)
    for model in MODELS:
        with CaptureQueriesContext(
            connection,
        ) as queries:
            response = client.get(scene.address(f"{model}_changelist"))
        assert response.status_code == 200
        statements = [query["sql"] for query in queries]
        assert not [sql for sql in statements if "COUNT(*)" in sql.upper()], model
        assert not [sql for sql in statements if "OFFSET" in sql.upper()], model
        assert len(statements) <= 12, (model, statements)


def test_the_queries_of_a_list_do_not_grow_with_its_rows(dana: Client, scene: Scene) -> None:
    with CaptureQueriesContext(connection) as few:
        dana.get(reverse(ENTRIES))
    accrual.drain(NOON + timedelta(hours=2))
    assert LedgerEntry.objects.count() > 100
    with CaptureQueriesContext(connection) as many:
        dana.get(reverse(ENTRIES))
    assert len(many) == len(few)


def test_pages_follow_each_other_without_a_gap_or_a_double(dana: Client, scene: Scene) -> None:
    accrual.drain(NOON + timedelta(hours=5))
    seen: list[int] = []
    address = reverse(ENTRIES) + "?reason=usage"
    while address:
        found = dana.get(address).context["cl"]
        seen += [entry.pk for entry in found.result_list]
        address = reverse(ENTRIES) + found.next_page if found.next_page else ""
    wanted = list(LedgerEntry.objects.filter(reason="usage").order_by("-pk").values_list("pk", flat=True))
    assert len(wanted) > 200
    assert seen == wanted


def test_entries_are_found_by_what_people_have_at_hand(cast: Cast, dana: Client, scene: Scene) -> None:
    transfer = LedgerEntry.objects.filter(transaction_id=scene.transfer)
    entry, posted = transfer.first(), transfer.get(reason="transfer", account_seq=1)
    assert entry is not None
    terms = {
        entry.public_id: {entry.pk},
        posted.transaction.public_id: set(transfer.values_list("pk", flat=True)),
        "transfer:STMT-1": set(transfer.values_list("pk", flat=True)),
        "STMT-1": set(transfer.values_list("pk", flat=True)),
        cast.prepaid.public_id: set(
            LedgerEntry.objects.filter(ledger_account__billing_account=cast.prepaid).values_list("pk", flat=True)
        ),
        cast.foreign.public_id: set(),
        "ba_zzzzzzzzzzzzz": set(),
        "%": set(),
    }
    for term, wanted in terms.items():
        found = dana.get(reverse(ENTRIES), {"q": term}).context["cl"].result_list
        assert {row.pk for row in found} == wanted, term


def test_registers_are_found_by_act_topic_and_request(cast: Cast, dana: Client, scene: Scene) -> None:
    def found(model: str, term: str) -> set[str]:
        rows = dana.get(reverse(f"admin:{model}_changelist"), {"q": term}).context["cl"].result_list
        return {row.action if model.endswith("auditlog") else row.topic for row in rows}

    assert found("accounts_auditlog", " ledger.adjust ") == {"ledger.adjust"}
    assert found("accounts_outboxmessage", "payments.balance_credited") == {"payments.balance_credited"}
    request = AuditLog.objects.filter(action="ledger.adjust").latest("pk").correlation_id
    assert "ledger.adjust" in found("accounts_auditlog", request)
    for model in ("accounts_auditlog", "accounts_outboxmessage"):
        for term in ("ledger", "%", request[:-1]):
            assert found(model, term) == set()
        assert found(model, "  ")


def test_filters_narrow(cast: Cast, dana: Client, scene: Scene) -> None:
    def found(**query: str) -> set[str]:
        rows = dana.get(reverse(ENTRIES), query).context["cl"].result_list
        return {f"{row.ledger_account.kind}/{row.reason}" for row in rows}

    assert found(kind="bank") == {"bank/transfer"}
    assert found(reason="adjustment") == {"wallet/adjustment", "allowances/adjustment"}
    assert found(currency="USD", kind="usage_revenue") == {"usage_revenue/usage"}
    assert found(kind="", reason="", currency="", effective_at_from="", effective_at_to="") == found()
    assert found(effective_at_from="2026-03-11") == set()
    assert found(effective_at_from="2026-03-10", effective_at_to="2026-03-10", kind="bank") == {"bank/transfer"}


def test_a_kind_of_many_accounts_is_filtered_alike(dana: Client, scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    def found(kind: str) -> list[int]:
        return [row.pk for row in dana.get(reverse(ENTRIES), {"kind": kind}).context["cl"].result_list]

    few = {kind: found(kind) for kind in ("wallet", "bank", "usage_revenue", "held")}
    assert few["wallet"]
    assert not few["held"]
    monkeypatch.setattr(entries, "FEW_ACCOUNTS", 0)
    assert {kind: found(kind) for kind in few} == few


def test_days_are_the_reader_s(cast: Cast, dana: Client, scene: Scene) -> None:
    """Noon in UTC is the next day in Kiritimati."""
    cast.dana.time_zone = "Pacific/Kiritimati"
    cast.dana.save()
    page = dana.get(reverse(ENTRIES), {"effective_at_to": "2026-03-10"})
    assert not page.context["cl"].result_list
    text = dana.get(reverse(ENTRIES), {"kind": "bank"}).text
    assert '<time class="moment" datetime="2026-03-10T12:00:00+00:00" title="2026-03-10 12:00:00 UTC">' in text
    assert "2026-03-11 02:00:00 +14" in text


def test_a_time_zone_that_is_none_is_read_as_utc(cast: Cast, dana: Client, scene: Scene) -> None:
    for name in ("Nowhere/Land", "", "../../etc/passwd", "\x01"):
        cast.dana.time_zone = name
        cast.dana.save()
        assert "2026-03-10 12:00:00 UTC" in dana.get(reverse(ENTRIES), {"kind": "bank"}).text


@pytest.mark.parametrize(
    "query",
    [
        *("?kind=nothing", "?reason=%00", "?currency='", "?kind=wallet%00", "?effective_at_from=10000-01-01"),
        *("?effective_at_to=9999-12-31", "?effective_at_from=yesterday", "?effective_at_to=%00", "?q=%00"),
        *("?after=x", "?after=99999999999999999999", "?after=-1", "?after=٣", "?p=9999", "?o=-6.1", "?all=", "?e=1"),
        *("?transaction__business_key__startswith=t", "?ledger_account__billing_account__name=x", "?pk=1"),
        *("?_popup=1", "?_to_field=id", "?_to_field=password", "?_facets=True", "?q=" + "x" * 5000),
    ],
)
def test_no_query_string_is_a_server_error(dana: Client, query: str) -> None:
    response = dana.get(reverse(ENTRIES) + query)
    assert response.status_code in (200, 302, 400)
    assert dana.get(reverse(EXPORT) + query).status_code in (200, 400)


def test_pages_of_the_site_refuse_bad_input_without_an_error(dana: Client) -> None:
    for path in ("search/?s=x&page=0", "search/?s=x&page=abc", "search/?s=%00", "autocomplete/?app_label=accounts"):
        assert dana.get(f"/admin/{path}").status_code in (200, 404)
    for key in ("0", "-1", "x", "9" * 30, "%00", "1/2"):
        for model in MODELS:
            name = model.replace("_", "/")
            assert dana.get(f"/admin/{name}/{key}/change/").status_code in (302, 403, 404), (model, key)


def test_the_export_holds_the_filtered_list(cast: Cast, dana: Client, scene: Scene) -> None:
    rows = exported(dana, "?kind=bank")
    assert rows == [
        {
            "entry": LedgerEntry.objects.get(ledger_account__kind="bank").public_id,
            "transaction": LedgerEntry.objects.get(ledger_account__kind="bank").transaction.public_id,
            "effective_at": "2026-03-10T12:00:00+00:00",
            "billing_account": cast.prepaid.public_id,
            "account": "bank",
            "reason": "transfer",
            "amount_minor": "-5000",
            "currency": "USD",
            "balance_after_minor": "",
            "business_key": "transfer:STMT-1",
            "actor": f"user:{cast.dana.pk}",
        }
    ]
    assert len(exported(dana)) == LedgerEntry.objects.count()
    assert sum(int(row["amount_minor"]) for row in exported(dana)) == 0


def test_the_export_is_read_in_pieces(cast: Cast, dana: Client, scene: Scene) -> None:
    start(cast.postpaid_project, cast.gpu, quantity="1", actor=ACTOR, at=NOON)
    accrual.drain(NOON + timedelta(hours=40))
    assert LedgerEntry.objects.count() > 2000
    response = dana.get(reverse(EXPORT))
    with CaptureQueriesContext(connection) as queries:
        lines = sum(1 for _ in response)
    assert lines == LedgerEntry.objects.count() + 1
    assert len(queries) == 2
    assert all("LIMIT 2000" in query["sql"] for query in queries)


def csv_of(client: Client, model: str, query: str = "") -> list[dict[str, str]]:
    response = client.get(reverse(f"admin:{model}_export") + query)
    assert response.status_code == 200, model
    text = b"".join(response.streaming_content).decode("utf-8-sig")  # type: ignore[attr-defined]
    header, *rows = csv.reader(io.StringIO(text))
    assert len(header) == len(set(header)), (model, header)
    return [dict(zip(header, row, strict=True)) for row in rows]


def test_every_list_is_exported_whole_in_plain_values(cast: Cast, root: Client, scene: Scene) -> None:
    """Whole numbers of minor units beside a currency, moments in UTC, ids of people: nothing as a page shows it."""
    for model in MODELS:
        listed = root.get(scene.address(f"{model}_changelist")).context["cl"].result_list
        rows = csv_of(root, model)
        own = model == "accounts_auditlog"  # the export itself is the newest row
        assert len(rows) == len(listed) + own > 0, model
        for name, cell in ((name, cell) for row in rows for name, cell in row.items()):
            shown = re.search(r"^[\d,.]+ [A-Z]{3}$|[<>–−]|\b(Alice|Bob|Charlie)\b", cell)
            assert not shown or (model, name) == ("accounts_user", "display_name"), (model, name, cell)
            if name.endswith("_minor"):
                assert re.fullmatch(r"-?\d+|", cell), (model, name, cell)
                assert "currency" in rows[0], model
            if re.match(r"\d{4}-\d\d-\d\d.\d\d:", cell):
                assert datetime.fromisoformat(cell).utcoffset() == timedelta(0), (model, name, cell)


def test_the_export_of_a_list_is_its_columns(cast: Cast, dana: Client, scene: Scene) -> None:
    (transfer,) = csv_of(dana, "payments_banktransfer")
    assert transfer == {
        "id": BankTransfer.objects.get().public_id,
        "reference": "STMT-1",
        "billing_account": cast.prepaid.public_id,
        "billing_account_name": "Acme prepaid",
        "amount_minor": "5000",
        "currency": "USD",
        "value_date": "2026-03-10",
        "recorded_at": "2026-03-10T12:00:00+00:00",
    }
    accounts = csv_of(dana, "accounts_billingaccount", "?settlement=prepaid&q=acme")
    assert [row["balance_minor"] for row in accounts] == [str(balance(cast.prepaid).amount_minor)]
    members = csv_of(dana, "accounts_membership")
    assert {row["member"] for row in members} == {user.public_id for user in (cast.alice, cast.bob, cast.charlie)}
    (asked,) = csv_of(dana, "accounts_approvalrequest")
    assert asked["maker"] == cast.dana.public_id


def test_people_are_exported_by_those_who_look_after_them(cast: Cast, dana: Client, root: Client) -> None:
    assert dana.get(reverse("admin:accounts_user_export")).status_code == 403
    assert "alice@acme.example" in {row["email"] for row in csv_of(root, "accounts_user", "?q=alice")}
    row = AuditLog.objects.get(action="export")
    assert row.after == {"list": "accounts_user", "filters": {"q": "a***"}, "people": True}


def test_an_export_is_audited_with_its_filters(cast: Cast, dana: Client, scene: Scene) -> None:
    csv_of(dana, "ledger_ledgerentry", "?reason=usage&kind=&q=carol%40acme.example&after=7")
    row = AuditLog.objects.get(action="export")
    assert (row.actor, row.subject_type) == (cast.dana, "list")
    assert row.after is not None
    assert row.after["list"] == "ledger_ledgerentry"
    assert row.after["filters"] == {"kind": "", "q": "c***@acme.example", "reason": "usage"}
    for query in ("?reason=nothing", "?e=1&reason=%00"):
        assert dana.get(reverse(EXPORT) + query).status_code == 400
    assert dana.head(reverse(EXPORT)).status_code == 405
    assert dana.post(reverse(EXPORT)).status_code == 405
    assert AuditLog.objects.filter(action="export").count() == 1


def test_a_long_list_is_exported_a_page_at_a_time(dana: Client, cast: Cast) -> None:
    """Fifty thousand rows: as many queries as pages, none counts or skips, and memory stays where it was."""
    OutboxMessage.objects.bulk_create(
        (OutboxMessage(topic="t", payload={}, correlation_id=str(n), occurred_at=NOON) for n in range(50_000)),
        batch_size=5000,
    )
    response = dana.get(reverse("admin:accounts_outboxmessage_export"))
    tracemalloc.start()
    with CaptureQueriesContext(connection) as queries:
        lines, peak = 0, 0
        for _ in response:
            lines += 1
            if lines % 10_000 == 5_000:
                peak = max(peak, tracemalloc.get_traced_memory()[0])
    tracemalloc.stop()
    assert lines == OutboxMessage.objects.count() + 1
    assert len(queries) <= lines / 1000 + 1
    assert not [query["sql"] for query in queries if re.search(r"COUNT\(|OFFSET", query["sql"])]
    assert all("LIMIT 1001" in query["sql"] for query in queries)
    assert peak < 20_000_000


def test_a_list_by_days_stands_in_the_order_of_the_moment(cast: Cast, dana: Client, scene: Scene) -> None:
    """A row that was written late stands where it belongs, on the pages and in the export."""
    start(cast.postpaid_project, cast.gpu, quantity="1", actor=ACTOR, at=NOON - timedelta(hours=3))
    accrual.drain(NOON)
    address, seen = reverse(ENTRIES) + "?effective_at_from=2026-03-10&effective_at_to=2026-03-10", []
    while address:
        page = dana.get(address).context["cl"]
        seen += [entry.pk for entry in page.result_list]
        address = reverse(ENTRIES) + page.next_page if page.next_page else ""
    by_moment = LedgerEntry.objects.order_by("-effective_at", "-pk")
    wanted = list(by_moment.values_list("pk", flat=True))
    assert len(wanted) > 150
    assert wanted != sorted(wanted, reverse=True)
    assert seen == wanted
    rows = csv_of(dana, "ledger_ledgerentry", "?effective_at_from=2026-03-10")
    assert [row["entry"] for row in rows] == [entry.public_id for entry in by_moment]


@pytest.mark.parametrize(
    "mark", ["1.1", "x.1", "1.x", "99999999999999999999.1", "9223372036854775807.1", "-5.5", "1.٣"]
)
def test_a_mark_that_is_none_of_the_list_begins_at_the_top(dana: Client, scene: Scene, mark: str) -> None:
    for query in ({"effective_at_from": "2026-03-10"}, {}):
        page = dana.get(reverse(ENTRIES), {**query, "after": mark})
        assert page.status_code == 200
        if mark != "1.1":
            assert page.context["cl"].result_list


@pytest.mark.usefixtures("back_office_scene")
def test_filters_of_long_lists_use_their_indexes(committed_db: str, cast: Cast, client: Client) -> None:
    large_tables.fill(cast, rows=20_000)
    client.force_login(cast.dana)
    for model, field in (
        *(("ledger_ledgerentry", "effective_at"), ("ledger_ledgertransaction", "effective_at")),
        *(("accounts_auditlog", "at"), ("accounts_outboxmessage", "occurred_at")),
    ):
        day = {f"{field}_from": "2026-03-01", f"{field}_to": "2026-03-01"}
        (sql,) = list_queries(client, model, day)
        assert_no_whole_table(sql)
        assert "_by_moment" in plan_of(sql), plan_of(sql)
        after = client.get(reverse(f"admin:{model}_changelist"), day).context["cl"].next_page
        (sql,) = list_queries(client, model, dict(parse_qsl(after.removeprefix("?"))))
        assert "_by_moment" in plan_of(sql), plan_of(sql)
    (sql,) = list_queries(client, "ledger_ledgerentry", {"reason": "topup"})
    assert "ledger_entries_of_reason" in plan_of(sql), plan_of(sql)
    for model, query, index in (
        ("ledger_ledgertransaction", {"kind": "correction"}, "ledger_transactions_of_kind"),
        ("accounts_outboxdelivery", {"state": "dead"}, "outbox_deliveries_not_arrived"),
        ("accounts_auditlog", {"q": "ledger.adjust"}, "audit_logs_of_action"),
        ("accounts_auditlog", {"q": "tick-77"}, "audit_logs_by_correlation"),
        ("accounts_outboxmessage", {"q": "payments.balance_credited"}, "outbox_of_topic"),
        ("accounts_outboxmessage", {"q": "tick-77"}, "outbox_by_correlation"),
        ("quotas_allocation", {"q": "machine-77"}, "allocations_by_external_id"),
    ):
        *looks, sql = list_queries(client, model, query)
        assert index in plan_of(sql), plan_of(sql)
        for look in looks:
            assert_no_whole_table(look)


def list_queries(client: Client, model: str, query: dict[str, str]) -> list[str]:
    """What is asked of the table of a list, last the query that reads its rows."""
    with CaptureQueriesContext(connection) as queries:
        change_list = client.get(reverse(f"admin:{model}_changelist"), query).context["cl"]
    table = f'FROM "{change_list.opts.db_table}"'
    return [entry["sql"] for entry in queries if table in entry["sql"] and "LIMIT" in entry["sql"]]


@pytest.mark.parametrize("start", [*"=+-@\t\r\n\x00", *"\uff1d\uff0b\uff0d\uff20", " =", "\u00a0+"])
def test_text_that_could_be_a_formula_stays_text(start: str) -> None:
    assert safe(f"{start}1+1") == f"'{start}1+1"


def test_numbers_and_plain_text_stay_as_they_are() -> None:
    assert safe(-5000) == -5000
    assert safe(None) is None
    assert safe("transfer:STMT-1") == "transfer:STMT-1"
    assert safe("") == ""


def test_names_are_shown_as_they_were_written(cast: Cast, dana: Client, scene: Scene) -> None:
    """A name or a reason is text wherever it is shown."""
    payload = '<script>alert("x")</script>'
    organization = open_organization(payload, "script", owner=cast.alice, at=NOON)
    account = open_billing_account(
        organization, cast.entity, payload, currency="USD", settlement="prepaid", actor=ACTOR, at=NOON
    )
    dana.post(
        reverse("admin:ledger_ledgerentry_adjust"),
        {"billing_account": account.public_id, "amount_minor": "5", "currency": "USD", "reason": payload},
    )
    pages = [
        reverse("admin:accounts_billingaccount_changelist"),
        reverse("admin:accounts_billingaccount_change", args=[account.pk]),
        reverse("admin:accounts_organization_changelist"),
        reverse("admin:accounts_organization_change", args=[organization.pk]),
        reverse("admin:accounts_organization_history", args=[organization.pk]),
        reverse("admin:accounts_auditlog_changelist"),
        reverse(ENTRIES) + "?q=%3Cscript%3Ealert(%22x%22)%3C/script%3E",
    ]
    for page in pages:
        text = dana.get(page).text
        assert "<script>alert(" not in text, page
        assert "&lt;script&gt;alert(" in text, page
    preview = dana.post(
        reverse("admin:ledger_ledgerentry_adjust"),
        {"billing_account": account.public_id, "amount_minor": "5", "currency": "USD", "reason": payload},
    )
    assert "<script>alert(" not in preview.text
    assert preview.text.count("&lt;script&gt;alert(") >= 2
