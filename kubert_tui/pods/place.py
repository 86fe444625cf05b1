"""A run in a pod: the directory on the node that the pod works in, and what the pod was given."""

import json
import shlex
from importlib.resources import files

from kubert_tui.base.errors import MeasurementError
from kubert_tui.base.text import clean_line, last_lines
from kubert_tui.facts.fact import Fact
from kubert_tui.facts.parse_tools import cyclictest_version
from kubert_tui.facts.pod import Granted, PodSeen, parse_granted, parse_pod
from kubert_tui.hosts.interface import Completed, Host, Invocation
from kubert_tui.latency.launch import Run, script
from kubert_tui.pods.kubectl import PodStatus
from kubert_tui.pods.manifest import IMAGE

LOAD_LIMIT = 180.0
"""Seconds that making and loading the image may take."""
_OLD = ("granted", "help", "go", "boot", "held", "ended")


class PodRun(Run):
    """One run in a pod, seen from its node. Methods raise as those of `Run`."""

    def make_room(self) -> None:
        """Make the directory as the pod wants it; nothing of an earlier pod is left in it."""
        old = " ".join(shlex.quote(self.path(name)) for name in _OLD)
        made = self._shell(f'umask 077; mkdir -p -- "$1" && rm -f -- {old}', self.directory)
        self._demand(made, f"the directory {self.directory} cannot be made")
        self._put("pod.sh", script("pod.sh"))

    def granted(self) -> Fact[Granted] | None:
        """Return what the pod says of itself; None before it has said so."""
        return parse_granted(self._get("granted"))

    def version(self) -> str:
        """Return the version of the pod's cyclictest."""
        return cyclictest_version(self._get("help")[:65536].decode("utf-8", errors="replace"))

    def look_at_pod(self, granted: Granted, status: PodStatus) -> Fact[PodSeen]:
        """Return all that is known of what the pod was given."""
        done = run_script(self.host, "look.py", str(granted.pid), status.uid)
        self._demand(done, "what the kubelet gave the pod cannot be read")
        return parse_pod(granted, status.quality, done.stdout)


def load_image(host: Host, runtime: str, socket: str, cyclictest: str) -> tuple[str, bool]:
    """Make the image on a node; return its name, and whether it had to be loaded.

    MeasurementError when the node lacks what it is made of, or its runtime refuses it.
    """
    arguments = (runtime, socket.removeprefix("unix://"), IMAGE, cyclictest)
    done = run_script(host, "pack.py", *arguments)
    try:
        told = json.loads(done.stdout)
        if done.ok and "image" in told:
            return clean_line(str(told["image"]), limit=255), bool(told["loaded"])
        why = clean_line(str(told["error"]), limit=400)
    except (ValueError, KeyError, TypeError):
        why = last_lines(done.stderr, 1) or f"status {done.exit_status}"
    raise MeasurementError(
        f"the image of the pod cannot be made: {why}",
        fix="make it possible, or name an image in `pods: {image: ...}` of the lab file",
        host=host.name,
    )


def run_script(host: Host, name: str, *arguments: str) -> Completed:
    """Run a program of this package on a node."""
    text = files("kubert_tui.pods").joinpath(name).read_bytes()
    argv = ("python3", "-I", "-", *arguments)
    return host.run(Invocation(argv, stdin=text, timeout=LOAD_LIMIT, sudo=True))
