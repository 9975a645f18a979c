"""Commands that answer with one JSON object on their last line; a refusal is one too, with exit code 1."""

import json
from abc import ABC, abstractmethod
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from accounts.errors import DomainError

Options = dict[str, Any]


class JsonCommand(BaseCommand, ABC):
    @abstractmethod
    def answer(self, options: Options) -> dict[str, Any]:
        """Raises DomainError."""

    def handle(self, **options: Any) -> None:
        try:
            answered = self.answer(options)
        except DomainError as error:
            faults = [vars(fault) for fault in getattr(error, "faults", ())]
            said = {"code": error.code, "field": error.field, "detail": error.detail, "faults": faults}
            self.stdout.write(json.dumps({"error": said}))
            raise CommandError(": ".join(filter(None, (error.code, error.field, error.detail)))) from error
        self.stdout.write(json.dumps(answered, default=str))
