"""Pages in a real browser: Debian's Chromium, driven by Playwright, on a site that runs as its own process."""

import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from tests.signing_in import secret_of, unused_code

CHROMIUM = shutil.which("chromium")
_secrets: dict[tuple[str, str], str] = {}  # of those who enrolled, at a site
_ABSENT = "CHROMIUM IS ABSENT: no page was opened in a browser. Install it (apt-get install chromium) and run again."
_FLAGS = (
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"),
    *("--disable-component-update", "--disable-sync"),
)


@pytest.fixture(scope="session")
def chromium() -> str:
    if CHROMIUM is None:
        warnings.warn(_ABSENT, stacklevel=1)
        pytest.skip(_ABSENT)
    return CHROMIUM


@contextmanager
def site(environment: dict[str, str]) -> Iterator[str]:
    """The site on a port of its own; yields its address."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "gunicorn", "billing_site.wsgi", f"--bind=127.0.0.1:{port}"]
    options = ["--worker-class=gthread", "--threads=4", "--no-control-socket", "--log-level=error"]
    process = subprocess.Popen([*command, *options], env=environment, cwd=Path(__file__).parents[2])
    try:
        _await(f"http://127.0.0.1:{port}/healthz")
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(timeout=20)


@contextmanager
def browser(chromium: str) -> Iterator[Browser]:
    """A browser with a fresh profile. No query may run meanwhile: Playwright's loop is on this thread."""
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=chromium, args=list(_FLAGS))
        try:
            yield opened
        finally:
            opened.close()


def sign_in(
    opened: Browser, address: str, email: str, *, width: int = 1400, scheme: str = "light"
) -> tuple[Page, list[str]]:
    """A page of a signed-in person, and the list that collects what went wrong on it."""
    context = opened.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)  # type: ignore[arg-type]
    page, faults = context.new_page(), []  # type: ignore[var-annotated]
    page.on("console", lambda message: faults.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("request", lambda request: faults.append(request.url) if not _own(request.url, address) else None)
    page.on("dialog", lambda dialog: (faults.append(f"dialog: {dialog.message}"), dialog.dismiss()))
    page.goto(f"{address}/admin/login/")
    page.fill("input[name=login]", email)
    page.fill("input[name=password]", "correct horse battery")
    page.press("input[name=password]", "Enter")
    prove(page, address, email)
    page.goto(f"{address}/admin/")
    return page, faults


def prove(page: Page, address: str, email: str) -> None:
    """The second factor: a code of the one they have, or enrolling one on the page where staff without one land."""
    page.wait_for_url(lambda url: "/second-factor/" in url)
    if "/enrol/" in page.url:
        _secrets[email, address] = page.locator("details code").text_content() or ""
    page.fill("input[name=code]", unused_code(_secrets.get((email, address), secret_of(email)), address))
    page.press("input[name=code]", "Enter")
    page.wait_for_url(lambda url: url == f"{address}/admin/" or "/recovery-codes/" in url)


def _own(url: str, address: str) -> bool:
    return url.startswith((address, "data:"))


def _await(url: str) -> None:
    until = time.monotonic() + 60
    while time.monotonic() < until:
        try:
            with urllib.request.urlopen(url, timeout=5):
                return
        except urllib.error.HTTPError:
            return
        except OSError:
            time.sleep(0.1)
    raise TimeoutError(url)
