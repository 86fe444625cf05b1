"""What every host does, local or over SSH: the same tests over both."""

import hashlib
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Event, Thread

import pytest

from kubert_tui.base.errors import CancelledError, KubertError
from kubert_tui.hosts.connect import connect
from kubert_tui.hosts.interface import CommandTimeout, Completed, Host, Invocation
from kubert_tui.lab.model import HostSpec, Lab
from tests.support.sshd import Answers, is_alive, start_sshd

pytestmark = pytest.mark.lab

HOSTILE = (
    "; rm -rf /nonexistent",
    "$(touch /tmp/oops)",
    "`id`",
    "a\nb",
    "it's",
    'say "hi"',
    "",
    " ",
    "*",
    "~",
    "\\",
    "\\n",
    "ünïcödé ☃",
    "-n",
    "!!",
    "%s",
    "a\tb",
    "&& false",
    "${HOME}",
)
TWENTY_MEGABYTES = 20 * 1024 * 1024
# Python is not used on the host side: no host needs it for `run`.
FLOOD = f"head -c {TWENTY_MEGABYTES} /dev/zero >&2 & head -c {TWENTY_MEGABYTES} /dev/zero; wait"
# Two children, one of which will not hear of TERM, and their numbers.
FAMILY = (
    "sleep 300 & echo $!; sh -c \"trap '' TERM; echo \\$\\$; while :; do sleep 300; done\" & wait"
)


@pytest.fixture(params=["local", "ssh"])
def host(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Host]:
    if request.param == "local":
        spec = HostSpec(name="here", connection="local")
        yield connect(spec, Lab(hosts=(spec,)), Answers())
        return
    with start_sshd(tmp_path / "sshd") as server:
        spec = server.spec("there")
        opened = connect(spec, Lab(hosts=(spec,)), Answers(accept_host_keys=True))
        yield opened
        opened.close()


def sh(host: Host, script: str, **more: object) -> Completed:
    return host.run(Invocation(("sh", "-c", script), **more))  # type: ignore[arg-type]


def run_aside(call: Callable[[], object]) -> tuple[Thread, list[BaseException]]:
    """Run `call` in a thread; its error lands in the list."""
    errors: list[BaseException] = []

    def guarded() -> None:
        try:
            call()
        except BaseException as error:
            errors.append(error)

    thread = Thread(target=guarded, daemon=True)
    thread.start()
    return thread, errors


class Numbers:
    """Collects process numbers a command prints; `complete` is set when it has `count`."""

    def __init__(self, count: int) -> None:
        self._count = count
        self._text = b""
        self.complete = Event()

    def __call__(self, data: bytes) -> None:
        self._text += data
        if len(self.values) >= self._count:
            self.complete.set()

    @property
    def values(self) -> list[int]:
        return [int(line) for line in self._text.split(b"\n")[:-1]]


def test_hostile_arguments_arrive_as_they_are(host: Host) -> None:
    done = host.run(Invocation(("printf", "%s\\0", *HOSTILE)))
    assert done.stdout.decode() == "".join(f"{argument}\0" for argument in HOSTILE)
    assert (done.exit_status, done.stderr) == (0, b"")


def test_exit_statuses(host: Host) -> None:
    assert [sh(host, f"exit {n}").exit_status for n in (0, 1, 125, 143, 255)] == [
        0,
        1,
        125,
        143,
        255,
    ]


def test_a_signal_is_a_negative_status(host: Host) -> None:
    assert sh(host, "kill -TERM $$").exit_status == -15
    assert sh(host, "kill -KILL $$").exit_status == -9


def test_a_missing_program_is_status_127(host: Host) -> None:
    done = host.run(Invocation(("no-such-program-here",)))
    assert done.exit_status == 127
    assert b"no-such-program-here" in done.stderr


def test_an_empty_argv_is_refused(host: Host) -> None:
    with pytest.raises(ValueError, match="empty argv"):
        host.run(Invocation(()))


def test_environment(host: Host) -> None:
    done = host.run(Invocation(("printenv", "A_B", "C"), environment={"A_B": "x; y", "C": "'"}))
    assert done.stdout == b"x; y\n'\n"


def test_sbin_is_searched(host: Host) -> None:
    done = host.run(Invocation(("sh", "-c", "echo $PATH")))
    assert done.stdout.strip().endswith(b":/usr/local/sbin:/usr/sbin:/sbin")


def test_much_on_both_outputs_at_once(host: Host) -> None:
    done = sh(host, FLOOD)
    assert (len(done.stdout), len(done.stderr)) == (TWENTY_MEGABYTES, TWENTY_MEGABYTES)
    assert done.ok
    assert not done.truncated


def test_outputs_go_to_callbacks(host: Host) -> None:
    out, err = bytearray(), bytearray()
    done = sh(host, "echo one; echo two >&2", on_stdout=out.extend, on_stderr=err.extend)
    assert (bytes(out), bytes(err)) == (b"one\n", b"two\n")
    assert (done.stdout, done.stderr) == (b"", b"")


def test_output_arrives_while_the_command_runs(host: Host) -> None:
    seen, cancel = Event(), Event()
    thread, errors = run_aside(
        lambda: sh(
            host, "echo now; sleep 300", on_stdout=lambda _: seen.set(), cancel=cancel, timeout=None
        )
    )
    assert seen.wait(30)
    cancel.set()
    thread.join(30)
    assert isinstance(errors[0], CancelledError)


def test_an_error_of_a_callback_ends_the_command_and_comes_back(host: Host) -> None:
    numbers = Numbers(1)

    def fail(data: bytes) -> None:
        numbers(data)
        raise RuntimeError("the callback is broken")

    with pytest.raises(RuntimeError, match="the callback is broken"):
        sh(host, "echo $$; exec sleep 300", on_stdout=fail)
    assert not is_alive(numbers.values[0])


def test_much_input_while_output_flows(host: Host) -> None:
    data = bytes(range(256)) * 20_480
    done = sh(host, "cat; echo done >&2", stdin=data)
    assert hashlib.sha256(done.stdout).digest() == hashlib.sha256(data).digest()
    assert done.stderr == b"done\n"


def test_input_nobody_reads_does_no_harm(host: Host) -> None:
    assert sh(host, "exec <&-; echo fine", stdin=b"x" * 5_000_000).stdout == b"fine\n"


def test_without_input_the_command_sees_its_end(host: Host) -> None:
    assert host.run(Invocation(("wc", "-c"))).stdout.strip() == b"0"


def test_a_timeout_ends_the_whole_group(host: Host) -> None:
    numbers = Numbers(2)
    with pytest.raises(CommandTimeout) as caught:
        sh(host, FAMILY, timeout=1.0, on_stdout=numbers)
    assert len(numbers.values) == 2
    assert not any(is_alive(number) for number in numbers.values)
    assert caught.value.host == host.name
    assert "within 1 s" in caught.value.what


def test_cancel_ends_the_whole_group(host: Host) -> None:
    numbers, cancel = Numbers(2), Event()
    thread, errors = run_aside(
        lambda: sh(host, FAMILY, timeout=None, on_stdout=numbers, cancel=cancel)
    )
    assert numbers.complete.wait(30)
    assert all(is_alive(number) for number in numbers.values)
    cancel.set()
    thread.join(30)
    assert isinstance(errors[0], CancelledError)
    assert not any(is_alive(number) for number in numbers.values)


def test_a_command_cancelled_before_it_starts_never_runs(host: Host, tmp_path: Path) -> None:
    cancel = Event()
    cancel.set()
    with pytest.raises(CancelledError):
        host.run(Invocation(("sleep", "300"), cancel=cancel, timeout=None))


def test_two_threads_at_once(host: Host) -> None:
    results: dict[int, bytes] = {}

    def work(number: int) -> None:
        results[number] = sh(host, f"sleep 0.2; echo {number}; cat", stdin=b"x" * number).stdout

    threads = [run_aside(lambda n=number: work(n)) for number in range(12)]  # type: ignore[misc]
    for thread, errors in threads:
        thread.join(60)
        assert errors == []
    assert results == {n: f"{n}\n".encode() + b"x" * n for n in range(12)}


def test_put_and_get_keep_bytes_and_mode(host: Host, tmp_path: Path) -> None:
    data = bytes(range(256)) * 4096
    target = tmp_path / "it's a \u2603 file"
    host.put(data, str(target), mode=0o640)
    assert target.read_bytes() == data
    assert target.stat().st_mode & 0o7777 == 0o640
    assert host.get(str(target)) == data


def test_put_takes_a_file_and_replaces_another_whole(host: Host, tmp_path: Path) -> None:
    source, target = tmp_path / "source", tmp_path / "target"
    source.write_bytes(b"new")
    target.write_bytes(b"old")
    with target.open("rb") as open_before:
        host.put(source, str(target))
        assert open_before.read() == b"old"
    assert target.read_bytes() == b"new"
    assert target.stat().st_mode & 0o7777 == 0o600
    assert sorted(path.name for path in tmp_path.glob("target*")) == ["target"]


def test_put_and_get_of_nothing(host: Host, tmp_path: Path) -> None:
    host.put(b"", str(tmp_path / "empty"))
    assert host.get(str(tmp_path / "empty")) == b""


def test_files_that_cannot_be_had_are_errors_that_say_why(host: Host, tmp_path: Path) -> None:
    with pytest.raises(KubertError, match=r"could not read .*No such file"):
        host.get(str(tmp_path / "absent"))
    with pytest.raises(KubertError, match=r"could not write .*No such file") as caught:
        host.put(b"x", str(tmp_path / "absent" / "file"))
    assert caught.value.host == host.name


def test_close_twice(host: Host) -> None:
    host.close()
    host.close()
