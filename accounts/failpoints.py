"""Named points where a crash test may kill, stop or fail the process; nothing at all unless armed.

`BILLING_FAILPOINTS="accrual.before_commit=kill@3"` kills at the third passage. Arming needs CRASHLAB=1 as well, and
the boot checks refuse a site on which points are armed without it.
"""

import os
import signal
import time
from collections import Counter

_passages: Counter[str] = Counter()


class FailpointRaised(Exception):
    """Raised by an armed point of kind `raise`."""


def _armed() -> dict[str, str]:
    text = os.environ.get("BILLING_FAILPOINTS", "")
    if not text or os.environ.get("CRASHLAB") != "1":
        return {}
    return dict(part.split("=", 1) for part in text.split(",") if "=" in part)


_POINTS = _armed()


def failpoint(name: str) -> None:
    """Do what is armed for this point: `kill`, `raise`, `sleep:SECONDS`, with `@N` at the Nth passage only."""
    action = _POINTS.get(name)
    if action is None:
        return
    _passages[name] += 1
    action, _, passage = action.partition("@")
    if passage and _passages[name] != int(passage):
        return
    if action == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    elif action == "raise":
        raise FailpointRaised(name)
    elif action.startswith("sleep:"):
        time.sleep(float(action.removeprefix("sleep:")))
