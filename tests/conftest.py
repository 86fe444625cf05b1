"""Shared by all tests: nothing of the user's own directories is read or written."""

import os
import signal
import tempfile
import threading
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis.database import DirectoryBasedExampleDatabase

from kubert_tui.base.secrets import redactor
from tests.support.kubernetes.hosts import cluster_hosts
from tests.support.twins import own_twins, session_twins, twins

__all__ = ["cluster_hosts", "own_twins", "session_twins", "twins"]

# `quick` tries the same cases each time; `long` looks for new ones, and keeps those that failed.
settings.register_profile("quick", deadline=None, derandomize=True, database=None)
settings.register_profile(
    "long",
    deadline=None,
    print_blob=True,
    database=DirectoryBasedExampleDatabase(Path(tempfile.gettempdir(), "kubert-hypothesis")),
)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "quick"))


@pytest.fixture(autouse=True)
def own_directories(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> Path:
    """Point every XDG directory and HOME into a directory of this test; return it."""
    home = tmp_path_factory.mktemp("home")
    monkeypatch.setenv("HOME", str(home))
    for name in ("STATE", "CONFIG", "CACHE", "DATA"):
        monkeypatch.setenv(f"XDG_{name}_HOME", str(home / name.lower()))
    monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)
    # Locks of hosts, too: this machine is the host of many tests, some of them at the same time.
    monkeypatch.setenv("KUBERT_TUI_LOCK_DIRECTORY", str(home / "lock"))
    return home


@pytest.fixture(autouse=True)
def no_secrets_of_other_tests(monkeypatch: pytest.MonkeyPatch) -> None:
    """What one test calls a secret is a plain word in the next."""
    monkeypatch.setattr(redactor, "_values", ())


@pytest.fixture(autouse=True)
def threads_die_loudly(monkeypatch: pytest.MonkeyPatch) -> None:
    """Undo what `main` does to the errors of threads: pytest is to see them."""
    monkeypatch.setattr(threading, "excepthook", threading.excepthook)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Whoever comes first may have to build the twins' image, or Kubernetes."""
    for item in items:
        names = getattr(item, "fixturenames", ())
        if item.get_closest_marker("timeout") is not None:
            continue
        if "cluster_hosts" in names:
            item.add_marker(pytest.mark.timeout(3600))
        elif {"twins", "own_twins"} & {*names}:
            item.add_marker(pytest.mark.timeout(900))


def pytest_configure() -> None:
    """End like Ctrl-C on SIGTERM: fixtures remove their machines."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)


def pytest_make_parametrize_id(val: object, argname: str) -> str | None:
    """Values of megabytes are no names for tests."""
    if isinstance(val, str | bytes) and len(val) > 100:
        return f"long {argname}"
    return None
