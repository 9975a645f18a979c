"""Where policies of a subject are shown and changed, and in words where a value comes from."""

from typing import Any
from urllib.parse import urlencode

from django.contrib import admin
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from accounts.errors import DomainError
from accounts.policy import Effective
from accounts.policy_keys import PolicyKey
from accounts.policy_scopes import WORDS, Subject, subject_at


def link(page: str, subject: str = "", key: str = "") -> str:
    """A page about policies (of, effective, changes, set, unset), of a subject by public id."""
    query = urlencode({name: value for name, value in (("subject", subject), ("key", key)) if value})
    return reverse(f"admin:accounts_policyvalue_{page}") + (f"?{query}" if query else "")


def place_link(subject: Subject, key: PolicyKey) -> str:
    """The line of a key on the page of a subject."""
    return f"{link('of', subject.public_id)}#{key.name}"


def named(scope: str, scope_id: int | None) -> Subject | None:
    """The subject a value was set for; None for the default, and where it is no longer known."""
    if scope == "default":
        return None
    try:
        return subject_at(scope, scope_id)
    except DomainError:
        return None


def source_words(found: Effective, subject: Subject, source: Subject | None) -> str:
    """Where a value in force comes from, as seen by `subject`."""
    if found.scope == "default":
        return "shipped default"
    if found.scope == "global":
        return "set for everyone"
    if (found.scope, found.scope_id) == subject.own:
        return f"set for this {WORDS[found.scope]}"
    return f"set for {source or f'{WORDS[found.scope]} {found.scope_id}'}"


@admin.display(description="Policies")
def policies_link(row: Any) -> SafeString:
    """What is set for an organization or project, and what is in force for it."""
    return format_html(
        '<a class="link" href="{}">Set here</a> · <a class="link" href="{}">In force, and why</a>',
        link("of", row.public_id),
        link("effective", row.public_id),
    )
