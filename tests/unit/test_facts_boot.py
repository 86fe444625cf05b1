"""The kernel that boots by default, from GRUB's menu and environment."""

import pytest

from kubert_tui.facts.fact import Fact, Known, Unknown
from kubert_tui.facts.parse_boot import find_entry, parse_menu, release_of
from tests.support.fact_samples import DEBIAN, HPE, changed, facts_of, section

RT = "6.1.0-49-rt-amd64"
STOCK = "6.1.0-49-amd64"
MENU = DEBIAN["grub-menu"].decode().split("\n")[2:-2]


@pytest.mark.parametrize(
    ("wanted", "release"),
    [
        ("0", STOCK),
        ("Debian GNU/Linux", STOCK),
        ("gnulinux-simple-5e1f", STOCK),
        ("1>0", RT),
        ("1>1", STOCK),
        ("1", RT),
        (f"gnulinux-advanced-5e1f>gnulinux-{RT}-advanced-5e1f", RT),
        (f"Advanced options for Debian GNU/Linux>Debian GNU/Linux, with Linux {RT}", RT),
    ],
)
def test_grub_finds_its_default_by_index_title_and_id(wanted: str, release: str) -> None:
    entry = find_entry(parse_menu(MENU), wanted)
    assert entry is not None
    assert release_of(entry.kernel) == Known(release)


@pytest.mark.parametrize("wanted", ["", "7", "1>7", "nothing", "gnulinux-advanced-5e1f>nothing"])
def test_a_default_that_is_not_in_the_menu_is_not_found(wanted: str) -> None:
    assert find_entry(parse_menu(MENU), wanted) is None


def default_release(environment: str, default: str = "${saved_entry}") -> Fact[str]:
    menu = DEBIAN["grub-menu"].decode().split("\n", 2)[2].rsplit("\n", 2)[0]
    menu = menu.replace('set default="0"', f'set default="{default}"')
    return facts_of(
        changed(DEBIAN, grub_menu=menu, grub_environment=environment)
    ).kernel.default_release


def test_the_saved_entry_counts_when_grub_is_told_so() -> None:
    saved = f"saved_entry=gnulinux-advanced-5e1f>gnulinux-{RT}-advanced-5e1f\n"
    assert default_release(saved) == Known(RT)
    assert default_release(saved, default="0") == Known(STOCK)


def test_without_a_saved_entry_the_first_boots() -> None:
    assert default_release("") == Known(STOCK)


def test_a_one_shot_entry_is_not_the_default() -> None:
    assert default_release("next_entry=1>0\n") == Known(STOCK)


def test_an_unreadable_menu_is_unknown() -> None:
    sample = DEBIAN | {"grub-menu": section("grub-menu", "", "13", "/boot/grub/grub.cfg")}
    expected = Unknown("permission denied reading /boot/grub/grub.cfg")
    assert facts_of(sample).kernel.default_release == expected
    absent = DEBIAN | {"grub-menu": section("grub-menu", "", "2")}
    assert facts_of(absent).kernel.default_entry == Unknown("no GRUB menu was found")


FEDORA_ENTRIES = """\
/boot/loader/entries/abc-6.9.9-200.fc40.x86_64.conf:title Fedora Linux (6.9.9-200.fc40.x86_64)
/boot/loader/entries/abc-6.9.9-200.fc40.x86_64.conf:linux /vmlinuz-6.9.9-200.fc40.x86_64
/boot/loader/entries/abc-6.10.2-200.fc40.x86_64.conf:title Fedora Linux (6.10.2-200.fc40.x86_64)
/boot/loader/entries/abc-6.10.2-200.fc40.x86_64.conf:linux /vmlinuz-6.10.2-200.fc40.x86_64
"""


@pytest.mark.parametrize(
    ("saved", "release"),
    [
        ("saved_entry=abc-6.9.9-200.fc40.x86_64\n", "6.9.9-200.fc40.x86_64"),
        ("", "6.10.2-200.fc40.x86_64"),
    ],
)
def test_fedora_without_grubby_uses_boot_loader_entries(saved: str, release: str) -> None:
    sample = changed(HPE, grub_environment=saved, boot_entries=FEDORA_ENTRIES)
    sample["grubby"] = section("grubby", "", "missing")
    assert facts_of(sample).kernel.default_release == Known(release)


def test_release_of_a_path_without_one_is_unknown() -> None:
    assert release_of("/boot/mid/6.1.0/linux") == Known("6.1.0")
    assert release_of("/vmlinuz") == Unknown("no kernel release in /vmlinuz")
