"""Replay a dead letter: put a delivery that was given up back on its way."""

from django import forms
from django.http import Http404
from django.urls import reverse
from django.utils.module_loading import import_string

from accounts import dead_letters
from accounts.admin.act_pages import ActPage, Cleaned, Done, reason_field
from accounts.admin.previews import Preview
from accounts.audit import person
from accounts.clock import now
from accounts.display import NOTHING, show_moment
from accounts.models import OutboxDelivery, User
from accounts.outbox import acts_outside

_AGAIN = "Some may have been reached before it was given up. They are told again, under the same Message-ID."


class ReplayForm(forms.Form):
    reason = reason_field("What you mended. It is kept with the act for the auditors.")


class Replay(ActPage):
    name = "replay"
    path = "<int:pk>/replay/"
    title = "Replay"
    button = "Replay"
    explanation = "Mend what is wrong first. The relay tries it within seconds; it has all its tries again."
    form_class = ReplayForm

    def subject(self) -> str:
        return str(self._delivery().message)

    def preview(self, cleaned: Cleaned) -> Preview:
        delivery = self._delivery()
        dead_letters.check(delivery)
        account = delivery.billing_account
        return Preview(
            [
                ("Delivery", delivery.public_id),
                ("Topic", delivery.message.topic),
                ("Happened", show_moment(delivery.message.occurred_at)),
                ("Billing account", f"{account.name} ({account.public_id})" if account else NOTHING),
                ("Route", delivery.route),
                ("Attempts", delivery.attempts),
                ("Given up", show_moment(delivery.finished_at)),
                ("Error", delivery.last_error or NOTHING),
                ("Reason", cleaned["reason"]),
            ],
            warning=_AGAIN if _acts_outside(delivery.route) else "",
        )

    def perform(self, cleaned: Cleaned, user: User) -> Done:
        delivery = dead_letters.replay(self._delivery().pk, actor=person(user), reason=cleaned["reason"], at=now())
        url = reverse("admin:accounts_outboxdelivery_change", args=[delivery.pk])
        result = {"delivery": delivery.public_id, "state": delivery.state, "topic": delivery.message.topic}
        return Done(url, "It waits for the relay; look at it again in a few seconds.", result=result)

    def _delivery(self) -> OutboxDelivery:
        found = OutboxDelivery.objects.select_related("message", "billing_account").filter(pk=self.kwargs["pk"]).first()
        if found is None:
            raise Http404
        return found


def _acts_outside(route: str) -> bool:
    try:
        return acts_outside(import_string(route))
    except ImportError:
        return False
