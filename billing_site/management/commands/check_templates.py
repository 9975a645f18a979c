"""Compile every template, so that a wrong tag or a missing parent is found before a page is opened."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.template import Template, TemplateDoesNotExist, TemplateSyntaxError, engines
from django.template.base import FilterExpression
from django.template.loader_tags import ExtendsNode, IncludeNode

_DJANGO = frozenset({".html", ".txt", ".xml", ".svg"})


class Command(BaseCommand):
    help = "Compile every Django template under templates/, with the templates it extends or includes by name."
    requires_system_checks = []

    def handle(self, *args: Any, **options: Any) -> None:
        names = sorted(_names())
        faults = [f"{name}: {fault}" for name in names for fault in _faults(name)]
        if faults:
            raise CommandError("\n".join(faults))
        self.stdout.write(f"{len(names)} templates compile")


def _names() -> Iterator[str]:
    root = Path(settings.BASE_DIR) / "templates"
    for path in root.rglob("*"):
        if path.suffix in _DJANGO:
            yield path.relative_to(root).as_posix()


def _faults(name: str) -> Iterator[str]:
    engine = engines["django"]
    try:
        compiled: Template = engine.get_template(name).template  # type: ignore[attr-defined]
    except (TemplateSyntaxError, UnicodeDecodeError) as error:
        yield str(error)
        return
    for used in _named_in(compiled):
        try:
            engine.get_template(used)
        except TemplateDoesNotExist:
            yield f"there is no template {used!r}"
        except TemplateSyntaxError as error:
            yield f"{used}: {error}"


def _named_in(compiled: Template) -> Iterator[str]:
    """The templates it extends or includes by a spelled-out name."""
    for node in compiled.nodelist.get_nodes_by_type((ExtendsNode, IncludeNode)):  # type: ignore[arg-type]
        used = node.parent_name if isinstance(node, ExtendsNode) else node.template  # type: ignore[attr-defined]
        if isinstance(used, FilterExpression) and isinstance(used.var, str) and not used.filters:
            yield used.var
