"""The distribution's binary package, unpacked into our cache: nothing is installed.

The last resort on this machine, where no source can be had and nothing may be changed. apt
or dnf fetch the package and verify it as they would before installing it.
"""

from pathlib import Path

from kubert_tui.base.errors import KubertError, ToolMissingError
from kubert_tui.base.paths import private_directory
from kubert_tui.base.text import last_lines
from kubert_tui.rt_tests import distribution
from kubert_tui.rt_tests.means import Means
from kubert_tui.rt_tests.store import workshop

_TIMEOUT = 300.0


def unpack(package: str, cache: Path, means: Means) -> Path:
    """Return the path of a cyclictest out of `package`, unpacked once below `cache`/builds.

    Raises KubertError when the package cannot be fetched, ToolMissingError when the program
    does not start (a library it needs is missing).
    """
    program = cache / "builds" / f"package-{package}" / "bin" / "cyclictest"
    if program.is_file():
        return program
    kind = distribution.family()
    with workshop(cache) as work:
        files, tree = work / "files", work / "tree"
        files.mkdir()
        tree.mkdir()
        lists = distribution.with_lists(work / "system", means) if kind == "apt" else ()
        for argv in fetch_commands(kind, package, lists):
            _step(argv, files, means)
        found = sorted((*files.glob("*.deb"), *files.glob("*.rpm")))
        if not found:
            raise KubertError(f"no package {package} was fetched")
        for argv in unpack_commands(kind, found[-1], tree):
            _step(argv, tree, means)
        built = tree / "usr" / "bin" / "cyclictest"
        status, output = means.run((str(built), "--help"), cancel=means.cancel)
        if "cyclictest V" not in output:
            raise ToolMissingError(
                f"the cyclictest of {package} does not start: {last_lines(output, 1)}",
                fix=f"install the package {package} with what it needs",
                exit_status=status,
            )
        home = work / "home" / "bin"
        home.mkdir(parents=True)
        built.replace(home / "cyclictest")
        private_directory(program.parent.parent.parent)
        home.parent.replace(program.parent.parent)
    return program


def fetch_commands(
    kind: str, package: str, options: tuple[str, ...] = ()
) -> tuple[tuple[str, ...], ...]:
    """The commands that bring the package into the current directory; `options` are apt's."""
    if kind == "apt":
        return (("apt-get", *options, "--quiet", "download", package),)
    if kind == "dnf":
        return (("dnf", "--quiet", "download", package),)
    raise KubertError("neither apt-get nor dnf is here")


def unpack_commands(kind: str, archive: Path, tree: Path) -> tuple[tuple[str, ...], ...]:
    """The commands that unpack it below `tree`."""
    if kind == "apt":
        return (("dpkg-deb", "--extract", str(archive), str(tree)),)
    return (
        ("rpmkeys", "--checksig", str(archive)),
        # rpm2archive writes FILE.tgz beside it, so no pipe between two programs is needed.
        ("rpm2archive", str(archive)),
        ("tar", "-xzf", f"{archive}.tgz", "-C", str(tree)),
    )


def _step(argv: tuple[str, ...], directory: Path, means: Means) -> None:
    status, output = means.run(
        argv, directory=directory, on_line=means.on_line, cancel=means.cancel, timeout=_TIMEOUT
    )
    if status != 0:
        raise KubertError(
            f"{argv[0]} ended with status {status}: {last_lines(output, 1)}",
            command=argv,
            exit_status=status,
            details=last_lines(output, 10),
        )
