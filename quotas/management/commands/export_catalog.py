"""The catalog in force as plans.yaml. The last line, a YAML document of its own, is JSON: version, hash, the same
catalog. `import_catalog` reads the whole output, or the file of --output, as the same catalog again."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from accounts.errors import DomainError
from accounts.json_commands import JsonCommand, Options
from quotas.catalog import writing
from quotas.catalog_in_force import catalog_of, in_force


class Command(JsonCommand):
    help = __doc__

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--configmap", action="store_true", help="inside the ConfigMap that a cluster keeps it in")
        parser.add_argument("--output", type=Path, metavar="FILE", help="write the YAML there, and only the JSON here")

    def answer(self, options: Options) -> dict[str, Any]:
        version = in_force()
        catalog = catalog_of(version)
        text = writing.write_configmap(catalog) if options["configmap"] else writing.write(catalog)
        if options["output"]:
            _write(options["output"], text)
        else:
            self.stdout.write(f"{text}---")
        return {"catalog_version": version.number, "sha256": version.sha256, "catalog": catalog.as_document()}


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise DomainError(f"cannot write {path}: {error.strerror}", field="output", code="file_not_written") from None
