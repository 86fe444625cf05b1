#!/bin/sh
# Print the releases of kernels that rpm calls installed and that cannot boot, one a line: what a
# power cut leaves between the unpacking of a kernel and the last scriptlet of its package.
#
# usage: unfinished-kernels.sh BOOT-DIRECTORY
set -eu
boot=$1
for image in /lib/modules/*/vmlinuz; do
    release=$(basename "$(dirname "$image")")
    [ -s "$boot/vmlinuz-$release" ] && [ -s "$boot/initramfs-$release.img" ] && continue
    rpm --query --quiet --file "$image" 2>/dev/null && printf '%s\n' "$release"
done
exit 0
