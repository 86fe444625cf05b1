"""Every fault, struck on twins; `python -m tests.faults.table` prints what came of them.

The cases run on both twins side by side, in threads; each test waits for its own case.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import cast

import pytest

from tests.faults.case import AnyCase, name_of
from tests.faults.catalogue import cases
from tests.faults.outcome import Record, Session
from tests.faults.pool import Pool
from tests.faults.rig import rig
from tests.support.twins import skip_unless_possible

pytestmark = [pytest.mark.lab, pytest.mark.timeout(7200)]

ALL = cases()
_PARAMETERS = [
    pytest.param(case, id=name_of(case), marks=() if case.quick else pytest.mark.long)
    for case in ALL
]


@pytest.fixture(scope="module")
def pool(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Pool]:
    """The cases that were selected, under way on two twins."""
    skip_unless_possible()
    chosen: list[AnyCase] = [
        cast("AnyCase", item.callspec.params["case"])
        for item in request.session.items
        if isinstance(item, pytest.Function)
        and item.function is test_it_recovers
        and hasattr(item, "callspec")
    ]
    record = Record(Session(selected=len(chosen), known=len(ALL)))
    with rig() as (lab, twins):
        homes = tmp_path_factory.mktemp("faults")
        made = Pool(twins, homes, record.add, password=lab.password)
        made.start(chosen)
        try:
            yield made
        finally:
            made.stop()
    print(f"\nfaults: {record.path}")


@pytest.mark.parametrize("case", _PARAMETERS)
def test_it_recovers(case: AnyCase, pool: Pool) -> None:
    outcome = pool.result(case)
    assert not outcome.trouble, outcome.trouble


def test_every_case_has_a_name_of_its_own(tmp_path: Path) -> None:
    names = [name_of(case) for case in ALL]
    assert len(names) == len(set(names))
