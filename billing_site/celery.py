"""Celery is a doorbell: every task drains what the database says is due, so a lost or doubled message is harmless."""

import os

from celery import Celery
from celery.schedules import schedule

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "billing_site.settings")

app = Celery("countinghouse")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.conf.update(
    accept_content=["json"],
    task_serializer="json",
    task_ignore_result=True,
    task_acks_late=True,
    task_reject_on_worker_lost=True,
    worker_prefetch_multiplier=1,
    broker_connection_retry_on_startup=True,
    broker_connection_max_retries=None,  # a worker waits for Redis for as long as it is away
    broker_transport_options={"socket_timeout": 2, "socket_connect_timeout": 2},
    timezone="UTC",
    beat_schedule={
        "accrue": {"task": "ledger.accrue", "schedule": schedule(5), "options": {"expires": 5}},
        "relay_outbox": {"task": "accounts.relay_outbox", "schedule": schedule(2), "options": {"expires": 2}},
        "number_events": {"task": "accounts.number_events", "schedule": schedule(2), "options": {"expires": 2}},
        "compute_limits": {"task": "quotas.compute_limits", "schedule": schedule(5), "options": {"expires": 5}},
        "move_subscriptions": {"task": "quotas.move_subscriptions", "schedule": schedule(60)},
        "fold_daily_totals": {"task": "ledger.fold_daily_totals", "schedule": schedule(30)},
        "ensure_months": {"task": "ledger.ensure_months", "schedule": schedule(3600)},
        "verify_books": {"task": "ledger.verify_books", "schedule": schedule(900)},
        "verify_books_in_full": {"task": "ledger.verify_books_in_full", "schedule": schedule(86400)},
        "apply_to_cluster": {"task": "quotas.apply_to_cluster", "schedule": schedule(5), "options": {"expires": 5}},
        "read_cluster": {"task": "quotas.read_cluster", "schedule": schedule(10), "options": {"expires": 10}},
        "forget_idempotency_records": {"task": "accounts.forget_idempotency_records", "schedule": schedule(3600)},
        "expire_approvals": {"task": "accounts.expire_approvals", "schedule": schedule(300)},
    },
)
app.autodiscover_tasks()
