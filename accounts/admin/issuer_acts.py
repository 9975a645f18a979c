"""Say whose tokens are accepted, and into which organization they bring people."""

from typing import Any

from django import forms
from django.http import HttpRequest
from django.urls import reverse
from unfold.widgets import UnfoldAdminSelectWidget

from accounts import issuers
from accounts.admin.act_pages import ActPage, Cleaned, Done, reason_field, rehearse, text_field
from accounts.admin.previews import Preview
from accounts.admin.within import REHEARSAL, WithinOrganization
from accounts.admin.word_fields import words_field
from accounts.audit import Actor, person
from accounts.clock import now
from accounts.models import Organization, TrustedIssuer, User
from accounts.oidc import keys

_YES_OR_NO = [("yes", "yes"), ("no", "no")]


def _yes_or_no(label: str, hint: str) -> forms.ChoiceField:
    return forms.ChoiceField(label=label, choices=_YES_OR_NO, help_text=hint, widget=UnfoldAdminSelectWidget())


class IssuerForm(forms.Form):
    issuer = text_field("Issuer", longest=200, hint="The claim iss of its tokens, letter by letter.")
    jwks_uri = text_field(
        "Address of its keys", longest=500, hint="https; its key set (JWKS), as jwks_uri in its discovery."
    )
    audience = text_field("Audience", longest=200, hint="Only tokens made for this audience (aud) are ours.")
    algorithms = words_field("Algorithms", keys.ALGORITHMS, hint="With which it may sign.")
    trusted = _yes_or_no("Trusted", "Its first token opens the person, organization and projects that it names.")
    active = _yes_or_no("Active", "No: none of its tokens is believed, from the next request on.")
    reason = reason_field()


class SetIssuer(ActPage):
    name = "set"
    path = "set/"
    title = "Accept tokens of an issuer"
    button = "Set it"
    ability = "administer"
    explanation = "An issuer that is set already is changed. What its tokens opened stays when trust is taken back."
    form_class = IssuerForm

    def first_values(self, request: HttpRequest) -> Cleaned:
        row = TrustedIssuer.objects.filter(issuer=request.GET.get("issuer", "").replace("\x00", "")).first()
        if row is None:
            return {"trusted": "no", "active": "yes", **super().first_values(request)}
        return {**_shown(row), "algorithms": row.algorithms, "issuer": row.issuer}

    def preview(self, cleaned: Cleaned) -> Preview:
        rehearse(lambda: _set(cleaned, REHEARSAL))
        row = TrustedIssuer.objects.filter(issuer=issuers.check_issuer(cleaned["issuer"])).first()
        before = _shown(row) if row else {}
        wanted = {**cleaned, "algorithms": ", ".join(cleaned["algorithms"])}
        titles = {name: str(field.label) for name, field in IssuerForm.base_fields.items()}
        facts = [(titles[name], _change(before.get(name), wanted[name])) for name in _SETTINGS]
        opens = "Whoever holds a token of it opens organizations here." if cleaned["trusted"] == "yes" else ""
        named = [("Issuer", cleaned["issuer"].strip()), *facts, ("Reason", cleaned["reason"])]
        return Preview(named, warning=opens)

    def perform(self, cleaned: Cleaned, user: User) -> Done:
        row = _set(cleaned, person(user))
        url = reverse("admin:accounts_trustedissuer_change", args=[row.pk])
        return Done(url, "The issuer is set.", result={"issuer": row.public_id})


class ConnectForm(forms.Form):
    issuer = text_field("Issuer", longest=200, required=False, hint="As it is listed. Empty: no issuer's any more.")
    reason = reason_field()


class ConnectIssuer(WithinOrganization):
    name = "issuer"
    path = "<int:pk>/issuer/"
    title = "Connect with an issuer"
    button = "Connect them"
    ability = "administer"
    explanation = (
        "If it is trusted, first tokens of this issuer bring people into the organization, with what they claim."
    )
    form_class = ConnectForm

    def preview(self, cleaned: Cleaned) -> Preview:
        organization = self.organization()
        rehearse(lambda: self._connect(cleaned, REHEARSAL))
        now_of = organization.issuer.issuer if organization.issuer else "none"
        return Preview(
            [
                ("Organization", f"{organization.name} ({organization.public_id})"),
                ("Issuer", f"{now_of} → {cleaned['issuer'].strip() or 'none'}"),
                ("Reason", cleaned["reason"]),
            ]
        )

    def perform(self, cleaned: Cleaned, user: User) -> Done:
        organization = self._connect(cleaned, person(user))
        return Done(self.url(), "They are connected.", result={"organization": organization.public_id})

    def _connect(self, cleaned: Cleaned, actor: Actor) -> Organization:
        key, reason = self.organization().pk, cleaned["reason"]
        return issuers.connect(key, cleaned["issuer"], actor=actor, reason=reason, at=now())


_SETTINGS = ("jwks_uri", "audience", "algorithms", "trusted", "active")


def _set(cleaned: Cleaned, actor: Actor) -> TrustedIssuer:
    return issuers.set_issuer(
        cleaned["issuer"],
        jwks_uri=cleaned["jwks_uri"],
        audience=cleaned["audience"],
        algorithms=cleaned["algorithms"],
        trusted=cleaned["trusted"] == "yes",
        active=cleaned["active"] == "yes",
        actor=actor,
        reason=cleaned["reason"],
        at=now(),
    )


def _shown(row: TrustedIssuer) -> dict[str, Any]:
    return {
        "jwks_uri": row.jwks_uri,
        "audience": row.audience,
        "algorithms": ", ".join(row.algorithms),
        "trusted": _word(row.trusted),
        "active": _word(row.active),
    }


def _change(before: str | None, after: str) -> str:
    return after if before in (None, after) else f"{before} → {after}"


def _word(value: bool) -> str:
    return "yes" if value else "no"
