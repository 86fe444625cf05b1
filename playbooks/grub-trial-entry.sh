#!/bin/sh
# Print the menu entry that boots a kernel on trial: the kernel's own in GRUB's menu, with a title
# and an id of ours and more kernel arguments, and without `savedefault` (which would make it the
# default).
#
# usage: grub-trial-entry.sh GRUB.CFG RELEASE ID ARGUMENTS
#
# Prints nothing and ends with 1 when the menu has no such kernel, or has it without an initramfs.
set -eu
entry=$(awk -v release="$2" -v id="$3" -v more="$4" '
    !inside && /^[ \t]*menuentry / && index($0, "\047gnulinux-" release "-advanced-") {
        inside = 1
        sub(/menuentry \047[^\047]*\047/, "menuentry \047kubert-tui: trial of " release "\047")
        sub(/\047gnulinux-[^\047]*-advanced-[^\047]*\047/, "\047" id "\047")
        sub(/^[ \t]+/, "")
        print
        next
    }
    !inside || /^[ \t]*savedefault[ \t]*$/ { next }
    /^[ \t]*linux(16|efi)?[ \t]/ { kernel = 1; $0 = $0 " " more }
    /^[ \t]*initrd(16|efi)?[ \t]/ { initramfs = 1 }
    /^[ \t]*\}[ \t]*$/ { print "}"; whole = 1; exit }
    { print }
    END { exit !(whole && kernel && initramfs) }
' "$1")
printf '%s\n' "$entry"
