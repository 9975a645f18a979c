"""One line of JSON per event on standard error, or readable lines on a developer's terminal.

Standard output belongs to the commands, whose last line may be read by a program.
"""

import logging
from collections.abc import Mapping, MutableMapping
from contextlib import ExitStack
from typing import Any

import structlog
from celery import signals

from accounts import correlation
from billing_site.scrubbing import scrub

# Libraries whose DEBUG lines carry bodies, templates or SQL parameters.
_TALKATIVE = (
    "django.db.backends",
    "django.template",
    "django.utils.autoreload",
    "stripe",
    "urllib3",
    "kubernetes",
    "amqp",
)
# What Django calls errors of ours: anybody can send a wrong host or too much, and is refused with 400.
_REFUSALS = tuple(
    f"django.security.{name}"
    for name in (
        "DisallowedHost",
        "RequestDataTooBig",
        "TooManyFieldsSent",
        "TooManyFilesSent",
        "SuspiciousMultipartForm",
    )
)
# Their INFO lines come with every ring of the bell, every two seconds.
_REPETITIVE = ("celery.beat", "celery.worker.strategy", "celery.app.trace")


def _add_correlation_id(_logger: object, _method: str, event: MutableMapping[str, Any]) -> Mapping[str, Any]:
    bound = correlation.bound_correlation_id()
    if bound is not None:
        event.setdefault("correlation_id", bound)
    return event


def _indent_traceback(_logger: object, _method: str, event: MutableMapping[str, Any]) -> Mapping[str, Any]:
    """On a terminal a traceback keeps its lines, each marked, so that none can pass for a line of the log."""
    if "exception" in event:
        event["exception"] = "\n".join(f"  | {line}" for line in str(event["exception"]).splitlines())
    return event


_SHARED: tuple[structlog.typing.Processor, ...] = (
    structlog.contextvars.merge_contextvars,
    _add_correlation_id,
    structlog.stdlib.add_logger_name,
    structlog.stdlib.add_log_level,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
    structlog.processors.StackInfoRenderer(),
)


def formatter(*, readable: bool) -> structlog.stdlib.ProcessorFormatter:
    """The one formatter of the site, for our events and for those of libraries alike."""
    ending: tuple[structlog.typing.Processor, ...] = (
        (_indent_traceback, structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback))
        if readable
        else (structlog.processors.JSONRenderer(ensure_ascii=False),)
    )
    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=_SHARED,
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            structlog.processors.format_exc_info,
            scrub,
            *ending,
        ],
    )


class OnlyTracebacks(logging.Filter):
    """Django says each failure twice; with a traceback it says more than our own line."""

    def filter(self, record: logging.LogRecord) -> bool:
        return record.exc_info is not None


class AsRefusal(logging.Filter):
    """At WARNING and without a traceback: nothing of ours failed."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.levelno, record.levelname, record.exc_info = logging.WARNING, "WARNING", None
        return True


def dict_config(level: str, *, readable: bool) -> dict[str, Any]:
    """Django's LOGGING. Refusals and failures of requests are ours to log (RequestContextMiddleware)."""
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"site": {"()": "billing_site.logging.formatter", "readable": readable}},
        "filters": {
            "tracebacks": {"()": "billing_site.logging.OnlyTracebacks"},
            "refusal": {"()": "billing_site.logging.AsRefusal"},
        },
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "site"}},
        "root": {"handlers": ["stderr"], "level": level},
        "loggers": {
            "django": {"handlers": [], "level": "NOTSET", "propagate": True},
            "django.server": {"handlers": [], "level": "NOTSET", "propagate": True},
            "django.request": {"level": "ERROR", "filters": ["tracebacks"]},
            **{name: {"filters": ["refusal"]} for name in _REFUSALS},
            # It warns of each answer to HEAD, whose body Django leaves to the server to drop.
            "gunicorn.http.wsgi": {"level": "ERROR"},
            **({name: {"level": "INFO"} for name in _TALKATIVE} if level == "DEBUG" else {}),
            **({name: {"level": "WARNING"} for name in _REPETITIVE} if level == "INFO" else {}),
        },
    }


def configure_structlog() -> None:
    """Send structlog's events through the standard library, where the level and the handler are set."""
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *_SHARED,
            structlog.stdlib.PositionalArgumentsFormatter(),
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )


_tasks: dict[str, ExitStack] = {}


def _bind_task(task_id: str = "", task: Any = None, **_: object) -> None:
    stack = ExitStack()
    stack.enter_context(correlation.bind(task_id if correlation.is_safe(task_id) else None))
    stack.enter_context(structlog.contextvars.bound_contextvars(task=getattr(task, "name", "")))
    _tasks[task_id] = stack


def _release_task(task_id: str = "", **_: object) -> None:
    stack = _tasks.pop(task_id, None)
    if stack is not None:
        stack.close()


def _keep_our_logging(**_: object) -> None:
    """A receiver of `setup_logging` is how Celery is told to leave the root logger alone."""


def connect_celery() -> None:
    """Every task runs under its id as correlation id, and a worker logs as the site does."""
    signals.setup_logging.connect(_keep_our_logging, dispatch_uid="billing_site.logging")
    signals.task_prerun.connect(_bind_task, dispatch_uid="billing_site.logging")
    signals.task_postrun.connect(_release_task, dispatch_uid="billing_site.logging")
