"""Filters under a name: one's own, of one list, no more than the list offers, and easily let go."""

from urllib.parse import urlencode

import pytest
from django.test import Client
from django.urls import reverse

from accounts import saved_filters
from accounts.errors import Conflict, NotFound
from accounts.models import SavedFilter
from accounts.saved_filters import FilterInvalid, FilterNameInvalid
from tests.billing_site.back_office_scene import Scene
from tests.cast import NOON, Cast

ENTRIES = reverse("admin:ledger_ledgerentry_changelist")
SAVE = reverse("admin:ledger_ledgerentry_save_filter")
PAGE = "ledger_ledgerentry"
OFFERED = {"reason", "kind", "currency", "q"}


@pytest.fixture
def scene(back_office_scene: Scene) -> Scene:
    return back_office_scene


@pytest.fixture
def dana(cast: Cast, client: Client) -> Client:
    client.force_login(cast.dana)
    return client


def delete_address(key: int, page: str = PAGE) -> str:
    return reverse(f"admin:{page}_delete_filter", args=[key])


def said(client: Client, address: str, form: dict[str, str]) -> str:
    response = client.post(address, form, follow=True)
    assert response.status_code == 200
    assert response.redirect_chain[-1][0].startswith(ENTRIES)
    return response.text


def test_filters_are_saved_shown_and_lead_back(dana: Client, scene: Scene) -> None:
    assert "Save these filters" not in dana.get(ENTRIES).text
    filtered = dana.get(ENTRIES, {"reason": "adjustment", "kind": "", "currency": "USD", "after": "99"})
    assert filtered.context["save_url"] == f"{SAVE}?currency=USD&reason=adjustment"
    text = said(dana, filtered.context["save_url"], {"name": "  Our   adjustments "})
    assert "Saved as “Our adjustments”." in text
    saved = SavedFilter.objects.get()
    assert (saved.page, saved.name, saved.query) == (PAGE, "Our adjustments", "currency=USD&reason=adjustment")
    (chip,) = dana.get(ENTRIES).context["chips"]
    assert (chip.name, chip.url, chip.active) == ("Our adjustments", f"{ENTRIES}?{saved.query}", False)
    back = dana.get(chip.url)
    assert {row.reason for row in back.context["cl"].result_list} == {"adjustment"}
    assert back.context["chips"][0].active
    assert not back.context["save_url"]


def test_a_saved_filter_is_deleted_by_its_owner_alone(cast: Cast, dana: Client, scene: Scene) -> None:
    mine = saved_filters.save(cast.dana, PAGE, "mine", {"reason": "usage"}, offered=OFFERED, at=NOON)
    theirs = saved_filters.save(cast.erin, PAGE, "theirs", {"reason": "usage"}, offered=OFFERED, at=NOON)
    assert [chip.name for chip in dana.get(ENTRIES).context["chips"]] == ["mine"]
    assert "(not_found)" in said(dana, delete_address(theirs.pk), {})
    assert "(not_found)" in said(dana, delete_address(9 * 10**18), {})
    assert dana.post(delete_address(mine.pk, "ledger_ledgertransaction"), follow=True).status_code == 200
    assert SavedFilter.objects.count() == 2
    assert "“mine” is deleted" in said(dana, f"{delete_address(mine.pk)}?reason=usage", {})
    assert "(not_found)" in said(dana, delete_address(mine.pk), {})
    assert [row.name for row in SavedFilter.objects.all()] == ["theirs"]


@pytest.mark.parametrize(
    ("query", "name", "code"),
    [
        ("reason=usage", "", "filter_name_invalid"),
        ("reason=usage", "   ", "filter_name_invalid"),
        ("reason=usage", "x" * 61, "filter_name_invalid"),
        ("reason=usage", "a\x00b", "filter_name_invalid"),
        ("reason=usage", "a\x1bb", "filter_name_invalid"),
        ("reason=usage", "taken", "filter_name_taken"),
        ("", "all", "filter_invalid"),
        ("reason=", "all", "filter_invalid"),
        ("after=55", "all", "filter_invalid"),
        ("reason=nothing", "wrong", "filter_invalid"),
        ("reason=%00", "wrong", "filter_invalid"),
        ("effective_at_from=yesterday", "wrong", "filter_invalid"),
        ("q=" + "x" * 1000, "long", "filter_invalid"),
        ("q=%00", "nul", "filter_invalid"),
        ("transaction__actor=x", "other", "filter_invalid"),
        ("p=2", "page", "filter_invalid"),
        ("reason=usage&next=//evil.example", "other", "filter_invalid"),
    ],
)
def test_what_is_refused_is_not_saved(cast: Cast, dana: Client, scene: Scene, query: str, name: str, code: str) -> None:
    saved_filters.save(cast.dana, PAGE, "taken", {"reason": "usage"}, offered=OFFERED, at=NOON)
    response = dana.post(f"{SAVE}?{query}", {"name": name})
    assert response.status_code == 302
    assert response.url.startswith(ENTRIES)
    assert f"({code})" in dana.get(ENTRIES).text
    assert SavedFilter.objects.count() == 1


def test_names_are_one_s_own_and_of_one_list(cast: Cast, scene: Scene) -> None:
    for user, page in ((cast.dana, PAGE), (cast.dana, "accounts_auditlog"), (cast.erin, PAGE)):
        saved_filters.save(user, page, "same", {"q": "x"}, offered=OFFERED, at=NOON)
    with pytest.raises(Conflict) as caught:
        saved_filters.save(cast.dana, PAGE, " same ", {"q": "y"}, offered=OFFERED, at=NOON)
    assert (caught.value.code, caught.value.field) == ("filter_name_taken", "name")


def test_there_is_a_most(cast: Cast, dana: Client, scene: Scene) -> None:
    for number in range(saved_filters.MOST):
        saved_filters.save(cast.dana, PAGE, f"n{number}", {"q": f"x{number}"}, offered=OFFERED, at=NOON)
    with pytest.raises(Conflict) as caught:
        saved_filters.save(cast.dana, PAGE, "more", {"q": "y"}, offered=OFFERED, at=NOON)
    assert caught.value.code == "too_many_filters"
    assert not dana.get(ENTRIES, {"reason": "usage"}).context["save_url"]
    saved_filters.save(cast.erin, PAGE, "more", {"q": "y"}, offered=OFFERED, at=NOON)


def test_refusals_name_their_field(cast: Cast) -> None:
    with pytest.raises(FilterNameInvalid) as caught:
        saved_filters.save(cast.dana, PAGE, "", {"q": "y"}, offered=OFFERED, at=NOON)
    assert caught.value.field == "name"
    with pytest.raises(FilterInvalid) as refused:
        saved_filters.save(cast.dana, PAGE, "n", {"other": "y"}, offered=OFFERED, at=NOON)
    assert refused.value.field == "query"
    with pytest.raises(NotFound):
        saved_filters.delete(cast.dana, PAGE, 1)


def test_it_takes_a_post_with_its_token_and_the_right_to_see_the_list(cast: Cast, scene: Scene) -> None:
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(cast.dana)
    assert strict.post(f"{SAVE}?reason=usage", {"name": "x"}).status_code == 403
    assert strict.get(f"{SAVE}?reason=usage").status_code == 405
    people = reverse("admin:accounts_user_save_filter")
    dana = Client()
    dana.force_login(cast.dana)
    assert dana.post(f"{people}?q=alice", {"name": "x"}).status_code == 403
    assert not SavedFilter.objects.exists()


def test_a_name_is_text_and_a_query_stays_on_its_list(cast: Cast, dana: Client, scene: Scene) -> None:
    hostile = '"><script>alert(1)</script>'
    response = dana.post(f"{SAVE}?{urlencode({'q': hostile})}", {"name": hostile})
    assert response.url == f"{ENTRIES}?{urlencode({'q': hostile})}"
    text = dana.get(ENTRIES).text
    assert "<script>alert(1)" not in text
    assert "&lt;script&gt;alert(1)" in text
