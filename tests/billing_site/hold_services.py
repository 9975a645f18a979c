"""A process that uses a clone's embedded services: prints their URLs, then stays until it is told to stop.

Run by test_local_services.py, so that starts, joins and kills happen to real processes.
"""

import json
import os
import signal
import sys
from pathlib import Path

from billing_site.local_services import LocalServicesFault, provided, stop_signals


def main(clone: Path, system: Path) -> None:
    stop_signals.become_exit()
    with provided(clone, system):
        names = ("DATABASE_URL", "DATABASE_OWNER_URL", "REDIS_URL")
        print(json.dumps({name: os.environ.get(name) for name in names}), flush=True)
        signal.pause()


if __name__ == "__main__":
    try:
        main(Path(sys.argv[1]), Path(sys.argv[2]))
    except LocalServicesFault as fault:
        sys.exit(f"{fault}")
