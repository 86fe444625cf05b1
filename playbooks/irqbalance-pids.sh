#!/bin/sh
# List (or end) the irqbalance processes of this machine, one process id a line.
#
# usage: irqbalance-pids.sh list|end
#
# Processes of containers are seen from their machine too: only our own process namespace counts.
set -eu
ours=$(readlink /proc/self/ns/pid)

running() {
    for process in /proc/[0-9]*; do
        name=$(cat "$process/comm" 2>/dev/null) || continue
        [ "$name" = irqbalance ] || continue
        [ "$(readlink "$process/ns/pid" 2>/dev/null)" = "$ours" ] || continue
        # A zombie has ended already; its parent has only not noticed yet.
        grep -q '^State:[[:space:]]*Z' "$process/status" 2>/dev/null && continue
        echo "${process#/proc/}"
    done
}

if [ "$1" = end ]; then
    for pid in $(running); do
        kill -TERM "$pid" || true
    done
    for _ in 1 2 3 4 5 6 7 8 9 10; do
        [ -n "$(running)" ] || break
        sleep 1
    done
fi
running
