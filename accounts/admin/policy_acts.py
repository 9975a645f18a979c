"""Setting and unsetting a policy: which key and for whom, then a form of that key's type, then the preview."""

from typing import Any, ClassVar

from django import forms
from django.http import HttpRequest, HttpResponse

from accounts import approvals, policy_approval
from accounts.admin.act_pages import ActPage, Cleaned, Done, sentence, waiting
from accounts.admin.policy_forms import ChooseForm, SetForm, UnsetForm
from accounts.admin.policy_links import link
from accounts.admin.policy_previews import preview_set, preview_unset
from accounts.admin.previews import Preview, with_fact
from accounts.clock import now
from accounts.errors import Conflict, DomainError
from accounts.models import User
from accounts.policy_chain import Chain, chain_for
from accounts.policy_keys import known
from accounts.policy_subjects import find
from accounts.policy_text import show_raw, typed, whole

_CHANGED = "somebody else changed this value meanwhile; open the page again"


class PolicyAct(ActPage):
    """An act on one key of one subject, named in the query; without them it asks which."""

    fields_of_errors: ClassVar[dict[str, str]] = {"scope_id": "subject", "scope": "subject"}

    def subject(self) -> str:
        asked = _parameters(self.request)
        try:
            return f"{known(asked.get('key')).name}, {find(asked.get('subject', ''))}"
        except DomainError:
            return ""

    def get(self, request: HttpRequest, **_: Any) -> HttpResponse:
        if "key" not in request.GET:
            return self._choose(request, ChooseForm(initial=request.GET.dict()))
        try:
            self.first_values(request)
        except DomainError as error:
            form = ChooseForm(request.GET)
            form.add_error("subject" if error.field in ("subject", "scope") else "key", sentence(error))
            return self._choose(request, form, status=422)
        return super().get(request)

    def first_values(self, request: HttpRequest) -> Cleaned:
        """The value set here, or else the one in force. Raises PolicyInvalid, NotFound."""
        asked = _parameters(request)
        chain = chain_for(asked.get("key", ""), asked.get("subject", ""))
        value = chain.own.value if chain.own else chain.effective.value
        currency = value["currency"] if isinstance(value, dict) else ""
        shown = value["amount_minor"] if isinstance(value, dict) else value
        first = {"value": show_raw(shown), "currency": currency}
        return {"key": chain.key.name, "subject": chain.subject.public_id, "seen": seen(chain), **first}

    def asked(self, cleaned: Cleaned) -> Chain:
        """Raises NotFound, PolicyInvalid, and Conflict where the value is no longer the one that was shown."""
        chain = chain_for(cleaned["key"], cleaned["subject"])
        if cleaned["seen"] not in ("", seen(chain)):
            raise Conflict(_CHANGED, field="value")
        return chain

    def submit(self, act: str, proposal: dict[str, Any], chain: Chain, cleaned: Cleaned, user: User) -> Done:
        outcome = approvals.submit(act, proposal, maker=user, reason=cleaned["reason"], at=now())
        if outcome.request:
            return waiting(outcome.request.pk)
        message = f"{chain.key.name} is {'set' if 'value' in proposal else 'unset'}: in force at once."
        return Done(link("of", chain.subject.public_id), message, result=outcome.result or {})

    def _choose(self, request: HttpRequest, form: forms.Form, *, status: int = 200) -> HttpResponse:
        return self._page(request, "admin/policies/choose.html", {"form": form}, status=status)


class SetPolicy(PolicyAct):
    name = "set"
    path = "set/"
    title = "Set a policy"
    button = "Set policy"
    explanation = "In force at the next read. Keys that guard money wait for a second person."
    form_class = SetForm

    def preview(self, cleaned: Cleaned) -> Preview:
        return with_fact(preview_set(set_proposal(self.asked(cleaned), cleaned)), "Reason", cleaned["reason"])

    def perform(self, cleaned: Cleaned, user: User) -> Done:
        chain = self.asked(cleaned)
        return self.submit(policy_approval.ACT, set_proposal(chain, cleaned), chain, cleaned, user)


class UnsetPolicy(PolicyAct):
    name = "unset"
    path = "unset/"
    title = "Unset a policy"
    button = "Unset policy"
    explanation = "The value of the wider scope is in force again. Keys that guard money wait for a second person."
    form_class = UnsetForm

    def preview(self, cleaned: Cleaned) -> Preview:
        chain = self.asked(cleaned)
        if chain.own is None:
            raise Conflict("nothing is set here, so nothing is taken back", field="key", code="not_set")
        return with_fact(preview_unset(place(chain)), "Reason", cleaned["reason"])

    def perform(self, cleaned: Cleaned, user: User) -> Done:
        chain = self.asked(cleaned)
        return self.submit(policy_approval.UNSET_ACT, place(chain), chain, cleaned, user)


def set_proposal(chain: Chain, cleaned: Cleaned) -> dict[str, Any]:
    """What the form asks for, typed."""
    if chain.key.kind != "money":
        return {**place(chain), "value": typed(chain.key, cleaned["value"])}
    amount, currency = whole(cleaned["value"]), cleaned["currency"]
    return {**place(chain), "value": {"amount_minor": amount, "currency": currency} if currency else amount}


def place(chain: Chain) -> dict[str, Any]:
    scope, scope_id = chain.subject.own or ("global", None)
    return {"key": chain.key.name, "scope": str(scope), "scope_id": scope_id}


def seen(chain: Chain) -> str:
    """The state of the value that a form was opened on."""
    return chain.own.updated_at.isoformat() if chain.own else "nothing"


def _parameters(request: HttpRequest) -> dict[str, str]:
    """Which policy the page is about: named in the address, or in what was sent."""
    return request.GET.dict() if "key" in request.GET else request.POST.dict()
