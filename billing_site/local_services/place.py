"""Where a clone's servers keep their data, which programs they run, and as whom."""

import os
from dataclasses import dataclass
from pathlib import Path

from billing_site.local_services import binaries, private_folder
from billing_site.local_services.binaries import Binaries
from billing_site.local_services.fault import LocalServicesFault
from billing_site.local_services.unprivileged import Account, account_for


@dataclass(frozen=True)
class Place:
    state: Path  # <clone>/.local: locks, the log, the note of the socket directory
    data: Path  # the same, or a private folder of the system's
    binaries: Binaries
    account: Account

    @property
    def postgres_data(self) -> Path:
        return self.data / "postgres"

    @property
    def redis_data(self) -> Path:
        return self.data / "redis"


def choose(clone: Path, system: Path) -> Place:
    state = clone / ".local"
    account = account_for(state / "postgres")
    wheels = binaries.of_wheels()
    if not account.lent:
        _require_own(state / "postgres")
        return Place(state, state, wheels, account)
    private = private_folder.existing(clone, state, system)
    if private is None and account.reaches(state, wheels):
        return Place(state, state, wheels, account)
    if private is None and (state / "postgres").exists():
        raise LocalServicesFault(
            f"uid {account.uid}, who owns {state / 'postgres'}, can no longer reach it or the programs: "
            "open the way again, or remove .local to start with an empty database"
        )
    private = private or private_folder.make(clone, state, system)
    private_folder.require_root_controlled(private)
    return Place(state, private, binaries.copied_into(private), account)


def _require_own(data: Path) -> None:
    if data.exists() and data.stat().st_uid != os.geteuid():
        raise LocalServicesFault(
            f"{data} belongs to uid {data.stat().st_uid}: run as that user, or set DATABASE_URL and REDIS_URL"
        )
