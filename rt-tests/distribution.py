"""The distribution's source package, without touching the system's package configuration.

apt: a tree of our own in the cache (lists, package cache and a `deb-src` list made from the
system's own sources), so it works as a plain user. apt itself verifies signatures and
checksums. dnf: `dnf download --source`, then `rpmkeys` checks the signature.
"""

import re
from collections.abc import Iterable, Mapping
from pathlib import Path

from kubert_tui.base.errors import KubertError
from kubert_tui.base.text import last_lines
from kubert_tui.rt_tests.means import Means
from kubert_tui.rt_tests.store import tool

APT_PACKAGE = "rt-tests"
DNF_PACKAGE = "realtime-tests"

_TARGETS = "$(REPO_URI)|$(RELEASE)|$(COMPONENT)|$(SOURCESENTRY)"
_ARCHIVE = re.compile(r"^[a-z0-9.+-]+[_-](?P<version>\d[\w.+~]*?)\.(?:orig\.)?tar\.(gz|xz)$")
_TIMEOUT = 300.0


def family() -> str:
    """`apt`, `dnf` or ``: which tools of a distribution are here."""
    if tool("apt-get"):
        return "apt"
    return "dnf" if tool("dnf") else ""


def binary_package() -> str:
    """The distribution's package with cyclictest in it; `` on a system we do not know."""
    return {"apt": APT_PACKAGE, "dnf": DNF_PACKAGE}.get(family(), "")


def fetch(work: Path, means: Means, package: str = "") -> tuple[Path, str, str]:
    """Return (archive in `work`, version, where from); KubertError with the reason if not."""
    kind = family()
    if kind == "apt":
        return _apt(work, means, package or APT_PACKAGE)
    if kind == "dnf":
        return _dnf(work, means, package or DNF_PACKAGE)
    raise KubertError("neither apt-get nor dnf is here: no source package to be had")


def signed_by(entry: str, address: str) -> str:
    """The `Signed-By` of one source as its file has it (a path, or a key with its lines).

    `entry` is apt's `file:number`. Empty when the file names none: apt then uses the keys it
    trusts for everything.
    """
    path = Path(entry.rpartition(":")[0])
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
    if path.suffix != ".sources":
        for line in text.splitlines():
            found = re.search(r"signed-by=([^\s\]]+)", line)
            if found and address.rstrip("/") in line:
                return found[1]
        return ""
    for stanza in re.split(r"\n\s*\n", text):
        body = "\n".join(line for line in stanza.splitlines() if not line.startswith("#"))
        field = re.search(
            r"^Signed-By:[ \t]*(.*(?:\n[ \t].*)*)", body, re.MULTILINE | re.IGNORECASE
        )
        if field and address.rstrip("/") in body:
            return field[1].rstrip()
    return ""


def source_list(targets: Iterable[str]) -> str:
    """Make a deb822 `deb-src` list from lines of `apt-get indextargets` in our format."""
    stanzas = []
    for line in sorted(set(targets)):
        address, _, rest = line.partition("|")
        release, _, rest = rest.partition("|")
        component, _, entry = rest.partition("|")
        # Flat repositories (no component) hold single vendors' packages, never rt-tests.
        if not address.startswith(("http://", "https://")) or not release or not component:
            continue
        key = signed_by(entry, address)
        stanzas.append(
            f"Types: deb-src\nURIs: {address}\nSuites: {release}\nComponents: {component}\n"
            + (f"Signed-By: {key}\n" if key else "")
        )
    return "\n".join(stanzas)


def apt_options(tree: Path) -> tuple[str, ...]:
    """Options that make apt work in `tree` alone, and never with anything unsigned."""
    return _options({
        **_own_state(tree),
        "Dir::Etc::sourcelist": tree / "deb-src.sources",
        "Dir::Etc::sourceparts": "/dev/null",
        "APT::Get::AllowUnauthenticated": "false",
        "Acquire::AllowInsecureRepositories": "false",
    })  # fmt: skip


def with_lists(tree: Path, means: Means) -> tuple[str, ...]:
    """Return options that let apt know what its sources offer; () where the system's lists say it.

    Where nobody ever ran `apt-get update`, lists of our own are fetched into `tree`.
    """
    status, output = means.run(("apt-get", "indextargets"), cancel=means.cancel)
    if status != 0 or output.strip():
        return ()
    _make_tree(tree)
    options = _options(_own_state(tree))
    _update(options, means)
    return options


def _own_state(tree: Path) -> dict[str, object]:
    """Settings that keep apt's lists and packages in `tree`, and its patience short."""
    return {
        "Dir::State::lists": tree / "lists",
        "Dir::Cache": tree / "cache",
        "APT::Sandbox::User": "",
        "Acquire::Languages": "none",
        "Acquire::Retries": "1",
        "Acquire::http::Timeout": "20",
        "Acquire::https::Timeout": "20",
    }


def _options(settings: Mapping[str, object]) -> tuple[str, ...]:
    return tuple(part for key, value in settings.items() for part in ("-o", f"{key}={value}"))


def _make_tree(tree: Path) -> None:
    for directory in (tree / "lists" / "partial", tree / "cache" / "archives" / "partial"):
        directory.mkdir(parents=True)


def _update(options: tuple[str, ...], means: Means) -> None:
    """Fetch lists. Its status is not judged: one repository must not stop the others.

    What was not fetched or not signed is missing in the next step.
    """
    means.run(
        ("apt-get", *options, "--quiet", "update"),
        on_line=means.on_line,
        cancel=means.cancel,
        timeout=_TIMEOUT,
    )


def _apt(work: Path, means: Means, package: str) -> tuple[Path, str, str]:
    lists = with_lists(work / "system", means)
    status, output = means.run(
        ("apt-get", *lists, "indextargets", "--format", _TARGETS), cancel=means.cancel
    )
    text = source_list(output.splitlines())
    if status != 0 or not text:
        raise KubertError(
            "apt names no package source over http or https",
            fix="see /etc/apt/sources.list, and whether `apt-get update` gets through",
            details=output,
        )
    tree, files = work / "apt", work / "files"
    _make_tree(tree)
    files.mkdir(parents=True)
    (tree / "deb-src.sources").write_text(text, encoding="utf-8")
    options = apt_options(tree)
    _update(options, means)
    command = ("apt-get", *options, "--quiet", "source", "--download-only", package)
    status, output = means.run(
        command, directory=files, on_line=means.on_line, cancel=means.cancel, timeout=_TIMEOUT
    )
    if status != 0:
        raise KubertError(
            f"apt has no source package {package}: {_reason(output)}",
            command=command,
            exit_status=status,
        )
    archive, version = _pick(files)
    return archive, version, f"source package {package} {version} by apt"


def dnf_command(package: str, directory: Path) -> tuple[str, ...]:
    """The command that brings a source RPM."""
    return ("dnf", "--quiet", "download", "--source", "--destdir", str(directory), package)


def _dnf(work: Path, means: Means, package: str) -> tuple[Path, str, str]:
    files, contents = work / "files", work / "contents"
    files.mkdir(parents=True)
    contents.mkdir()

    def step(argv: tuple[str, ...]) -> None:
        status, output = means.run(
            argv, directory=contents, on_line=means.on_line, cancel=means.cancel, timeout=_TIMEOUT
        )
        if status != 0:
            raise KubertError(
                f"{argv[0]} ended with status {status}: {_reason(output)}",
                command=argv,
                exit_status=status,
            )

    step(dnf_command(package, files))
    packages = sorted(files.glob("*.src.rpm"))
    if not packages:
        raise KubertError(f"dnf brought no source package {package}")
    step(("rpmkeys", "--checksig", str(packages[-1])))
    # rpm2archive writes FILE.tgz beside it, so no pipe between two programs is needed.
    step(("rpm2archive", str(packages[-1])))
    unpacked = packages[-1].with_name(packages[-1].name + ".tgz")
    step(("tar", "-xzf", str(unpacked), "-C", str(contents)))
    archive, version = _pick(contents)
    return archive, version, f"source package {package} {version} by dnf"


def _pick(directory: Path) -> tuple[Path, str]:
    for path in sorted(directory.iterdir()):
        found = _ARCHIVE.match(path.name)
        if found and path.is_file() and ".debian." not in path.name:
            return path, found["version"]
    raise KubertError("the source package holds no archive we know")


def _reason(output: str) -> str:
    errors = [line for line in output.splitlines() if line.startswith(("E:", "Error", "error"))]
    return errors[0] if errors else last_lines(output, 1)
