"""Filters of the back office's templates."""

from django import template

from accounts.admin.display import show_moment, show_money, show_tag

register = template.Library()
register.filter("money", show_money)
register.filter("moment", show_moment)
register.filter("tag", show_tag)
