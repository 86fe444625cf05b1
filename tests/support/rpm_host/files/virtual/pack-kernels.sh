#!/bin/sh
# Take Debian's kernels apart, for specs/kernel.spec to make packages of: the one that is installed,
# which leaves this system, and the PREEMPT_RT kernel of the same version.
#
# usage: pack-kernels.sh KERNELS
#
# Of the modules, only those are kept that a virtual practice machine may need: unpacking the
# others takes minutes where a processor is emulated.
set -eu
kernels=$1
wanted='/(crypto|lib|arch)/|/fs/(ext4|jbd2|mbcache|fat|nls|autofs|configfs|fuse)|/drivers/(virtio|block/virtio_blk|char|firmware|md/dm-mod|net/(virtio_net|net_failover|dummy|veth))|/net/(core|packet|802|bridge|llc)'

payload() { # FROM RELEASE REPOSITORY FLAVOUR
    version=${2%%-*}
    number=${2#*-} && number=${number%%-*}
    into=$kernels/$3,$version,$number.fc33,$4,$2
    mkdir -p "$into/modules"
    mv "$1/boot/vmlinuz-$2" "$into/vmlinuz"
    mv "$1/boot/config-$2" "$into/config"
    from=$1/lib/modules/$2
    cp "$from"/modules.builtin "$from"/modules.builtin.modinfo "$from"/modules.order "$into/modules/"
    (cd "$from" && find kernel -name '*.ko*' | grep -E "$wanted" | cpio --quiet -pdm "$into/modules")
    rm -rf "$from" "${1:?}"/boot/*"$2"
}

release=$(basename /lib/modules/*)
work=$(mktemp -d)
cd "$work"
apt-get -qq update
apt-get -qq -o APT::Sandbox::User=root download "linux-image-$(echo "$release" | sed 's/-amd64$/-rt-amd64/')"
dpkg-deb -x ./*.deb "$work/rt"
payload "$work/rt" "$(basename "$work"/rt/lib/modules/*)" rt -rt
payload / "$release" fedora ''
rm -rf "$work" /vmlinuz* /initrd.img*
