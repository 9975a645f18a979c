"""Embedded PostgreSQL and Redis, started, shared, killed and cleaned up by real processes."""

import os
import shutil
import signal
import stat
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from billing_site.local_services import LocalServicesFault, private_folder, provided
from billing_site.local_services.removal import remove
from tests.billing_site.service_users import Clone

IS_ROOT = os.geteuid() == 0
NOBODY = 65534
as_root = pytest.mark.skipif(not IS_ROOT, reason="only root lends the servers an account")

NewClone = Callable[..., Clone]


@pytest.fixture(scope="module")
def shared_clone() -> Iterator[Clone]:
    with _clones() as make:
        yield make()


@pytest.fixture
def clone(shared_clone: Clone) -> Iterator[Clone]:
    """One clone for all tests that need no fresh one: only its first start makes a database."""
    yield shared_clone
    shared_clone.kill_everything()


@pytest.fixture
def new_clone() -> Iterator[NewClone]:
    """Makes clones; `mode` is that of the folder around them (0o700: closed to the servers' account)."""
    with _clones() as make:
        yield make


@contextmanager
def _clones() -> Iterator[NewClone]:
    with ExitStack() as made:

        def make(mode: int = 0o755) -> Clone:
            base = Path(tempfile.mkdtemp(prefix="clones-"))
            made.callback(shutil.rmtree, base, ignore_errors=True)
            for folder in (
                base,
                base / "parent",
                base / "system",
                base / "sockets",
                base / "parent/checkout",
            ):
                folder.mkdir(exist_ok=True)
                folder.chmod(0o755)
            (base / "sockets").chmod(0o1777)
            (base / "parent").chmod(mode)
            clone = Clone(base / "parent/checkout", base / "system", base / "sockets")
            made.callback(clone.kill_everything)
            return clone

        yield make


@pytest.fixture
def fresh_clone(new_clone: NewClone) -> Clone:
    return new_clone()


def sockets_of(clone: Clone) -> Path:
    return Path((clone.state / "sockets").read_text().splitlines()[0])


def test_the_only_user_starts_them_and_stops_them(fresh_clone: Clone) -> None:
    user = fresh_clone.user()
    assert user.ask("SELECT current_user") == "countinghouse_app"
    assert user.ask("SELECT current_user", "DATABASE_OWNER_URL") == "countinghouse_owner"
    assert user.redis().ping() is True
    sockets = sockets_of(fresh_clone)
    assert user.end() == 143
    assert fresh_clone.server_pids() == set()
    assert not sockets.exists()


def test_they_are_durable_and_closed_to_the_network_and_to_others(clone: Clone) -> None:
    user = clone.user()
    shown = {name: user.ask(f"SHOW {name}") for name in ("fsync", "synchronous_commit", "listen_addresses")}
    assert shown == {"fsync": "on", "synchronous_commit": "on", "listen_addresses": ""}
    assert user.redis().config_get("port") == {"port": "0"}
    assert stat.S_IMODE(sockets_of(clone).stat().st_mode) == 0o700
    assert len(os.fsencode(sockets_of(clone) / ".s.PGSQL.5432.lock")) <= 107
    assert str(user.ask("SHOW server_version")).startswith("18")
    assert user.ask("SHOW server_encoding") == "UTF8"


def test_the_owner_may_make_databases_and_the_application_may_not_make_tables(clone: Clone) -> None:
    user = clone.user()
    rights = "SELECT array[rolcreatedb, rolsuper, rolcreaterole] FROM pg_roles WHERE rolname = current_user"
    assert user.ask(rights, "DATABASE_OWNER_URL") == [True, False, False]
    assert user.ask(rights) == [False, False, False]
    assert user.ask("SELECT has_schema_privilege('public', 'CREATE')") is False
    owner = "SELECT pg_get_userbyid(datdba) FROM pg_database WHERE datname = current_database()"
    assert user.ask(owner) == "countinghouse_owner"


def test_a_second_user_joins_and_the_first_one_leaving_does_not_take_its_database(clone: Clone) -> None:
    first = clone.user()
    first.do("CREATE TABLE seen_by_both (n int)")
    second = clone.user()
    assert second.urls() == first.urls()
    servers = clone.server_pids()
    first.end()
    assert clone.postmaster() in servers
    assert second.ask("SELECT count(*) FROM seen_by_both", "DATABASE_OWNER_URL") == 0
    assert second.redis().ping() is True
    second.end()
    assert clone.server_pids() == set()


def test_users_that_start_at_once_share_one_server(fresh_clone: Clone) -> None:
    users = [fresh_clone.user() for _ in range(4)]
    assert len({user.urls()["DATABASE_URL"] for user in users}) == 1
    assert len({user.ask("SELECT pg_postmaster_start_time()") for user in users}) == 1
    for user in users:
        user.end()
    assert fresh_clone.server_pids() == set()


@pytest.mark.parametrize(
    ("number", "code"),
    [(signal.SIGTERM, 143), (signal.SIGHUP, 129), (signal.SIGINT, -signal.SIGINT)],  # -2: Python's own way
)
def test_a_stop_signal_leaves_nothing_behind(clone: Clone, number: signal.Signals, code: int) -> None:
    user = clone.user()
    user.urls()
    assert user.end(number) == code
    assert clone.server_pids() == set()


def test_a_stop_signal_while_they_start_leaves_nothing_behind(fresh_clone: Clone) -> None:
    user = fresh_clone.user()
    while not (fresh_clone.state / "start.lock").exists():
        time.sleep(0.01)
    time.sleep(0.2)
    user.end(signal.SIGTERM)
    assert fresh_clone.server_pids() == set()
    assert not (fresh_clone.state / "sockets").exists()


def test_after_a_kill_the_next_start_takes_over_what_was_left_running(clone: Clone) -> None:
    killed = clone.user()
    killed.do("CREATE TABLE left_running (n int)")
    killed.end(signal.SIGKILL)
    left = clone.postmaster()
    assert left in clone.server_pids()
    user = clone.user()
    assert user.ask("SELECT count(*) FROM left_running", "DATABASE_OWNER_URL") == 0
    assert clone.postmaster() == left
    user.end()
    assert clone.server_pids() == set()


def test_after_everything_was_killed_the_next_start_recovers(clone: Clone) -> None:
    killed = clone.user()
    killed.do("CREATE TABLE survived (n int)")
    stale = sockets_of(clone)
    clone.kill_everything()
    user = clone.user()
    assert user.ask("SELECT count(*) FROM survived", "DATABASE_OWNER_URL") == 0
    user.end()
    assert clone.server_pids() == set()
    assert not stale.exists()


def test_a_postmaster_pid_that_now_belongs_to_another_program_is_not_believed(clone: Clone) -> None:
    clone.user().do("SELECT 1")
    pid_file = next(data / "postgres/postmaster.pid" for data in clone.data_folders())
    pid_lines = pid_file.read_text().splitlines()
    clone.kill_everything()
    pid_file.write_text("\n".join([str(os.getpid()), *pid_lines[1:]]) + "\n")
    assert clone.user().ask("SELECT 1") == 1


def test_a_redis_that_died_is_started_again_under_the_same_url_beside_the_living_database(
    clone: Clone,
) -> None:
    first = clone.user()
    started = first.ask("SELECT pg_postmaster_start_time()")
    first.redis().shutdown(nosave=True)
    second = clone.user()
    assert second.urls() == first.urls()
    assert first.redis().ping() is True
    assert second.ask("SELECT pg_postmaster_start_time()") == started


def test_two_clones_run_side_by_side(new_clone: NewClone) -> None:
    one, other = new_clone(), new_clone()
    with one.user() as user, other.user() as stranger:
        user.do("CREATE TABLE mine (n int)")
        assert stranger.ask("SELECT to_regclass('mine')") is None
        user.end()
        assert one.server_pids() == set()
        assert stranger.redis().ping() is True


def test_a_copy_of_a_clone_with_its_state_leaves_the_original_alone(new_clone: NewClone) -> None:
    original, copy = new_clone(), new_clone()
    user = original.user()
    user.do("CREATE TABLE kept (n int)")
    subprocess.run(["cp", "-a", str(original.state), str(copy.folder)], check=True)
    stranger = copy.user()
    assert stranger.urls() != user.urls()
    assert stranger.ask("SELECT 1") == 1
    stranger.end()
    assert user.ask("SELECT count(*) FROM kept", "DATABASE_OWNER_URL") == 0


def test_given_urls_start_nothing(fresh_clone: Clone, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://a@db/b")
    monkeypatch.setenv("REDIS_URL", "redis://cache/0")
    with provided(fresh_clone.folder, fresh_clone.system):
        assert os.environ["DATABASE_URL"] == "postgresql://a@db/b"
    assert not fresh_clone.state.exists()


def test_a_given_database_leaves_only_redis_to_start(fresh_clone: Clone) -> None:
    user = fresh_clone.user(DATABASE_URL="postgresql://a@db/b")
    assert user.urls()["DATABASE_URL"] == "postgresql://a@db/b"
    assert user.urls()["DATABASE_OWNER_URL"] is None
    assert user.redis().ping() is True
    assert not any((data / "postgres").exists() for data in fresh_clone.data_folders())


def test_outside_the_embedded_environment_nothing_is_started(fresh_clone: Clone) -> None:
    assert fresh_clone.user(ENVIRONMENT="live").urls()["DATABASE_URL"] is None
    assert not fresh_clone.state.exists()


def test_an_owner_url_alone_is_refused(clone: Clone) -> None:
    assert "DATABASE_OWNER_URL is set but DATABASE_URL is not" in (
        clone.user(DATABASE_OWNER_URL="postgresql://a@db/b").complaint()
    )


def test_the_databases_settings_of_the_shell_do_not_lead_astray(clone: Clone) -> None:
    assert clone.user(PGPORT="6543", PGDATA="/nowhere", PGHOST="elsewhere").urls()["DATABASE_URL"]


def test_removal_is_refused_while_in_use_and_complete_afterwards(fresh_clone: Clone) -> None:
    with fresh_clone.user(), pytest.raises(LocalServicesFault, match="in use"):
        remove(fresh_clone.folder, fresh_clone.system)
    remove(fresh_clone.folder, fresh_clone.system)
    assert not fresh_clone.state.exists()
    assert fresh_clone.data_folders() == [fresh_clone.state]


def test_removal_stops_what_a_crash_left_running(fresh_clone: Clone) -> None:
    user = fresh_clone.user()
    user.urls()
    user.end(signal.SIGKILL)
    remove(fresh_clone.folder, fresh_clone.system)
    assert fresh_clone.server_pids() == set()


@as_root
def test_root_lends_the_servers_an_ordinary_account(clone: Clone) -> None:
    with clone.user():
        assert {Path(f"/proc/{pid}").stat().st_uid for pid in clone.server_pids()} == {NOBODY}
        facts = Path(f"/proc/{clone.postmaster()}/status").read_text().splitlines()
        assert next(line for line in facts if line.startswith("Groups:")).split() == ["Groups:"]


@as_root
def test_under_a_closed_parent_the_state_goes_to_a_folder_of_the_systems(new_clone: NewClone) -> None:
    clone = new_clone(mode=0o700)
    with clone.user() as user:
        (private,) = clone.system.iterdir()
        assert (private / "postgres/PG_VERSION").exists()
        assert not (clone.state / "postgres").exists()
        assert Path(os.readlink(f"/proc/{clone.postmaster()}/exe")).is_relative_to(private)
        assert stat.S_IMODE(clone.folder.parent.stat().st_mode) == 0o700
        user.do("CREATE TABLE kept (n int)")
    with clone.user() as again:
        assert again.ask("SELECT count(*) FROM kept", "DATABASE_OWNER_URL") == 0
        assert list(clone.system.iterdir()) == [private]


@as_root
def test_a_new_checkout_at_an_old_path_does_not_find_the_old_database(new_clone: NewClone) -> None:
    clone = new_clone(mode=0o700)
    with clone.user() as user:
        user.do("CREATE TABLE old (n int)")
    shutil.rmtree(clone.state)
    with clone.user() as user:
        assert user.ask("SELECT to_regclass('old')") is None
        assert len(list(clone.system.iterdir())) == 1


@as_root
@pytest.mark.parametrize("planted", ["owned by another", "writable by others", "a link"])
def test_a_planted_system_folder_is_refused(new_clone: NewClone, planted: str) -> None:
    clone = new_clone(mode=0o700)
    if planted == "owned by another":
        os.chown(clone.system, NOBODY, NOBODY)
    elif planted == "writable by others":
        clone.system.chmod(0o777)
    else:
        target = clone.system.rename(clone.system.with_name(f"{clone.system.name}-target"))
        clone.system.symlink_to(target)
    assert "not a folder that only root can change" in clone.user().complaint()
    assert clone.server_pids() == set()


def test_the_systems_own_folder_is_one_that_only_root_can_write_to() -> None:
    assert private_folder.SYSTEM.parent == Path("/var/lib")


@as_root
def test_an_ordinary_user_runs_the_servers_as_itself(fresh_clone: Clone) -> None:
    os.chown(fresh_clone.folder, NOBODY, NOBODY)
    with fresh_clone.user(uid=NOBODY) as user:
        assert user.redis().ping() is True
        assert (fresh_clone.state / "postgres").stat().st_uid == NOBODY
    # Root afterwards serves that database as its owner.
    with fresh_clone.user() as root:
        assert root.ask("SELECT 1") == 1
    assert fresh_clone.server_pids() == set()
