# Tells how the run in DIRECTORY stands: sh -c PROBE sh DIRECTORY
# Prints `absent` or `prepared`, or lines: launched, boot ID, process ..., alive, exit ...,
# tracing (until that is put back), cancelled. Alive is looked at before exit: alive without exit
# means that it runs.
cd "$1" 2> /dev/null || { echo absent; exit 0; }
[ -d launched ] || { echo prepared; exit 0; }
echo launched
read -r boot < /proc/sys/kernel/random/boot_id
echo "boot $boot"

# FILE: whether the process that is noted in FILE lives.
lives() {
    read -r pid ticks started boot_then 2> /dev/null < "$1" || return 1
    [ "$boot" = "$boot_then" ] && IFS= read -r stat 2> /dev/null < "/proc/$pid/stat" || return 1
    rest=${stat##*) }
    case $rest in
        [ZX]*) return 1 ;;
    esac
    [ "$(printf '%s\n' "$rest" | cut -d ' ' -f 20)" = "$ticks" ]
}

[ -e cancelled ] && echo cancelled
[ -e process ] && echo "process $(cat process)"
lives process && alive=yes && echo alive
[ -e exit ] && echo "exit $(cat exit)"
if [ -e undo ]; then
    if [ -n "${alive-}" ] || lives launcher; then
        echo tracing
    else
        # Who should have put it back was killed.
        sh breaktrace.sh end
    fi
fi
exit 0
