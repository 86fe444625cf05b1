#!/bin/sh
# Called after each change of a boot entry, and at boot. Debian's GRUB has no blscfg: what that would
# make of the entries while GRUB starts is written to entries.cfg here, which GRUB's menu reads.
set -eu
menu=/boot/grub2/entries.cfg
cd /boot/loader/entries
for entry in $(printf '%s\n' *.conf | sort -rV); do
    awk -v id="${entry%.conf}" '
        { key = $1; sub(/^[^ ]+ +/, ""); said[key] = $0 }
        END {
            printf "menuentry \047%s\047 --unrestricted --id \047%s\047 {\n", said["title"], id
            printf "  linux %s %s\n  initrd %s\n}\n", said["linux"], said["options"], said["initrd"]
        }' "$entry"
done >$menu.new
cmp -s $menu.new $menu || cp $menu.new $menu
rm $menu.new
