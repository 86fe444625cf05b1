# Tells how the job in DIRECTORY stands, and puts back what one that was killed has left:
#   sh -c LOOK sh DIRECTORY [stop]
# Prints `absent`, `prepared`, `starting`, `running SECONDS`, `ended STATUS` or `killed`.
# With `stop` it asks a job that runs to end.
cd "$1" 2> /dev/null || { echo absent; exit 0; }
[ -d launched ] || { echo prepared; exit 0; }

# FILE: whether the process that is noted in FILE lives; its $pid, and the uptime when it $begun.
lives() {
    read -r pid ticks boot begun 2> /dev/null < "$1" || return 1
    [ "$boot" = "$(cat /proc/sys/kernel/random/boot_id)" ] || return 1
    IFS= read -r stat 2> /dev/null < "/proc/$pid/stat" || return 1
    rest=${stat##*) }
    case $rest in [ZX]*) return 1 ;; esac
    [ "$(echo "$rest" | cut -d ' ' -f 20)" = "$ticks" ]
}

[ -e job ] || { echo starting; exit 0; }
if lives job; then
    [ "${2-}" != stop ] || kill -TERM "$pid"
    echo "running $(($(cut -d . -f 1 /proc/uptime) - begun))"
    exit 0
fi
[ -e exit ] && { echo "ended $(cat exit)"; exit 0; }
# Whoever should have put it back was killed.
lives child && kill -KILL -"$pid" && sleep 1
. ./undo.sh
put_back
echo killed
