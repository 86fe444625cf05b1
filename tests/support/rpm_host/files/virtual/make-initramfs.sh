#!/bin/sh
# Make an initramfs, where Fedora runs dracut: with Debian's initramfs-tools, and with the modules
# that this kind of machine needs, wherever it is made.
#
# usage: make-initramfs.sh IMAGE RELEASE
set -eu
settings=$(mktemp -d)
trap 'rm -rf "$settings"' EXIT
cp -R /etc/initramfs-tools/. "$settings"
printf 'MODULES=list\nCOMPRESS=zstd\nCOMPRESSLEVEL=1\n' >"$settings/conf.d/practice"
printf '%s\n' virtio_pci virtio_blk virtio_net ext4 >"$settings/modules"
mkinitramfs -d "$settings" -o "$1.new" "$2"
mv "$1.new" "$1"
