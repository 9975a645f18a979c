"""Staff need a second factor; codes count once; secrets are sealed and stay out of sight."""

import pytest
from allauth.mfa.models import Authenticator
from cryptography.fernet import InvalidToken
from django.contrib import admin
from django.core import mail
from django.test import Client, override_settings
from django.urls import reverse

from accounts.models import AuditLog, User
from billing_site.sign_in.second_factor_rules import SecondFactorRules
from tests.cast import PASSWORD, Cast
from tests.ledger.raw_sql import fetch
from tests.signing_in import by_password_alone, code, enrol, secret_of

DANA = "dana@countinghouse.example"
CODE = reverse("mfa_authenticate")


def enter(client: Client, email: str = DANA, password: str = PASSWORD) -> str:
    """Where the log-in form leads to; empty where it is shown again."""
    answer = client.post(reverse("account_login"), {"login": email, "password": password})
    return str(getattr(answer, "url", ""))


@pytest.fixture
def newcomer(cast: Cast) -> User:
    """Staff without a second factor."""
    return User.objects.create_superuser("root@countinghouse.example", PASSWORD)


def test_staff_without_a_factor_reach_nothing_but_its_enrolment(newcomer: User, client: Client) -> None:
    assert enter(client, newcomer.email) == "/"
    for path in ("/", "/admin/", "/admin/accounts/user/", "/admin/password_change/", "/admin/search/?q=a", "/nowhere"):
        assert client.get(path)["Location"].startswith(reverse("mfa_activate_totp")), path
        assert client.post(path).status_code == 302, path
    refused = client.get("/api/v1/accounts")
    assert (refused.status_code, refused.json()["code"]) == (403, "second_factor_required")
    assert client.get(reverse("mfa_activate_totp")).status_code == 200
    assert client.get("/healthz").status_code == 200


def test_enrolling_opens_the_back_office_and_is_audited_and_mailed(newcomer: User, client: Client) -> None:
    enter(client, newcomer.email)
    page = client.get(reverse("mfa_activate_totp"))
    assert 'src="data:image/svg+xml;base64,' in page.text
    secret = page.context["form"].secret
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("django.db.transaction.on_commit", lambda act, using=None, robust=False: act())
        done = client.post(reverse("mfa_activate_totp"), {"code": code(secret)})
    assert done["Location"] == reverse("mfa_view_recovery_codes")
    assert client.get("/admin/").status_code == 200
    assert AuditLog.objects.filter(action="second_factor.add", actor=newcomer).count() == 2
    assert [letter.to for letter in mail.outbox] == [[newcomer.email]]
    assert secret not in str(fetch("SELECT * FROM mfa_authenticator"))


def test_recovery_codes_are_shown_once_and_each_works_once(newcomer: User, client: Client) -> None:
    enter(client, newcomer.email)
    secret = client.get(reverse("mfa_activate_totp")).context["form"].secret
    client.post(reverse("mfa_activate_totp"), {"code": code(secret)})
    first = client.get(reverse("mfa_view_recovery_codes"))
    codes = first.context["unused_codes"]
    assert len(codes) == 10
    assert all(found in first.text for found in codes)
    again = client.get(reverse("mfa_view_recovery_codes"))
    assert not any(found in again.text for found in codes)
    for expected in (302, 200):
        later = Client()
        assert enter(later, newcomer.email) == CODE
        assert later.post(CODE, {"code": codes[3]}).status_code == expected


def test_a_code_counts_once_and_no_older_one_after_it(cast: Cast, client: Client) -> None:
    secret = secret_of(DANA)
    now, before = code(secret), code(secret, halves=-1)
    assert enter(client) == CODE
    assert client.post(CODE, {"code": now}).status_code == 302
    for spent in (now, before):
        other = Client()
        enter(other)
        assert other.post(CODE, {"code": spent}).status_code == 200
        assert other.get("/admin/").status_code == 302
    third = Client()
    enter(third)
    assert third.post(CODE, {"code": code(secret, halves=1)}).status_code == 302


@pytest.mark.parametrize("wrong", ["", "000000", "abcdef", "1" * 500, "１２３４５６", "\x00"])
def test_a_wrong_code_is_refused_and_nothing_opens(cast: Cast, client: Client, wrong: str) -> None:
    enter(client)
    assert client.post(CODE, {"code": wrong}).status_code == 200
    assert client.get("/admin/").status_code == 302


def test_nothing_opens_between_password_and_code(cast: Cast, client: Client) -> None:
    assert enter(client) == CODE
    for path in ("/", "/admin/", reverse("mfa_index"), reverse("account_change_password")):
        assert client.get(path).status_code == 302


def test_a_session_from_before_the_factor_ends(newcomer: User, client: Client) -> None:
    by_password_alone(client, newcomer)
    enrol(newcomer)
    assert client.get("/admin/")["Location"].startswith(reverse("account_login"))
    assert "_auth_user_id" not in client.session


def test_removing_the_factor_closes_the_back_office_at_once(cast: Cast, client: Client) -> None:
    client.force_login(cast.dana)
    assert client.get("/admin/").status_code == 200
    assert client.post(reverse("mfa_deactivate_totp")).status_code == 302
    assert not Authenticator.objects.filter(user=cast.dana).exists()
    assert client.get("/admin/")["Location"].startswith(reverse("mfa_activate_totp"))
    assert AuditLog.objects.filter(action="second_factor.remove").exists()


def test_what_is_sensitive_asks_again_after_a_while(cast: Cast, client: Client) -> None:
    client.force_login(cast.dana)
    session = client.session
    session["account_authentication_methods"] = [
        {**proof, "at": proof["at"] - 3600} for proof in session["account_authentication_methods"]
    ]
    session.save()
    for name in ("mfa_deactivate_totp", "mfa_generate_recovery_codes"):
        assert reverse("account_reauthenticate") in client.post(reverse(name))["Location"]
    assert Authenticator.objects.filter(user=cast.dana).exists()


def test_customers_may_go_without(cast: Cast, client: Client) -> None:
    assert enter(client, "alice@acme.example") == "/"
    assert "Acme" in client.get("/").text


@override_settings(SECOND_FACTOR_WAIVED=True)
def test_where_it_is_waived_a_password_is_enough(newcomer: User, client: Client) -> None:
    enter(client, newcomer.email)
    assert client.get("/admin/").status_code == 200


def test_the_seal_opens_with_older_keys_and_with_no_other() -> None:
    with override_settings(SECRET_KEY="old"):
        sealed = SecondFactorRules().encrypt("JBSWY3DP")
    assert "JBSWY3DP" not in sealed
    with override_settings(SECRET_KEY="new", SECRET_KEY_FALLBACKS=["old"]):
        assert SecondFactorRules().decrypt(sealed) == "JBSWY3DP"
    with override_settings(SECRET_KEY="other"), pytest.raises(InvalidToken):
        SecondFactorRules().decrypt(sealed)


def test_no_page_of_the_back_office_shows_factors_or_issuers() -> None:
    shown = {model._meta.app_label for model in admin.site._registry}
    assert not shown & {"account", "mfa", "socialaccount"}
