"""The lab, typed. Pydantic gives us validation, and the schema for editors for free."""

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

HostName = Annotated[
    str, Field(pattern=r"^[A-Za-z0-9]([A-Za-z0-9._-]{0,62}[A-Za-z0-9])?$", max_length=64)
]


class Permission(StrEnum):
    """What kubert-tui may change on the lab's hosts."""

    PACKAGES = "packages"
    KERNEL = "kernel"
    REBOOT = "reboot"
    SERVICES = "services"


class Part(BaseModel):
    """Base of every part of a lab: immutable, and unknown keys are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True)


class HostSpec(Part):
    """One machine of the lab, and how to reach it."""

    name: HostName
    connection: Literal["ssh", "local"] = "ssh"
    address: str = Field(default="", description="Name or IP; the host's name if empty.")
    port: int = Field(default=0, ge=0, le=65535, description="0: ssh config's, else 22.")
    user: str = Field(default="", description="Login; ssh config's, else yours, if empty.")
    identity_file: str = Field(default="", description="Private key; ~ is expanded.")
    jump: str = Field(
        default="", description="Jump host: name of another host of this lab or [user@]host[:port]."
    )
    sudo: Literal["auto", "yes", "no"] = Field(
        default="auto", description="auto: sudo unless the login is root."
    )


class RpmPackage(Part):
    """A kernel package by address, checked before it is installed."""

    url: str = Field(pattern=r"^(https?|file)://")
    sha256: str = Field(
        default="",
        pattern=r"^([0-9a-f]{64})?$",
        description="Empty only in presets whose publisher gave no checksum: then refused.",
    )


class KernelSpec(Part):
    """Which PREEMPT_RT kernel to install."""

    source: Literal["distribution", "packages"] = "distribution"
    preset: str = Field(default="", description="Named package list, such as ccrma-5.10-fc33.")
    packages: tuple[RpmPackage, ...] = ()


class RtTestsSpec(Part):
    """Which rt-tests, and where from."""

    version: str = Field(default="default", description="default, 1.0, 2.10, stable/v1.0, ...")
    source: Literal["auto", "directory", "upstream", "distribution-source", "distribution"] = "auto"
    directory: str = Field(default="", description="Source tree on this computer.")


class CyclictestSpec(Part):
    """How cyclictest measures. Times are microseconds unless they carry a unit."""

    preset: Literal["readme", "quick"] = "quick"
    priority: int = Field(default=90, ge=1, le=99)
    interval: int = Field(default=200, ge=20, le=1_000_000, description="us")
    histogram: int = Field(default=250, ge=10, le=100_000, description="buckets of 1 us")
    distance: int = Field(default=0, ge=0, le=1_000_000, description="us")
    loops: int = Field(default=300_000, ge=1, le=10**11)
    duration: str = Field(default="", description="60s, 10m, 2h: instead of loops.")
    cpus: str = Field(default="", description="CPU list such as 2-15; all if empty.")
    mlockall: bool = True


class Lab(Part):
    """Everything a run needs to know."""

    name: HostName = "lab"
    hosts: tuple[HostSpec, ...] = Field(min_length=1)
    allow: frozenset[Permission] = frozenset()
    kernel: KernelSpec = KernelSpec()
    rt_tests: RtTestsSpec = RtTestsSpec()
    cyclictest: CyclictestSpec = CyclictestSpec()

    def host(self, name: str) -> HostSpec:
        """Return the host called `name`; KeyError if there is none."""
        for host in self.hosts:
            if host.name == name:
                return host
        raise KeyError(name)
