"""Guards: how a left room's rule asks about facts that only a right room knows.

A right room registers in its AppConfig.ready(); each guard returns the codes that block the act, none to let it pass.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable
from typing import Any

from accounts.errors import Guarded

Guard = Callable[..., Iterable[str]]

_guards: defaultdict[str, list[Guard]] = defaultdict(list)

MESSAGES: dict[str, str] = {
    "has_running_allocations": "allocations are still running",
    "has_balance": "the balance is not zero",
    "has_unsettled_usage": "usage is not settled to its end; the next tick does that",
    "account_halted": "the account is halted",
    "no_rate": "a running allocation has no rate in the account's currency",
}


def register(act: str, guard: Guard) -> None:
    """Ask `guard(**facts)` before `act`; registering the same guard twice has no effect."""
    if guard not in _guards[act]:
        _guards[act].append(guard)


def check(act: str, **facts: Any) -> None:
    """Raise Guarded with the first blocking code, naming all of them."""
    codes = [code for guard in _guards[act] for code in guard(**facts)]
    if codes:
        raise Guarded("; ".join(MESSAGES.get(code, code) for code in codes), code=codes[0])
