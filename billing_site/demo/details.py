"""What the demo's customers told us about themselves, and the terms that two of them were granted."""

from datetime import datetime

from accounts.audit import person
from accounts.billing_detail_changes import set_address, set_contact, set_invoice_emails, set_tax_ids
from accounts.billing_details import Address, Contact
from accounts.models import User
from accounts.payment_terms import PaymentTerms, set_terms, set_time_zone
from billing_site.demo.stage import Stage

_TICKET = "the customer wrote in, ticket 1187"


def tell(stage: Stage, at: datetime) -> None:
    """Each by the act that staff would use, or the customer's owner."""
    dana = stage.staff["dana"]
    borealis, ember = stage.accounts["borealis"].pk, stage.accounts["ember"].pk
    owner = person(_owner(stage, "borealis"))
    contact = Contact("accounts.payable@borealis.example", "Petra Lang", "Borealis Genomics GmbH")
    set_contact(borealis, contact, actor=owner, at=at)
    set_invoice_emails(borealis, ["invoices@borealis.example", "petra.lang@borealis.example"], actor=owner, at=at)
    set_address(borealis, Address("DE", "Kastanienallee 12", "", "Berlin", "", "10435"), actor=owner, at=at)
    set_tax_ids(borealis, [("eu_vat", "DE136695976")], actor=person(dana), reason=_TICKET, at=at)
    set_terms(borealis, PaymentTerms(45), by=dana, reason="framework contract of the spring", at=at)
    set_contact(
        ember, Contact("elke@ember.example", "Elke Brandt", "Ember Maps"), actor=person(_owner(stage, "ember")), at=at
    )
    set_time_zone(ember, "Europe/Berlin", actor=person(dana), reason=_TICKET, at=at)


def _owner(stage: Stage, customer: str) -> User:
    return stage.accounts[customer].organization.owner
