#!/bin/sh
# Make a practice host of the Fedora family out of a minimal Debian. Runs in its root directory,
# once, while the image is built.
#
# usage: make-host.sh container|virtual DIRECTORY-OF-THIS-SCRIPT SPECS KERNELS
#
# KERNELS holds a directory per kernel as specs/kernel.spec wants it, named
# REPOSITORY,VERSION,RELEASE,FLAVOUR,UNAME.
set -eu
machine=$1
files=$2
specs=$3
kernels=$4
practice=/usr/lib/practice
repository=/srv/repository
work=/var/tmp/practice
export HOME=/root LC_ALL=C.UTF-8 SOURCE_DATE_EPOCH=1606003200
mkdir -p $practice/debian $work /etc/rpm /etc/yum.repos.d /etc/pki/rpm-gpg /etc/sysconfig \
    /etc/kernel /boot/grub2 /boot/loader/entries

# Debian's rpm keeps its database in the home directory and serves as a tool only.
cat >/etc/rpm/macros <<'END'
%_dbpath /var/lib/rpm
%_buildhost practice
%_topdir /var/tmp/practice
%_build_name_fmt %%{NAME}-%%{VERSION}-%%{RELEASE}.%%{ARCH}.rpm
%__gpg /usr/bin/gpg
%_binary_payload w1.zstdio
%__os_install_post %{nil}
%clamp_mtime_to_source_date_epoch 1
%use_source_date_epoch_as_buildtime 1
END

build() { # REPOSITORY SPEC OPTION...
    mkdir -p "$repository/$1"
    into=$repository/$1 spec=$specs/$2.spec
    shift 2
    rpmbuild --quiet -bb --define "_rpmdir $into" --define "ours $files" --define "machine $machine" \
        "$@" "$spec"
}

# What is to come by rpm leaves Debian's hands.
for package in irqbalance rt-tests libnuma1; do
    dpkg -L $package
done | while read -r file; do
    case $file in
        */systemd/system/irqbalance.service) to=/usr/lib/systemd/system/irqbalance.service ;;
        */usr/share/* | */etc/* | */lib/python3/*) continue ;;
        *) to=$file ;;
    esac
    if [ -f "$file" ]; then
        mkdir -p "$work/programs${to%/*}"
        mv "$file" "$work/programs$to"
    fi
done
# Debian's irqbalance does not start in containers; here it is to be found running.
sed -i /^ConditionVirtualization=/d $work/programs/usr/lib/systemd/system/irqbalance.service
rm -f /etc/default/irqbalance /etc/systemd/system/multi-user.target.wants/irqbalance.service

build fedora system
build fedora programs --define "programs $work/programs"
build fedora linux-firmware --define 'firmware_version 20201022'
build updates linux-firmware --define 'firmware_version 20201218'
for kernel in "$kernels"/*; do
    # The directory's name is five words between commas; the flavour may be empty.
    into=${kernel##*/} && rest=${into#*,} && into=${into%%,*}
    version=${rest%%,*} && rest=${rest#*,}
    release=${rest%%,*} && rest=${rest#*,}
    build "$into" kernel --define "payload $kernel" --define "kernel_version $version" \
        --define "kernel_release $release" --define "flavour ${rest%%,*}%{nil}" \
        --define "uname ${rest#*,}"
done

# The distribution's repositories are signed with a key that dnf has to import first. Kernels of
# others are not signed: what is given by address has its checksum.
gpg --batch --quiet --passphrase '' --quick-generate-key practice rsa2048 sign never
gpg --batch --quiet --armor --export practice >/etc/pki/rpm-gpg/practice
for name in fedora updates later; do
    [ ! -d "$repository/$name" ] ||
        rpmsign --define '_gpg_name practice' --addsign "$repository/$name"/*.rpm </dev/null
done
gpgconf --kill all
rm -rf /root/.gnupg
for name in fedora updates later rt running; do
    [ -d "$repository/$name" ] || continue
    createrepo_c --quiet "$repository/$name"
    enabled=0 signed=1
    case $name in
        fedora | updates) enabled=1 ;;
        rt | running) signed=0 ;;
    esac
    cat >/etc/yum.repos.d/$name.repo <<END
[$name]
name=$name
baseurl=file://$repository/$name
enabled=$enabled
gpgcheck=$signed
gpgkey=file:///etc/pki/rpm-gpg/practice
END
done

# From here on it is what it says it is.
cat >/etc/sysconfig/kernel <<'END'
# UPDATEDEFAULT says whether a new kernel becomes the one that boots by default
UPDATEDEFAULT=yes

# DEFAULTKERNEL says of which package that is true
DEFAULTKERNEL=kernel-core
END
[ -s /etc/kernel/cmdline ] || echo 'root=UUID=0f1e2d3c ro quiet' >/etc/kernel/cmdline
mv /usr/bin/apt* /usr/bin/dpkg* $practice/debian/
cp /usr/bin/grub-* /usr/sbin/grub-* $practice/debian/
rm -rf /etc/debian_version /etc/apt /boot/grub
install -m 0755 "$files/grub2-editenv.sh" /usr/bin/grub2-editenv
if [ "$machine" = container ]; then
    install -m 0755 "$files/container/grub2-probe.sh" /usr/sbin/grub2-probe
    install -m 0755 "$files/container/detect-virt.sh" /usr/bin/systemd-detect-virt
    install -m 0600 "$files/container/grub.cfg" /boot/grub2/grub.cfg
    rm /usr/bin/grub-* /usr/sbin/grub-*
else
    # The rest comes at the first start (virtual/first-start.sh), which needs GRUB's tools.
    ln -s $practice/debian/grub-probe /usr/sbin/grub2-probe
    # initramfs-tools ask it.
    ln -s $practice/debian/dpkg /usr/bin/dpkg
fi
for tool in reboot set-default; do
    # GRUB's own, as they are when built for another directory.
    sed -e 's,"/boot/grub","/boot/grub2",; s,bootdir}/grub",bootdir}/grub2",' \
        -e 's,^grub_probe=.*,grub_probe=/usr/sbin/grub2-probe,' \
        -e 's,^grub_editenv=.*,grub_editenv=/usr/bin/grub2-editenv,' \
        $practice/debian/grub-$tool >/usr/sbin/grub2-$tool
    chmod 0755 /usr/sbin/grub2-$tool
done
grub2-editenv create
dnf --quiet --assumeyes --disablerepo='*' --enablerepo=fedora \
    install practice-base grubby irqbalance linux-firmware kernel
# As on a fresh installation, the first run of dnf has to import the key.
rpm --erase gpg-pubkey
systemctl enable irqbalance.service
install -m 0755 "$files/at-boot.sh" $practice/at-boot
cat >/usr/lib/systemd/system/practice.service <<END
[Unit]
Description=Make this the machine that it says it is
DefaultDependencies=no
After=systemd-machine-id-commit.service local-fs.target
Before=sysinit.target

[Service]
Type=oneshot
ExecStart=$practice/at-boot

[Install]
WantedBy=sysinit.target
END
systemctl enable practice.service
id engineer >/dev/null 2>&1 || useradd --create-home --shell /bin/bash --groups sudo engineer
# Each machine gets its own of these.
rm -rf $work /var/log/dnf* /var/cache/dnf /etc/machine-id /var/lib/dbus/machine-id \
    /etc/ssh/ssh_host_* /etc/hostname /etc/resolv.conf
