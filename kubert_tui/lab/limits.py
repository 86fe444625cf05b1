"""Limits for the worst latency that others have published, to judge a measurement by."""

from dataclasses import dataclass

from kubert_tui.base.errors import UsageError


@dataclass(frozen=True, slots=True)
class Limit:
    """The worst latency must stay below `microseconds`, as in OpenShift's cnf-tests: strictly."""

    name: str
    microseconds: int
    source: str
    """Who published it, for what."""


LIMITS = (
    Limit("openshift-ran", 20, "OpenShift cnf-tests: limit for a RAN host"),
    Limit("rt-guest", 40, "OpenShift Virtualization and RHEL for Real Time: guest, 12 h"),
    Limit("seapath", 100, "SEAPATH continuous integration: host and virtual machine"),
)


def limit_of(text: str) -> Limit:
    """Return the limit that `text` names, or means in microseconds (`35`, `35us`).

    UsageError lists the names.
    """
    for limit in LIMITS:
        if text == limit.name:
            return limit
    number = text.removesuffix("us").strip()
    if number.isascii() and number.isdigit() and 0 < int(number[:12]) <= 10_000_000:
        return Limit(f"{int(number)} us", int(number), "chosen by the user")
    names = ", ".join(f"{limit.name} ({limit.microseconds} us)" for limit in LIMITS)
    raise UsageError(f"{text!r} is no limit", fix=f"give microseconds, or one of: {names}")
