"""A button pressed twice at the same moment does its act once."""

from typing import Any

from django.test import Client
from django.urls import reverse

from accounts.models import ApprovalRequest, User
from ledger.balances import balance
from ledger.models import LedgerTransaction
from payments.models import BankTransfer
from tests.billing_site.test_back_office_acts import ADJUST, RECORD, adjust_form, previewed, transfer_form
from tests.cast import Cast
from tests.concurrency.racing import race, race_for, successes


def presser(user: User, page: str, form: dict[str, str]) -> Any:
    client = Client()
    client.force_login(user)

    def press() -> int:
        return client.post(page, form).status_code

    return press


def test_an_act_pressed_four_times_at_once_is_done_once(committed_db: str, cast: Cast) -> None:
    client = Client()
    client.force_login(cast.dana)
    form = previewed(client, RECORD, transfer_form(cast.prepaid))
    results = race(*[presser(cast.dana, reverse(RECORD), form) for _ in range(4)])
    assert sorted(successes(results)) == [302, 409, 409, 409]
    assert BankTransfer.objects.count() == LedgerTransaction.objects.count() == 1
    assert balance(cast.prepaid).amount_minor == 5000


def test_two_forms_of_one_act_are_two_acts(committed_db: str, cast: Cast) -> None:
    """The token stands for a form, not for its contents: two adjustments of one amount may both be meant."""
    client = Client()
    client.force_login(cast.dana)
    forms = [previewed(client, ADJUST, adjust_form(cast.prepaid)) for _ in range(2)]
    results = race_for(cast.prepaid.pk, *[presser(cast.dana, reverse(ADJUST), form) for form in forms])
    assert results == [302, 302]
    assert balance(cast.prepaid).amount_minor == 500


def test_an_act_above_the_limit_pressed_twice_is_filed_once(committed_db: str, cast: Cast) -> None:
    client = Client()
    client.force_login(cast.dana)
    form = previewed(client, ADJUST, adjust_form(cast.prepaid, amount_minor="99999"))
    results = race(*[presser(cast.dana, reverse(ADJUST), form) for _ in range(3)])
    assert sorted(successes(results)) == [302, 409, 409]
    assert ApprovalRequest.objects.count() == 1
