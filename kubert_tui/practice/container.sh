#!/bin/sh
# Runs a container machine until it is switched off; when it reboots, it is started again.
# usage: container.sh GROUP COMMAND...   GROUP: its own cgroup, empty where systemd made one
group=$1
shift
if [ -n "$group" ]; then
    # Each systemd takes the cgroup it is started in for its own: two must not share one.
    # These hierarchies have no controllers, so real-time budgets stay as they are.
    for top in /sys/fs/cgroup/systemd /sys/fs/cgroup/unified /sys/fs/cgroup; do
        [ -e "$top/cgroup.procs" ] || continue
        mkdir -p "$top/$group" && echo $$ >"$top/$group/cgroup.procs"
    done
fi
status=133
while [ "$status" = 133 ]; do
    # 133: systemd-nspawn --keep-unit was asked for a reboot.
    "$@"
    status=$?
done
exit "$status"
