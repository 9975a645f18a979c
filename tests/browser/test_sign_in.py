"""Signing in, in a browser: password and code, enrolling, recovery codes, an issuer; every page is looked at."""

import os
from pathlib import Path
from urllib.parse import unquote

import pytest
from playwright.sync_api import Browser, Page

from accounts.models import User
from tests.browser.conftest import browser, site
from tests.cast import PASSWORD, Cast
from tests.oidc_provider import CLIENT_ID, CLIENT_SECRET, issuing
from tests.signing_in import secret_of, unused_code

SHOTS = os.environ.get("SCREENSHOTS")


def opened_page(opened: Browser, *, width: int, scheme: str) -> tuple[Page, list[str]]:
    context = opened.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)  # type: ignore[arg-type]
    page, faults = context.new_page(), list[str]()
    page.on("console", lambda message: faults.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: faults.append(str(error)))
    return page, faults


def looked_at(page: Page, name: str) -> None:
    """Nothing runs out of the window; kept as a picture where SCREENSHOTS names a folder."""
    beyond = page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
    assert beyond <= 0, (name, beyond)
    if SHOTS:
        width = page.viewport_size["width"] if page.viewport_size else 0
        page.screenshot(path=str(Path(SHOTS) / f"{name}-{width}.png"), full_page=True)


def fill(page: Page, email: str, password: str = PASSWORD) -> None:
    page.fill("input[name=login]", email)
    page.fill("input[name=password]", password)
    page.press("input[name=password]", "Enter")


@pytest.mark.parametrize(("width", "scheme"), [(1200, "light"), (360, "dark")], ids=["wide light", "narrow dark"])
def test_staff_enrol_sign_in_again_and_lose_their_phone(
    chromium: str, committed_db: str, process_environment: dict[str, str], cast: Cast, width: int, scheme: str
) -> None:
    User.objects.create_superuser("root@countinghouse.example", PASSWORD)
    with site(process_environment) as address, browser(chromium) as opened:
        page, faults = opened_page(opened, width=width, scheme=scheme)
        page.goto(f"{address}/admin/")
        looked_at(page, "sign-in")
        fill(page, "root@countinghouse.example", "wrong")
        page.wait_for_selector("[role=alert]")
        looked_at(page, "wrong")
        fill(page, "root@countinghouse.example")
        page.wait_for_url("**/enrol/**")
        looked_at(page, "enrol")
        for path in ("/admin/accounts/user/", "/", "/admin/search/?q=acme"):
            page.goto(address + path)
            assert "/enrol/" in page.url
        secret = page.locator("details code").text_content() or ""
        page.fill("input[name=code]", unused_code(secret, address))
        page.press("input[name=code]", "Enter")
        page.wait_for_url("**/recovery-codes/")
        looked_at(page, "recovery-codes")
        codes = page.locator(".codes code").all_text_contents()
        assert len(codes) == 10
        with page.expect_download() as download:
            page.click("text=Download them")
        assert Path(download.value.path()).read_text().split()[-10:] == codes
        page.reload()
        assert page.locator(".codes").count() == 0
        looked_at(page, "recovery-codes-later")
        page.goto(f"{address}/admin/")
        assert page.url == f"{address}/admin/"
        page.goto(f"{address}/sign-in/second-factor/")
        looked_at(page, "second-factor")
        page.goto(f"{address}/sign-in/second-factor/remove/")
        looked_at(page, "remove")
        page.goto(f"{address}/sign-in/password/")
        looked_at(page, "password")
        page.goto(f"{address}/sign-in/out/")
        looked_at(page, "sign-out")
        page.click("main button")
        fill(page, "root@countinghouse.example")
        page.wait_for_url("**/second-factor/code/**")
        looked_at(page, "code")
        page.fill("input[name=code]", codes[0])
        page.press("input[name=code]", "Enter")
        page.wait_for_url(f"{address}/admin/")
        assert faults == []


def test_a_customer_signs_in_and_is_kept_out_of_the_back_office(
    chromium: str, committed_db: str, process_environment: dict[str, str], cast: Cast
) -> None:
    with site(process_environment) as address, browser(chromium) as opened:
        for width, scheme in ((1200, "light"), (360, "dark")):
            page, faults = opened_page(opened, width=width, scheme=scheme)
            page.goto(address)
            fill(page, "alice@acme.example")
            page.wait_for_url(f"{address}/")
            assert "Acme" in page.inner_text("main")
            looked_at(page, "home")
            assert faults == []
            answer = page.goto(f"{address}/admin/")
            assert answer
            assert answer.status == 403
            looked_at(page, "not-staff")
            page.goto(f"{address}/sign-in/password/reset/")
            looked_at(page, "reset")


def test_900_37_staff_sign_in_by_an_issuer_and_their_second_factor(
    chromium: str, committed_db: str, process_environment: dict[str, str], cast: Cast
) -> None:
    with issuing() as issuer, browser(chromium) as opened:
        issuer.person = {"sub": "d-7", "email": "dana@countinghouse.example", "email_verified": True, "name": "Dana"}
        named = {"OIDC_ISSUER": issuer.url, "OIDC_CLIENT_ID": CLIENT_ID, "OIDC_CLIENT_SECRET": CLIENT_SECRET}
        with site({**process_environment, **named, "OIDC_NAME": "Example SSO"}) as address:
            page, faults = opened_page(opened, width=1200, scheme="light")
            page.goto(f"{address}/admin/accounts/organization/")
            looked_at(page, "sign-in-with-issuer")
            page.click("text=Sign in with Example SSO")
            page.wait_for_url("**/second-factor/code/**")
            page.fill("input[name=code]", unused_code(secret_of("dana@countinghouse.example"), address))
            page.press("input[name=code]", "Enter")
            page.wait_for_url(f"{address}/admin/accounts/organization/")
            assert "Acme" in page.inner_text("#content")
            assert faults == []
    asked = issuer.asked[0]
    assert (asked["response_type"], asked["code_challenge_method"]) == ("code", "S256")
    assert unquote(asked["redirect_uri"]).endswith("/sign-in/oidc/oidc/callback/")
    assert issuer.refusals == []
