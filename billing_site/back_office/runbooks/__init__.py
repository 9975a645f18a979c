"""Runbooks as pages: what is seen now, the probable cause, and the act that helps. One more is one more in RUNBOOKS."""

from billing_site.back_office.runbooks.accrual_wedged import ACCRUAL_WEDGED
from billing_site.back_office.runbooks.reading import Runbook

RUNBOOKS: tuple[Runbook, ...] = (ACCRUAL_WEDGED,)
