"""Who may open which page of the back office: every address of ours is in the table, or the test fails."""

from collections.abc import Iterator

import pytest
from django.contrib import admin
from django.contrib.auth.models import Group
from django.test import Client
from django.urls import URLPattern, URLResolver, reverse

from accounts.models import User
from tests.billing_site.back_office_scene import Scene
from tests.cast import Cast

READ = {"viewer", "operator", "approver", "platform-admin", "superuser"}
OPERATE = {"operator", "superuser"}
APPROVE = {"approver", "superuser"}
ADMINISTER = {"platform-admin", "superuser"}

MODELS = {
    "accounts_organization": READ,
    "accounts_project": READ,
    "accounts_membership": READ,
    "accounts_apikey": READ,
    "accounts_trustedissuer": ADMINISTER,
    "accounts_legalentity": READ,
    "accounts_billingaccount": READ,
    "accounts_billingaccountbinding": READ,
    "accounts_auditlog": READ,
    "accounts_outboxmessage": READ,
    "accounts_outboxdelivery": READ,
    "accounts_approvalrequest": READ,
    "accounts_policyvalue": READ,
    "accounts_user": ADMINISTER,
    "auth_group": ADMINISTER,
    "quotas_sku": READ,
    "quotas_skurate": READ,
    "quotas_allocation": READ,
    "quotas_subscription": READ,
    "quotas_limit": READ,
    "quotas_meter": READ,
    "quotas_serviceprice": READ,
    "quotas_offer": READ,
    "quotas_billingentitlement": READ,
    "quotas_customersegment": READ,
    "quotas_segmentmembership": READ,
    "quotas_accountdiscount": READ,
    "quotas_accountcommitment": READ,
    "quotas_catalogitem": READ,
    "quotas_catalogrefusal": READ,
    "quotas_catalogversion": READ,
    "quotas_clustersync": READ,
    "quotas_workloadscale": READ,
    "ledger_ledgeraccount": READ,
    "ledger_ledgerentry": READ,
    "ledger_ledgertransaction": READ,
    "ledger_accrualschedule": READ,
    "ledger_usagerecord": READ,
    "ledger_verificationrun": READ,
    "payments_banktransfer": READ,
    "accounts_providerswitch": READ,
}
WITH_HISTORY = {
    *("accounts_organization", "accounts_project", "accounts_membership", "accounts_legalentity"),
    *("accounts_billingaccount", "accounts_policyvalue", "accounts_user", "quotas_sku"),
    "quotas_subscription",
    *("quotas_meter", "quotas_serviceprice", "quotas_offer", "quotas_customersegment"),
}
PAGES = {
    "index": READ,
    "login": set(),  # leads to the log-in of the whole site
    "logout": set(),  # POST only
    "password_change": READ,
    "password_change_done": READ,
    "autocomplete": set(),  # no form of ours asks it
    "jsi18n": READ,
    "search": READ,
    "unconfirmed_releases": READ,
    "price_calculator": READ,
    "view_on_site": set(),
    "app_list": set(),
    "accounts_policyvalue_set": OPERATE,
    "accounts_policyvalue_unset": OPERATE,
    "accounts_policyvalue_of": READ,
    "accounts_policyvalue_effective": READ,
    "accounts_policyvalue_changes": READ,
    "accounts_user_access": ADMINISTER,
    "accounts_providerswitch_switch": ADMINISTER,
    "accounts_approvalrequest_decide": set(),  # POST only, see below
    "accounts_outboxdelivery_replay": OPERATE,
    "quotas_skurate_set": OPERATE,
    "quotas_meter_define": OPERATE,
    "quotas_meter_extend": OPERATE,
    "quotas_meter_advance": OPERATE,
    "quotas_serviceprice_save": OPERATE,
    "quotas_offer_save": OPERATE,
    "quotas_offer_publish": OPERATE,
    "quotas_offer_rename": OPERATE,
    "quotas_billingentitlement_assign": OPERATE,
    "quotas_customersegment_open": OPERATE,
    "quotas_segmentmembership_place": OPERATE,
    "quotas_accountdiscount_grant": OPERATE,
    "quotas_accountdiscount_withdraw": OPERATE,
    "quotas_accountcommitment_grant": OPERATE,
    "quotas_accountcommitment_draw": OPERATE,
    "quotas_catalogrefusal_end": OPERATE,
    "quotas_catalogversion_upload": OPERATE,
    **{f"quotas_catalogversion_{act}": OPERATE for act in ("publish", "discard", "plan", "addplan", "addon")},
    **{f"quotas_catalogversion_{act}": OPERATE for act in ("addaddon", "section", "remove")},
    "quotas_catalogversion_download": READ,
    "quotas_catalogversion_edit": set(),  # POST only, as the next
    "quotas_catalogversion_arrange": set(),
    "quotas_allocation_start": OPERATE,
    "quotas_allocation_resize": OPERATE,
    "quotas_allocation_release": OPERATE,
    "quotas_allocation_complete": OPERATE,
    **dict.fromkeys(
        (
            f"accounts_organization_{act}"
            for act in (
                *("open", "project", "account", "grantfeature", "revokefeature", "close"),
                *("member", "apikey"),
            )
        ),
        OPERATE,
    ),
    **dict.fromkeys(
        (
            f"accounts_billingaccount_{act}"
            for act in ("terms", "remove", "timezone", "contact", "emails", "address", "taxids")
        ),
        OPERATE,
    ),
    **dict.fromkeys((f"accounts_membership_{act}" for act in ("role", "withdraw", "letin", "letout")), OPERATE),
    **dict.fromkeys((f"accounts_apikey_{act}" for act in ("rotate", "revoke")), OPERATE),
    **dict.fromkeys((f"accounts_apikey_{act}" for act in ("create", "rotateany", "revokeany")), ADMINISTER),
    "accounts_trustedissuer_set": ADMINISTER,
    "accounts_organization_issuer": ADMINISTER,
    "accounts_organization_activity": READ,
    "accounts_billingaccount_activity": READ,
    **dict.fromkeys((f"accounts_project_{act}" for act in ("bind", "rebind", "close")), OPERATE),
    "quotas_limit_of": READ,
    "quotas_limit_setquota": OPERATE,
    "quotas_limit_removequota": OPERATE,
    "quotas_subscription_assign": OPERATE,
    "quotas_subscription_cancel": OPERATE,
    "quotas_subscription_keep": OPERATE,
    "quotas_subscription_overdue": OPERATE,
    "quotas_subscription_paid": OPERATE,
    "quotas_subscription_suspend": OPERATE,
    "quotas_subscription_resubscribe": OPERATE,
    "accounts_billingaccount_suspend": OPERATE,
    "accounts_billingaccount_reactivate": OPERATE,
    "accounts_billingaccount_archive": OPERATE,
    "ledger_accrualschedule_retry": OPERATE,
    "ledger_ledgerentry_adjust": OPERATE,
    "ledger_ledgerentry_grant": OPERATE,
    "ledger_ledgertransaction_correct": OPERATE,
    "payments_banktransfer_record": OPERATE,
    "runbooks": READ,
    "runbooks_accrual": READ,
    "runbooks_accrual_drain": OPERATE,
    "runbooks_accrual_retry": OPERATE,
}


def names() -> Iterator[str]:
    for pattern in admin.site.urls[0]:
        yield from _names(pattern)


def _names(pattern: URLPattern | URLResolver) -> Iterator[str]:
    if isinstance(pattern, URLResolver):
        for inner in pattern.url_patterns:
            yield from _names(inner)
    elif pattern.name:
        yield pattern.name


def expected() -> dict[str, set[str]]:
    """Who reads the page behind each name. No list has a page that adds or deletes; filters are saved by POST."""
    table = dict(PAGES)
    for model, readers in MODELS.items():
        table |= {f"{model}_changelist": readers, f"{model}_change": readers}
        table |= {f"{model}_history": readers if model in WITH_HISTORY else set()}
        table |= {f"{model}_add": set(), f"{model}_delete": set()}
        table |= {f"{model}_export": readers, f"{model}_save_filter": set(), f"{model}_delete_filter": set()}
    return table | {f"{model}_simple_history": MODELS[model] for model in WITH_HISTORY}


@pytest.fixture
def scene(back_office_scene: Scene) -> Scene:
    return back_office_scene


WHO = ("anonymous", "plain", "outsider", "viewer", "operator", "approver", "platform-admin", "superuser")


@pytest.fixture
def people(cast: Cast) -> dict[str, User | None]:
    def staff(name: str, *groups: str, superuser: bool = False) -> User:
        user = User.objects.create_user(f"{name}@countinghouse.example", is_staff=True, is_superuser=superuser)
        user.groups.set(Group.objects.filter(name__in=groups))
        return user

    return {
        "anonymous": None,
        "plain": cast.alice,
        "outsider": staff("outsider"),  # staff of no group
        "viewer": staff("viewer", "finance-viewer"),
        "operator": cast.dana,
        "approver": cast.erin,
        "platform-admin": staff("patricia", "platform-admin"),
        "superuser": staff("root", superuser=True),
    }


def test_every_address_is_in_the_table() -> None:
    assert set(names()) - {"view_on_site"} == set(expected()) - {"view_on_site"}


@pytest.mark.parametrize("who", WHO)
def test_every_page_opens_for_those_who_may_read_it_and_for_nobody_else(
    scene: Scene, people: dict[str, User | None], who: str
) -> None:
    wrong = []
    client = Client(raise_request_exception=True)
    if user := people[who]:
        client.force_login(user)
    for name, readers in expected().items():
        response = client.get(scene.address(name))
        opened = response.status_code == 200
        if opened != (who in readers):
            wrong.append((name, response.status_code))
        assert response.status_code in (200, 302, 400, 403, 404, 405), name
    assert wrong == []


def test_everybody_is_tried(people: dict[str, User | None]) -> None:
    assert tuple(people) == WHO


@pytest.mark.parametrize("who", ["operator", "approver", "platform-admin", "superuser"])
def test_no_page_lets_anybody_add_change_or_delete(scene: Scene, people: dict[str, User | None], who: str) -> None:
    client = Client()
    user = people[who]
    assert user is not None
    client.force_login(user)
    for model in MODELS:
        for page in ("add", "change", "delete"):
            response = client.post(scene.address(f"{model}_{page}"), {"post": "yes", "name": "x"})
            assert response.status_code in (403, 404, 405), (model, page, response.status_code)
        answer = client.post(
            scene.address(f"{model}_changelist"), {"action": "delete_selected", "_selected_action": ["1"]}
        )
        assert answer.status_code in (200, 302, 403), model
        assert "Are you sure" not in answer.text


def test_an_old_version_is_read_and_never_written_back(cast: Cast, scene: Scene) -> None:
    root = User.objects.create_superuser("root@countinghouse.example")
    client = Client()
    client.force_login(root)
    cast.acme.name = "Acme Two"
    cast.acme.save()
    first = cast.acme.history.order_by("history_date").first()
    address = reverse("admin:accounts_organization_simple_history", args=[cast.acme.pk, first.pk])
    assert "Acme" in client.get(address).text
    assert client.post(address, {"name": "Acme"}).status_code == 405
    cast.acme.refresh_from_db()
    assert cast.acme.name == "Acme Two"


def test_pages_of_other_packages_are_taken_off() -> None:
    apps = {model._meta.app_label for model in admin.site._registry}
    assert apps == {"accounts", "quotas", "ledger", "payments", "auth"}


def test_the_menu_holds_what_the_reader_may_open(people: dict[str, User | None]) -> None:
    shown = {}
    for who in ("viewer", "platform-admin"):
        client = Client()
        user = people[who]
        assert user is not None
        client.force_login(user)
        shown[who] = client.get(reverse("admin:index")).text
    people_page = reverse("admin:accounts_user_changelist")
    assert people_page not in shown["viewer"]
    assert people_page in shown["platform-admin"]


def test_whoever_is_not_signed_in_is_sent_to_the_log_in(scene: Scene, client: Client) -> None:
    for name in expected():
        answer = client.get(scene.address(name), follow=True)
        assert answer.request["PATH_INFO"] == reverse("account_login"), name
