"""Mail to staff: approvals that wait, accounts that are parked."""

from datetime import datetime
from typing import Any

from django.core import mail
from django.db import transaction

from accounts import approvals, notifications
from accounts.channels import email
from accounts.locking import lock_account
from accounts.models import User
from accounts.outbox import acts_outside, emit
from accounts.outbox_relay import drain
from ledger import adjustments
from tests.accounts.mail_scene import live_in
from tests.cast import NOON, Cast


def ask(cast: Cast, at: datetime = NOON) -> Any:
    proposal = adjustments.payload(cast.prepaid, 50_000, "USD")
    outcome = approvals.submit(adjustments.ACT, proposal, maker=cast.dana, reason="goodwill", at=at)
    assert outcome.request is not None
    return outcome.request


def test_approvers_read_what_how_much_who_asked_and_until_when(cast: Cast) -> None:
    live_in(cast.erin, "Europe/Berlin")
    request = ask(cast)
    drain(NOON)
    (sent,) = mail.outbox
    assert (sent.to, sent.subject) == ([cast.erin.email], "Approval wanted")
    assert sent.alternatives == []  # type: ignore[attr-defined]
    for said in (
        request.summary,
        "500.00 USD",
        f"Asked by:  {cast.dana.public_id}",
        "Until:     13 March 2026, 12:00 UTC",
        "13 March 2026, 13:00 Europe/Berlin (UTC+0100)",
        request.public_id,
        cast.prepaid.public_id,
    ):
        assert said in sent.body
    assert cast.dana.email not in sent.body


def test_the_maker_is_not_asked_to_decide(cast: Cast) -> None:
    cast.dana.groups.add(*cast.erin.groups.all())
    ask(cast)
    drain(NOON)
    assert [sent.to for sent in mail.outbox] == [[cast.erin.email]]


def test_a_request_that_was_decided_meanwhile_says_so(cast: Cast) -> None:
    request = ask(cast)
    approvals.decide(request.pk, checker=cast.erin, approve=False, note="no", at=NOON)
    drain(NOON)
    (sent,) = mail.outbox
    assert "already rejected; nothing is left to decide" in sent.body


def test_operators_are_told_of_a_parked_account(cast: Cast) -> None:
    payload = {"account": cast.prepaid.public_id, "code": "unpriced_usage", "reason": "no rate\nfor <gpu>"}
    with transaction.atomic():
        emit("ledger.account_parked", payload, at=NOON, account=lock_account(cast.prepaid.pk))
    drain(NOON)
    (sent,) = mail.outbox
    assert (sent.to, sent.subject) == ([cast.dana.email], "Account parked: unpriced_usage")
    assert "no rate for <gpu>" in sent.body
    assert cast.prepaid.public_id in sent.body


def test_every_handler_of_mail_acts_outside() -> None:
    handlers = (
        *(notifications.tell_customer, notifications.tell_approvers, notifications.tell_operators),
        notifications.tell_of_refused_catalog,
    )
    assert all(acts_outside(handler) for handler in handlers)


def test_operators_read_what_is_wrong_with_a_refused_catalog(cast: Cast) -> None:
    live_in(cast.dana, "Europe/Berlin")
    faults = [{"path": "eipQuota", "reason": "is required"}, {"path": "", "reason": "no\nYAML & <no> JSON"}]
    with transaction.atomic():
        emit("quotas.catalog_refused", {"source": "plans.yaml\nCc: x", "faults": faults}, at=NOON)
    drain(NOON)
    (sent,) = mail.outbox
    assert (sent.to, sent.subject) == ([cast.dana.email], "Catalog refused: plans.yaml Cc: x")
    for said in (
        "- eipQuota: is required\n- the document: no YAML & <no> JSON",
        "Refused:   10 March 2026, 12:00 UTC",
        "10 March 2026, 13:00 Europe/Berlin (UTC+0100)",
    ):
        assert said in sent.body


def test_the_letter_about_a_refused_catalog_is_there_in_german() -> None:
    facts = {"source": "plans.yaml", "faults": [{"path": "", "reason": "x"}], "refused_at": NOON, "zone": None}
    letter = email.write("catalog_refused", User(email="x@y.example"), language="de-AT", facts=facts)
    assert (letter.language, letter.subject) == ("de", "Katalog abgewiesen: plans.yaml")
    assert "- das Dokument: x" in letter.text
    assert "10. März 2026, 12:00 UTC" in letter.text
