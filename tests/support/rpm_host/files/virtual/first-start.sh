#!/bin/sh
# Process 1 of a new disk's very first start: puts GRUB onto it as a host of the Fedora family has
# it, in /boot/grub2. See disk_boot.sh of the practice machines, which does so for Debian.
export PATH=/usr/sbin:/usr/bin:/sbin:/bin
if [ "$0" != /run/first-start ]; then
    cp "$0" /run/first-start
    rm "$0" /boot/initrd.img-*
    exec sh /run/first-start
fi
exec >/dev/ttyS0 2>&1 </dev/null
cd /run || exit
# The menu's head is written by GRUB's own script; what follows it is not Debian's.
rm -f /etc/grub.d/[1-9]*
cat >/etc/grub.d/10_entries <<'END'
#!/bin/sh
echo 'source $prefix/entries.cfg'
END
chmod 0755 /etc/grub.d/10_entries
sed -i 's/^GRUB_DEFAULT=.*/GRUB_DEFAULT=saved/' /etc/default/grub
# grub-install knows the directory by Debian's name, and heeds where that leads.
ln -s grub2 /boot/grub
if grub-install --target=i386-pc /dev/vda && grub-mkconfig -o /boot/grub2/grub.cfg &&
    /usr/lib/practice/refresh-menu && rm /boot/grub /usr/bin/grub-* /usr/sbin/grub-* &&
    cat /boot/grub2/entries.cfg && grub2-editenv list && sync && mount -o remount,ro /; then
    echo "practice-disk: ready"
fi
echo o >/proc/sysrq-trigger
sleep 600
