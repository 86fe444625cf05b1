"""How commands are wrapped, what is taken from their outputs, and who is asked for sudo."""

import subprocess

import pytest

from kubert_tui.base.errors import AuthenticationError
from kubert_tui.hosts import output
from kubert_tui.hosts.interface import Invocation
from kubert_tui.hosts.output import Output
from kubert_tui.hosts.sudo import SudoPassword
from kubert_tui.hosts.wrapping import as_operand, end_group_argv, wrap
from tests.support.sshd import Answers

MARKER = b"kubert-tui-0123"


def test_the_wrapper_starts_nothing_without_go() -> None:
    wrapped = wrap(Invocation(("echo", "started")), sudo=False)
    done = subprocess.run(wrapped.argv, input=b"", capture_output=True, check=False)
    assert done.returncode == 125
    assert b"started" not in done.stdout


def test_the_wrapper_leaves_all_input_after_go() -> None:
    wrapped = wrap(Invocation(("cat",)), sudo=False)
    done = subprocess.run(wrapped.argv, input=b"go\n\0one\ntwo", capture_output=True, check=True)
    head, _, rest = done.stdout.partition(b"\n")
    assert head.startswith(wrapped.marker + b" ")
    assert rest == b"\0one\ntwo"
    assert done.stderr == wrapped.marker + b"\n"


def test_the_wrapper_leaves_no_variables_behind() -> None:
    wrapped = wrap(Invocation(("env",)), sudo=False)
    done = subprocess.run(
        wrapped.argv, input=b"go\n", capture_output=True, check=True, env={"PATH": "/usr/bin:/bin"}
    )
    names = {line.partition(b"=")[0] for line in done.stdout.splitlines()[1:]}
    assert names <= {b"PATH", b"PWD", b"OLDPWD", b"SHLVL", b"_"}


def test_sudo_asks_with_a_prompt_of_ours_and_reads_standard_input() -> None:
    wrapped = wrap(Invocation(("id",), environment={"A": "b"}), sudo=True)
    assert wrapped.argv[:5] == ("sudo", "-S", "-p", wrapped.prompt.decode(), "--")
    assert b"%" not in wrapped.prompt  # sudo would expand it
    assert wrapped.argv[-3:] == ("env", "A=b", "id")


def test_markers_and_prompts_are_never_the_same() -> None:
    first, second = (wrap(Invocation(("id",)), sudo=True) for _ in range(2))
    assert first.marker != second.marker
    assert first.prompt != second.prompt


@pytest.mark.parametrize("group", [-1, 0, 1])
def test_groups_that_must_not_be_ended(group: int) -> None:
    with pytest.raises(ValueError, match="no process group"):
        end_group_argv(group, 1.0)


def test_a_path_is_never_an_option() -> None:
    assert as_operand("-rf") == "./-rf"
    assert as_operand("/etc/x") == "/etc/x"


@pytest.mark.parametrize("size", [1, 2, 7, 1000])
def test_output_begins_after_the_marker_however_it_is_cut(size: int) -> None:
    stream = b"noise\nkubert-tui-\n" + MARKER + b" 4711\n" + MARKER + b" again\nrest"
    taken = Output(MARKER, None)
    for start in range(0, len(stream), size):
        taken.feed(stream[start : start + size])
    assert taken.started
    assert taken.rest_of_marker == b"4711"
    assert taken.kept == MARKER + b" again\nrest"
    assert taken.noise == b"noise\nkubert-tui-\n"


def test_noise_is_bounded() -> None:
    taken = Output(MARKER, None)
    for _ in range(10):
        taken.feed(b"x" * 50_000)
    assert len(taken.noise) <= 64 * 1024
    taken.feed(MARKER + b" 5\nout")
    assert taken.kept == b"out"


def test_kept_output_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(output, "OUTPUT_LIMIT", 10)
    taken = Output(MARKER, None)
    taken.feed(MARKER + b" 5\n")
    taken.feed(b"0123456")
    assert not taken.truncated
    taken.feed(b"789abc")
    taken.feed(b"def")
    assert taken.kept == b"0123456789"
    assert taken.truncated


def test_a_sink_gets_all_and_nothing_is_kept() -> None:
    seen = bytearray()
    taken = Output(MARKER, seen.extend)
    taken.feed(MARKER + b" 5\none")
    taken.feed(b"two")
    assert bytes(seen) == b"onetwo"
    assert taken.kept == b""


def test_the_sudo_password_is_asked_once() -> None:
    answers = Answers(sudo_passwords=["first", "second"])
    keeper = SudoPassword("alpha", "ops", answers)
    assert keeper.current is None
    first = keeper.another(None)
    assert keeper.another(None) is first
    assert keeper.current is first
    assert keeper.another(first).reveal() == "second"
    assert answers.asked == ["sudo alpha"] * 2


def test_nobody_to_ask_for_the_sudo_password() -> None:
    with pytest.raises(AuthenticationError, match="alpha: sudo wants the password of ops"):
        SudoPassword("alpha", "ops", Answers()).another(None)


def test_a_refused_password_is_forgotten() -> None:
    keeper = SudoPassword("alpha", "ops", Answers(sudo_passwords=["wrong"]))
    keeper.forget(keeper.another(None))
    assert keeper.current is None
