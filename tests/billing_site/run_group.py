"""A launcher of two small programs, run by test_site_processes.py.

`lasting` leaves its marks in the folder named first and stays until SIGTERM; the second is any shell command.
"""

import os
import sys

from billing_site.site_processes import SiteProcesses

_LASTING = """
import pathlib, signal, sys, time
folder = pathlib.Path(sys.argv[1])
def stop(*_):
    (folder / "lasting.stopped").touch()
    sys.exit(0)
signal.signal(signal.SIGTERM, stop)
(folder / "lasting.started").touch()
while True:
    print("still here", flush=True)
    time.sleep(0.05)
"""


def main(folder: str, second: str) -> None:
    site = SiteProcesses(dict(os.environ), when_started=lambda: print("announced", flush=True))
    site.add("lasting", [sys.executable, "-c", _LASTING, folder])
    site.add("second", ["/bin/sh", "-c", second])
    site.loop()
    sys.exit(site.returncode)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
