"""Shared by all tests: nothing of the user's own directories is read or written."""

import threading
from pathlib import Path

import pytest

from kubert_tui.base.secrets import redactor


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
    return home


@pytest.fixture(autouse=True)
def no_secrets_of_other_tests(monkeypatch: pytest.MonkeyPatch) -> None:
    """What one test calls a secret is a plain word in the next."""
    monkeypatch.setattr(redactor, "_values", ())


@pytest.fixture(autouse=True)
def threads_die_loudly(monkeypatch: pytest.MonkeyPatch) -> None:
    """Undo what `main` does to the errors of threads: pytest is to see them."""
    monkeypatch.setattr(threading, "excepthook", threading.excepthook)
