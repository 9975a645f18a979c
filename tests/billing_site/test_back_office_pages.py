"""The home page, the page of an account, policies, people, and the way in."""

import re
from html import unescape

import pytest
from django.contrib.auth.models import Group
from django.test import Client
from django.urls import reverse

from accounts.models import User
from tests.billing_site.back_office_scene import Scene, set_scene
from tests.billing_site.test_back_office_acts import previewed
from tests.cast import Cast
from tests.signing_in import code, secret_of


@pytest.fixture
def dana(cast: Cast, client: Client) -> Client:
    client.force_login(cast.dana)
    return client


@pytest.fixture
def patricia(cast: Cast) -> User:
    user = User.objects.create_user("patricia@countinghouse.example", is_staff=True)
    user.groups.set(Group.objects.filter(name="platform-admin"))
    return user


@pytest.mark.usefixtures("back_office_scene")
def test_acts_are_offered_to_those_who_may_do_them(cast: Cast, client: Client) -> None:
    client.force_login(cast.erin)
    for page in (
        reverse("admin:payments_banktransfer_changelist"),
        reverse("admin:accounts_policyvalue_changelist"),
    ):
        text = client.get(page).text
        for act in ("record", "adjust", "correct", "set"):
            assert f"/{act}/" not in text, (page, act)


def test_access_is_set_through_its_page(cast: Cast, patricia: User, client: Client) -> None:
    client.force_login(patricia)
    page = "admin:accounts_user_access"
    form = {"staff": "on", "active": "on", "groups": ["finance-viewer", "finance-operator"], "reason": "joins"}
    response = client.post(reverse(page, args=[cast.bob.pk]), form)
    assert "none → finance-viewer, finance-operator" in response.text
    token = re.search(r'name="token" value="([^"]+)"', response.text)
    assert token
    done = client.post(reverse(page, args=[cast.bob.pk]), {**form, "token": unescape(token[1])})
    assert done.status_code == 302
    assert sorted(group.name for group in cast.bob.groups.all()) == ["finance-operator", "finance-viewer"]
    forged = {**form, "is_superuser": "on", "groups": ["finance-viewer"]}
    own = previewed(client, page, {"staff": "on", "active": "on", "reason": "myself"}, patricia.pk)
    refused = client.post(reverse(page, args=[patricia.pk]), own)
    assert "Nobody changes their own access" in refused.text
    client.post(reverse(page, args=[cast.bob.pk]), forged)
    cast.bob.refresh_from_db()
    assert not cast.bob.is_superuser
    assert client.get(reverse(page, args=[10**12])).status_code == 404


def test_one_signs_in_by_e_mail_and_out_again(cast: Cast, client: Client) -> None:
    login = reverse("account_login")
    assert client.get(reverse("admin:index")).status_code == 302
    wrong = client.post(login, {"login": "dana@countinghouse.example", "password": "wrong"})
    assert wrong.status_code == 200
    asked = client.post(login, {"login": "DANA@countinghouse.example", "password": "correct horse battery"})
    assert asked.url == reverse("mfa_authenticate")
    assert client.get(reverse("admin:index")).status_code == 302
    entered = client.post(asked.url, {"code": code(secret_of("dana@countinghouse.example"))})
    assert entered.url == reverse("home")
    assert "Countinghouse" in client.get(reverse("admin:index")).text
    password = reverse("admin:password_change")
    assert client.get(password).status_code == 200
    client.post(reverse("admin:logout"))
    assert client.get(reverse("admin:index")).status_code == 302


def test_every_page_says_where_one_is(dana: Client) -> None:
    assert "Embedded" in dana.get(reverse("admin:index")).text


def test_the_scene_is_whole(cast: Cast) -> None:
    assert isinstance(set_scene(cast), Scene)
