"""The back office in a browser: every page in both widths and both schemes, and an act that two people do."""

import pytest
from django.urls import reverse

from accounts.audit import person
from accounts.lifecycle import open_billing_account, open_organization
from accounts.models import ApprovalRequest, User
from ledger import adjustments
from ledger.balances import balance
from payments.models import BankTransfer
from tests.billing_site.back_office_scene import Scene, set_scene
from tests.billing_site.test_back_office_access import MODELS, WITH_HISTORY
from tests.browser.conftest import browser, sign_in, site
from tests.cast import ACTOR, NOON, Cast

PAYLOAD = '"><img src=x onerror=alert(1)><script>alert(2)</script>'


def pages(scene: Scene, account: int) -> list[str]:
    """Every page that is read, and the form of every act."""
    names = [f"{model}_{page}" for model in MODELS for page in ("changelist", "change")]
    names += [f"{model}_{page}" for model in WITH_HISTORY for page in ("history", "simple_history")]
    names += [
        "index",
        "price_calculator",
        "quotas_limit_of",
        "quotas_limit_setquota",
        "password_change",
        "accounts_policyvalue_set",
        "accounts_user_access",
        "accounts_providerswitch_switch",
        "quotas_skurate_set",
    ]
    names += [f"accounts_policyvalue_{page}" for page in ("unset", "of", "effective", "changes")]
    names += [f"accounts_billingaccount_{act}" for act in ("suspend", "reactivate", "archive")]
    names += [
        f"accounts_billingaccount_{act}"
        for act in ("activity", "terms", "timezone", "contact", "emails", "address", "taxids", "remove")
    ]
    names += [
        f"accounts_organization_{act}"
        for act in ("activity", "open", "project", "account", "grantfeature", "revokefeature", "close")
    ]
    names += ["accounts_organization_member", "accounts_organization_apikey", "accounts_trustedissuer_set"]
    names += ["accounts_organization_issuer"]
    names += [f"accounts_membership_{act}" for act in ("role", "withdraw", "letin", "letout")]
    names += [f"accounts_apikey_{act}" for act in ("create", "rotate", "revoke")]
    names += [f"accounts_project_{act}" for act in ("bind", "rebind", "close")]
    names += [f"quotas_subscription_{act}" for act in ("assign", "cancel", "suspend")]
    names += [f"quotas_catalogversion_{act}" for act in ("upload", "publish", "discard", "plan", "addplan", "addon")]
    names += [f"quotas_catalogversion_{act}" for act in ("addaddon", "section", "remove")]
    names += ["quotas_catalogrefusal_end"]
    names += [f"quotas_allocation_{act}" for act in ("start", "resize", "release", "complete")]
    names += [f"quotas_meter_{act}" for act in ("define", "extend", "advance")]
    names += [f"quotas_offer_{act}" for act in ("save", "publish", "rename")]
    names += ["quotas_serviceprice_save", "quotas_billingentitlement_assign", "quotas_customersegment_open"]
    names += ["quotas_segmentmembership_place", "quotas_accountdiscount_grant", "quotas_accountdiscount_withdraw"]
    names += ["quotas_accountcommitment_grant", "quotas_accountcommitment_draw"]
    names += [
        "ledger_accrualschedule_retry",
        "ledger_ledgerentry_adjust",
        "ledger_ledgerentry_grant",
        "ledger_ledgertransaction_correct",
        "payments_banktransfer_record",
    ]
    return [scene.address(name) for name in names] + [reverse("admin:accounts_billingaccount_change", args=[account])]


@pytest.mark.long
def test_every_page_is_whole_in_both_widths_and_schemes(
    chromium: str, committed_db: str, process_environment: dict[str, str], cast: Cast
) -> None:
    """No error on the console, nothing fetched from elsewhere, nothing that runs out of the window, no script run."""
    organization = open_organization(PAYLOAD, "payload", owner=cast.alice, at=NOON)
    account = open_billing_account(
        organization, cast.entity, PAYLOAD, currency="JPY", settlement="prepaid", actor=ACTOR, at=NOON
    )
    adjustments.adjust(adjustments.payload(account, 9900, "JPY"), actor=person(cast.dana), reason=PAYLOAD, at=NOON)
    User.objects.create_superuser("root@countinghouse.example", "correct horse battery")
    addresses = pages(set_scene(cast), account.pk)
    wrong = []
    with site(process_environment) as address, browser(chromium) as opened:
        for width, scheme in ((1400, "light"), (400, "dark")):
            page, faults = sign_in(opened, address, "root@countinghouse.example", width=width, scheme=scheme)
            for path in addresses:
                response = page.goto(address + path)
                beyond = page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
                if response is None or response.status != 200 or beyond > 0 or faults:
                    wrong.append((path, width, scheme, beyond, list(faults)))
                faults.clear()
    assert wrong == []


@pytest.mark.parametrize("hasty", [False, True], ids=["one click", "double click"])
def test_a_transfer_above_the_limit_is_done_by_two_people(
    chromium: str, committed_db: str, process_environment: dict[str, str], cast: Cast, hasty: bool
) -> None:
    account = reverse("admin:accounts_billingaccount_change", args=[cast.prepaid.pk])
    with site(process_environment) as address, browser(chromium) as opened:
        dana, _ = sign_in(opened, address, "dana@countinghouse.example")
        dana.goto(address + account)
        dana.click("text=Record a transfer")
        dana.fill("[name=amount_minor]", "45000")
        dana.fill("[name=value_date]", "2026-03-10")
        dana.fill("[name=reference]", "STMT-9")
        dana.fill("[name=reason]", "statement of the tenth")
        dana.click("text=Preview")
        assert "0.00 USD" in dana.inner_text("#content")
        assert "450.00 USD" in dana.inner_text("#content")
        dana.click("text=Ask a second person", click_count=2 if hasty else 1)
        dana.wait_for_load_state("networkidle")
        erin, _ = sign_in(opened, address, "erin@countinghouse.example", width=400, scheme="dark")
        erin.click("text=Approvals waiting")
        erin.click("text=Record transfer STMT-9")
        erin.fill("#note", "seen on the statement")
        erin.click("text=Approve and do it", click_count=2 if hasty else 1)
        erin.wait_for_load_state("networkidle")
        erin.goto(address + account)
        assert "450.00 USD" in erin.inner_text("#timeline")
    assert ApprovalRequest.objects.get().checker == cast.erin
    assert BankTransfer.objects.get().amount_minor == 45_000
    assert balance(cast.prepaid).amount_minor == 45_000
