"""Policies from a terminal: set, unset, shown; dry, done, and refused with a code and nothing written."""

import io
import json
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from accounts import approvals, policy
from accounts.clock import now
from accounts.models import ApprovalRequest, AuditLog, PolicyValue
from accounts.policy_keys import KEYS
from quotas.allocations import start
from tests.cast import ACTOR, NOON, Cast
from tests.row_counts import row_counts

WINDOW = "billing.window_seconds"
REFUND_DAYS = "allocation.refund_window_days"


def run(*arguments: str, command: str = "set_policy") -> dict[str, Any]:
    """The last line as JSON."""
    printed = io.StringIO()
    call_command(command, *arguments, stdout=printed)
    answer: dict[str, Any] = json.loads(printed.getvalue().splitlines()[-1])
    return answer


def change(cast: Cast, *arguments: str, reason: str = "the desk decided so") -> dict[str, Any]:
    return run(*arguments, f"--as={cast.dana.email}", f"--reason={reason}")


def refused(*arguments: str, command: str = "set_policy") -> str:
    before = row_counts()
    with pytest.raises(CommandError) as caught:
        run(*arguments, command=command)
    assert row_counts() == before, arguments
    return str(caught.value)


def test_a_value_is_rehearsed_set_and_unset(cast: Cast) -> None:
    asked = [WINDOW, "30", "--scope=tenant", f"--subject={cast.acme.public_id}"]
    before = row_counts()
    dry = change(cast, *asked, "--dry-run")
    assert row_counts() == before
    assert dry["facts"]["Set here"] == "nothing → 30 s"
    assert dry["facts"]["In force"] == "1 min (shipped default)\n→ 30 s (set for this organization)"
    done = change(cast, *asked)
    row = PolicyValue.objects.get()
    assert (done["waiting"], done["policy_value"], row.value) == (False, row.pk, 30)
    audited = AuditLog.objects.get(action="policy.set")
    assert (audited.actor, audited.reason) == (cast.dana, "the desk decided so")
    back = [WINDOW, "--unset", "--scope=tenant", f"--subject={cast.acme.public_id}"]
    assert change(cast, *back, "--dry-run")["facts"]["Set here"] == "30 s → nothing"
    assert PolicyValue.objects.exists()
    change(cast, *back)
    assert policy.effective(WINDOW, policy.Scope(tenant_id=cast.acme.pk)) == 60
    assert PolicyValue.history.order_by("-history_id")[0].history_user == cast.dana


def test_values_are_typed_as_the_key_asks(cast: Cast) -> None:
    for key, text, value in (
        ("notification.low_balance_enabled", "false", False),
        ("quotas.alert_percent", "70, 90", [70, 90]),
        ("billing.outage_tail", "bill", "bill"),
        ("billing.minimum_deposit_minor", "2000", 2000),
        ("billing.maximum_deposit_minor", "900000 JPY", {"amount_minor": 900_000, "currency": "JPY"}),
    ):
        change(cast, key, text, "--scope=global")
        assert policy.effective(key) == value


def test_a_key_that_guards_money_waits(cast: Cast) -> None:
    answer = change(cast, "approvals.credit_minor", "20000", "--scope=global")
    request = ApprovalRequest.objects.get()
    assert (answer["waiting"], answer["approval"]) == (True, request.public_id)
    assert policy.effective("approvals.credit_minor") == 10_000
    approvals.decide(request.pk, checker=cast.erin, approve=True, note="", at=now())
    assert policy.effective("approvals.credit_minor") == 20_000
    change(cast, "approvals.credit_minor", "--unset", "--scope=global")
    back = ApprovalRequest.objects.order_by("-pk")[0]
    approvals.decide(back.pk, checker=cast.erin, approve=True, note="", at=now())
    assert policy.effective("approvals.credit_minor") == 10_000


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["no.such_key", "1", "--scope=global"], "policy_invalid: key: "),
        (["\x00", "1", "--scope=global"], "text_invalid: key: "),
        ([WINDOW, "0", "--scope=global"], "policy_invalid: value: "),
        ([WINDOW, "９０", "--scope=global"], "policy_invalid: value: "),
        ([WINDOW, "-5", "--scope=global"], "policy_invalid: value: "),
        ([WINDOW, "9" * 5000, "--scope=global"], "policy_invalid: value: "),
        ([WINDOW, "--scope=global"], "policy_invalid: value: "),
        ([WINDOW, "5", "--unset", "--scope=global"], "policy_invalid: value: "),
        ([WINDOW, "--unset", "--scope=global"], "not_set: key: "),
        ([WINDOW, "5", "--scope=user", "--subject={bob}"], "policy_invalid: scope: "),
        ([WINDOW, "5", "--scope=planet"], "policy_invalid: scope: "),
        ([WINDOW, "5", "--scope=plan", "--subject=plan_0000000000001"], "not_found: subject: "),
        ([WINDOW, "5", "--scope=tenant"], "not_found: subject: "),
        ([WINDOW, "5", "--scope=tenant", "--subject=org_0000000000zzz"], "not_found: subject: "),
        ([WINDOW, "5", "--scope=tenant", "--subject={project}"], "not_found: subject: "),
        ([WINDOW, "5", "--scope=tenant", "--subject=org_\x00"], "text_invalid: subject: "),
        ([WINDOW, "5", "--scope=global", "--subject={acme}"], "policy_invalid: subject: "),
        (["billing.minimum_deposit_minor", "100 XXX", "--scope=global"], "currency_unknown: currency: "),
        (["billing.minimum_deposit_minor", "1e3", "--scope=global"], "policy_invalid: value: "),
        (["billing.minimum_deposit_minor", "1.5", "--scope=global"], "policy_invalid: value: "),
        (["billing.minimum_deposit_minor", "1_000", "--scope=global"], "policy_invalid: value: "),
        (["billing.minimum_deposit_minor", "1000000000000001", "--scope=global"], "policy_invalid: value: "),
    ],
)
def test_what_is_refused_is_named_and_writes_nothing(cast: Cast, arguments: list[str], said: str) -> None:
    names = {"bob": cast.bob.public_id, "project": cast.project.public_id, "acme": cast.acme.public_id}
    filled = [argument.format(**names) for argument in arguments]
    assert refused(*filled, f"--as={cast.dana.email}", "--reason=for the test").startswith(said)


def test_only_an_operator_sets_and_says_why(cast: Cast) -> None:
    asked = [WINDOW, "30", "--scope=global"]
    for email, code in ((cast.erin.email, "forbidden"), (cast.alice.email, "forbidden"), ("no@one", "not_found")):
        assert refused(*asked, f"--as={email}", "--reason=for the test").startswith(f"{code}: as: ")
    assert refused(*asked, f"--as={cast.dana.email}", "--reason=x").startswith("reason_required: reason: ")


def test_what_is_in_force_is_shown_with_the_scopes_that_were_asked(cast: Cast) -> None:
    for scope, subject, days in (("global", "", "20"), ("tenant", cast.acme.public_id, "10")):
        change(cast, REFUND_DAYS, days, f"--scope={scope}", f"--subject={subject}")
    allocation = start(cast.project, cast.gpu, quantity="1", actor=ACTOR, at=NOON)
    shown = run(REFUND_DAYS, f"--subject={allocation.public_id}", command="show_policy")
    assert (shown["subject"], shown["currency"]) == (allocation.public_id, "USD")
    found = shown["policies"][REFUND_DAYS]
    assert (found["value"], found["scope"], found["subject"]) == (10, "tenant", cast.acme.public_id)
    asked = [(step["scope"], step["subject"], step["value"], step["in_force"]) for step in found["asked"]]
    assert asked == [
        ("project", cast.project.public_id, None, False),
        ("tenant", cast.acme.public_id, 10, True),
        ("global", None, 20, False),
        ("default", None, 30, False),
    ]
    everything = run(command="show_policy")
    assert everything["subject"] == "everyone"
    assert set(everything["policies"]) == set(KEYS)
    assert everything["policies"][REFUND_DAYS]["value"] == 20


@pytest.mark.parametrize("subject", ["org_0000000000zzz", "nobody", "\x00", "sku_0000000000001", "9" * 5000])
def test_of_nobody_nothing_is_shown(cast: Cast, subject: str) -> None:
    assert refused(f"--subject={subject}", command="show_policy").startswith("not_found: subject: ")
    assert refused("no.such_key", command="show_policy").startswith("policy_invalid: key: ")
