#!/bin/sh
# Runs at each boot. Boot entries are named after the machine, and those of the image were made
# before there was one. See detect-virt.sh for why systemd's word about the container goes.
set -eu
rm -f /run/systemd/container
read -r machine </etc/machine-id
saved=$(grub2-editenv - list | sed -n 's/^saved_entry=//p')
for entry in /boot/loader/entries/*.conf; do
    old=$(basename "$entry" .conf)
    new=$machine-${old#*-}
    [ "$old" != "$new" ] || continue
    mv "$entry" "/boot/loader/entries/$new.conf"
    if [ "$old" = "$saved" ]; then
        grub2-editenv - set "saved_entry=$new"
    fi
done
exec /usr/lib/practice/refresh-menu
