"""Filters and tags of the back office's templates."""

from typing import Any

from django import template
from django.utils.safestring import SafeString

from accounts.billing_details import NONE, details_of
from accounts.currencies import format_minor
from accounts.display import plain, show_moment, show_money, show_tag
from accounts.models import BillingAccount, Phase, User
from accounts.personal_data import masked_details, masked_email, masked_name
from accounts.request_abilities import may
from accounts.shown_people import FIELD, is_shown, ticket

register = template.Library()
register.filter("money", show_money)
register.filter("moment", show_moment)
register.filter("tag", show_tag)
register.filter("amount", format_minor)
register.filter("plain", plain)


@register.filter
def state_tag(word: str, tones: dict[str, str]) -> SafeString:
    """A state in the tone that a table of tones gives it."""
    return show_tag(word, tones.get(word, ""))


@register.inclusion_tag("admin/accounts/account/details.html", takes_context=True)
def billing_details(context: template.Context, account: BillingAccount) -> dict[str, Any]:
    """Contact, invoice addresses, postal address and tax ids of an account, hidden until somebody asks."""
    request, details = context["request"], details_of(account)
    about = {"account": account, "operates": may(request, "operate") and account.phase != Phase.ARCHIVED}
    if is_shown(request, account):
        return {**about, "details": details}
    hidden = {**about, "details": masked_details(details)}
    if not (may(request, "identify") and details != NONE):
        return hidden
    return {**hidden, "field": FIELD, "ticket": ticket(account, request)}


@register.inclusion_tag("admin/person.html", takes_context=True)
def person(context: template.Context, user: User) -> dict[str, Any]:
    """A person's name and address: `{% person account.organization.owner %}`; how to use it is in admin/person.html."""
    request = context["request"]
    if user.is_staff or is_shown(request, user):
        return {"name": user.display_name, "email": user.email, "public_id": user.public_id}
    hidden = {"name": masked_name(user), "email": masked_email(user), "public_id": user.public_id}
    if not may(request, "identify"):
        return hidden
    return {**hidden, "field": FIELD, "ticket": ticket(user, request)}
