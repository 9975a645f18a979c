"""The acts that move a subscription from state to state. A preview does the act and undoes it."""

from datetime import datetime
from typing import ClassVar

from django import forms
from django.http import Http404
from django.urls import reverse

from accounts.admin.act_pages import ActPage, Cleaned, Done, reason_field
from accounts.admin.previews import Preview
from accounts.admin.within import REHEARSAL
from accounts.audit import Actor, person
from accounts.clock import now
from accounts.models import User
from quotas.admin.subscription_changes import changes
from quotas.models import Subscription
from quotas.staff_moves import move_by_staff


class ReasonForm(forms.Form):
    reason = reason_field()


class MoveSubscription(ActPage):
    """The move of STAFF_MOVES that the page is called by, of the subscription that the address names."""

    form_class = ReasonForm
    done: ClassVar[str]

    def subject(self) -> str:
        subscription = self.subscription()
        return f"{subscription.plan or 'no plan'} of {subscription.organization.name}, {subscription.public_id}"

    def subscription(self) -> Subscription:
        rows = Subscription.objects.select_related("organization", "plan")
        found = rows.filter(pk=self.kwargs["pk"]).first()
        if found is None:
            raise Http404
        return found

    def preview(self, cleaned: Cleaned) -> Preview:
        at, subscription = now(), self.subscription()
        told = changes(subscription.organization, lambda: self._move(cleaned, REHEARSAL, at))
        names = ("Subscription", f"{subscription.public_id} of {subscription.organization.name}")
        return Preview([names, *told, ("Reason", cleaned["reason"])])

    def perform(self, cleaned: Cleaned, user: User) -> Done:
        return moved(self._move(cleaned, person(user), now()), self.done)

    def _move(self, cleaned: Cleaned, actor: Actor, at: datetime) -> Subscription:
        return move_by_staff(self.subscription().pk, self.name, actor=actor, reason=cleaned["reason"], at=at)


class Cancel(MoveSubscription):
    name = "cancel"
    path = "<int:pk>/cancel/"
    title = "Cancel at the period's end"
    button = "Cancel it"
    explanation = "Everything stays as it is until the paid period ends; then the subscription is suspended."
    done = "It ends with its period."


class Keep(MoveSubscription):
    name = "keep"
    path = "<int:pk>/keep/"
    title = "Take the cancellation back"
    button = "Keep it"
    explanation = "The subscription goes on: at the period's end the next one begins."
    done = "It goes on."


class Suspend(MoveSubscription):
    name = "suspend"
    path = "<int:pk>/suspend/"
    title = "Suspend"
    button = "Suspend it"
    explanation = (
        "The limits fall to those of the suspended plan at once; what runs keeps running until the grace ends."
    )
    done = "It is suspended."


class MarkPastDue(MoveSubscription):
    name = "overdue"
    path = "<int:pk>/overdue/"
    title = "Mark past due"
    button = "Mark past due"
    explanation = "A payment is missing. Nothing is taken away yet."
    done = "It is past due."


class MarkPaid(MoveSubscription):
    name = "paid"
    path = "<int:pk>/paid/"
    title = "Mark paid"
    button = "Mark paid"
    explanation = "The missing payment arrived. One that had not begun begins now."
    done = "It is active."


class Resubscribe(MoveSubscription):
    name = "resubscribe"
    path = "<int:pk>/resubscribe/"
    title = "Subscribe again"
    button = "Subscribe again"
    explanation = "Plan and add-ons as they were, at the price they had. A period begins now."
    done = "It is active again."


MOVE_PAGES: tuple[type[MoveSubscription], ...] = (Cancel, Keep, MarkPastDue, MarkPaid, Suspend, Resubscribe)


def moved(subscription: Subscription, message: str) -> Done:
    url = reverse("admin:quotas_subscription_change", args=[subscription.pk])
    told = {"subscription": subscription.public_id, "status": str(subscription.status)}
    due = {"due_at": subscription.due_at.isoformat() if subscription.due_at else None}
    return Done(url, message, result={**told, **due})
