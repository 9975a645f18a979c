"""Worker processes for crash tests: a parent that has loaded the site and forks one for each order.

Orders come as JSON lines, each a list of workers let go together; answers leave as JSON lines. A worker has its own
connection and its own armed failpoints, and dies of SIGKILL like any process; forking spares it the imports.
"""

import importlib
import json
import os
import signal
import sys
import time
import traceback
from dataclasses import asdict
from datetime import datetime
from typing import Any

import django

Order = dict[str, Any]


def work(order: Order) -> dict[str, Any]:
    from accounts import outbox_relay
    from ledger import accrual

    at = datetime.fromisoformat(order["at"])
    if order["act"] == "relay":
        return {"handled": outbox_relay.drain(at)}
    return asdict(accrual.drain(at, **order.get("options", {})))


def _fork(order: Order) -> tuple[int, int]:
    """The pid of a new worker and the pipe it answers through."""
    answers, answer = os.pipe()
    pid = os.fork()
    if pid:
        os.close(answer)
        return pid, answers
    try:
        os.environ.update(BILLING_FAILPOINTS=order.get("failpoints", ""), CRASHLAB="1")
        importlib.reload(sys.modules["accounts.failpoints"])
        os.write(answer, json.dumps(work(order)).encode())
        os._exit(0)
    except BaseException:  # noqa: BLE001 a worker that fails says why and is never a second parent
        traceback.print_exc()
        os._exit(1)


def _finish(order: Order, pid: int, answers: int) -> dict[str, Any]:
    if "kill_after_seconds" in order:
        time.sleep(order["kill_after_seconds"])
        os.kill(pid, signal.SIGKILL)
    _, status = os.waitpid(pid, 0)
    with os.fdopen(answers) as pipe:
        answer = pipe.read()
    code = os.waitstatus_to_exitcode(status)
    return {"killed": code == -signal.SIGKILL, "code": code, "tally": json.loads(answer) if code == 0 else None}


def main() -> None:
    django.setup()
    importlib.import_module("ledger.accrual")
    for line in sys.stdin:
        orders = json.loads(line)
        started = [(order, *_fork(order)) for order in orders]
        print(json.dumps([_finish(*one) for one in started]), flush=True)


if __name__ == "__main__":
    main()
