"""Record the wizard's whole way on practice twins, as the pictures that the README shows.

    sudo .venv/bin/python scripts/recording.py docs/images

Everything in them is real: the twins are built and started, every stage is worked on, cyclictest
measures. It takes some ten minutes and leaves nothing but the pictures. The wizard runs with this
checkout and its own files below /srv (in a mount namespace of its own), so that the pictures look
the same wherever they were taken; one that would show where that was is refused.
"""

import asyncio
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from threading import Event as Flag

CHECKOUT = Path(__file__).resolve().parents[1]
STAGE = Path("/srv")
SEEN_CHECKOUT = STAGE / "kubert-tui"
SEEN_HOME = STAGE / "home"
INSIDE = "--inside"


def main() -> int:
    """Go into a namespace and record there; keep the pictures if all went well."""
    if sys.argv[1] == INSIDE:
        return record(Path(sys.argv[2]))
    target = Path(sys.argv[1]).resolve()
    with tempfile.TemporaryDirectory(prefix="kubert-recording-") as scratch:
        stage = Path(scratch, "stage")
        for name in (SEEN_CHECKOUT.name, SEEN_HOME.name, "pictures"):
            (stage / name).mkdir(parents=True)
        status = run("unshare", "--mount", sys.executable, __file__, INSIDE, str(stage))
        if status == 0:
            target.mkdir(parents=True, exist_ok=True)
            for old in target.glob("practice-*.svg"):
                old.unlink()
            for picture in sorted((stage / "pictures").iterdir()):
                shutil.copy(picture, target)
    return status


def record(stage: Path) -> int:
    """Build the stage, walk the way, take everything down again."""
    # What is mounted from here on is seen by us and the twins, and by nobody outside.
    if (
        run("mount", "--make-rprivate", "/")
        or run("mount", "--bind", str(stage), str(STAGE))
        or run("mount", "--bind", str(CHECKOUT), str(SEEN_CHECKOUT))
    ):
        return 1
    path = os.environ["PATH"]
    os.environ.clear()
    os.environ.update(PATH=path, HOME=str(SEEN_HOME), PYTHONPATH=str(SEEN_CHECKOUT))
    os.environ.update(LANG="C.UTF-8", TERM="xterm-256color", TEXTUAL_ANIMATIONS="none")
    os.chdir(SEEN_HOME)
    sys.path[:0] = [str(SEEN_CHECKOUT), str(SEEN_CHECKOUT / "scripts")]
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: sys.exit(1))

    # From the checkout as it is seen on the stage: its path is part of what the wizard shows.
    from recording_way import Camera, walk  # noqa: PLC0415

    from kubert_tui.practice.lab import Practice  # noqa: PLC0415
    from kubert_tui.practice.model import Order, Places  # noqa: PLC0415

    try:
        asyncio.run(walk(Camera(STAGE / "pictures", refused=(str(stage), str(CHECKOUT)))))
    finally:
        Practice(Places.of_user()).down(Order(lambda _: None, Flag()))
    return 0


def run(program: str, *arguments: str) -> int:
    """Run a program of the system; return its exit status."""
    return subprocess.run([shutil.which(program) or program, *arguments], check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
