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
    measured: str = ""
    """How they measure it: what with, for how long."""
    url: str = ""
    """Where it is published."""


@dataclass(frozen=True, slots=True)
class Published:
    """What others have measured: no limit, but figures to stand beside."""

    who: str
    figures: str
    measured: str
    url: str


_REDHAT = "https://docs.redhat.com/en/documentation"
_PLATFORM = (
    f"{_REDHAT}/openshift_container_platform/4.18/html/scalability_and_performance/"
    "cnf-performing-platform-verification-latency-tests"
)

LIMITS = (
    Limit(
        "openshift-ran",
        20,
        "OpenShift, platform verification for radio access networks (RAN): host",
        "cyclictest in a pod on the isolated CPUs; the examples ran 10 min",
        _PLATFORM,
    ),
    Limit(
        "rt-guest",
        40,
        "RHEL for Real Time, virtualization: real-time host and guest, modern hardware",
        "cyclictest every 200 us for 12 h, while the other CPUs compile a kernel",
        f"{_REDHAT}/red_hat_enterprise_linux_for_real_time/10/html/configuring_virtualization_"
        "on_rhel_10_for_real_time/stress-testing-the-real-time-virtualization-system",
    ),
    Limit(
        "seapath",
        100,
        "SEAPATH (LF Energy), continuous integration: host and virtual machine",
        "cyclictest every 200 us, 20 s",
        "https://github.com/seapath/ci",
    ),
)

PUBLISHED = (
    Published(
        "OSADL, real-time QA farm",
        "worst of the example plot 55 us; a plot for each of its systems",
        "cyclictest -l100000000 -m -Sp90 -i200 -h400: 5 h 33 min twice a day, of which 2 h idle",
        "https://www.osadl.org/Latency-plots.latency-plots.0.html",
    ),
    Published(
        "OpenShift, examples of its latency tests",
        "good: worst 4 to 6 us; bad: 9 to 619 us; 18 us do for 4G, not for 5G",
        "cyclictest, 16 CPUs, 10 min",
        _PLATFORM,
    ),
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
    raise UsageError(
        f"{text!r} is no limit",
        fix=f"give microseconds, or one of: {names}; `kubert-tui lab limits` tells their sources",
    )
