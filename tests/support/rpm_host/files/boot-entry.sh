#!/bin/sh
# A plugin of kernel-install for practice hosts of the Fedora family: it does with a kernel what
# Fedora's GRUB package does there (its own plugin is 20-grub.install; this is not it).
#
# usage: boot-entry.sh add RELEASE ENTRY-DIRECTORY IMAGE | remove RELEASE
#
# add: the kernel and its configuration go to /boot, an initramfs is made, a Boot Loader
# Specification entry is written, and the new kernel becomes the default if the host's settings say
# so. Those are UPDATEDEFAULT and DEFAULTKERNEL in /etc/sysconfig/kernel. Current releases heed
# DEFAULTKERNEL by its flavour: `kernel-rt-core` stands for releases with an `rt` in them,
# `kernel-core` for those without. Fedora 33 knew UPDATEDEFAULT only; the file
# /usr/lib/practice/like-fedora-33 brings that back.
set -eu
command=$1
release=$2
machine=$KERNEL_INSTALL_MACHINE_ID
entry=/boot/loader/entries/$machine-$release.conf
practice=/usr/lib/practice

becomes_default() {
    UPDATEDEFAULT=no DEFAULTKERNEL=kernel-core
    # shellcheck disable=SC1091  # a file of the host
    [ ! -f /etc/sysconfig/kernel ] || . /etc/sysconfig/kernel
    [ "$UPDATEDEFAULT" = yes ] || return 1
    [ ! -e $practice/like-fedora-33 ] || return 0
    flavour=${DEFAULTKERNEL%-core}
    case $flavour/$release in
        kernel/*rt*) return 1 ;;
        kernel/*) return 0 ;;
    esac
    case $release in
        *"${flavour#kernel-}"*) return 0 ;;
    esac
    return 1
}

case $command in
    add)
        modules=$(dirname "$4")
        install -m 0755 "$4" "/boot/vmlinuz-$release"
        for file in config System.map; do
            [ ! -f "$modules/$file" ] || install -m 0644 "$modules/$file" "/boot/$file-$release"
        done
        $practice/make-initramfs "/boot/initramfs-$release.img" "$release"
        # shellcheck disable=SC1091  # a file of the host
        . /etc/os-release
        mkdir -p /boot/loader/entries
        cat >"$entry" <<END
title $NAME ($release) $VERSION
version $release
linux /boot/vmlinuz-$release
initrd /boot/initramfs-$release.img
options $(cat /etc/kernel/cmdline)
grub_users \$grub_users
grub_arg --unrestricted
grub_class $ID
END
        if becomes_default; then
            grub2-editenv - set "saved_entry=$machine-$release"
        fi
        ;;
    remove)
        rm -f "$entry" "/boot/vmlinuz-$release" "/boot/config-$release" \
            "/boot/System.map-$release" "/boot/initramfs-$release.img"
        ;;
    *) exit 0 ;;
esac
exec $practice/refresh-menu
