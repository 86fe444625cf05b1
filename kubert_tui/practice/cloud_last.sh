# shellcheck shell=sh
# The last hook of mmdebstrap: sh cloud_last.sh TREE. Makes of a practice machine's tree one that
# cloud-init sets up: name, addresses, logins and keys come from a seed, and from nowhere else.
set -eu
root=$1

rm -f "$root/etc/systemd/network/wired.network" "$root/etc/ssh/sshd_config.d/practice.conf" \
    "$root/etc/systemd/system/sysinit.target.wants/practice-seed.service" \
    "$root/etc/systemd/system/practice-seed.service" "$root/usr/local/sbin/practice-seed" \
    "$root/etc/systemd/system/ssh.service.d/practice.conf"
chroot "$root" userdel --remove engineer
ln -sf ../run/systemd/resolve/stub-resolv.conf "$root/etc/resolv.conf"
echo 'datasource_list: [ NoCloud, None ]' >"$root/etc/cloud/cloud.cfg.d/90_dpkg.cfg"
# What grub-pc is told about its disk holds where the disk has our serial number.
chroot "$root" debconf-set-selections <<'END'
grub-pc grub-pc/install_devices multiselect /dev/vda
END
