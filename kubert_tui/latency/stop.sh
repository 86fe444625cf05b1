# Ends the run in DIRECTORY so that cyclictest still writes its histogram:
#   sh -c STOP sh DIRECTORY
cd "$1" || exit 1
: > cancelled
read -r pid ticks started boot_then < process || exit 1
read -r boot < /proc/sys/kernel/random/boot_id
[ "$boot" = "$boot_then" ] || exit 0
IFS= read -r stat 2> /dev/null < "/proc/$pid/stat" || exit 0
[ "$(printf '%s\n' "${stat##*) }" | cut -d ' ' -f 20)" = "$ticks" ] || exit 0
kill -TERM "$pid"
