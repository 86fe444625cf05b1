# Changes to the kernel's tracing that anybody can take back: . ./undo.sh
#
# What is about to change is written to the file `undo` of the current directory first: the boot id,
# then a line per change. `put_back` takes them back, last one first; doing it twice does no harm.

# Set $tracefs to where tracefs is; mount it if it is nowhere. Fails where there is none.
find_tracefs() {
    for tracefs in /sys/kernel/tracing /sys/kernel/debug/tracing; do
        [ -e "$tracefs/current_tracer" ] && return 0
    done
    tracefs=/sys/kernel/tracing
    [ -d "$tracefs" ] || return 1
    echo "umount $tracefs" >> undo
    mount -t tracefs nodev "$tracefs" && [ -e "$tracefs/current_tracer" ]
}

begin_undo() { cat /proc/sys/kernel/random/boot_id > undo; }

# FILE VALUE: write VALUE to FILE.
change() {
    was=$(head -n 1 "$1") || return 1
    case $was in
        # A buffer that nobody has used yet; it never goes back to that, but to what it says.
        *expanded:*) was=${was##*expanded: } was=${was%)} ;;
    esac
    echo "write $1 $was" >> undo
    printf '%s\n' "$2" > "$1"
}

# NAME: make an instance of our own, with buffers and events of its own; set $instance.
make_instance() {
    instance=$tracefs/instances/$1
    echo "instance $instance" >> undo
    mkdir -p "$instance"
}

put_back() {
    [ -e undo ] || return 0
    if [ "$(head -n 1 undo)" = "$(cat /proc/sys/kernel/random/boot_id)" ]; then
        sed '1d' undo | sed '1!G;h;$!d' | while read -r verb path value; do
            case $verb in
                write) printf '%s\n' "$value" > "$path" ;;
                event) printf '!%s\n' "$value" >> "$path" ;;
                clear) : > "$path" ;;
                instance)
                    # Who was killed in the middle of a write has it open until that ends.
                    for _ in 1 2 3 4 5 6 7 8 9 10; do
                        [ -d "$path" ] || break
                        echo 0 > "$path/tracing_on"
                        echo nop > "$path/current_tracer"
                        rmdir "$path" || sleep 1
                    done
                    ;;
                umount) umount "$path" ;;
            esac
        done 2> /dev/null
    fi
    rm -f undo
}
