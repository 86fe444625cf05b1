#!/bin/sh
# Schedules one restart of this host:
#   sh restart-once.sh DELAY [BOOT]
# A host that runs another boot than BOOT has restarted already, and is left alone. This is looked
# at and scheduled in one go, for in between the host might restart by itself.
set -eu
delay=$1
read -r boot </proc/sys/kernel/random/boot_id
if [ -n "${2-}" ] && [ "$2" != "$boot" ]; then
    echo "It has restarted already."
    exit 0
fi
if [ -d /run/systemd/system ]; then
    if [ "$(systemctl is-system-running 2>/dev/null)" = stopping ]; then
        echo "It goes down already."
        exit 0
    fi
    exec systemd-run --collect "--on-active=$delay" --timer-property=AccuracySec=100ms systemctl reboot
fi
# Out of reach of the terminal that sudo may have given us.
# shellcheck disable=SC2016  # $0 is for the inner shell
setsid sh -c 'sleep "$0" && exec shutdown -r now' "$delay" </dev/null >/dev/null 2>&1 &
