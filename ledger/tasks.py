"""Doorbells: each task drains what is due now."""

from celery import shared_task

from accounts import clock
from ledger import accrual, daily_totals, months, verification


@shared_task(name="ledger.accrue")
def accrue() -> int:
    return accrual.drain(clock.now()).windows


@shared_task(name="ledger.fold_daily_totals")
def fold_daily_totals() -> int:
    return daily_totals.fold()


@shared_task(name="ledger.ensure_months")
def ensure_months() -> None:
    months.ensure_months(clock.now())


@shared_task(name="ledger.verify_books_in_full")
def verify_books_in_full() -> int:
    return int(verification.verify(clock.now(), full=True).violation_count)


@shared_task(name="ledger.verify_books")
def verify_books() -> int:
    return int(verification.verify(clock.now()).violation_count)
