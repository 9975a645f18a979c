"""The provider in force is a row that platform-admin switches; every process reads it anew."""

import sys
from datetime import timedelta
from pathlib import Path
from subprocess import PIPE, Popen

import pytest
from django.contrib.auth.models import Group
from django.db import connection

from accounts import billing_provider
from accounts.errors import Conflict, Forbidden, ReasonRequired
from accounts.models import AuditLog, ProviderSwitch, User
from payments import provider_switch, registry
from payments.provider_switch import Before, switch_provider
from payments.providers.contract import NotOffered
from quotas.kubernetes.obedience import obeys
from tests.cast import NOON, Cast
from tests.ledger.raw_sql import execute, refused_by

HOUR = timedelta(hours=1)
INSERT = (
    "INSERT INTO billing_provider_switches (provider, replaced, reason, switched_by_id, switched_at, follows_id)"
    " VALUES (%s, %s, 'by hand', %s, %s, %s)"
)


@pytest.fixture
def patricia(cast: Cast) -> User:
    user = User.objects.create_user("patricia@countinghouse.example", is_staff=True)
    user.groups.add(Group.objects.get(name="platform-admin"))
    return user


def test_the_environment_says_it_until_somebody_switches(patricia: User) -> None:
    assert (billing_provider.in_force(), registry.active().name, obeys()) == ("manual", "manual", False)
    switch_provider("none", actor=patricia, reason="no payments this week", at=NOON)
    assert (billing_provider.in_force(), registry.active().name, obeys()) == ("none", "none", True)
    switch_provider("manual", actor=patricia, reason="payments again", at=NOON + HOUR)
    assert registry.active().name == "manual"
    rows = ProviderSwitch.objects.order_by("pk").values_list("replaced", "provider", "switched_by", "reason")
    assert list(rows) == [
        ("manual", "none", patricia.pk, "no payments this week"),
        ("none", "manual", patricia.pk, "payments again"),
    ]
    audited = AuditLog.objects.filter(action="billing_provider.switch").order_by("pk").values_list("before", "after")
    assert list(audited) == [
        ({"provider": "manual"}, {"provider": "none"}),
        ({"provider": "none"}, {"provider": "manual"}),
    ]


def test_only_platform_admin_switches_and_only_to_what_there_is(cast: Cast, patricia: User) -> None:
    for other in (cast.dana, cast.erin, cast.alice):
        with pytest.raises(Forbidden):
            switch_provider("none", actor=other, reason="just so", at=NOON)
    for name in ("paypal", "", "None", "no\x00ne"):
        with pytest.raises(NotOffered):
            switch_provider(name, actor=patricia, reason="just so", at=NOON)
    with pytest.raises(Conflict) as refused:
        switch_provider("manual", actor=patricia, reason="just so", at=NOON)
    assert refused.value.code == "in_force"
    with pytest.raises(ReasonRequired):
        switch_provider("none", actor=patricia, reason=" ", at=NOON)
    assert not ProviderSwitch.objects.exists()
    assert not AuditLog.objects.filter(action="billing_provider.switch").exists()


def test_of_two_who_switch_at_once_the_second_is_told(patricia: User, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = Before("manual", None), registry.provider("none")
    switch_provider("none", actor=patricia, reason="the first", at=NOON)
    monkeypatch.setattr(provider_switch, "wanted", lambda name: seen)  # what the second one read before the first
    with pytest.raises(Conflict) as refused:
        switch_provider("none", actor=patricia, reason="the second", at=NOON)
    assert refused.value.code == "switched_meanwhile"
    assert ProviderSwitch.objects.count() == 1


def test_the_database_keeps_the_chain(patricia: User) -> None:
    with refused_by("a_switch_changes_the_provider"):
        execute(INSERT, ["none", "none", patricia.pk, NOON, None])
    with refused_by("switched_provider_shape"):
        execute(INSERT, ["None!", "none", patricia.pk, NOON, None])
    execute(INSERT, ["none", "manual", patricia.pk, NOON, None])
    with refused_by("one_switch_follows_another"):
        execute(INSERT, ["manual", "none", patricia.pk, NOON, None])
    with connection.cursor() as cursor:
        cursor.execute("SELECT max(id) FROM billing_provider_switches")
        ((last,),) = cursor.fetchall()
    execute(INSERT, ["manual", "none", patricia.pk, NOON, last])
    with refused_by("one_switch_follows_another"):
        execute(INSERT, ["manual", "none", patricia.pk, NOON, last])


ASKED = """
import os, sys, django
os.environ["DJANGO_SETTINGS_MODULE"] = "billing_site.settings"
django.setup()
from payments import registry
for line in sys.stdin:
    print(registry.active().name, flush=True)
"""


def test_a_process_that_runs_already_follows_without_a_restart(
    committed_db: str, process_environment: dict[str, str], patricia: User
) -> None:
    environment = {**process_environment, "BILLING_PROVIDER": "manual"}
    command = [sys.executable, "-c", ASKED]
    with Popen(command, env=environment, stdin=PIPE, stdout=PIPE, text=True, cwd=Path(__file__).parents[2]) as other:
        assert other.stdin is not None
        assert other.stdout is not None

        def in_force() -> str:
            print("?", file=other.stdin, flush=True)
            return str(other.stdout.readline()).strip()  # type: ignore[union-attr]

        assert in_force() == "manual"
        switch_provider("none", actor=patricia, reason="no payments", at=NOON)
        assert in_force() == "none"
        switch_provider("manual", actor=patricia, reason="payments again", at=NOON)
        assert in_force() == "manual"
        other.stdin.close()
