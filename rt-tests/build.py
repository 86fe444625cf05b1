"""Get a cyclictest for this machine into our cache, once. Nothing is ever installed here.

The recipe is `build.sh` beside this file: `build.sh ARCHIVE PREFIX VERSION`, exit status 3
when a compiler or header is missing (its last line says which). Where no source could be had,
a cyclictest that is installed is used, else the distribution's package is unpacked.
"""

import hashlib
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from fcntl import LOCK_EX, LOCK_NB, flock
from pathlib import Path
from threading import Event as Flag

from kubert_tui.base.errors import CancelledError, KubertError, ToolMissingError
from kubert_tui.base.paths import private_directory
from kubert_tui.base.text import last_lines
from kubert_tui.rt_tests import distribution
from kubert_tui.rt_tests.means import Means
from kubert_tui.rt_tests.processes import OnLine, Run, run
from kubert_tui.rt_tests.source import Source
from kubert_tui.rt_tests.store import tool, workshop
from kubert_tui.rt_tests.unpacked import unpack

RECIPE = Path(__file__).with_name("build.sh")
_MISSING = 3
_TIMEOUT = 600.0
_NEEDED = ("gcc", "make", "tar")


def build_here(
    source: Source,
    cache: Path,
    on_line: OnLine,
    cancel: Flag,
    *,
    recipe: Path = RECIPE,
    runner: Run = run,
) -> Path:
    """Return the path of a cyclictest on this machine, building it in `cache` if need be.

    Raises ToolMissingError (names the packages), KubertError (it does not compile; `details`
    are the last lines), CancelledError (the compiler has ended).
    """
    if source.archive is None:
        return _without_source(source, cache, Means(on_line, cancel, run=runner))
    digest = hashlib.sha256(f"{source.sha256}\n".encode() + recipe.read_bytes()).hexdigest()
    name = f"{source.version.replace('/', '-')}-{digest[:16]}"
    builds = private_directory(cache / "builds")
    program = builds / name / "bin" / "cyclictest"
    if program.is_file():
        return program
    _need_tools()
    with _one_at_a_time(builds / f".{name}.lock", cancel):
        if program.is_file():  # built by another process while we waited
            return program
        with workshop(cache) as work:
            prefix = work / name
            argv = ("sh", str(recipe), str(source.archive), str(prefix), source.version)
            status, output = runner(
                argv,
                environment={"TMPDIR": str(work)},
                on_line=on_line,
                cancel=cancel,
                timeout=_TIMEOUT,
            )
            if status == _MISSING:
                raise ToolMissingError(last_lines(output, 1), fix=packages_hint(), command=argv)
            if status != 0 or not (prefix / "bin" / "cyclictest").is_file():
                raise KubertError(
                    f"rt-tests {source.version} does not build here",
                    fix="see what it is known to fail with: rt-tests/README.md",
                    command=argv,
                    exit_status=status,
                    details=last_lines(output, 20),
                )
            if program.parent.parent.exists():
                program.parent.parent.replace(work / "damaged")
            prefix.replace(program.parent.parent)
    return program


def cached_cyclictests(cache: Path) -> tuple[Path, ...]:
    """Return every cyclictest built in `cache`, newest first."""
    found = [path for path in (cache / "builds").glob("[!.]*/bin/cyclictest") if path.is_file()]
    return tuple(sorted(found, key=lambda path: path.stat().st_mtime_ns, reverse=True))


def packages_hint() -> str:
    """How to install what a build needs, on this system."""
    return {
        "apt": "apt-get install gcc make libc6-dev libnuma-dev",
        "dnf": "dnf install gcc make numactl-devel",
    }.get(distribution.family(), "install gcc, make and the headers of libnuma")


def _need_tools() -> None:
    missing = [name for name in _NEEDED if not tool(name)]
    if missing:
        raise ToolMissingError(f"building rt-tests needs {', '.join(missing)}", fix=packages_hint())


def _without_source(source: Source, cache: Path, means: Means) -> Path:
    found = shutil.which("cyclictest", path=f"{os.environ.get('PATH', os.defpath)}:/usr/sbin")
    if found:
        means.on_line(f"using the installed {found}")
        return Path(found)
    if not source.binary_package:
        raise ToolMissingError("cyclictest is not installed", fix="install rt-tests")
    means.on_line(f"unpacking the package {source.binary_package} into our cache")
    return unpack(source.binary_package, cache, means)


@contextmanager
def _one_at_a_time(path: Path, cancel: Flag) -> Iterator[None]:
    with path.open("w") as file:
        while True:
            try:
                flock(file, LOCK_EX | LOCK_NB)
                break
            except BlockingIOError:
                if cancel.wait(0.2):
                    raise CancelledError("cancelled") from None
        yield
