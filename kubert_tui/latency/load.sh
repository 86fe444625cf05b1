# A load beside a measurement. It ends with cyclictest, whatever becomes of who started it.
#   sh load.sh start DIRECTORY HOUSEKEEPING SPREAD PRESET CPUS COMMAND-LINE COMMAND...
#   sh load.sh stop DIRECTORY [REASON]
# COMMAND, at home in DIRECTORY, is started again whenever it has ended well; COMMAND-LINE is how it
# is told. Its processes are a session of their own, not niced. A guard beside it (nice 19, on the
# CPUs of HOUSEKEEPING, if any) ends it. Among isolated CPUs the kernel moves nobody: if SPREAD names
# CPUs (`2 3 4`), the guard hands them out to the processes in turn.
# DIRECTORY gets, times in seconds since boot:
#   loads         a line `on TIME PRESET CPUS COMMAND-LINE` and a line `off TIME REASON` for each
#   load.process  its session, when that was begun (ticks), boot id
#   load.alive    when the guard last saw it
#   load.log      the end of what it said
#   load.tmp/     room for its files; gone when it has ended
umask 077

now() {
    read -r up _ < /proc/uptime
    echo "$up"
}

# alive PID TICKS: 0 if that process is there, 1 if it is not, 2 if another one has its number.
alive() {
    IFS= read -r stat 2> /dev/null < "/proc/$1/stat" || return 1
    rest=${stat##*) }
    [ "$(printf '%s\n' "$rest" | cut -d ' ' -f 20)" = "$2" ] || return 2
    case $rest in [ZX]*) return 1 ;; esac
}

# The processes of a session.
members() {
    cat /proc/[0-9]*/stat 2> /dev/null |
        sed -n "s/^\([0-9]*\) (.*) [^ZX] [0-9]* [0-9]* $1 .*/\1/p"
}

# One at a time: who starts, who stops, and the guard.
alone() {
    exec 9>> load.lock
    flock 9 2> /dev/null
}

# Gives every process of the session that is new one of the CPUs, the next one each time.
spread() {
    before=$seen seen=' '
    for one in $(members "$session"); do
        seen="$seen$one "
        case $before in *" $one "*) continue ;; esac
        next=${spread%% *}
        taskset -p -c "$next" "$one" > /dev/null 2>&1
        spread="${spread#* } $next"
    done
}

# Ends the load; REASON ONLY-THIS-SESSION
end() {
    read -r session ticks boot 2> /dev/null < load.process || return 0
    [ "$boot" = "$(cat /proc/sys/kernel/random/boot_id)" ] || return 0
    [ -z "$2" ] || [ "$2" = "$session" ] || return 0
    when=$(now)
    alive "$session" "$ticks"
    case $? in
        1) read -r when 2> /dev/null < load.alive ;;
        # The number of a session that still has processes is not given to another one.
        2) rm -f load.process && return 0 ;;
    esac
    echo "off $when $1" >> loads
    # The one that would start the next round goes first.
    kill -TERM "$session" 2> /dev/null
    turn=0
    while left=$(members "$session") && [ -n "$left" ]; do
        how=TERM
        [ "$turn" -lt 15 ] || how=KILL
        # shellcheck disable=SC2086 # they are numbers
        [ "$((turn % 15))" -ne 0 ] || kill -s "$how" $left 2> /dev/null
        [ "$turn" -lt 30 ] || break
        turn=$((turn + 1))
        sleep 0.2
    done
    rm -rf load.tmp load.process
}

case $1 in
    start)
        cd "$2" || exit 1
        housekeeping=$3 spread=$4 what="$5 $6 $7"
        shift 7
        alone
        end 'asked for'
        if ! { read -r pid ticks _ < process && alive "$pid" "$ticks"; } 2> /dev/null; then
            echo 'cyclictest does not run' >&2
            exit 3
        fi
        mkdir -p load.tmp || exit 1
        rm -f load.begin
        exec < /dev/null > /dev/null 2>&1
        setsid sh load.sh loop "$@" 9>&- &
        session=$!
        IFS= read -r stat < "/proc/$session/stat"
        ticks=$(printf '%s\n' "${stat##*) }" | cut -d ' ' -f 20)
        echo "$session $ticks $(cat /proc/sys/kernel/random/boot_id)" > load.process
        now > load.alive
        echo "on $(cat load.alive) $what" >> loads
        : > load.begin
        setsid sh load.sh guard "$session" "$housekeeping" "$spread" 9>&- &
        ;;
    stop)
        cd "$2" || exit 1
        alone
        end "${3:-asked for}"
        ;;
    loop)
        shift
        # What it does must not be told before it is told that it begins.
        until [ -e load.begin ]; do sleep 0.05; done
        while
            "$@" > load.log 2>&1
            status=$?
            [ "$status" -eq 0 ]
        do
            # One that ends at once must not become a load of its own.
            sleep 0.2
        done
        echo "off $(now) it ended with status $status: $(tail -n 1 load.log)" >> loads
        ;;
    guard)
        renice -n 19 -p $$
        [ -z "$3" ] || taskset -p -c "$3" $$
        read -r session ticks _ < load.process
        [ "$session" = "$2" ] || exit 0
        read -r pid started _ < process
        turn=0 spread=$4 seen=' '
        while alive "$session" "$ticks" && alive "$pid" "$started"; do
            [ "$((turn % 10))" -ne 0 ] || now > load.alive
            [ -z "$spread" ] || [ "$((turn % 4))" -ne 1 ] || spread
            turn=$((turn + 1))
            sleep 0.5
        done
        why='the measurement is over'
        alive "$pid" "$started" && why='it was killed'
        alone
        end "$why" "$session"
        ;;
esac
