#!/bin/sh
# Process 1 of a new disk's very first start: puts GRUB onto it, with Debian's own tools and on the
# real disk. Says on the console how that went, and switches off.
export PATH=/usr/sbin:/usr/bin:/sbin:/bin DEBIAN_FRONTEND=noninteractive
if [ "$0" != /run/practice-boot ]; then
    # Nothing on the disk may be in use when it is made read-only in the end.
    cp "$0" /run/practice-boot
    rm "$0"
    exec sh /run/practice-boot
fi
exec >/dev/ttyS0 2>&1 </dev/null
cd /run || exit
if grub-install --target=i386-pc /dev/vda && update-grub && test -s /boot/grub/grub.cfg &&
    grub-editenv /boot/grub/grubenv list && sync && mount -o remount,ro /; then
    echo "practice-disk: ready"
fi
echo o >/proc/sysrq-trigger
sleep 600
