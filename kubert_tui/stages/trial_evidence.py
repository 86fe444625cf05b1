"""What a failed trial left on the host: kernel messages of its boot, and what the firmware kept."""

from importlib.resources import files

from kubert_tui.base.errors import CancelledError, KubertError
from kubert_tui.base.text import last_lines
from kubert_tui.facts.model import Trial
from kubert_tui.hosts.interface import Invocation
from kubert_tui.stages.model import Work

_LINES = 60
_BYTES = 64 * 1024


def evidence(work: Work, host: str, trial: Trial) -> str:
    """Return it as cleaned lines; why there is none, if it cannot be read. Takes a minute at most.

    Raises CancelledError only.
    """
    script = files("kubert_tui.stages").joinpath("trial_evidence.sh").read_bytes()
    invocation = Invocation(
        ("sh", "-s", "--", trial.release), stdin=script, timeout=60, sudo=True, cancel=work.cancel
    )
    try:
        said = work.host(host).run(invocation).stdout
    except CancelledError:
        raise
    except KubertError as error:
        return f"What its boot left could not be read: {error.what}"
    return last_lines(said[-_BYTES:], _LINES)
