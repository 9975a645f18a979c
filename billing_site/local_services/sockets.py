"""The directory of the unix sockets: private, short, and noted in `.local/` for the next process to find."""

import errno
import os
import shutil
import socket
import stat
import tempfile
from pathlib import Path

from billing_site.local_services.fault import LocalServicesFault
from billing_site.local_services.place import Place

# A unix socket path holds 107 bytes; the longest name in the directory is `/.s.PGSQL.5432.lock`.
_LONGEST = 107 - len("/.s.PGSQL.5432.lock")


def directory(place: Place) -> Path:
    """The noted directory if it is still ours alone, else a new one."""
    noted = _noted(place)
    if noted is not None:
        return noted
    made = Path(tempfile.mkdtemp(prefix="countinghouse-", dir=_parent(place)))
    if place.account.lent:
        os.chown(made, place.account.uid, place.account.gid)
    _note(place).write_text(f"{made}\n{place.data}\n")
    return made


def remove(place: Place) -> None:
    noted = _noted(place)
    if noted is not None:
        shutil.rmtree(noted, ignore_errors=True)
    _note(place).unlink(missing_ok=True)


def listens(path: Path) -> bool:
    """Whether a server listens on this unix socket, however busy it is."""
    with socket.socket(socket.AF_UNIX) as probe:
        probe.setblocking(False)
        return probe.connect_ex(str(path)) in (0, errno.EAGAIN)


def _note(place: Place) -> Path:
    return place.state / "sockets"


def _noted(place: Place) -> Path | None:
    """The noted directory, unless the note was copied from another clone or someone else took the path."""
    try:
        path, data = _note(place).read_text().splitlines()
        facts = Path(path).lstat()
    except (OSError, ValueError):
        return None
    private = stat.S_ISDIR(facts.st_mode) and stat.S_IMODE(facts.st_mode) == 0o700
    return Path(path) if private and facts.st_uid == place.account.uid and data == str(place.data) else None


def _parent(place: Place) -> str:
    for parent in (tempfile.gettempdir(), "/tmp", "/var/tmp"):  # noqa: S108 (mkdtemp inside)
        short = len(os.fsencode(parent)) + len("/countinghouse-12345678") <= _LONGEST
        if short and place.account.enters(Path(parent)):
            return parent
    raise LocalServicesFault("no temporary folder is short and open enough for unix sockets; set TMPDIR to one")
