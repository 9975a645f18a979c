"""As whom the servers run: PostgreSQL refuses to run as root, so root lends them an ordinary account.

No account is ever created: `nobody` serves a new database, its owner an existing one.
"""

import os
import pwd
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import TypedDict

from billing_site.local_services.binaries import Binaries
from billing_site.local_services.fault import LocalServicesFault


class _Identity(TypedDict, total=False):
    user: int
    group: int
    extra_groups: list[int]


# Nothing of ours (secrets, PG* variables) reaches the servers.
_SERVER_ENVIRONMENT = {"PATH": "/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"}
_PROBE = 'test -x "$1" && test -r "$2" && "$3" --version && "$4" --version'


@dataclass(frozen=True)
class Account:
    """The servers' account; `lent` when it is not the caller's own."""

    uid: int
    gid: int
    lent: bool

    def run(self, command: list[str], *, stdin: str = "", log: int = subprocess.PIPE) -> str:
        """Run `command` as this account and return its output; a failure raises with the last lines of it."""
        identity = _Identity(user=self.uid, group=self.gid, extra_groups=[]) if self.lent else _Identity()
        try:
            done = subprocess.run(  # noqa: S603 (our own programs)
                command,
                input=stdin,
                stdout=log,
                stderr=subprocess.STDOUT,
                text=True,
                env=_SERVER_ENVIRONMENT,
                cwd="/",
                umask=0o077,
                start_new_session=True,
                check=False,
                **identity,
            )
        except OSError as error:
            raise LocalServicesFault(f"{command[0]} cannot be run as uid {self.uid}: {error}") from error
        if done.returncode != 0:
            output = (done.stdout or "").strip().splitlines()[-8:]
            raise LocalServicesFault("\n".join([f"{Path(command[0]).name} failed ({done.returncode})", *output]))
        return done.stdout or ""

    def own(self, folder: Path) -> None:
        """Make `folder` if it is absent: this account's, closed to all others."""
        folder.mkdir(mode=0o700, exist_ok=True)
        if self.lent:
            os.chown(folder, self.uid, self.gid, follow_symlinks=False)

    def enters(self, folder: Path) -> bool:
        """Whether a socket directory of this account's can stand in `folder`."""
        if not self.lent:
            return os.access(folder, os.W_OK | os.X_OK)
        try:
            self.run(["/bin/sh", "-c", 'test -x "$1"', "sh", str(folder)])
        except LocalServicesFault:
            return False
        return True

    def reaches(self, folder: Path, binaries: Binaries) -> bool:
        """Whether this account can enter `folder` and run the programs, asked by doing it."""
        programs = [binaries.postgres("initdb"), binaries.redis]
        try:
            self.run(["/bin/sh", "-c", _PROBE, "sh", str(folder), str(binaries.catalog), *programs])
        except LocalServicesFault:
            return False
        return True


def account_for(existing_data: Path) -> Account:
    """The account the servers run as, given where a database of this clone may already be."""
    if os.geteuid() != 0:
        return Account(os.geteuid(), os.getegid(), lent=False)
    if existing_data.exists() and existing_data.stat().st_uid != 0:
        owner = existing_data.stat()
        return Account(owner.st_uid, owner.st_gid, lent=True)
    try:
        nobody = pwd.getpwnam("nobody")
    except KeyError as error:
        raise LocalServicesFault("root needs an account `nobody` to run PostgreSQL as; or set DATABASE_URL") from error
    return Account(nobody.pw_uid, nobody.pw_gid, lent=True)
