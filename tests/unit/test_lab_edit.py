"""A CPU plan is written into a lab file, and nothing else in it changes."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubert_tui.base.errors import LabFileError
from kubert_tui.cpus.lists import cpu_list, cpus_of
from kubert_tui.cpus.plan import CpuPlan
from kubert_tui.lab.edit import one_line, save_plans, with_plans
from kubert_tui.lab.load import load_lab, parse_lab
from kubert_tui.lab.write import dump_lab

PLAN = CpuPlan(frozenset({0, 1}), frozenset({2, 3, 8}))
OTHER = CpuPlan(frozenset({0}), frozenset({1, 2, 3}))

TWINS = """\
# ours
hosts:
  - name: bull1        # in the cellar
    address: 192.168.11.1   # ask Ada
    # the other one
  - address: 192.168.11.2
    name: bull2

# what may be changed
allow: [packages]
"""


def test_the_lines_are_put_under_their_host_and_comments_stay() -> None:
    edited = with_plans(TWINS, {"bull1": PLAN, "bull2": OTHER}, "twins.yaml")
    plan1 = '    cpus:\n      housekeeping: 0-1\n      isolated: "2-3,8"\n'
    plan2 = "    cpus:\n      housekeeping: 0\n      isolated: 1-3\n"
    before, after = "# ask Ada\n", "    name: bull2\n"
    expected = TWINS.replace(before, before + plan1).replace(after, after + plan2)
    assert edited == expected


def test_a_plan_that_is_there_is_changed_in_its_place() -> None:
    once = with_plans(TWINS, {"bull1": PLAN}, "twins.yaml")
    commented = once.replace("0-1\n", "0-1  # the first core of each\n")
    twice = with_plans(commented, {"bull1": OTHER}, "twins.yaml")
    assert '      housekeeping: "0"  # the first core of each\n      isolated: "1-3"\n' in twice
    assert parse_lab(twice, "x").plan_of("bull1") == OTHER


@pytest.mark.parametrize(
    "text",
    [
        "hosts: [{name: a}, {name: b, port: 22,}]\n",
        "hosts: [{name: a, cpus: {housekeeping: 5}}, {name: b, cpus: }]",
        "hosts:\n- name: b\n  cpus:\n- name: a",
        "hosts:\r\n  - name: a\r\n    port: 22\r\n  - name: b\r\n",
        "hosts:\n  - {name: a}\n  - {\n      name: b,\n      port: 22 # x\n    }\n",
        "hosts:\n  - name: a\n    cpus:\n      # only this\n      housekeeping: 0-7\n  - name: b",
        '{"hosts": [{"name": "a"}, {"name": "b"}]}',
        "hosts:\n  -\n    name: a\n  -   name: b\n      jump:\n",
    ],
)
def test_every_way_to_write_hosts(text: str) -> None:
    plans = {"a": PLAN, "b": OTHER}
    edited = with_plans(text, plans, "x.yaml")
    assert parse_lab(edited, "x.yaml") == parse_lab(text, "x.yaml").with_plans(plans)
    assert edited.count("\r\n") == edited.count("\n") * ("\r\n" in text)
    again = with_plans(edited, plans, "x.yaml")
    assert parse_lab(again, "x.yaml") == parse_lab(edited, "x.yaml")


def test_what_cannot_be_edited_safely_is_left_alone() -> None:
    text = 'hosts:\n  - ? name\n    : a\n    "port": |\n      22\nallow: []\n'
    parse_lab(text, "odd.yaml")
    with pytest.raises(LabFileError, match="cannot be edited safely") as caught:
        with_plans(text, {"a": PLAN}, "odd.yaml")
    assert one_line(PLAN) in caught.value.fix


def test_the_file_keeps_its_mode_its_link_and_what_it_is(tmp_path: Path) -> None:
    real, link = tmp_path / "real.yaml", tmp_path / "lab.yaml"
    real.write_text(TWINS)
    real.chmod(0o640)
    link.symlink_to(real)
    save_plans(link, {"bull1": PLAN})
    assert link.is_symlink()
    assert real.stat().st_mode & 0o777 == 0o640
    assert load_lab(link).plan_of("bull1") == PLAN
    assert {path.name for path in tmp_path.iterdir()} == {"real.yaml", "lab.yaml"}


def test_a_file_that_cannot_be_written_says_what_to_write_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "lab.yaml"
    file.write_text(TWINS)

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("kubert_tui.base.paths.tempfile.mkstemp", full)
    with pytest.raises(LabFileError, match="No space left") as caught:
        save_plans(file, {"bull1": PLAN})
    assert one_line(PLAN) in caught.value.fix
    assert file.read_text() == TWINS


@given(st.frozensets(st.integers(0, 300)))
def test_cpu_lists_are_read_back(cpus: frozenset[int]) -> None:
    assert cpus_of(cpu_list(cpus)) == cpus


@pytest.mark.parametrize("text", ["a", "3-1", "1,,2", "-1", "1-", "99999", "1 2", ","])
def test_what_is_no_cpu_list(text: str) -> None:
    with pytest.raises(ValueError, match=r"no CPU|no number|backwards"):
        cpus_of(text)


def test_a_plan_is_written_out_and_read_back() -> None:
    lab = parse_lab(TWINS, "twins.yaml").with_plans({"bull2": PLAN})
    assert parse_lab(dump_lab(lab), "twins.yaml") == lab
