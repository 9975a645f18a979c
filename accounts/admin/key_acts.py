"""Create, replace and revoke API keys. The page that answers is the only place where a key is ever shown."""

import re
from collections.abc import Callable

from django import forms
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse

from accounts import api_keys, key_text
from accounts.abilities import EVERY
from accounts.admin.act_pages import ActPage, Cleaned, Done, reason_field, rehearse, text_field
from accounts.admin.previews import Fact, Preview
from accounts.admin.within import REHEARSAL, WithinOrganization
from accounts.admin.word_fields import words_field
from accounts.api_keys import ExpiryInvalid, NewKey
from accounts.audit import Actor, person
from accounts.clock import now, parse_moment
from accounts.models import ApiKey, Organization, User

_WHOLE = re.compile(r"[0-9]{1,6}", re.ASCII)
_DAYS_HINT = "It is refused after so many days. Empty: as long as policy lets it live."
_NAME_HINT = "What calls with it. Two keys of a name may be alive, so that one can replace the other."


def _days() -> forms.CharField:
    return text_field("Days", longest=20, hint=_DAYS_HINT, required=False)


class KeyForm(forms.Form):
    name = text_field("Name", longest=64, hint=_NAME_HINT)
    scopes = words_field("Scopes", sorted(api_keys.OF_CUSTOMERS), hint="What it may do in the organization.")
    expires_in_days = _days()
    reason = reason_field()


class PlatformKeyForm(KeyForm):
    scopes = words_field("Scopes", sorted(EVERY), hint="What it may do in every organization.")


class RotateForm(forms.Form):
    expires_in_days = _days()
    reason = reason_field()


class ReasonForm(forms.Form):
    reason = reason_field()


class ShowsTheKey(ActPage):
    """The answer to the act holds the key; nothing keeps it, so it is not shown a second time."""

    def answered(self, request: HttpRequest, done: Done) -> HttpResponse:
        until = parse_moment(str(done.result["expires_at"]))
        shown = {"done": done, "key": done.result["api_key"], "until": until}
        return self._page(request, "admin/api_keys/shown_once.html", shown)

    def made(self, new: NewKey) -> Done:
        url = reverse("admin:accounts_apikey_change", args=[new.key.pk])
        result = {"id": new.key.public_id, "api_key": new.text, "expires_at": new.key.expires_at.isoformat()}
        return Done(url, "The key is made.", result=result)


class CreateKey(ShowsTheKey, WithinOrganization):
    name = "apikey"
    path = "<int:pk>/create-api-key/"
    title = "Create an API key"
    button = "Create and show it"
    explanation = "For a program of this customer. The key is shown once, with the answer."
    form_class = KeyForm

    def preview(self, cleaned: Cleaned) -> Preview:
        organization = self.organization()
        return _preview(organization, cleaned, lambda: _create(organization.pk, cleaned, REHEARSAL))

    def perform(self, cleaned: Cleaned, user: User) -> Done:
        return self.made(_create(self.organization().pk, cleaned, person(user)))


class CreatePlatformKey(ShowsTheKey):
    name = "create"
    path = "create/"
    title = "Create a key of the platform"
    button = "Create and show it"
    ability = "administer"
    explanation = "For a service of ours: it acts in every organization. The key is shown once, with the answer."
    form_class = PlatformKeyForm

    def preview(self, cleaned: Cleaned) -> Preview:
        return _preview(None, cleaned, lambda: _create(None, cleaned, REHEARSAL))

    def perform(self, cleaned: Cleaned, user: User) -> Done:
        return self.made(_create(None, cleaned, person(user)))


class OnCustomersKey(ActPage):
    """Acts on a key of a customer; the platform's own are platform-admin's."""

    def key(self) -> ApiKey:
        found = ApiKey.objects.select_related("organization").filter(pk=self.kwargs["pk"]).first()
        if found is None or (found.organization is None and self.ability != "administer"):
            raise Http404
        return found

    def subject(self) -> str:
        return self.key().name


class RotateKey(ShowsTheKey, OnCustomersKey):
    name = "rotate"
    path = "<int:pk>/rotate/"
    title = "Replace the key"
    button = "Create and show its successor"
    explanation = "A second key of the same name and scopes. This one works on until it is revoked or expires."
    form_class = RotateForm

    def preview(self, cleaned: Cleaned) -> Preview:
        key = self.key()
        rehearse(lambda: self._rotate(cleaned, REHEARSAL))
        return Preview([*_about(key), ("Alive in days", _days_said(cleaned)), ("Reason", cleaned["reason"])])

    def perform(self, cleaned: Cleaned, user: User) -> Done:
        return self.made(self._rotate(cleaned, person(user)))

    def _rotate(self, cleaned: Cleaned, actor: Actor) -> NewKey:
        days, reason = _days_of(cleaned), cleaned["reason"]
        return api_keys.rotate(self.key().pk, expires_in_days=days, actor=actor, reason=reason, at=now())


class RevokeKey(OnCustomersKey):
    name = "revoke"
    path = "<int:pk>/revoke/"
    title = "Revoke the key"
    button = "Revoke it for ever"
    final = True
    explanation = "For ever, from the next request on."
    form_class = ReasonForm

    def preview(self, cleaned: Cleaned) -> Preview:
        key, reason = self.key(), cleaned["reason"]
        rehearse(lambda: api_keys.revoke(key.pk, actor=REHEARSAL, reason=reason, at=now()))
        return Preview([*_about(key), ("Reason", reason)], warning="This cannot be undone.")

    def perform(self, cleaned: Cleaned, user: User) -> Done:
        key = api_keys.revoke(self.key().pk, actor=person(user), reason=cleaned["reason"], at=now())
        url = reverse("admin:accounts_apikey_change", args=[key.pk])
        return Done(url, "The key is revoked.", result={"id": key.public_id})


class RotateAnyKey(RotateKey):
    name = "rotateany"
    path = "<int:pk>/rotate-any/"
    ability = "administer"


class RevokeAnyKey(RevokeKey):
    name = "revokeany"
    path = "<int:pk>/revoke-any/"
    ability = "administer"


def _create(organization_id: int | None, cleaned: Cleaned, actor: Actor) -> NewKey:
    return api_keys.create(
        organization_id,
        cleaned["name"],
        cleaned["scopes"],
        expires_in_days=_days_of(cleaned),
        actor=actor,
        reason=cleaned["reason"],
        at=now(),
    )


def _preview(organization: Organization | None, cleaned: Cleaned, create: Callable[[], object]) -> Preview:
    rehearse(create)
    whose = f"{organization.name} ({organization.public_id})" if organization else "every organization"
    return Preview(
        [
            ("For", whose),
            ("Name", cleaned["name"].strip()),
            ("Scopes", ", ".join(cleaned["scopes"])),
            ("Alive in days", _days_said(cleaned)),
            ("Reason", cleaned["reason"]),
        ]
    )


def _about(key: ApiKey) -> list[Fact]:
    whose = f"{key.organization.name} ({key.organization.public_id})" if key.organization else "every organization"
    return [("Key", f"{key.name}, {key_text.head(key)}…"), ("For", whose), ("Scopes", ", ".join(key.scopes))]


def _days_of(cleaned: Cleaned) -> int | None:
    """Raises ExpiryInvalid."""
    typed = cleaned["expires_in_days"].strip()
    if not typed:
        return None
    if not _WHOLE.fullmatch(typed):
        raise ExpiryInvalid("give a whole number of days")
    return int(typed)


def _days_said(cleaned: Cleaned) -> str:
    days = _days_of(cleaned)
    return "as many as policy allows" if days is None else str(days)
