"""The rt-tests releases we know (`versions.yaml`), and what each one's cyclictest accepts."""

import re
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

import yaml
from pydantic import BaseModel, ConfigDict, Field, model_validator

from kubert_tui.base.errors import UsageError

_DIGITS = re.compile(r"(\d+)\.(\d+)")


@dataclass(frozen=True, slots=True)
class Release:
    """One release: where it lies upstream and what proves a download of it."""

    version: str
    """As the lab file may name it: `2.10`, `1.0`, `stable/v1.0`."""
    upstream: str
    """Git repository."""
    ref: str
    """Tag or branch there."""
    commit: str
    """Commit the ref must be at; empty when none could be verified."""
    archive: str
    """https address of the release archive; empty when none is pinned."""
    sha256: str
    """Of that archive."""
    verified: str
    """How far the pins were proved."""
    known_to_fail: tuple[str, ...]
    help: str
    """The version as `cyclictest --help` spells it; empty when never seen."""

    @property
    def pinned(self) -> bool:
        """Whether anything proves a download of it; without that upstream is refused."""
        return bool(self.commit or (self.archive and self.sha256))


class _Entry(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    version: str
    ref: str
    commit: str = Field(default="", pattern=r"^([0-9a-f]{40})?$")
    archive: str = Field(default="", pattern=r"^(https://.*\.tar\.(gz|xz))?$")
    sha256: str = Field(default="", pattern=r"^([0-9a-f]{64})?$")
    verified: str = Field(min_length=1)
    known_to_fail: tuple[str, ...] = ()
    help: str = ""

    @model_validator(mode="after")
    def _whole(self) -> "_Entry":
        if bool(self.archive) != bool(self.sha256):
            raise ValueError("archive and sha256 go together")
        return self


class _Range(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    since: str = ""
    until: str = ""


class _Table(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    upstream: str = Field(pattern=r"^https://")
    default: str
    releases: tuple[_Entry, ...] = Field(min_length=1)
    options: dict[str, _Range]

    @model_validator(mode="after")
    def _consistent(self) -> "_Table":
        names = [entry.version for entry in self.releases]
        if len(set(names)) != len(names):
            raise ValueError("a version is listed twice")
        if self.default not in names:
            raise ValueError(f"default {self.default} is not listed")
        return self


@cache
def _table() -> _Table:
    text = files(__package__).joinpath("versions.yaml").read_text(encoding="utf-8")
    return parse(text)


def parse(text: str) -> _Table:
    """Return the validated table; pydantic's ValidationError (a ValueError) if it is wrong."""
    return _Table.model_validate(yaml.safe_load(text))


def releases() -> tuple[Release, ...]:
    """Return every release we know, newest first."""
    table = _table()
    return tuple(
        Release(
            version=one.version,
            upstream=table.upstream,
            ref=one.ref,
            commit=one.commit,
            archive=one.archive,
            sha256=one.sha256,
            verified=one.verified,
            known_to_fail=one.known_to_fail,
            help=one.help,
        )
        for one in table.releases
    )


def resolve(version: str) -> Release:
    """Return the release meant by `default`, `2.10`, `v1.0`, `stable/v1.0`; else UsageError."""
    wanted = version.strip() or "default"
    if wanted == "default":
        wanted = _table().default
    for release in releases():
        if wanted in (release.version, release.ref):
            return release
    known = ", ".join(release.version for release in releases())
    raise UsageError(
        f"rt-tests {wanted!r} is not a version we know",
        fix=f"choose one of: default, {known}; or give a source directory",
    )


def number(version: str) -> tuple[int, int] | None:
    """Return (major, minor) of `v1.0`, `2.10`, `stable/v1.0`, `2.4-1`; None without digits."""
    found = _DIGITS.search(version)
    return (int(found[1]), int(found[2])) if found else None


def accepts(version: str, option: str) -> bool:
    """Whether that version's cyclictest takes `--option`; any version string, listed or not.

    Options that are not in the table are taken by every version (True). A version that
    cannot be read is taken for the default release.
    """
    limits = _table().options.get(option.lstrip("-"))
    if limits is None:
        return True
    this = number(version) or number(_table().default)
    since, until = number(limits.since), number(limits.until)
    assert this is not None  # noqa: S101  the default is validated to be a listed version
    return (since is None or this >= since) and (until is None or this < until)
