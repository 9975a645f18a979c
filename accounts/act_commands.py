"""Operator acts as management commands: the form, the preview and the act of a page, for whoever works on the server.

`--as` names the member of staff who acts; their role must allow it, as on the page. `--dry-run` shows the preview and
rehearses the act, so that what would refuse it is said, and writes nothing. The last line of output is a JSON object;
a refusal is `code: field: sentence` on standard error and exit code 1.
"""

import json
from abc import ABC, abstractmethod
from argparse import ArgumentParser
from collections.abc import Mapping
from dataclasses import asdict
from html import unescape
from typing import Any, ClassVar

import structlog
from django import forms
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction
from django.http import Http404
from django.utils.html import strip_tags
from django.utils.safestring import SafeString

from accounts import correlation, staff_roles
from accounts.admin.act_pages import ActPage, Cleaned, Done, busy_is_said, rehearse
from accounts.admin.previews import Preview
from accounts.errors import DomainError, Forbidden, NotFound
from accounts.models import User
from accounts.public_ids import decode

log = structlog.get_logger(__name__)
Options = dict[str, Any]


class TextInvalid(DomainError):
    code = "text_invalid"


class ActCommand(BaseCommand, ABC):
    """One act by one person. A subclass previews and performs it; both raise DomainError."""

    ability: ClassVar[str] = "operate"

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--as", dest="acting", required=True, metavar="EMAIL", help="the member of staff who acts")
        parser.add_argument("--dry-run", action="store_true", help="show what would be done and write nothing")

    @abstractmethod
    def preview(self, options: Options) -> Preview:
        """What the act would do."""

    @abstractmethod
    def perform(self, options: Options, user: User) -> Done:
        """Do it in the caller's transaction."""

    def handle(self, **options: Any) -> None:
        act = type(self).__module__.rpartition(".")[2]
        try:
            # The id shows in the audit log that the act came from the server, not from a page.
            with correlation.bind(f"{act}-{correlation.new_correlation_id()}"):
                answer = self._answer(options)
        except Http404:
            raise CommandError("not_found: there is nothing of that id") from None
        except DomainError as error:
            log.warning("act_refused", act=act, code=error.code)
            raise CommandError(": ".join(filter(None, (error.code, error.field, error.detail)))) from error
        self.stdout.write(json.dumps({"act": act, "dry_run": options["dry_run"], **answer}, default=str))

    def _answer(self, options: Options) -> Mapping[str, Any]:
        _require_plain(options)
        user = acting(options["acting"], self.ability)
        if options["dry_run"]:
            shown = _as_json(self.preview(options))
            rehearse(lambda: self.perform(options, user))
            return shown
        with busy_is_said(type(self).__module__), transaction.atomic():
            done = self.perform(options, user)
        return {"waiting": done.waiting, "message": done.message, **done.result}


class PageCommand(ActCommand):
    """The act of a page: its form's fields are the options. `row` names the row that the page's address names."""

    page: ClassVar[type[ActPage]]
    row: ClassVar[tuple[str, str] | None] = None  # what it is called, and the prefix of its public id
    positional: ClassVar[tuple[str, ...]] = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        if self.row:
            parser.add_argument(self.row[0], help=f"its id: {self.row[1]}_…")
        for name, field in self.page.form_class.base_fields.items():
            about = ". ".join(filter(None, (str(field.label), str(field.help_text)))).replace("%", "%%")
            if name in self.positional:
                parser.add_argument(name, help=about)
            else:
                option = f"--{name.replace('_', '-')}"
                parser.add_argument(option, required=field.required, default="", help=about)
        super().add_arguments(parser)

    def page_class(self, options: Options) -> type[ActPage]:
        """Which page, where the options choose between several."""
        return self.page

    def page_of(self, options: Options) -> ActPage:
        """The page, as if its address had been opened. Raises NotFound."""
        page = self.page_class(options)()
        page.kwargs = {}
        if self.row:
            name, prefix = self.row
            page.kwargs["pk"] = decode(prefix, options[name].strip())
            if page.kwargs["pk"] is None:
                raise NotFound(f"write its id: {prefix}_…", field=name)
        return page

    def preview(self, options: Options) -> Preview:
        page = self.page_of(options)
        return page.preview(_cleaned(page.form_class, options))

    def perform(self, options: Options, user: User) -> Done:
        page = self.page_of(options)
        return page.perform(_cleaned(page.form_class, options), user)


def acting(email: str, ability: str) -> User:
    """The active member of staff of that address who holds the ability. Raises NotFound, Forbidden."""
    user = User.objects.filter(email=email.strip().lower()).first()
    if user is None:
        raise NotFound("nobody has that address", field="as")
    if not staff_roles.may(user, ability):
        raise Forbidden(f"their role does not let them {ability}", field="as")
    return user


def _cleaned(form_class: type[forms.Form], options: Options) -> Cleaned:
    """The options as the page's form reads them. Raises DomainError with the form's code and field."""
    form = form_class({name: options.get(name, "") for name in form_class.base_fields})
    for name, faults in form.errors.as_data().items():
        raise DomainError(" ".join(faults[0].messages), field=name, code=faults[0].code or "invalid")
    return form.cleaned_data


def _require_plain(options: Options) -> None:
    """A shell hands on any bytes: what is not UTF-8, or holds a NUL, is refused before it meets the database."""
    for name, value in options.items():
        if isinstance(value, str) and ("\x00" in value or value != value.encode("utf-8", "replace").decode()):
            raise TextInvalid("it holds characters that are no text", field=name)


def _as_json(preview: Preview) -> dict[str, Any]:
    return {
        "facts": {title: _text(value) for title, value in preview.facts},
        "journal": [asdict(row) for row in preview.rows],
        "balances": [asdict(row) for row in preview.balances],
        "tables": {
            table.title: [{head: _text(value) for head, value, _ in row} for row in table.cells()]
            for table in preview.tables
        },
        "second_person": preview.second_person,
        "warning": preview.warning,
    }


def _text(value: object) -> str:
    """A fact without the markup that pages give it."""
    return unescape(strip_tags(value)) if isinstance(value, SafeString) else str(value)
