"""Which run is the newest, whatever the clock of this computer says."""

import time

import pytest

from kubert_tui.base.paths import runs
from kubert_tui.engine.past import new_run


@pytest.mark.parametrize("jump", [-86_400.0, 0.0, 86_400.0])
def test_a_new_run_sorts_after_those_before_it(
    monkeypatch: pytest.MonkeyPatch, jump: float
) -> None:
    (runs() / new_run("lab")).mkdir()
    real = time.gmtime
    later = real(time.time() + jump)
    monkeypatch.setattr(time, "gmtime", lambda *told: real(*told) if told else later)
    second = new_run("lab")
    assert second[:15] > next(runs().iterdir()).name[:15]


def test_what_is_no_run_of_ours_does_not_matter() -> None:
    (runs() / "zebra").mkdir()
    assert new_run("lab")[:2] == "20"
