#!/bin/sh
# What the container of a pod does: it says what it was given, and runs what its node orders.
#   sh pod.sh DIRECTORY CYCLICTEST PRIORITY SECONDS
# DIRECTORY is the run's, on the node (run.sh there tells of its files); the pod's process numbers
# are the node's. In it the container leaves: alive (locked as long as it lives), granted (lines
# `WORD VALUE`, at the end `done`), help, and when cyclictest has ended, ended (status, seconds
# since the epoch). It waits SECONDS for `go`: the CPUs, then the command, an argument a line.
umask 077
cd "$1" || exit 1
exec 5> alive
flock 5 || exit 1

# Asked to end (the pod is deleted), cyclictest still writes its histogram.
measuring=
trap 'if [ -n "$measuring" ]; then kill -TERM "$measuring" 2> /dev/null; else exit 0; fi' TERM

if said=$(chrt -f "$3" true 2>&1); then realtime=yes; else realtime="no $said"; fi
program=$(command -v "$2") || program=
{ [ -z "$program" ] || "$program" --help; } > help 2>&1 < /dev/null
IFS= read -r stat < "/proc/$$/stat"
{
    while read -r word value; do
        case $word in
            Cpus_allowed_list: | CapEff:) echo "$word $value" ;;
        esac
    done < /proc/self/status
    echo "process $$ $(printf '%s\n' "${stat##*) }" | cut -d ' ' -f 20)"
    echo "program $program"
    printf 'realtime %s\n' "$realtime" | head -n 1
    echo 'done'
} > granted.new
mv granted.new granted

waited=0
until [ -e go ]; do
    # Whoever made this pod is gone, and nothing was measured yet.
    [ "$waited" -lt $(($4 * 5)) ] || exit 0
    waited=$((waited + 1))
    sleep 0.2 5>&- &
    wait $!
done
cpus=
set --
while IFS= read -r line; do
    if [ -z "$cpus" ]; then cpus=$line; else set -- "$@" "$line"; fi
done < go
if [ -p told ]; then
    exec 4<> told 3< told
else
    exec 4> stdout
fi
sh run.sh --become "$cpus" "$@" >&4 2> stderr 5>&- 4>&- &
measuring=$!
exec 4>&-
# A trap interrupts waiting: only when it is gone, its status is.
while
    wait "$measuring"
    status=$?
    kill -0 "$measuring" 2> /dev/null
do :; done
printf '%s %s\n' "$status" "$(date +%s.%N)" > ended.new
mv ended.new ended
exit "$status"
