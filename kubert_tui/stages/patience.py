"""Keep on with something that goes on by itself on a host, when the connection to it is lost."""

import time
from collections.abc import Callable
from typing import TypeVar

from kubert_tui.base.errors import DetachedError, UnreachableError
from kubert_tui.events.model import Waiting
from kubert_tui.stages.model import Work

PATIENCE = 15 * 60.0
"""Seconds a lost host may stay away before we stop waiting for it (a long POST included)."""

_RETRY = 5.0

Result = TypeVar("Result")


def attach_again(
    work: Work, host: str, what: str, attempt: Callable[[Callable[[], None]], Result]
) -> Result:
    """Call `attempt` until it gets through; `what` names what goes on there meanwhile.

    `attempt` gets a function to call once the host answers. Raises UnreachableError when the host
    stays away, and DetachedError when the user does not want to wait for it.
    """
    lost: list[float] = []
    while True:
        try:
            return attempt(lost.clear)
        except UnreachableError as error:
            now = time.monotonic()
            lost = lost or [now]
            since = now - lost[0]
            if since > PATIENCE:
                raise
            work.drop(host)
            waits = f"{host} to answer again ({error.what}); {what} goes on there"
            work.emit(Waiting(host=host, what=waits, elapsed=since, limit=PATIENCE))
            if work.cancel.wait(_RETRY):
                raise DetachedError(f"{host} is out of reach; {what} goes on there") from error
