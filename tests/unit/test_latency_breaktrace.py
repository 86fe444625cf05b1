"""What is shown of a trace."""

from kubert_tui.latency.breaktrace import EXCERPT, excerpt


def line(number: int, cpu: int, what: str) -> str:
    return f" cyclictest-7  [{cpu:03d}] d.h.. 56069.{number:06d}: {what}\n"


def test_it_ends_with_the_mark_though_the_kernel_went_on_recording() -> None:
    trace = "# tracer: nop\n"
    trace += "".join(line(one, one % 2, f"before {one}") for one in range(200))
    trace += line(200, 1, "tracing_mark_write: hit latency threshold (44 > 20)")
    trace += "".join(line(one, 1, "after") for one in range(201, 300))
    shown = excerpt(trace, 1)
    assert len(shown) == EXCERPT
    assert shown[-1].endswith("hit latency threshold (44 > 20)")
    assert shown[-2].endswith("before 199")
    assert all("[001]" in one for one in shown)


def test_without_a_mark_it_is_the_end() -> None:
    trace = "".join(line(one, one % 2, f"before {one}") for one in range(4))
    assert [one.rpartition(" ")[2] for one in excerpt(trace, 0)] == ["0", "2"]
    assert len(excerpt(trace, None)) == 4
    assert excerpt("", 0) == ()
