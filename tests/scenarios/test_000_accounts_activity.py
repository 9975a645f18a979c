"""Seed 000, row 38: the activity feed tells what people did, after users and workers did something."""

import re

from django.test import Client
from django.urls import reverse
from django.utils.html import strip_tags

from accounts.bindings import bind
from accounts.lifecycle import open_project
from ledger import accrual
from quotas.allocations import start
from tests.cast import ACTOR, NOON, Cast
from tests.funding import fund
from tests.row_counts import row_counts
from tests.scenarios.acting import act

REASON = {"reason": "the customer wrote"}


def told(client: Client, address: str) -> list[str]:
    """The lines of the page as they are read."""
    lines = re.findall(r'<span class="activity-words">(.*?)</span>', client.get(address).text, re.DOTALL)
    return [" ".join(strip_tags(re.sub(r'<span class="note">.*', "", line)).split()) for line in lines]


def test_000_38_people_are_told_of_and_systems_are_not(cast: Cast) -> None:
    dana = Client()
    dana.force_login(cast.dana)
    organization = reverse("admin:accounts_organization_activity", args=[cast.acme.pk])
    account = reverse("admin:accounts_billingaccount_activity", args=[cast.prepaid.pk])
    assert "Nobody did anything here yet." in dana.get(organization).text

    # The platform and the tick work; staff try something that is refused, and preview something they leave.
    fund(cast.prepaid)
    bind(open_project(cast.acme, "Night", "night", at=NOON), cast.prepaid, actor=ACTOR, at=NOON)
    start(cast.project, cast.gpu, quantity="1", actor=ACTOR, at=NOON)
    accrual.drain(NOON.replace(hour=13))
    before = row_counts()["audit_logs"]
    archive = reverse("admin:accounts_billingaccount_archive", args=[cast.prepaid.pk])
    assert act(dana, archive, REASON).status_code == 409
    dana.post(reverse("admin:accounts_billingaccount_suspend", args=[cast.prepaid.pk]), REASON)
    assert row_counts()["audit_logs"] == before
    assert told(dana, organization) == []

    act(dana, reverse("admin:accounts_billingaccount_suspend", args=[cast.prepaid.pk]), REASON)
    act(
        dana,
        reverse("admin:accounts_project_rebind", args=[cast.project.pk]),
        REASON | {"billing_account": cast.postpaid.public_id},
    )
    assert told(dana, organization) == [
        "Dana moved the project Training to Acme postpaid.",
        "Dana suspended the billing account Acme prepaid.",
    ]
    assert told(dana, account) == [
        "Dana moved the project Training away from Acme prepaid.",
        "Dana suspended the billing account Acme prepaid.",
    ]
    assert told(dana, f"{organization}?kind=money") == []
    assert "Nobody did anything of this kind yet." in dana.get(f"{organization}?kind=money").text
    assert len(told(dana, f"{organization}?kind=nonsense")) == 2
    shown = dana.get(reverse("admin:accounts_organization_change", args=[cast.acme.pk])).text
    assert "suspended the billing account" in shown
    for name in ("accounts_organization_activity", "accounts_billingaccount_activity"):
        assert dana.get(reverse(f"admin:{name}", args=[10**12])).status_code == 404
