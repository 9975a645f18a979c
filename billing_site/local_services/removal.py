"""`python -m billing_site.local_services.removal`: this clone's embedded servers and all their data, gone."""

import fcntl
import shutil
import sys
from pathlib import Path

from billing_site.local_services import place, postgres, private_folder, redis, sharing, sockets
from billing_site.local_services.fault import LocalServicesFault


def remove(clone: Path = sharing.CLONE, system: Path = private_folder.SYSTEM) -> None:
    """Stop what a crash left running and delete `.local/` and the private folder; refuse while in use."""
    state = clone / ".local"
    if not state.exists():
        return
    with (state / "start.lock").open("a") as turn, (state / "users.lock").open("a") as users:
        fcntl.flock(turn, fcntl.LOCK_EX)
        try:
            fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise LocalServicesFault("the embedded servers are in use; stop the site first") from error
        here = place.choose(clone, system)
        redis.stop(here)
        postgres.stop(here)
        sockets.remove(here)
        if here.data != state:
            shutil.rmtree(here.data)
        shutil.rmtree(state)


if __name__ == "__main__":
    try:
        remove()
    except LocalServicesFault as fault:
        sys.exit(f"{fault}")
