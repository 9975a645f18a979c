"""What setting or unsetting a policy would change: to whoever asks for it and to whoever approves it."""

from typing import Any

from django.db.models import Count

from accounts import policy, policy_approval
from accounts.admin import previews
from accounts.admin.policy_links import named, source_words
from accounts.admin.previews import Preview
from accounts.models import Organization, PolicyScope, PolicyValue, Project
from accounts.policy import Effective
from accounts.policy_chain import UNSET, Chain, chain_of
from accounts.policy_keys import KEYS, PolicyKey, check_value, known
from accounts.policy_scopes import WORDS, Subject, subject_at
from accounts.policy_text import show_value

# The first is never meant to be above the second.
_PAIRS = (
    ("billing.minimum_deposit_minor", "billing.maximum_deposit_minor"),
    ("dunning.past_due_days", "dunning.bad_debt_days"),
)


def preview_set(proposal: dict[str, Any]) -> Preview:
    """Raises PolicyInvalid, CurrencyUnknown, NotFound."""
    key, chain = _asked(proposal)
    return _preview(chain, check_value(key, proposal["value"]))


def preview_unset(proposal: dict[str, Any]) -> Preview:
    """Raises PolicyInvalid, NotFound."""
    return _preview(_asked(proposal)[1], UNSET)


def _asked(proposal: dict[str, Any]) -> tuple[PolicyKey, Chain]:
    key = known(proposal["key"])
    return key, chain_of(key, subject_at(proposal["scope"], proposal["scope_id"]))


def _preview(chain: Chain, value: Any) -> Preview:
    key, subject, own, after = chain.key, chain.subject, chain.own, chain.after(value)
    here = _shown(key, own.value, subject) if own else "nothing"
    wanted = "nothing" if value is UNSET else _shown(key, value, subject)
    return Preview(
        [
            ("Policy", f"{key.name}: {key.effect}"),
            ("For", f"{subject} ({subject.public_id})" if subject.public_id else "everyone"),
            ("Set here", f"{here} → {wanted}"),
            ("In force", f"{_in_force(chain, chain.effective)}\n→ {_in_force(chain, after)}"),
            ("Concerns", _concerned(chain)),
        ],
        second_person=f"{key.name} guards money." if key.needs_approval else "",
        warning=" ".join(_warnings(chain, value, after)),
    )


def _in_force(chain: Chain, found: Effective) -> str:
    words = source_words(found, chain.subject, named(found.scope, found.scope_id))
    return f"{_shown(chain.key, found.value, chain.subject)} ({words})"


def _shown(key: PolicyKey, value: Any, subject: Subject) -> str:
    return show_value(key, value, subject.currency)


def _concerned(chain: Chain) -> str:
    """Whom a value of this subject reaches, and who has one of their own."""
    scope, scope_id = chain.subject.own or ("default", None)
    set_for = PolicyValue.objects.filter(key=chain.key.name)
    if scope == PolicyScope.GLOBAL:
        counts = set_for.exclude(scope=scope).values_list("scope").annotate(Count("pk")).order_by("scope")
        own = ", ".join(f"{count} {WORDS[word]}{'' if count == 1 else 's'}" for word, count in counts)
        return f"everyone but those with a value of their own: {own or 'nobody'}"
    if scope == PolicyScope.TENANT and scope_id:
        return _of_organization(scope_id, chain.key)
    if scope == PolicyScope.USER:
        personal = Organization.objects.filter(owner=scope_id, personal=True).first()
        return f"the personal organization {personal.name}" if personal else "nothing yet: no personal organization"
    return str(chain.subject)


def _of_organization(scope_id: int, key: PolicyKey) -> str:
    organization = Organization.objects.get(pk=scope_id)
    words = f"{organization.name} and its {_some(organization.billing_accounts.count(), 'billing account')}"
    if PolicyScope.PROJECT not in key.scopes:
        return words
    projects = Project.objects.filter(organization=scope_id).values("pk")
    own = PolicyValue.objects.filter(key=key.name, scope=PolicyScope.PROJECT, scope_id__in=projects).count()
    return f"{words}, and its projects but for {_some(own, 'project')} with a value of its own" if own else words


def _some(count: int, word: str) -> str:
    return f"{count} {word}{'' if count == 1 else 's'}"


def _warnings(chain: Chain, value: Any, after: Effective) -> list[str]:
    found, subject = [], chain.subject
    if not policy.answers(value, subject.currency):
        found.append(f"The amount is in {value['currency']}, but {subject} pays in {subject.currency}: no effect.")
    elif value is not UNSET and (after.scope, after.scope_id) != subject.own:
        found.append("A narrower value stays in force.")
    if chain.key.group == "notification" and subject.own and subject.own[0] == PolicyScope.PROJECT:
        found.append("Mail about a balance is decided for its billing account, where no project is asked.")
    for low, high in _PAIRS:
        if chain.key.name in (low, high):
            found += _crossed(chain, after, low, high)
    return found


def _crossed(chain: Chain, after: Effective, low: str, high: str) -> list[str]:
    """A smallest top-up above the largest one lets nobody pay."""
    other = high if chain.key.name == low else low
    beside = policy.explain(other, chain.subject.scope, currency=chain.subject.currency).value
    first, second = (after.value, beside) if other == high else (beside, after.value)
    if not (isinstance(first, int) and isinstance(second, int) and first > second):
        return []
    return [f"{low} would be above {high}, which is {_shown(KEYS[high], second, chain.subject)}."]


previews.register(policy_approval.ACT, preview_set)
previews.register(policy_approval.UNSET_ACT, preview_unset)
