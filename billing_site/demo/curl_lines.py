"""The lines that the demo prints for whoever wants to try the API: they run as they are."""

from dataclasses import dataclass

from billing_site.demo.credentials import DemoCredentials


@dataclass(frozen=True)
class CurlLine:
    """What it shows, and the line itself."""

    shows: str
    line: str


def curl_lines(site: str, made: DemoCredentials, *, account: str, project: str, sku: str) -> list[CurlLine]:
    """With a key of the demo's first customer, one of the platform, and a token for each role."""
    start = f'{{"project": "{project}", "sku": "{sku}", "quantity": "1"}}'
    body = "-H 'Content-Type: application/json' -d"
    lines = [
        ("who a key is", _get(site, "/api/v1/me", made.key)),
        ("what it owns", _get(site, "/api/v1/billing-accounts?limit=3", made.key)),
        ("its balance", _get(site, f"/api/v1/billing-accounts/{account}/balance", made.key)),
        ("the lines of its book", _get(site, f"/api/v1/billing-accounts/{account}/entries?limit=3", made.key)),
        ("a start that writes nothing", f"{_get(site, '/api/v1/allocations?dry_run=true', made.key)} {body} '{start}'"),
        ("the feed, for the platform", _get(site, "/api/v1/events?limit=3", made.platform_key)),
    ]
    for role, token in made.tokens.items():
        lines.append((f"a console's question, by {role}", _get(site, "/api/billing/organization-subscription", token)))
    return [CurlLine(shows, line) for shows, line in lines]


def _get(site: str, path: str, bearer: str) -> str:
    return f"curl -s -H 'Authorization: Bearer {bearer}' '{site}{path}'"
