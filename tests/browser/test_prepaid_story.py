"""A prepaid customer from the first transfer to the last, through the pages a finance person would use."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import TypeVar

from django.db import connection
from django.urls import reverse
from playwright.sync_api import Page

from accounts import clock, policy
from accounts.models import ApprovalRequest, OutboxMessage, User
from ledger import accrual
from ledger.balances import balance
from ledger.models import ForceRelease, LowBalanceEpisode
from quotas.models import Allocation
from quotas.price_book import open_sku, set_rate
from tests.browser.conftest import browser, sign_in, site
from tests.cast import ACTOR, BEGINNING, Cast

Result = TypeVar("Result")
SECOND = timedelta(seconds=1)


def beside(act: Callable[[], Result]) -> Result:
    """Run queries on a thread of their own: the browser's loop is on this one."""

    def run() -> Result:
        try:
            return act()
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as thread:
        return thread.submit(run).result()


def fast_machines(cast: Cast) -> None:
    """A machine of a dollar a second, billed by the second, and no look ahead: each state is reached by waiting."""
    fast = open_sku("fast", "Fast machine", "machine", at=BEGINNING)
    set_rate(fast, currency="USD", rate_per_unit_hour="3600", effective_from=BEGINNING, actor=ACTOR, at=BEGINNING)
    for key, value in (("billing.window_seconds", 1), ("billing.auto_release_projection_seconds", 0)):
        policy.set_value(
            key, value, scope="tenant", scope_id=cast.acme.pk, actor=ACTOR, reason="a short story", at=BEGINNING
        )


def billed_at(moment: datetime) -> None:
    """Wait until a moment is past, and ring."""
    time.sleep(max(0.0, (moment - clock.now()).total_seconds()))
    beside(lambda: accrual.drain(moment))


def fill(page: Page, **fields: str) -> None:
    for name, value in fields.items():
        page.fill(f"[name={name}]", value)
    page.click("text=Preview")
    page.wait_for_load_state("networkidle")


def press(page: Page, button: str) -> None:
    page.click(f"button:has-text('{button}')")
    page.wait_for_load_state("networkidle")


def transfer(page: Page, address: str, cast: Cast, amount_minor: str, reference: str) -> None:
    page.goto(address + reverse("admin:payments_banktransfer_record"))
    fill(
        page,
        billing_account=cast.prepaid.public_id,
        amount_minor=amount_minor,
        currency="USD",
        value_date=clock.now().date().isoformat(),
        reference=reference,
        reason="on the statement",
    )
    press(page, "Record transfer")


def test_transfer_run_warning_depletion_release_and_a_top_up_that_leaves_it_low(
    chromium: str, committed_db: str, process_environment: dict[str, str], cast: Cast
) -> None:
    fast_machines(cast)
    account = reverse("admin:accounts_billingaccount_change", args=[cast.prepaid.pk])
    with site(process_environment) as address, browser(chromium) as opened:
        dana, faults = sign_in(opened, address, "dana@countinghouse.example")

        def shows(*words: str) -> None:
            dana.goto(address + account)
            text = dana.inner_text("#content")
            assert [word for word in words if word not in text] == []

        shows("Nothing was posted yet")
        transfer(dana, address, cast, "600", "STMT-1")
        shows("6.00 USD", "Healthy")
        dana.goto(address + reverse("admin:quotas_allocation_start"))
        fill(dana, project=cast.project.public_id, sku="fast", quantity="1", reason="they asked by phone")
        press(dana, "Start")
        machine = beside(Allocation.objects.get)
        begun = machine.started_at
        assert begun is not None
        billed_at(begun + 2 * SECOND)
        shows("Low balance", "threshold of 5.00 USD")
        billed_at(begun + 8 * SECOND)
        shows("Depleted", "1 release asked, 1 not confirmed", "halted")
        dana.goto(address + reverse("admin:quotas_allocation_start"))
        fill(dana, project=cast.project.public_id, sku="fast", quantity="1", reason="and another one")
        assert "account_halted" in dana.inner_text("#content")
        assert [fault for fault in faults if "409" not in fault] == []  # the browser notes a refused form
        faults.clear()
        gone = begun + 12 * SECOND
        billed_at(gone)
        dana.goto(address + reverse("admin:quotas_allocation_complete", args=[machine.pk]))
        fill(dana, completed_at=gone.isoformat(), reason="the platform says so")
        press(dana, "The machine is gone")
        billed_at(gone + 2 * SECOND)
        shows("\u22126.00 USD", "all confirmed")
        transfer(dana, address, cast, "1000", "STMT-2")
        shows("4.00 USD", "Low balance")
        dana.goto(address + reverse("admin:index"))
        assert faults == []
    assert balance(cast.prepaid).amount_minor == 400
    assert Allocation.objects.get().status == "released"
    assert (LowBalanceEpisode.objects.count(), ForceRelease.objects.count()) == (1, 1)
    told = OutboxMessage.objects.filter(topic__in=["billing.low_balance_warning", "billing.balance_depleted"])
    assert list(told.order_by("seq").values_list("topic", flat=True)) == [
        "billing.low_balance_warning",
        "billing.balance_depleted",
    ]


def test_credit_above_the_limit_is_granted_by_a_second_person_and_never_by_the_one_who_asked(
    chromium: str, committed_db: str, process_environment: dict[str, str], cast: Cast
) -> None:
    User.objects.create_superuser("root@countinghouse.example", "correct horse battery")
    with site(process_environment) as address, browser(chromium) as opened:
        root, _ = sign_in(opened, address, "root@countinghouse.example")
        root.goto(address + reverse("admin:ledger_ledgerentry_grant"))
        fill(
            root,
            billing_account=cast.prepaid.public_id,
            amount_minor="25000",
            currency="USD",
            reason="a trial for the new cluster",
        )
        press(root, "Ask a second person")
        asked = root.url
        assert "another person decides" in root.inner_text("#content")
        assert root.locator("button:has-text('Approve')").count() == 0
        token = root.locator("[name=csrfmiddlewaretoken]").first.get_attribute("value") or ""
        answer = root.request.post(
            f"{asked.removesuffix('/change/')}/decide/",
            form={"csrfmiddlewaretoken": token, "decision": "approve", "token": "guessed"},
            headers={"Referer": asked},
        )
        assert answer.status in (200, 403, 409)
        assert beside(ApprovalRequest.objects.get).state == "pending"
        erin, _ = sign_in(opened, address, "erin@countinghouse.example", width=400, scheme="dark")
        erin.goto(asked)
        assert "promo_issued" in erin.inner_text("#content")
        press(erin, "Approve and do it")
        assert "Approved and done" in erin.inner_text("body")
    request = ApprovalRequest.objects.get()
    assert (request.maker.email, request.checker) == ("root@countinghouse.example", cast.erin)
    assert balance(cast.prepaid).amount_minor == 25_000
