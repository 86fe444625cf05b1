#!/bin/sh
# Print why this host could not come back by itself from a kernel that does not boot, one reason a
# line; nothing when it can.
#
# usage: way-back.sh GRUB-DIRECTORY
#
# A kernel is tried by an entry that GRUB boots just once. GRUB forgets it by overwriting its
# environment block on the disk, before it boots the entry. Where it cannot write, the entry would
# boot again and again, whatever became of it.
set -eu
directory=$1
menu=$directory/grub.cfg
# Fedora with UEFI had a link here, to the EFI system partition.
environment=$(readlink -f "$directory/grubenv")
if [ -e "$environment" ]; then
    size=$(wc -c <"$environment")
    [ "$size" -eq 1024 ] || echo "$environment has $size bytes, and GRUB writes only to a file of 1024"
else
    environment=$directory
fi

for grub in grub grub2 none; do
    command -v "$grub-probe" >/dev/null && break
done
if [ "$grub" = none ]; then
    echo "grub-probe is not installed, so nobody can tell what GRUB can write to"
elif ! abstraction=$("$grub-probe" --target=abstraction "$environment" 2>&1) ||
    ! filesystem=$("$grub-probe" --target=fs "$environment" 2>&1); then
    echo "grub-probe cannot tell what $environment lies on: ${filesystem-$abstraction}"
else
    [ -z "$abstraction" ] ||
        echo "$environment lies on $(echo "$abstraction" | paste -sd ' ' -), which GRUB cannot write to"
    case $filesystem in
        ext2 | xfs | fat) ;;
        *) echo "$environment lies on $filesystem, which GRUB cannot safely write to" ;;
    esac
fi

if command -v findmnt >/dev/null; then
    case ,$(findmnt --noheadings --output OPTIONS --target "$environment" || :), in
        *,ro,*) echo "$environment lies on a file system that is mounted read-only" ;;
    esac
fi

for words in load_env 'save_env next_entry'; do
    grep -qF "$words" "$menu" || echo "$menu does not say $words, so GRUB would not heed a one-shot entry"
done
grep -qE 'custom[.]cfg|blscfg' "$menu" ||
    echo "$menu does not read custom.cfg: make /etc/grub.d/41_custom executable and run update-grub"
grep -qE '^[[:space:]]*set timeout=-1$' "$menu" &&
    echo "$menu waits at its menu until somebody presses a key (GRUB_TIMEOUT=-1)"

# A kernel that boots and cannot be reached is left again by a unit of systemd.
case $(readlink -f /sbin/init) in
    */systemd) ;;
    *) echo "systemd does not start this host" ;;
esac
