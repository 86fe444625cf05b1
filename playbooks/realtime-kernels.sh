#!/bin/sh
# Print the releases of the installed PREEMPT_RT kernels, newest first, one a line.
#
# usage: [RPMS=FILES] realtime-kernels.sh BOOT-DIRECTORY
#
# A kernel is PREEMPT_RT when its configuration says so; one without a configuration is judged
# by its name. With RPM files (one a line), only kernels that these contain count. A kernel without
# an initramfs does not count: an installation that broke off leaves such a one, and it cannot boot.
set -euf
boot=$1
IFS='
'
# shellcheck disable=SC2086  # the lines become the arguments
set -- ${RPMS-}
set +f

is_realtime() {
    for config in "$boot/config-$1" "/lib/modules/$1/config"; do
        if [ -r "$config" ]; then
            grep -q '^CONFIG_PREEMPT_RT=y$' "$config"
            return
        fi
    done
    case $1 in
        *[-.+]rt | *[-.+]rt[-.+0-9]* | *[-.+]realtime*) return 0 ;;
    esac
    return 1
}

has_initramfs() {
    for image in "$boot/initrd.img-$1" "$boot/initramfs-$1.img" "$boot/initrd-$1"; do
        [ -s "$image" ] && return
    done
    return 1
}

wanted=
if [ $# -gt 0 ]; then
    wanted=$(rpm --query --package --list "$@" | sed -n \
        -e 's|^/boot/vmlinuz-||p' \
        -e 's|^\(/usr\)\{0,1\}/lib/modules/\([^/]*\)/vmlinuz$|\2|p')
    [ -n "$wanted" ] || exit 0
fi

for kernel in "$boot"/vmlinuz-*; do
    [ -e "$kernel" ] || continue
    release=${kernel#"$boot"/vmlinuz-}
    case $release in
        *debug* | *rescue*) continue ;;
    esac
    if [ -n "$wanted" ] && ! printf '%s\n' "$wanted" | grep -qxF -e "$release"; then
        continue
    fi
    if is_realtime "$release" && has_initramfs "$release"; then
        printf '%s\n' "$release"
    fi
done | sort -rV
