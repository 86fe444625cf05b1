"""The table of releases, and which options a version takes."""

import pytest

from kubert_tui.base.errors import UsageError
from kubert_tui.rt_tests.versions import accepts, number, parse, releases, resolve


@pytest.mark.parametrize(
    ("wanted", "version"),
    [
        ("default", "2.10"),
        ("", "2.10"),
        ("2.10", "2.10"),
        ("v2.4", "2.4"),
        ("1.0", "1.0"),
        ("v1.0", "1.0"),
        ("stable/v1.0", "stable/v1.0"),
    ],
)
def test_resolves_every_spelling(wanted: str, version: str) -> None:
    assert resolve(wanted).version == version


def test_an_unknown_version_names_those_that_exist() -> None:
    with pytest.raises(UsageError) as caught:
        resolve("9.9")
    assert "9.9" in caught.value.what
    for release in releases():
        assert release.version in caught.value.fix


def test_what_cannot_be_verified_is_not_pinned() -> None:
    unpinned = {release.version for release in releases() if not release.pinned}
    assert unpinned == {"2.8", "stable/v1.0"}


@pytest.mark.parametrize(
    ("version", "nanosleep", "json"),
    [
        ("1.0", True, False),
        ("stable/v1.0", True, False),
        ("v1.1", True, False),
        ("1.2", False, False),
        ("1.10-1", False, False),
        ("2.0", False, True),
        ("2.4-1", False, True),
        ("2.10", False, True),
        ("3.0", False, True),
        ("unreadable", False, True),
    ],
)
def test_options_by_range(version: str, nanosleep: bool, json: bool) -> None:
    assert accepts(version, "nanosleep") is nanosleep
    assert accepts(version, "--json") is json
    assert accepts(version, "mainaffinity") is json
    assert accepts(version, "mlockall")


def test_minor_versions_are_numbers_not_decimals() -> None:
    assert (number("2.10") or (0, 0)) > (number("2.4") or (0, 0))


_GOOD = """
upstream: https://example.org/x.git
default: "1.0"
releases: [{version: "1.0", ref: v1.0, verified: nobody}]
options: {}
"""


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('default: "1.0"', 'default: "2.0"'),
        ("verified: nobody", "verified: nobody, sha256: abc"),
        ("verified: nobody", "verified: nobody, surprise: 1"),
        ("verified: nobody", "verified: nobody, commit: main"),
        ("https://example.org", "http://example.org"),
        ("verified: nobody", "verified: x, archive: 'https://example.org/a.tar.gz'"),
    ],
)
def test_a_wrong_table_is_refused(old: str, new: str) -> None:
    parse(_GOOD)
    with pytest.raises(ValueError, match=r"."):
        parse(_GOOD.replace(old, new))
