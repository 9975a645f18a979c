"""The family of refusals: a stable code, an HTTP status, whether to try again, and the field at fault."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from django.db import IntegrityError


class DomainError(Exception):
    """A refusal that left nothing written. Doors render it; they never choose the status themselves."""

    code = "refused"
    status = 422
    retryable = False
    field: str | None = None

    def __init__(self, detail: str, *, field: str | None = None, code: str | None = None) -> None:
        super().__init__(detail)
        self.detail = detail
        self.field = field or type(self).field
        self.code = code or type(self).code


class AmountInvalid(DomainError):
    code = "amount_invalid"
    field = "amount_minor"


class CurrencyMismatch(DomainError):
    code = "currency_mismatch"
    field = "currency"


class CurrencyUnknown(DomainError):
    code = "currency_unknown"
    field = "currency"


class NotFound(DomainError):
    """Unknown and foreign objects answer alike."""

    code = "not_found"
    status = 404


class Conflict(DomainError):
    code = "conflict"
    status = 409


class TimeInvalid(DomainError):
    code = "time_invalid"
    field = "at"


class ReasonRequired(DomainError):
    code = "reason_required"
    field = "reason"


class PolicyInvalid(DomainError):
    code = "policy_invalid"
    field = "value"


class Forbidden(DomainError):
    code = "forbidden"
    status = 403


class ApprovalRequired(DomainError):
    code = "approval_required"
    status = 403


class ApprovalRefused(DomainError):
    code = "approval_refused"
    status = 409


class MakerIsChecker(ApprovalRefused):
    code = "maker_is_checker"


class FormTokenUsed(DomainError):
    code = "form_token_used"
    status = 409


class AccountNotReady(DomainError):
    code = "account_not_ready"
    status = 409


class AccountHalted(Conflict):
    """Enforcement holds the account back from anything new."""

    code = "account_halted"
    field = "billing_account"


class Guarded(Conflict):
    """A registered guard of another room blocks the act; `code` is the first guard's."""


@contextmanager
def constraints(names: Mapping[str, DomainError]) -> Iterator[None]:
    """Turn the violation of a named database constraint into the domain error that it means."""
    try:
        yield
    except IntegrityError as error:
        diagnostics = getattr(error.__cause__, "diag", None)
        meaning = names.get(getattr(diagnostics, "constraint_name", None) or "")
        if meaning is None:
            raise
        raise meaning from error
