"""Try a parked account now instead of at the end of its pause."""

from django import forms
from django.http import Http404
from django.urls import reverse

from accounts.admin.act_pages import ActPage, Cleaned, Done, reason_field
from accounts.admin.previews import Preview, facts_about
from accounts.audit import person
from accounts.clock import now
from accounts.display import show_moment
from accounts.models import User
from ledger import parking
from ledger.models import AccrualSchedule


class RetryForm(forms.Form):
    reason = reason_field("What you mended. It is kept with the act for the auditors.")


class Retry(ActPage):
    name = "retry"
    path = "<int:pk>/retry/"
    title = "Try again now"
    button = "Try again now"
    explanation = "Mend what is wrong first. The next tick, within seconds, bills the account or parks it again."
    form_class = RetryForm

    def subject(self) -> str:
        return self._schedule().billing_account.name

    def preview(self, cleaned: Cleaned) -> Preview:
        schedule = self._schedule()
        if schedule.parked_at is None:
            raise parking.NotParked("the account is not parked")
        return Preview(
            [
                *facts_about(schedule.billing_account),
                ("Parked since", show_moment(schedule.parked_at)),
                ("Error", f"{schedule.park_code}: {schedule.park_reason}"),
                ("Failures", schedule.failures),
                ("Next try without you", show_moment(schedule.retry_at)),
                ("Reason", cleaned["reason"]),
            ]
        )

    def perform(self, cleaned: Cleaned, user: User) -> Done:
        account = self._schedule().billing_account
        schedule = parking.retry(account.pk, actor=person(user), reason=cleaned["reason"], at=now())
        url = reverse("admin:ledger_accrualschedule_change", args=[account.pk])
        retry_at = schedule.retry_at.isoformat() if schedule.retry_at else None
        result = {"account": account.public_id, "failures": schedule.failures, "retry_at": retry_at}
        return Done(url, "The next tick tries it; look at it again in a few seconds.", result=result)

    def _schedule(self) -> AccrualSchedule:
        found = AccrualSchedule.objects.select_related("billing_account").filter(pk=self.kwargs["pk"]).first()
        if found is None:
            raise Http404
        return found
