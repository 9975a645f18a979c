"""Correct a transaction: every line of it reversed, once."""

from typing import Any

from django import forms
from django.http import Http404

from accounts import approvals
from accounts.admin import previews
from accounts.admin.act_pages import ActPage, Cleaned, Done, reason_field
from accounts.admin.previews import Preview
from accounts.clock import now
from accounts.display import show_moment
from accounts.models import User
from ledger import corrections
from ledger.admin.adjust import posted
from ledger.admin.journals import journal
from ledger.models import LedgerTransaction


class CorrectForm(forms.Form):
    reason = reason_field()


class Correct(ActPage):
    name = "correct"
    path = "<int:pk>/correct/"
    title = "Correct a transaction"
    button = "Post correction"
    explanation = "The transaction stays. A new one reverses every line of it and points back at it."
    form_class = CorrectForm

    def preview(self, cleaned: Cleaned) -> Preview:
        shown = preview(corrections.payload(self._original()))
        return previews.with_fact(shown, "Reason", cleaned["reason"])

    def perform(self, cleaned: Cleaned, user: User) -> Done:
        proposal = corrections.payload(self._original())
        return posted(approvals.submit(corrections.ACT, proposal, maker=user, reason=cleaned["reason"], at=now()))

    def subject(self) -> str:
        return self._original().business_key

    def _original(self) -> LedgerTransaction:
        original = LedgerTransaction.objects.filter(pk=self.kwargs["pk"]).first()
        if original is None:
            raise Http404
        return original


def preview(proposal: dict[str, Any]) -> Preview:
    """The journal of a correction."""
    described = corrections.describe(proposal)
    original = LedgerTransaction.objects.get(pk=proposal["transaction"])
    account = described.account
    if account is None or described.amount_minor is None:
        raise Http404
    facts = [
        ("Corrects", f"{original.business_key} ({original.public_id})"),
        ("Effective then", show_moment(original.effective_at)),
    ]
    lines = corrections.correction_lines(original.pk)
    return journal(account, lines, facts=facts, limit=corrections.LIMIT, size_minor=described.amount_minor)


previews.register(corrections.ACT, preview)
