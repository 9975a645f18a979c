"""The policies that bear on a billing account: the value in force, and the scope it was set at; one query."""

from dataclasses import dataclass
from typing import Any

from accounts.admin.policy_links import link
from accounts.models import BillingAccount
from accounts.policy_chain import Chain, chains_of
from accounts.policy_keys import KEYS
from accounts.policy_scopes import WORDS, Subject, scope_with_plan
from accounts.policy_text import show_raw, show_value

# What a balance and its mail live by; other keys are shown where somebody set them.
_OWN_GROUPS = frozenset({"billing", "notification"})
_NEVER = frozenset({"approvals"})  # limits of ours, not of the customer


@dataclass(frozen=True)
class PolicyLine:
    key: str
    effect: str
    text: str
    raw: str
    source: str
    url: str
    shipped: bool


@dataclass(frozen=True)
class PoliciesInForce:
    lines: list[PolicyLine]
    values: dict[str, Any]  # every key, money in minor units of the account's currency


def policies_of(account: BillingAccount, plan_id: int | None) -> PoliciesInForce:
    """Those of an account whose organization holds a plan, or none."""
    scope = scope_with_plan(account.organization, plan_id)
    subject = Subject("billing account", account.public_id, account.name, scope, account.currency)
    chains = [chain for chain in chains_of(subject, KEYS.values()) if chain.key.group not in _NEVER]
    shown = [chain for chain in chains if chain.key.group in _OWN_GROUPS or chain.effective.scope != "default"]
    values = {chain.key.name: chain.effective.value for chain in chains}
    return PoliciesInForce([_line(chain, account) for chain in shown], values)


def _line(chain: Chain, account: BillingAccount) -> PolicyLine:
    key, found = chain.key, chain.effective
    source, public_id = _source(found.scope, account)
    return PolicyLine(
        key=key.name,
        effect=key.effect,
        text=show_value(key, found.value, account.currency),
        raw=show_raw(found.value),
        source=source,
        url="" if public_id is None else f"{link('of', public_id)}#{key.name}",
        shipped=found.scope == "default",
    )


def _source(scope: str, account: BillingAccount) -> tuple[str, str | None]:
    """Where a value comes from, in words, and the public id of whom it is set for; None where that has no page."""
    match scope:
        case "tenant":
            return f"set for {account.organization.name}", account.organization.public_id
        case "user":
            return "set for its owner", account.organization.owner.public_id
        case "global":
            return "set for everyone", ""
        case "default":
            return "shipped default", None
        case _:
            return f"set for its {WORDS.get(scope, scope)}", None
