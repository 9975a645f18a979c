"""Resize and release an allocation. A preview does the act and undoes it: it says whatever refuses it."""

from datetime import datetime

from django import forms
from django.http import Http404

from accounts.admin.act_pages import ActPage, Cleaned, Done, reason_field, rehearse, text_field
from accounts.admin.previews import Preview
from accounts.admin.within import REHEARSAL
from accounts.audit import Actor, person
from accounts.clock import now, parse_moment
from accounts.display import show_moment
from accounts.models import User
from quotas import allocations
from quotas.admin.allocation_facts import (
    QUANTITY_HINT,
    cost_per_hour,
    done,
    facts,
    payer,
    quantity_of,
    rate_words,
    running_cost,
    units,
)
from quotas.decimals import parse_quantity
from quotas.errors import WrongStatus
from quotas.models import Allocation, AllocationStatus
from quotas.price_book import rate_in_force


class ResizeForm(forms.Form):
    quantity = text_field("Quantity from now on", hint=QUANTITY_HINT)
    reason = reason_field()


class ReleaseForm(forms.Form):
    reason = reason_field()


class CompleteForm(forms.Form):
    completed_at = text_field(
        "Machine gone at", required=False, hint="With its time zone: 2026-04-01T12:00:00Z. Empty means now."
    )
    reason = reason_field("How you know, such as the platform's ticket. It is kept for the auditors.")


class OfAllocation(ActPage):
    """An act on the allocation that the address names."""

    def subject(self) -> str:
        allocation = self.allocation()
        return f"{allocation.sku.name} of {allocation.project.name}, {allocation.public_id}"

    def allocation(self) -> Allocation:
        found = Allocation.objects.select_related("project", "sku").filter(pk=self.kwargs["pk"]).first()
        if found is None:
            raise Http404
        return found


class ResizeAllocation(OfAllocation):
    name = "resize"
    path = "<int:pk>/resize/"
    title = "Resize"
    button = "Resize it"
    explanation = "Another quantity from now on. What is billed stays as it is."
    form_class = ResizeForm

    def preview(self, cleaned: Cleaned) -> Preview:
        at, allocation = now(), self.allocation()
        held, wanted = quantity_of(allocation), parse_quantity(cleaned["quantity"])
        rehearse(lambda: self._resize(cleaned, REHEARSAL, at))
        account, sku = payer(allocation), allocation.sku
        rate = rate_in_force(sku.pk, account.currency, at)
        return Preview(
            [
                *facts(allocation, account),
                ("Quantity now", units(held, sku)),
                ("Quantity afterwards", units(wanted, sku)),
                ("Rate", rate_words(rate, sku)),
                ("Cost per hour now", cost_per_hour(rate, held)),
                ("Cost per hour afterwards", cost_per_hour(rate, wanted)),
                ("Reason", cleaned["reason"]),
            ]
        )

    def perform(self, cleaned: Cleaned, user: User) -> Done:
        allocation = self._resize(cleaned, person(user), now())
        held = units(quantity_of(allocation), allocation.sku)
        return done(allocation, f"It holds {held} from now on.", quantity=cleaned["quantity"])

    def _resize(self, cleaned: Cleaned, actor: Actor, at: datetime) -> Allocation:
        return allocations.resize(
            self.allocation().pk, quantity=cleaned["quantity"], actor=actor, reason=cleaned["reason"], at=at
        )


class RequestRelease(OfAllocation):
    name = "release"
    path = "<int:pk>/release/"
    title = "Request release"
    button = "Request release"
    explanation = "Asks the platform to take the machine down. It is charged until the platform says it is gone."
    form_class = ReleaseForm

    def preview(self, cleaned: Cleaned) -> Preview:
        at, allocation = now(), self.allocation()
        if allocation.status == AllocationStatus.RELEASING:
            raise WrongStatus("its release is requested already")
        rehearse(lambda: self._request(cleaned, REHEARSAL, at))
        account = payer(allocation)
        return Preview(
            [
                *facts(allocation, account),
                *running_cost(allocation, account, at),
                ("Charged until", "the platform says that the machine is gone"),
                ("Reason", cleaned["reason"]),
            ]
        )

    def perform(self, cleaned: Cleaned, user: User) -> Done:
        return done(self._request(cleaned, person(user), now()), "The platform is asked to take it down.")

    def _request(self, cleaned: Cleaned, actor: Actor, at: datetime) -> Allocation:
        return allocations.request_release(self.allocation().pk, actor=actor, reason=cleaned["reason"], at=at)


class CompleteRelease(OfAllocation):
    name = "complete"
    path = "<int:pk>/complete/"
    title = "Complete release"
    button = "The machine is gone"
    explanation = "Says in the platform's place that the machine is gone. Charging ends at that moment."
    form_class = CompleteForm

    def preview(self, cleaned: Cleaned) -> Preview:
        at, allocation = now(), self.allocation()
        if allocation.status == AllocationStatus.RELEASED:
            raise WrongStatus("the allocation is released")
        rehearse(lambda: self._complete(cleaned, REHEARSAL, at))
        account = payer(allocation)
        return Preview(
            [
                *facts(allocation, account),
                *running_cost(allocation, account, at),
                ("Charged until", show_moment(_gone_at(cleaned, at))),
                ("Billed beyond that", "credited, to the cent"),
                ("Reason", cleaned["reason"]),
            ]
        )

    def perform(self, cleaned: Cleaned, user: User) -> Done:
        allocation = self._complete(cleaned, person(user), now())
        gone = allocation.completed_at
        return done(allocation, "It is released.", completed_at=gone.isoformat() if gone else None)

    def _complete(self, cleaned: Cleaned, actor: Actor, at: datetime) -> Allocation:
        return allocations.complete_release(
            self.allocation().pk, completed_at=_gone_at(cleaned, at), actor=actor, reason=cleaned["reason"], at=at
        )


def _gone_at(cleaned: Cleaned, at: datetime) -> datetime:
    return parse_moment(cleaned["completed_at"], field="completed_at") if cleaned["completed_at"] else at
