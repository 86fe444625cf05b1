"""Look at the wizard without any host: `python -m tests.screens.demo [first]`."""

import itertools
import os
import sys
import tempfile
import threading
from pathlib import Path

from kubert_tui.engine.interface import Engine
from kubert_tui.lab.model import Lab
from kubert_tui.screens.app import KubertApp
from kubert_tui.screens.glyphs import choose, output_encoding
from tests.screens import sample_latency, story
from tests.screens.practice_fake import FakePractice
from tests.screens.scripted_engine import Pause, ScriptedEngine, Step


def _open(lab: Lab) -> Engine:
    never = threading.Event()
    scripts: dict[str, tuple[Step, ...]] = {
        "connect": (story.host_key(), *story.connecting()),
        "update": story.failing(),
        "hyperthreading": story.restarting(),
        "irqbalance": story.irqbalance(),
        "cyclictest": (
            sample_latency.measuring("bull1"),
            sample_latency.measuring("bull2"),
            Pause(never),
        ),
    }
    engine = ScriptedEngine(story.LAB, story.STAGES, scripts, story.opening())

    def tick() -> None:
        for number in itertools.count(1):
            engine.play(
                [sample_latency.live("bull1", number), sample_latency.live("bull2", number)]
            )
            if never.wait(0.25):
                return

    threading.Thread(target=tick, daemon=True).start()
    return engine


if __name__ == "__main__":
    os.environ["XDG_STATE_HOME"] = tempfile.mkdtemp()
    lab = None if "first" in sys.argv else story.LAB
    KubertApp(
        lab,
        _open,
        lambda lab: Path(f"{lab.name}.yaml"),
        practice=FakePractice(),
        glyphs=choose(os.environ, output_encoding()),
    ).run()
