"""Command lines are read as cyclictest reads them."""

import pytest

from kubert_tui.results.options import number, option


@pytest.mark.parametrize(
    ("words", "interval", "priority", "buckets"),
    [
        ("cyclictest -l100000000 -m -Sp90 -i200 -h400 -q", 200, 90, 400),
        ("cyclictest -Smp 90 -i 200 -h 400", 200, 90, 400),
        ("cyclictest --smp --priority=90 --interval=200 --histogram=400", 200, 90, 400),
        ("cyclictest --smp --priority 90 --interval 200 --histogram 400", 200, 90, 400),
        ("cyclictest -i100 -i200 -qp1 -t4", 200, 1, 0),
        ("cyclictest --policy=fifo -q", 0, 0, 0),
        ("cyclictest -i fast -p", 0, 0, 0),
        ("cyclictest -a 3-5 -D 12h -i٣", 0, 0, 0),
        ("cyclictest", 0, 0, 0),
        ("", 0, 0, 0),
    ],
)
def test_every_way_to_write_an_option(
    words: str, interval: int, priority: int, buckets: int
) -> None:
    command = words.split()
    assert number(command, "-i", "--interval") == interval
    assert number(command, "-p", "--priority") == priority
    assert number(command, "-h", "--histogram") == buckets


def test_a_value_is_no_option() -> None:
    assert option(["cyclictest", "--policy=rr"], "--policy", "-y") == "rr"
    assert option(["cyclictest", "-yrr"], "--policy", "-y") == "rr"
    assert option(["cyclictest", "--interval=200"], "-i") == ""
    assert option(["cyclictest", "-b40"], "-4") == ""
