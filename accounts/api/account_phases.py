"""Suspend, reactivate and archive a billing account: acts of staff."""

from datetime import datetime
from typing import Any

from accounts import account_phases
from accounts.abilities import WRITE_BILLING
from accounts.account_phases import PhaseChange
from accounts.api.billing_account_bodies import BillingAccountOut
from accounts.api.billing_accounts import account_to_write, as_read
from accounts.api.operations import act
from accounts.api.reasons import WithReason
from accounts.api.resources import Resource
from accounts.models import BillingAccount


class ChangePhase(Resource):
    def _change(self, text: str, wanted: PhaseChange, given: dict[str, Any], at: datetime) -> BillingAccount:
        found = account_to_write(self.caller, text)
        account_phases.change(found.pk, wanted, actor=self.caller.actor, reason=given["reason"], at=at)
        return as_read(found.pk)


class Suspend(ChangePhase):
    @act("Suspend a billing account", needs=WRITE_BILLING, staff="operate", takes=WithReason, answers=BillingAccountOut)
    def post(self, given: dict[str, Any], *, at: datetime, billing_account: str) -> BillingAccount:
        """For staff. Nothing new starts; what runs goes on and is billed."""
        return self._change(billing_account, account_phases.SUSPEND, given, at)


class Reactivate(ChangePhase):
    @act(
        "Reactivate a billing account",
        needs=WRITE_BILLING,
        staff="operate",
        takes=WithReason,
        answers=BillingAccountOut,
    )
    def post(self, given: dict[str, Any], *, at: datetime, billing_account: str) -> BillingAccount:
        """For staff. Whatever else holds it back, such as an empty balance, still does."""
        return self._change(billing_account, account_phases.REACTIVATE, given, at)


class Archive(ChangePhase):
    @act(
        "Archive a billing account for ever",
        needs=WRITE_BILLING,
        staff="operate",
        takes=WithReason,
        answers=BillingAccountOut,
    )
    def post(self, given: dict[str, Any], *, at: datetime, billing_account: str) -> BillingAccount:
        """For staff. Nothing may run, and every balance must be zero."""
        return self._change(billing_account, account_phases.ARCHIVE, given, at)
