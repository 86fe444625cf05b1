"""Files of others hold anything: a measurement that holds together comes out, or a clear error."""

import gzip
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from kubert_tui.base.errors import MeasurementError, UsageError
from kubert_tui.latency.statistics import merge
from kubert_tui.latency.store import load, save
from kubert_tui.results.evidence import evidence_of
from kubert_tui.results.foreign import read_foreign
from kubert_tui.results.foreign_parts import Told
from kubert_tui.results.overlay import overlay
from kubert_tui.results.verdict import judge
from tests.support.fuzzing import cases, check_told, harmless, mutated_bytes

FIXTURES = Path(__file__).parents[1] / "fixtures"
FILES = [
    *sorted((FIXTURES / "foreign").glob("*.[tjg]*")),
    FIXTURES / "cyclictest" / "v1.0-overflow.txt",
    FIXTURES / "cyclictest" / "v2.10-histofall-overflow.txt",
]
TOLD = st.builds(
    Told,
    interval=st.sampled_from([0, 200]),
    host=st.sampled_from(["", "rack"]),
    command=st.sampled_from(["", "cyclictest -Sp90 -i200 'x", "cyclictest", "reboot", "' \x1b[2J"]),
    uname=st.sampled_from(["", "Linux a 6.1 #1 SMP PREEMPT_RT x86_64", "Linux \x1b[2J b #"]),
)  # fmt: skip


@cases(200)
@given(mutated_bytes([path.read_bytes() for path in FILES]), TOLD, st.booleans())
def test_results_of_others_that_somebody_changed(data: bytes, told: Told, packed: bool) -> None:
    path = Path.home() / "theirs"
    path.write_bytes(gzip.compress(data, 1) if packed else data)
    try:
        stored = read_foreign(path, told)
    except (MeasurementError, UsageError) as error:
        check_told(error)
        return
    assert stored.summary.samples > 0
    kernel = stored.fingerprint.kernel + stored.fingerprint.kernel_version
    texts = (stored.host, stored.version, stored.policy, kernel, *stored.notes, *stored.command)
    assert all(map(harmless, texts))
    assert harmless(stored.output.translate({9: " ", 10: " "}))
    assert harmless(judge(evidence_of(stored), None).statement)
    kept = Path.home() / "kept.json"
    save(kept, stored)
    assert load(kept) == stored
    assert overlay([merge(stored.snapshot().threads)], limit=40)
