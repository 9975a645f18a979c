"""One line of the examination."""

from dataclasses import dataclass
from enum import StrEnum


class Level(StrEnum):
    GOOD = "good"
    WARNING = "warning"
    FAULT = "fault"


MARKS = {Level.GOOD: "✓", Level.WARNING: "!", Level.FAULT: "✗"}


@dataclass(frozen=True)
class Finding:
    """What was looked at, how it stands, and what to do about it (empty where nothing is to be done)."""

    level: Level
    check: str
    what: str
    todo: str = ""

    def line(self) -> str:
        todo = f" → {self.todo}" if self.todo else ""
        return f"{MARKS[self.level]} {self.check:<12} {self.what}{todo}"


def good(check: str, what: str) -> Finding:
    return Finding(Level.GOOD, check, what)


def warning(check: str, what: str, todo: str) -> Finding:
    return Finding(Level.WARNING, check, what, todo)


def fault(check: str, what: str, todo: str) -> Finding:
    return Finding(Level.FAULT, check, what, todo)


def first_line(error: Exception) -> str:
    """The first line of an error's text, or its type where it has none."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
