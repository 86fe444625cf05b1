#!/bin/sh
# Runs a container machine until it is switched off; when it reboots, it is started again.
# usage: container.sh GROUP HIERARCHIES COMMAND...
#   GROUP: its own cgroup in each of HIERARCHIES (paths); empty where systemd made one
group=$1
hierarchies=$2
shift 2
for top in $hierarchies; do
    own=$top/$group
    mkdir -p "$own"
    # A new cpuset has no processors and no memory, a new cpu cgroup no real-time budget.
    for name in cpuset.cpus cpuset.mems; do
        [ ! -e "$top/$name" ] || [ -n "$(cat "$own/$name")" ] || cat "$top/$name" >"$own/$name"
    done
    if [ -e "$own/cpu.rt_runtime_us" ]; then
        for budget in 200000 100000 50000; do
            echo "$budget" 2>/dev/null >"$own/cpu.rt_runtime_us" && break
        done
    fi
    echo $$ >"$own/cgroup.procs"
done
status=133
while [ "$status" = 133 ]; do
    # 133: systemd-nspawn --keep-unit was asked for a reboot.
    "$@"
    status=$?
    for top in $hierarchies; do
        find "$top/$group" -mindepth 1 -depth -type d -exec rmdir {} \; 2>/dev/null
    done
done
exit "$status"
