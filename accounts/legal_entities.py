"""Which company of ours sells."""

from accounts.errors import DomainError
from accounts.models import LegalEntity


class LegalEntityRequired(DomainError):
    code = "legal_entity_required"
    field = "legal_entity"


def the_only_one() -> LegalEntity:
    """The company of ours that sells, where there is one alone. Raises LegalEntityRequired."""
    found = list(LegalEntity.objects.order_by("pk")[:2])
    if len(found) != 1:
        raise LegalEntityRequired("several companies of ours sell; say which one" if found else "nobody sells yet")
    return found[0]
