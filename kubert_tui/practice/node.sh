#!/bin/sh
# Runs first in a container machine that may be a Kubernetes node: what systemd-nspawn shows
# read-only becomes writable where it is the machine's own, and a private file where it is not.

# cgroup v1: the controllers of this machine's own cgroups. (v2 is writable already.)
if [ ! -e /sys/fs/cgroup/cgroup.procs ]; then
    mount -o remount,bind,rw /sys/fs/cgroup
    for hierarchy in /sys/fs/cgroup/*/; do
        mount -o remount,bind,rw "$hierarchy" 2>/dev/null
    done
    mount -o remount,bind,ro /sys/fs/cgroup
fi

# The network is the machine's own, and so are its settings.
mount --bind /proc/sys/net /proc/sys/net && mount -o remount,bind,rw /proc/sys/net

# /sys tells of the interfaces of whoever mounted it: that was done outside of this network.
mkdir -p /run/practice-node/sys
if mount -t sysfs -o ro sysfs /run/practice-node/sys; then
    for name in class devices; do
        mount --bind "/run/practice-node/sys/$name" "/sys/$name"
    done
fi

# Kubelet sets these. They are this computer's: the machine gets copies.
for name in vm/overcommit_memory vm/panic_on_oom kernel/panic kernel/panic_on_oops \
    kernel/keys/root_maxkeys kernel/keys/root_maxbytes; do
    copy=/run/practice-node/$(basename "$name")
    cat "/proc/sys/$name" >"$copy" && mount --bind "$copy" "/proc/sys/$name"
done

# Whoever loads a module that the kernel has built in gets what was asked for.
{
    for name in overlay br_netfilter; do
        case $name in
        overlay) grep -qw overlay /proc/filesystems ;;
        br_netfilter) [ -e /proc/sys/net/bridge ] ;;
        esac && echo "install $name /bin/true"
    done
} >/etc/modprobe.d/practice-node.conf

# Volumes of pods are mounts that others must see.
mount --make-rshared /
exit 0
