"""A wrong value names its variable and stops the start."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from billing_site import environment
from billing_site.environment import EnvironmentFault
from tests.billing_site.command_line import manage

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("word", ["1", "true", "YES", " on "])
def test_a_flag_can_be_said_in_many_words(monkeypatch: pytest.MonkeyPatch, word: str) -> None:
    monkeypatch.setenv("X_FLAG", word)
    assert environment.flag("X_FLAG") is True


@pytest.mark.parametrize("word", ["0", "False", "no", "off", ""])
def test_a_flag_can_be_denied_in_many_words(monkeypatch: pytest.MonkeyPatch, word: str) -> None:
    monkeypatch.setenv("X_FLAG", word)
    assert environment.flag("X_FLAG", default=True) is False


def test_a_flag_that_is_neither_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("X_FLAG", "maybe")
    with pytest.raises(EnvironmentFault, match="X_FLAG"):
        environment.flag("X_FLAG")


@pytest.mark.parametrize("value", ["ten", "1.5", "-1", "0x10", "١٢", "70000", "0"])
def test_a_number_must_be_whole_and_in_range(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("X_PORT", value)
    with pytest.raises(EnvironmentFault, match="X_PORT"):
        environment.integer("X_PORT", 80, minimum=1, maximum=65535)


def test_an_empty_number_is_the_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("X_PORT", " ")
    assert environment.integer("X_PORT", 80) == 80


def test_a_missing_text_is_refused_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("X_TEXT", raising=False)
    with pytest.raises(EnvironmentFault, match="X_TEXT is not set"):
        environment.text("X_TEXT")


def test_a_choice_lists_what_is_allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("X_MODE", "loud")
    with pytest.raises(EnvironmentFault, match=r"X_MODE is 'loud'; choose one of quiet, calm"):
        environment.choice("X_MODE", "quiet", ("quiet", "calm"))


def test_words_are_split_and_trimmed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("X_WORDS", " a, b ,,c ")
    assert environment.words("X_WORDS") == ["a", "b", "c"]


def test_a_database_url_may_name_a_socket_directory_and_escape_its_password(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("X_URL", "postgresql://app:p%40ss@/books?host=/run/pg%20socket&port=5433")
    assert environment.database("X_URL") == {
        "NAME": "books",
        "USER": "app",
        "PASSWORD": "p@ss",
        "HOST": "/run/pg socket",
        "PORT": "5433",
        "OPTIONS": {},
    }


def test_what_a_database_url_asks_of_the_connection_is_not_dropped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("X_URL", "postgresql://app@one:1,two:2/books?sslmode=verify-full&sslrootcert=/etc/ca.pem")
    fields = environment.database("X_URL")
    assert (fields["HOST"], fields["PORT"]) == ("one,two", "1,2")
    assert fields["OPTIONS"] == {"sslmode": "verify-full", "sslrootcert": "/etc/ca.pem"}


@pytest.mark.parametrize(
    "url",
    [
        "mysql://app@host/books",
        "postgresql://host/books",
        "postgresql://app@host",
        "postgresql://app:s3cret@host:99999/books",
        "postgresql://app:s3cret@host:five/books",
        "postgresql://app:s3cret@[host/books",
        "postgresql://app:s3cret%@host/books",
        "postgresql://app:s3cret@host/books?sslmod=require",
    ],
)
def test_a_database_url_that_cannot_be_meant_is_refused_by_name(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    monkeypatch.setenv("X_URL", url)
    with pytest.raises(EnvironmentFault, match="X_URL") as refused:
        environment.database("X_URL")
    assert "s3cret" not in str(refused.value)


def test_the_connection_is_made_as_the_url_says(process_environment: dict[str, str]) -> None:
    """libpq refuses this word without a strong sslmode, so it must have arrived: from the URL of either role."""
    insists = {
        name: f"{process_environment[name]}&sslnegotiation=direct" for name in ("DATABASE_URL", "DATABASE_OWNER_URL")
    }
    for name, url in insists.items():
        done = manage({**process_environment, name: url}, "migrate", "--check")
        assert done.returncode != 0
        assert "sslnegotiation" in done.stderr


def test_the_owner_migrates_the_database_that_is_served(process_environment: dict[str, str]) -> None:
    elsewhere = process_environment["DATABASE_OWNER_URL"].replace("?", "_of_others?", 1)
    done = manage({**process_environment, "DATABASE_OWNER_URL": elsewhere}, "migrate")
    assert (done.returncode, done.stderr) == (1, "DATABASE_OWNER_URL and DATABASE_URL name different databases\n")


@pytest.mark.parametrize("url", ["http://cache", "cache:6379", "redis://cache:99999", "redis://[cache", ""])
def test_a_redis_url_must_be_one(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    monkeypatch.setenv("X_URL", url)
    with pytest.raises(EnvironmentFault, match="X_URL"):
        environment.redis("X_URL")


@pytest.mark.parametrize(
    ("said", "meant"),
    [("info", "INFO"), ("WARN", "WARNING"), ("warn", "WARNING"), (" debug", "DEBUG"), ("Error", "ERROR")],
)
def test_a_log_level_is_said_in_any_case(monkeypatch: pytest.MonkeyPatch, said: str, meant: str) -> None:
    monkeypatch.setenv("LOG_LEVEL", said)
    assert environment.log_level("LOG_LEVEL") == meant


@pytest.mark.parametrize(
    ("redis", "broker"),
    [
        ("redis://cache:6379/2", "redis://cache:6379/2"),
        ("rediss://cache:6379/2", "rediss://cache:6379/2"),
        ("unix:///run/r.sock?db=1", "redis+socket:///run/r.sock?virtual_host=1"),
    ],
)
def test_the_broker_is_spelled_as_celery_wants_it(redis: str, broker: str) -> None:
    assert environment.broker_url(redis) == broker


def test_a_clone_makes_one_secret_and_keeps_it_to_itself(tmp_path: Path) -> None:
    first = environment.local_secret(tmp_path / "state", "embedded")
    assert environment.local_secret(tmp_path / "state", "embedded") == first
    assert len(first) >= 50
    assert (tmp_path / "state" / "secret_key").stat().st_mode & 0o777 == 0o600


def test_outside_the_embedded_site_the_secret_must_be_given(tmp_path: Path) -> None:
    with pytest.raises(EnvironmentFault, match="SECRET_KEY"):
        environment.local_secret(tmp_path / "state", "live")
    assert not (tmp_path / "state").exists()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("LOG_LEVEL", "LOUD"),
        ("DEBUG", "perhaps"),
        ("METRICS_PORT", "99999"),
        ("DATABASE_URL", "sqlite:///x"),
        ("REDIS_URL", "http://cache"),
        ("ENVIRONMENT", "production"),
    ],
)
def test_a_wrong_value_stops_the_start_and_is_named(name: str, value: str) -> None:
    started = subprocess.run(
        [sys.executable, "-c", "import billing_site.settings"],
        cwd=ROOT,
        env={**os.environ, name: value},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert started.returncode != 0
    assert f"EnvironmentFault: {name} " in started.stderr


def test_a_file_is_one_that_can_be_read_or_none(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("X_FILE", raising=False)
    assert environment.file("X_FILE") is None
    monkeypatch.setenv("X_FILE", " ")
    assert environment.file("X_FILE") is None
    (tmp_path / "config").write_text("")
    monkeypatch.setenv("X_FILE", str(tmp_path / "config"))
    assert environment.file("X_FILE") == tmp_path / "config"


@pytest.mark.parametrize("name", ["", "absent"])
def test_what_is_no_file_is_refused_by_name(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str) -> None:
    monkeypatch.setenv("X_FILE", str(tmp_path / name))
    with pytest.raises(EnvironmentFault, match="X_FILE"):
        environment.file("X_FILE")
