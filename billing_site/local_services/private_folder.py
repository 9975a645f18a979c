"""A folder of the system's own, for root whose checkout lies under a closed parent.

The servers run as an ordinary account that cannot pass such a parent, and no parent is opened for it. Their
data and a copy of their programs live here instead: below a path that only root can write to.
"""

import hashlib
import secrets
import shutil
import signal
import stat
from pathlib import Path

from billing_site.local_services import processes
from billing_site.local_services.fault import LocalServicesFault

SYSTEM = Path("/var/lib/countinghouse-embedded")
_KILL = ((signal.SIGKILL, 5.0),)


def existing(clone: Path, state: Path, system: Path) -> Path | None:
    """This clone's folder, if it has one. A copied `.local/` names the original's, which is not ours."""
    note = state / "private_folder"
    if not note.exists():
        return None
    folder = system / note.read_text().strip()
    return folder if folder.name.startswith(_prefix(clone)) and folder.is_dir() else None


def make(clone: Path, state: Path, system: Path) -> Path:
    """A new folder for this clone; what an earlier checkout at the same path left behind is removed."""
    if not system.exists():
        system.mkdir(mode=0o755)
        system.chmod(0o755)
    require_root_controlled(system)
    for leftover in system.glob(f"{_prefix(clone)}*"):
        processes.stop(leftover / "postgres", "postgres", _KILL)
        processes.stop(leftover / "redis", "redis-server", _KILL)
        shutil.rmtree(leftover)
    folder = system / f"{_prefix(clone)}{secrets.token_hex(6)}"
    folder.mkdir(mode=0o711)
    folder.chmod(0o711)
    (state / "private_folder").write_text(f"{folder.name}\n")
    return folder


def require_root_controlled(path: Path) -> None:
    """Refuse a path of which any part could have been planted or replaced by another user."""
    for part in (path, *path.parents):
        facts = part.lstat()
        replaceable = facts.st_mode & 0o022 and not facts.st_mode & stat.S_ISVTX
        if not stat.S_ISDIR(facts.st_mode) or facts.st_uid != 0 or replaceable:
            raise LocalServicesFault(
                f"{part} is not a folder that only root can change; set DATABASE_URL and REDIS_URL"
            )


def _prefix(clone: Path) -> str:
    return f"{hashlib.sha256(str(clone).encode()).hexdigest()[:16]}-"
