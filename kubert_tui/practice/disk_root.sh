# shellcheck shell=sh
# The last hook of mmdebstrap: turns a bare Debian tree into a practice host's root file system.
#   sh disk_root.sh TREE UUID        UUID: of the root file system it will be put into
set -eu
root=$1
uuid=$2

# A console that is a file on the computer outside, and a menu that does not keep anybody waiting.
sed -i -e 's/^GRUB_TIMEOUT=.*/GRUB_TIMEOUT=1/' \
    -e 's/^GRUB_CMDLINE_LINUX_DEFAULT=.*/GRUB_CMDLINE_LINUX_DEFAULT=""/' \
    -e 's/^GRUB_CMDLINE_LINUX=.*/GRUB_CMDLINE_LINUX="console=ttyS0,115200"/' "$root/etc/default/grub"
cat >>"$root/etc/default/grub" <<'END'

# The machine has a serial line and no screen.
GRUB_TERMINAL="serial"
GRUB_SERIAL_COMMAND="serial --unit=0 --speed=115200"
END
# Where a newer grub-pc installs itself: the disk, by the serial number that we give it.
chroot "$root" debconf-set-selections <<'END'
grub-pc grub-pc/install_devices multiselect /dev/disk/by-id/virtio-kubert-tui
grub-pc grub-pc/install_devices_empty boolean false
END

# No fsck at start: the journal takes care of cut power, and it would be seconds of every start.
printf 'UUID=%s / ext4 errors=remount-ro 0 0\n' "$uuid" >"$root/etc/fstab"
echo practice >"$root/etc/hostname"
printf '127.0.0.1 localhost\n::1 localhost\n' >"$root/etc/hosts"
echo 'LANG=C.UTF-8' >"$root/etc/default/locale"
: >"$root/etc/machine-id"
rm -f "$root/var/lib/dbus/machine-id"

# QEMU's user network is the same for every machine: no lease to wait for, none to lose.
cat >"$root/etc/systemd/network/wired.network" <<'END'
[Match]
Type=ether
[Network]
Address=10.0.2.15/24
Gateway=10.0.2.2
LinkLocalAddressing=no
IPv6AcceptRA=no
END
echo 'nameserver 10.0.2.3' >"$root/etc/resolv.conf"
systemctl --root="$root" --quiet enable systemd-networkd.service

# One host key, made outside; keys in, passwords for sudo only.
rm -f "$root"/etc/ssh/ssh_host_*
cat >"$root/etc/ssh/sshd_config.d/practice.conf" <<'END'
HostKey /etc/ssh/ssh_host_ed25519_key
PasswordAuthentication no
PermitRootLogin prohibit-password
END
chroot "$root" useradd --create-home --shell /bin/bash --groups sudo engineer

# What is particular to one machine comes at its first start, from outside: a tar archive for /,
# and a password, which never gets onto the disk.
cat >"$root/usr/local/sbin/practice-seed" <<'END'
#!/bin/sh
set -eu
seed=/sys/firmware/qemu_fw_cfg/by_name/opt/kubert-tui/seed/raw
modprobe qemu_fw_cfg 2>/dev/null || true
tar -x -C / -f "$seed" --exclude=passwords
tar -x -O -f "$seed" passwords | chpasswd --crypt-method SHA512
hostname -F /etc/hostname
sync
touch /etc/practice-seeded
sync
END
chmod 755 "$root/usr/local/sbin/practice-seed"
cat >"$root/etc/systemd/system/practice-seed.service" <<'END'
[Unit]
Description=What is particular to this practice machine
DefaultDependencies=no
RequiresMountsFor=/etc
After=systemd-remount-fs.service
Before=sysinit.target systemd-networkd.service shutdown.target
Conflicts=shutdown.target
ConditionPathExists=!/etc/practice-seeded
[Service]
Type=oneshot
ExecStart=/usr/local/sbin/practice-seed
[Install]
WantedBy=sysinit.target
END
systemctl --root="$root" --quiet enable practice-seed.service

# A throw-away machine does no housekeeping, and nobody sits at it. What no server needs in order
# to start, it does not wait for: under emulation every process is a matter of tenths of seconds.
systemctl --root="$root" --quiet mask apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer \
    e2scrub_all.timer e2scrub_reap.service fstrim.timer systemd-pstore.service \
    getty@tty1.service serial-getty@ttyS0.service modprobe@drm.service modprobe@loop.service \
    modprobe@fuse.service modprobe@dm_mod.service modprobe@configfs.service \
    sys-fs-fuse-connections.mount sys-kernel-config.mount sys-kernel-debug.mount \
    systemd-network-generator.service systemd-binfmt.service proc-sys-fs-binfmt_misc.automount \
    systemd-update-utmp.service systemd-update-utmp-runlevel.service systemd-sysusers.service \
    systemd-random-seed.service sys-kernel-tracing.mount dev-mqueue.mount
mkdir -p "$root/etc/systemd/system-generators" "$root/etc/systemd/journald.conf.d" \
    "$root/etc/systemd/system/systemd-logind.service.d" "$root/etc/systemd/system/ssh.service.d"
for name in cryptsetup integritysetup veritysetup gpt-auto hibernate-resume rc-local sysv; do
    ln -s /dev/null "$root/etc/systemd/system-generators/systemd-$name-generator"
done
# What happened in a start that went wrong can be read afterwards; it is put onto the disk only
# when the machine can be reached already, or would be if it had a network.
printf '[Journal]\nStorage=persistent\nAudit=no\nSystemMaxUse=64M\nSystemMaxFileSize=8M\n' \
    >"$root/etc/systemd/journald.conf.d/practice.conf"
cat >"$root/etc/systemd/system/systemd-journal-flush.service" <<'END'
[Unit]
Description=Flush Journal to Persistent Storage
DefaultDependencies=no
After=systemd-journald.service systemd-remount-fs.service ssh.service
Before=shutdown.target
Conflicts=shutdown.target
[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=journalctl --flush
END
printf '[Unit]\nAfter=ssh.service\n' >"$root/etc/systemd/system/systemd-logind.service.d/practice.conf"
printf '[Service]\nExecStartPre=\n' >"$root/etc/systemd/system/ssh.service.d/practice.conf"
# Devices that there are, and that nothing here uses: their drivers are large.
for name in cfg80211 ata_piix ata_generic floppy pcspkr psmouse i2c_piix4 serio_raw evdev; do
    echo "blacklist $name"
done >"$root/etc/modprobe.d/practice.conf"
# A kernel that is installed later gets an initramfs for this machine, not for any: under emulation
# the difference is ten minutes.
printf 'MODULES=dep\nCOMPRESS=zstd\nCOMPRESSLEVEL=1\n' >"$root/etc/initramfs-tools/conf.d/practice"

# Translations of descriptions are half of what apt fetches; a kernel recommends half a system.
printf 'Acquire::Languages "none";\nAPT::Install-Recommends "false";\n' \
    >"$root/etc/apt/apt.conf.d/90practice"
rm -rf "$root"/var/cache/apt/archives/*.deb "$root"/var/cache/apt/*.bin "$root"/tmp/*
