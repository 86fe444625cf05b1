# Tells how the run in DIRECTORY stands: sh -c PROBE sh DIRECTORY
# Prints `absent` or `prepared`, or lines: launched, boot ID, process ..., alive, exit ...,
# cancelled. Alive is looked at before exit: alive without exit means that it runs.
cd "$1" 2> /dev/null || { echo absent; exit 0; }
[ -d launched ] || { echo prepared; exit 0; }
echo launched
read -r boot < /proc/sys/kernel/random/boot_id
echo "boot $boot"
[ -e cancelled ] && echo cancelled
if [ -e process ]; then
    read -r pid ticks started boot_then < process
    echo "process $pid $ticks $started $boot_then"
    if [ "$boot" = "$boot_then" ] && IFS= read -r stat 2> /dev/null < "/proc/$pid/stat"; then
        rest=${stat##*) }
        case $rest in
            [ZX]*) ;;
            *) [ "$(printf '%s\n' "$rest" | cut -d ' ' -f 20)" = "$ticks" ] && echo alive ;;
        esac
    fi
fi
[ -e exit ] && echo "exit $(cat exit)"
exit 0
