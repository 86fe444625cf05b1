"""Which kernel is on trial, and whether GRUB can boot one just once."""

import pytest

from kubert_tui.facts.fact import Fact, Known, Unknown
from kubert_tui.facts.model import Trial
from tests.support.fact_samples import DEBIAN, changed, facts_of, section

BOOT = "11111111-2222-3333-4444-555555555555"


def trial(environment: str) -> Fact[Trial | None]:
    return facts_of(changed(DEBIAN, grub_environment=environment)).kernel.trial


def test_the_record_of_a_trial_is_read() -> None:
    kernel = facts_of(
        changed(
            DEBIAN,
            grub_environment=f"saved_entry=0\nnext_entry=kubert-trial\nkubert_trial=6.1.0-rt,{BOOT}\n",
        )
    ).kernel
    assert kernel.trial == Known(Trial("6.1.0-rt", BOOT, unconfirmed=False))
    assert kernel.next_entry == Known("kubert-trial")
    assert kernel.rejected == Known("")


def test_a_trial_that_ended_unconfirmed_says_so() -> None:
    said = f"kubert_trial=6.1.0-rt,{BOOT}\nkubert_trial_ended=unconfirmed\n"
    assert trial(said) == Known(Trial("6.1.0-rt", BOOT, unconfirmed=True))


@pytest.mark.parametrize("environment", ["", "saved_entry=0\n", "kubert_trial_failed=6.1.0-rt\n"])
def test_without_a_record_no_kernel_is_on_trial(environment: str) -> None:
    assert trial(environment) == Known(None)


@pytest.mark.parametrize(
    "record", ["", "6.1.0-rt", "6.1.0-rt,x", f",{BOOT}", f"a b,{BOOT}", f"-rf,{BOOT}", "\x1b[31m"]
)
def test_a_record_that_is_not_ours_is_unknown(record: str) -> None:
    read = trial(f"kubert_trial={record}\n")
    assert isinstance(read, Unknown)
    assert "\x1b" not in read.reason


def test_the_kernel_that_failed_before_is_remembered() -> None:
    sample = changed(DEBIAN, grub_environment="kubert_trial_failed=6.1.0-rt\n")
    assert facts_of(sample).kernel.rejected == Known("6.1.0-rt")


def test_no_environment_block_keeps_nothing_and_an_unreadable_one_is_unknown() -> None:
    absent = DEBIAN | {"grub-environment": section("grub-environment", "", "2")}
    assert facts_of(absent).kernel.trial == Known(None)
    denied = DEBIAN | {"grub-environment": section("grub-environment", "", "13", "grubenv")}
    assert facts_of(denied).kernel.trial == Unknown("permission denied reading grubenv")


GOOD = {"size": "1024", "file": "/boot/grub/grubenv", "mounted": "/dev/sda2 ext4 rw,relatime"}
CODE = "menu load_env\nmenu save_env next_entry\n"


def one_shot(said: dict[str, str | None], menu: str = CODE) -> Fact[str]:
    lines = {key: value for key, value in (GOOD | said).items() if value is not None}
    text = menu + "".join(f"{key} {value}\n" for key, value in lines.items())
    return facts_of(changed(DEBIAN, grub_one_shot=text)).kernel.one_shot


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ({}, ""),
        ({"size": None}, ""),
        ({"mounted": "/dev/nvme0n1p1 xfs rw,relatime,attr2"}, ""),
        ({"mounted": "/dev/vda1 vfat rw,errors=remount-ro"}, ""),
        ({"size": "0"}, "is not 1024 bytes long"),
        ({"mounted": "/dev/sda2 ext4 ro,relatime"}, "mounted read-only"),
        ({"mounted": "/dev/md127 ext4 rw,relatime"}, "lies on /dev/md127, which GRUB cannot write"),
        ({"mounted": "/dev/mapper/vg-root ext4 rw,relatime"}, "lies on /dev/mapper/vg-root"),
        ({"mounted": "/dev/dm-0 xfs rw,relatime"}, "lies on /dev/dm-0"),
        ({"mounted": "/dev/sda2[/@] btrfs rw,relatime"}, "lies on btrfs"),
        ({"mounted": "rpool/ROOT/debian zfs rw,relatime"}, "lies on zfs"),
        ({"mounted": "/dev/sda2 f2fs rw,relatime"}, "lies on f2fs"),
        ({"mounted": "overlay overlay rw,relatime"}, "lies on overlay"),
    ],
)
def test_grub_can_write_to_plain_partitions_only(said: dict[str, str | None], why: str) -> None:
    read = one_shot(said)
    assert isinstance(read, Known)
    assert why in read.value
    assert bool(why) is bool(read.value)


def test_a_menu_without_the_code_heeds_no_one_shot() -> None:
    assert one_shot({}, menu="menu load_env\n") == Known("its menu has no code for it")


@pytest.mark.parametrize("mounted", [None, "", "findmnt: not found", "/dev/sda2 ext4"])
def test_what_findmnt_does_not_tell_is_unknown(mounted: str | None) -> None:
    expected = Unknown("findmnt cannot tell what /boot/grub/grubenv lies on")
    assert one_shot({"mounted": mounted}) == expected


def test_a_host_without_grub_has_no_answer() -> None:
    sample = DEBIAN | {"grub-one-shot": section("grub-one-shot", "", "2")}
    assert facts_of(sample).kernel.one_shot == Unknown("no GRUB menu was found")
