#!/bin/sh
# Runs one short measurement by itself, whatever happens to the connection that started it:
#   sh job.sh DIRECTORY SCRIPT ARGUMENT...
# In DIRECTORY it leaves: launched/ (nobody starts it twice), job (pid, start time in ticks, boot id,
# uptime), child (the same of the script), out, err, counters.before and .after, and exit (its
# status) when all is over and put back.
umask 077
cd "$1" || exit 1
shift
mkdir launched 2> /dev/null || exit 75
exec < /dev/null > /dev/null 2>&1
renice -n 19 -p $$

# PID FILE: note which process that is, for look.sh.
note() {
    IFS= read -r stat < "/proc/$1/stat"
    ticks=$(echo "${stat##*) }" | cut -d ' ' -f 20)
    echo "$1 $ticks $(cat /proc/sys/kernel/random/boot_id) $(cut -d . -f 1 /proc/uptime)" > "$2.new"
    mv "$2.new" "$2"
}

note $$ job
. ./undo.sh
begin_undo
sh counters.sh > counters.before
trap '' HUP
# The script is a session of its own, so that it and what it started can be ended together.
trap 'kill -TERM -"$child"; sleep 1; kill -KILL -"$child"' TERM INT
setsid sh "$@" > out 2> err &
child=$!
note "$child" child
wait "$child"
status=$?
# A signal ends the first one before its time.
wait "$child"
sh counters.sh > counters.after
put_back
echo "$status" > exit.new && mv exit.new exit
