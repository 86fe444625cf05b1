"""What lab tests of real measurements on this machine need: their marks, a host, a directory.

from tests.support.latency_lab import MARKS, directory, host

__all__ = ["directory", "host"]
pytestmark = MARKS
"""

import os
from collections.abc import Iterator
from pathlib import Path
from threading import Event as Flag

import pytest

from kubert_tui.base.errors import DetachedError
from kubert_tui.hosts.interface import Host
from kubert_tui.hosts.local import LocalHost
from kubert_tui.lab.model import HostSpec
from kubert_tui.latency.measurement import MeasurementOrder
from tests.support.latency_runs import CYCLICTEST, NobodyAsks, Watch, carry_out, end_runs

MARKS = [
    pytest.mark.lab,
    pytest.mark.skipif(os.geteuid() != 0, reason="real-time priorities need root"),
    pytest.mark.skipif(not CYCLICTEST, reason="cyclictest (rt-tests) is not installed"),
]


@pytest.fixture
def host() -> LocalHost:
    """This machine, as root."""
    return LocalHost(HostSpec(name="here", connection="local"), NobodyAsks())


@pytest.fixture
def directory(tmp_path: Path) -> Iterator[str]:
    """Where the measurements of a test lie; what still runs of them ends with it."""
    yield str(tmp_path)
    end_runs(tmp_path)


def let_go(host: Host, what: MeasurementOrder, directory: str) -> Watch:
    """Start a measurement and let go of it at its first snapshot; return what was seen."""
    detach = Flag()
    watch = Watch(detach.set)
    with pytest.raises(DetachedError):
        carry_out(host, what, directory, watch, detach=detach)
    return watch
