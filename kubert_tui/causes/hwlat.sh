# Looks for time that neither the kernel nor a program took: sh hwlat.sh SECONDS THRESHOLD
#
# The kernel's hwlat tracer turns interrupts off on one CPU after the other, for half of each second,
# and reads the clock all the time: a gap above THRESHOLD (us) was taken by firmware (an SMI), by
# the hypervisor, or by the hardware itself. Prints its settings, then the lines of its trace.
. ./undo.sh

no() {
    echo "the hwlat tracer cannot be used: $1" >&2
    exit 1
}

find_tracefs || no 'there is no tracefs'
grep -qw hwlat "$tracefs/available_tracers" || no 'the kernel has none'
change "$tracefs/tracing_thresh" "$2" || no 'its threshold cannot be set'
window=$tracefs/hwlat_detector/window width=$tracefs/hwlat_detector/width
# The width must stay below the window while both change.
if [ "$(cat "$window")" != 1000000 ] || [ "$(cat "$width")" != 500000 ]; then
    change "$width" 1000 && change "$window" 1000000 && change "$width" 500000 ||
        no 'its window cannot be set'
fi
# Last, so that it is gone before the rest is put back: the tracer keeps the threshold it met.
make_instance kubert-tui-hwlat || no 'no instance can be made'
echo hwlat > "$instance/current_tracer" || no 'somebody else uses it'
echo "seconds $1"
echo "threshold $2"
echo "window $(cat "$window")"
echo "width $(cat "$width")"
echo "mode $(cat "$tracefs/hwlat_detector/mode" 2> /dev/null)"
sleep "$1"
# Another tracer would empty the trace, so it is only stopped.
echo 0 > "$instance/tracing_on"
grep '/outer(us)' "$instance/trace" | head -n 10000
echo done
