"""Kubernetes' programs, built from Debian's source package into the cache: once, or started over.

The cache's directory is keyed by the recipe (`build.sh`, our programs); what was built from which
versions is in its files `version` and `sources`. Nothing newer is looked for while it is there.
"""

import hashlib
import platform
from pathlib import Path

from kubert_tui.base import paths
from kubert_tui.practice import mounts, processes
from kubert_tui.practice.containers import SUITE
from kubert_tui.practice.locking import locked
from kubert_tui.practice.pace import Pace, Step
from kubert_tui.practice.tools import Tool

HERE = Path(__file__).parent
TOOLS = (
    Tool("apt-get", "apt", "apt"),
    Tool("dpkg-source", "dpkg-dev", "dpkg-dev"),
    Tool("mmdebstrap", "mmdebstrap", "mmdebstrap"),
)
STEPS = {
    "== fetching": Step("fetching Kubernetes' source", 8),
    "== unpacking": Step("unpacking Kubernetes' source", 12),
    "== generating": Step("describing Kubernetes' API", 25),
    "== compiling": Step("compiling Kubernetes", 330),
}
"""What build.sh says when it begins something."""
_BUSY = "another test session builds Kubernetes"


def recipe() -> str:
    """Return all that the programs depend on, but for the versions that Debian has then."""
    ours = (HERE / "build.sh", *sorted(HERE.glob("go/*.go")))
    digests = [f"{path.name} {hashlib.sha256(path.read_bytes()).hexdigest()}" for path in ours]
    return "\n".join((SUITE, platform.machine(), *digests))


def directory(cache: Path) -> Path:
    """Return where the programs are once they are built: whole, or it would not be there."""
    return cache / f"kubernetes-{hashlib.sha256(recipe().encode()).hexdigest()[:16]}"


def steps(cache: Path) -> tuple[Step, ...]:
    """Return the steps that `ensure` will take: none once the programs are there."""
    return () if directory(cache).is_dir() else tuple(STEPS.values())


def ensure(cache: Path, log: Path, pace: Pace) -> Path:
    """Return the directory of the programs; build them first (5 to 12 minutes) if need be.

    KubertError with the last words of the build, or CancelledError.
    """
    target = directory(cache)
    with locked(cache / ".kubernetes.lock", _BUSY, pace.wait):
        for left in cache.glob(".building-kubernetes-*"):
            processes.kill_marked(_mark(left))
            mounts.remove_tree(left)
        if not target.is_dir():
            _build(target, log, pace)
    return target


def _build(target: Path, log: Path, pace: Pace) -> None:
    work = paths.private_directory(target.with_name(f".building-{target.name}"))
    begun = set[str]()

    def watch() -> None:
        text = log.read_text(encoding="utf-8", errors="replace")
        for sign, step in STEPS.items():
            if sign not in begun and f"\n{sign}" in f"\n{text}":
                begun.add(sign)
                pace.begin(step.name)

    script = 'cd "$0" && exec nice -n 10 sh "$@"'
    argv = ["sh", "-c", script, str(work), str(HERE / "build.sh"), SUITE, str(HERE / "go"),
            str(work / "out")]  # fmt: skip
    try:
        processes.run_long(argv, mark=_mark(work), log=log, pace=pace, watch=watch)
        (work / "out").rename(target)
    finally:
        mounts.remove_tree(work)


def _mark(work: Path) -> str:
    return f"build:{work}"
