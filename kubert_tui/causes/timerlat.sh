# Measures timer latency with the kernel's timerlat tracer: sh timerlat.sh SECONDS COMMAND...
#
# COMMAND is `rtla timerlat hist ...`, which ends by itself after SECONDS. It works in an instance
# of its own; what it sets for all of the kernel is put back, also when it was killed.
. ./undo.sh
seconds=$1
shift

no() {
    echo "rtla timerlat cannot be used: $1" >&2
    exit 1
}

find_tracefs || no 'there is no tracefs'
grep -qw timerlat "$tracefs/available_tracers" || no 'the kernel has no timerlat tracer'
for setting in "$tracefs"/osnoise/*; do
    case ${setting##*/} in
        per_cpu | options) continue ;;
    esac
    [ -f "$setting" ] && echo "write $setting $(head -n 1 "$setting")" >> undo
done
# Last, so that they are gone before the rest is put back.
for name in timerlat_hist timerlat_hist_trace; do
    [ ! -e "$tracefs/instances/$name" ] || no 'somebody else uses it'
    echo "instance $tracefs/instances/$name" >> undo
done
rtla --version 2>&1 | grep 'rtla version' | head -n 1
timeout -s INT -k 10 "$((seconds + 60))" "$@" || no "it ended with status $?"
echo done
