"""Finding things by keyboard alone, keeping a filter, and seeing who somebody is, in a browser."""

import pytest
from django.urls import reverse
from playwright.sync_api import Page

from accounts.models import AuditLog, SavedFilter
from ledger.models import LedgerTransaction
from tests.billing_site.back_office_scene import set_scene
from tests.browser.conftest import browser, sign_in, site
from tests.cast import Cast

ENTRIES = reverse("admin:ledger_ledgerentry_changelist")


def ask(page: Page, term: str, *, key: str = "/") -> None:
    page.keyboard.press(key)
    page.keyboard.type(term)
    with page.expect_navigation():
        page.keyboard.press("Enter")


@pytest.mark.parametrize(("width", "scheme"), [(1440, "light"), (390, "dark")])
def test_things_are_found_kept_and_shown(
    chromium: str, committed_db: str, process_environment: dict[str, str], cast: Cast, width: int, scheme: str
) -> None:
    scene = set_scene(cast)
    transfer = LedgerTransaction.objects.get(pk=scene.transfer)
    with site(process_environment) as address, browser(chromium) as opened:
        page, faults = sign_in(opened, address, "dana@countinghouse.example", width=width, scheme=scheme)
        ask(page, "transfer:STMT-1")
        assert page.url == f"{address}{reverse('admin:ledger_ledgertransaction_change', args=[transfer.pk])}"
        page.goto(address + ENTRIES)
        ask(page, "acme", key="Control+k")
        page.wait_for_selector(".hit:focus")
        page.keyboard.press("ArrowDown")
        with page.expect_navigation(url="**/billingaccount/**"):
            page.keyboard.press("Enter")
        ask(page, "nothing of that name")
        assert "What can be searched" in page.inner_text("#content")

        page.goto(f"{address}{ENTRIES}?reason=adjustment")
        page.click("text=Save these filters")
        page.wait_for_selector("[name=name]:focus")
        page.keyboard.type("Ours / theirs")
        page.keyboard.press("Enter")
        page.wait_for_selector(".chip-active >> text=Ours / theirs")
        page.goto(address + ENTRIES)
        page.click(".chip >> text=Ours / theirs")
        page.wait_for_url("**reason=adjustment")
        page.click("[aria-label='Delete the saved filter Ours / theirs']")
        page.wait_for_selector("text=is deleted")

        page.goto(address + reverse("admin:accounts_organization_change", args=[cast.acme.pk]))
        assert "alice@acme.example" not in page.content()
        page.click(f"[aria-label='Show who {cast.alice.public_id} is']")
        page.wait_for_selector("text=alice@acme.example")
        assert "bob@acme.example" not in page.content()
        assert page.evaluate("document.documentElement.scrollWidth - window.innerWidth") <= 0
        assert faults == []
    assert not SavedFilter.objects.exists()
    assert AuditLog.objects.get(action="personal_data.show").subject_id == cast.alice.pk
