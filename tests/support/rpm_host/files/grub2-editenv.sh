#!/bin/sh
# grub2-editenv of the Fedora family: GRUB's own program, with the environment block where Fedora
# has it when none is named.
set -eu
case ${1-} in
    -) shift && set -- /boot/grub2/grubenv "$@" ;;
    list | create | set | unset | incr) set -- /boot/grub2/grubenv "$@" ;;
esac
exec /usr/lib/practice/debian/grub-editenv "$@"
