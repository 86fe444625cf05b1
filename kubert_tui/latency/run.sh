#!/bin/sh
# Runs cyclictest by itself, whatever happens to the connection that started it.
#   sh run.sh DIRECTORY CPUS COMMAND ARGUMENT...
# In DIRECTORY it leaves: launched/ (made by whoever starts the run; nobody starts it twice),
# process (pid, start time in ticks, seconds since the epoch, boot id; before the first
# sample), stdout, stderr, past, last and policy (recorder.pyz tells), loads (load.sh tells),
# counters.before and .after, and exit (status, seconds since the epoch; `held` if we kept idle
# states off for a pod) when all is over. With
# stream.pyz (streamer.py tells of it) cyclictest writes into the pipe told, and live is a link to
# what is kept in memory. With breaktrace.sh tracing is on meanwhile; launcher (as process) tells
# who puts it back. With pod.sh (which tells of its files) cyclictest runs in a pod that is there.
umask 077

if [ "$1" = --become ]; then
    # Our pid and start time stay the same across exec: they are cyclictest's.
    shift
    cpus=$1
    shift
    IFS= read -r stat < "/proc/$$/stat" || exit 126
    read -r boot 2> /dev/null < boot || read -r boot < /proc/sys/kernel/random/boot_id || exit 126
    ticks=$(printf '%s\n' "${stat##*) }" | cut -d ' ' -f 20)
    printf '%s %s %s %s\n' "$$" "$ticks" "$(date +%s.%N)" "$boot" > process.new || exit 126
    mv process.new process || exit 126
    # --smp takes the CPUs it is started with, and isolated ones are not among them by default.
    if command -v taskset > /dev/null 2>&1; then
        exec taskset -c "$cpus" "$@"
    fi
    exec "$@"
fi

directory=$1
cpus=$2
shift 2
cd "$directory" || exit 1
mkdir launched 2> /dev/null || exit 75
# cyclictest handles TERM and INT itself; we stay to record how it ended.
trap '' HUP INT TERM
exec < /dev/null > launcher.log 2>&1
if [ -e breaktrace.sh ]; then
    IFS= read -r stat < "/proc/$$/stat"
    read -r boot < /proc/sys/kernel/random/boot_id
    printf '%s %s 0 %s\n' $$ "$(printf '%s\n' "${stat##*) }" | cut -d ' ' -f 20)" "$boot" > launcher
    if ! nice -n 19 sh breaktrace.sh begin 2> stderr; then
        printf '1 %s\n' "$(date +%s.%N)" > 'exit'
        exit
    fi
fi
sh counters.sh > counters.before 2> /dev/null
recorder=recorder.pyz
if [ -e stream.pyz ]; then
    recorder=stream.pyz
    # cyclictest tells each sample into a pipe. It and we hold its reading end too: who reads it
    # can be killed, and neither does cyclictest get a SIGPIPE nor is anything in there lost.
    mkfifo told || exit 1
    exec 4<> told
    exec 3< told
    for place in /dev/shm /run .; do
        live=$(mktemp -u "$place/kubert-stream-XXXXXXXX")
        ln -s "$live" live && mkdir -m 700 "$live" && break
        rm -f live
    done
fi

# Lets the pod begin, and returns how cyclictest ended there. A pod that dies lets go of the lock.
in_pod() {
    # What its /proc says of that may be another machine's: a node can be a container.
    cat /proc/sys/kernel/random/boot_id > boot
    # What cyclictest does to keep processors awake, and cannot from in there.
    if [ -w /dev/cpu_dma_latency ]; then
        exec 6> /dev/cpu_dma_latency
        printf '\0\0\0\0' >&6 && : > held
    fi
    printf '%s\n' "$cpus" "$@" > go.new && mv go.new go
    flock alive true
    read -r status finished < ended && return "$status"
    return 137
}

if [ -e pod.sh ]; then
    in_pod "$@" 3<&- 4>&- &
elif [ -e stream.pyz ]; then
    sh run.sh --become "$cpus" "$@" >&4 2> stderr 3<&- 4>&- &
else
    sh run.sh --become "$cpus" "$@" > stdout 2> stderr &
fi
measuring=$!
exec 4>&-

# Keeps what was measured so far. One that is killed is started again; without Python there is none.
record() {
    until [ -e process ]; do
        kill -0 "$measuring" 2> /dev/null || return
        sleep 0.1
    done
    while
        python3 -I "$recorder"
        [ "$?" -gt 128 ]
    do
        sleep 1
    done
    [ -p told ] || return
    # Nothing is left, unless nobody could add up: then the samples are not seen, the result is.
    nice -n 19 grep -a -v -E '^[ 0-9]*:[ 0-9:-]*$|^ *-?[0-9]+$' <&3 >> stdout
}
record &
recording=$!

# The load that was ordered; later ones are started by whoever asks for them.
load() {
    [ -e load.first ] || return
    # What it starts would be deaf, too, and could be killed only.
    trap - HUP INT TERM
    until [ -e process ]; do
        kill -0 "$measuring" 2> /dev/null || return
        sleep 0.1
    done
    sh load.first 3<&-
}
load &

wait "$measuring"
status=$?
finished=$(date +%s.%N)
[ ! -e ended ] || read -r status finished < ended
sh counters.sh > counters.after 2> /dev/null
[ ! -e loads ] || sh load.sh stop . 'the measurement is over'
[ -p told ] && wait "$recording"
held=
[ ! -e held ] || held=' held'
printf '%s %s%s\n' "$status" "$finished" "$held" > exit.new && mv exit.new exit
[ ! -e undo ] || nice -n 19 sh breaktrace.sh end
sync stdout stderr exit 2> /dev/null
