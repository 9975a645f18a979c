"""Filters of the back office's templates."""

from django import template
from django.utils.safestring import SafeString

from accounts.currencies import format_minor
from accounts.display import plain, show_moment, show_money, show_tag

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
