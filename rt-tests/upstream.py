"""Upstream's own source: the pinned release archive, else the pinned commit by git."""

from collections.abc import Sequence
from pathlib import Path

from kubert_tui.base.download import sha256_of
from kubert_tui.base.errors import KubertError, ToolMissingError
from kubert_tui.base.text import last_lines
from kubert_tui.rt_tests.means import Means
from kubert_tui.rt_tests.store import tool
from kubert_tui.rt_tests.versions import Release

_QUIET_GIT = {"GIT_TERMINAL_PROMPT": "0", "GIT_CONFIG_NOSYSTEM": "1"}


def clone_command(release: Release, target: Path) -> tuple[str, ...]:
    """The git command that brings one ref, and gives up on a line that stalls for 20 s."""
    return (
        "git",
        *("-c", "advice.detachedHead=false"),
        *("-c", "core.hooksPath=/dev/null"),
        *("-c", "http.lowSpeedLimit=1000", "-c", "http.lowSpeedTime=20"),
        *("clone", "--quiet", "--depth", "1", "--branch", release.ref),
        *(release.upstream, str(target)),
    )


def fetch(release: Release, work: Path, means: Means) -> tuple[Path, str]:
    """Return (archive in `work`, where from); KubertError with the reason if it cannot be had."""
    if release.archive and release.sha256:
        return _archive(release, work, means)
    if release.commit:
        return _clone(release, work, means)
    raise KubertError(
        f"upstream {release.ref} is refused: no checksum and no commit of it is pinned",
        fix="choose another version or give a source directory",
    )


def _archive(release: Release, work: Path, means: Means) -> tuple[Path, str]:
    suffix = "tar.xz" if release.archive.endswith(".xz") else "tar.gz"
    target = work / f"rt-tests-{release.version}.{suffix}"
    means.on_line(f"fetching {release.archive}")
    means.download(release.archive, target, means.cancel)
    got = sha256_of(target)
    if got != release.sha256:
        raise KubertError(
            f"{release.archive} has sha256 {got}, not the pinned {release.sha256}: refused"
        )
    return target, release.archive


def _clone(release: Release, work: Path, means: Means) -> tuple[Path, str]:
    if not tool("git"):
        raise ToolMissingError("git is not installed", fix="install the package git")
    tree = work / "tree"

    def git(argv: Sequence[str]) -> str:
        status, output = means.run(
            argv, environment=_QUIET_GIT, on_line=means.on_line, cancel=means.cancel, timeout=300.0
        )
        if status != 0:
            raise KubertError(
                f"git ended with status {status}: {last_lines(output, 1)}",
                command=argv,
                exit_status=status,
            )
        return output.strip()

    git(clone_command(release, tree))
    commit = git(("git", "-C", str(tree), "rev-parse", "HEAD^{commit}"))
    if commit != release.commit:
        raise KubertError(
            f"{release.ref} is at {commit[:40]}, not at the pinned {release.commit}: refused"
        )
    name = f"rt-tests-{release.version.replace('/', '-')}"
    target = work / f"{name}.tar.gz"
    git(
        (
            *("git", "-C", str(tree), "archive", "--format=tar.gz"),
            *(f"--prefix={name}/", "-o", str(target), "HEAD"),
        )
    )
    return target, f"{release.upstream} {release.ref} ({commit})"
