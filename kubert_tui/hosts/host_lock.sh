# Who works on this host: a lock, and every operation on it, one short command each.
#   sh -c LOCK sh take TOKEN SECONDS ABOUT INSTEAD   if nobody has it, or we, or who is INSTEAD
#   sh -c LOCK sh keep TOKEN SECONDS ABOUT BOOT      if we have it, or it went with the boot BOOT
#   sh -c LOCK sh release TOKEN
#   sh -c LOCK sh show
# TOKEN is who we are, in hex digits. SECONDS is how long a measurement goes on without us: a
# number, `-` for none, `=` for what the lock says already. ABOUT is one line for who reads it.
#
# Prints lines: result WORD, boot ID, now SECONDS, and for a lock that is there token, since,
# until, beat (all by `now`'s clock) and about; or error, missing and the reason.
#
# The lock is one file, `TOKEN BOOT SINCE UNTIL` and the line ABOUT, replaced whole or not at all.
# Its mtime is the heartbeat: telling it needs no space on a full disk. Times are seconds since
# boot, which no change of a clock touches; a lock of an earlier boot is none.

set -f
LC_ALL=C
export LC_ALL
umask 022
# Tests have several hosts on one machine; everybody else has one directory.
directory=${KUBERT_TUI_LOCK_DIRECTORY:-/run/kubert-tui}
lock=$directory/lock
newline='
'
verb=$1 me=${2-} seconds=${3-} about=${4-} other=${5-}
read -r boot < /proc/sys/kernel/random/boot_id || boot=unknown

look_at_clock() {
    read -r now _ < /proc/uptime || exit 1
    now=${now%%.*}
}

# Sets what the lock says; $token is empty if nobody has it. Its text is not trusted.
read_lock() {
    token='' since='' until='' beat='' note='' there=''
    [ -e "$lock" ] || return 0
    there=$(head -c 4096 "$lock" 2> /dev/null | tr -cd '\n -~')
    # shellcheck disable=SC2086 # split on purpose; no globbing is set above
    set -- ${there%%"$newline"*}
    token=${1-} since=${3-} until=${4-}
    [ $# = 4 ] || token='?'
    case $token in
        *[!0-9a-f]*)
            token=unreadable-$(printf '%s' "$there" | cksum | tr ' ' -)
            ;;
        *)
            if [ "$2" != "$boot" ]; then
                token=''
                return 0
            fi
            ;;
    esac
    note=${there#*"$newline"}
    note=${note%%"$newline"*}
    beat=$(stat -c %Y "$lock" 2> /dev/null)
}

tell() {
    printf 'result %s\nboot %s\nnow %s\n' "$1" "$boot" "$now"
    [ -n "$token" ] || exit 0
    printf 'token %s\nsince %s\nuntil %s\nbeat %s\nabout %s\n' \
        "$token" "$since" "$until" "$beat" "$note"
    exit 0
}

fail() {
    printf '%s %s\n' "$1" "$2" | head -c 1000
    exit 0
}

# From here to our end nobody else changes the lock; the kernel lets go of it if we are killed.
alone() {
    problem=$(mkdir -p "$directory" 2>&1)
    if [ ! -w "$directory" ]; then
        [ "$(id -u)" = 0 ] && fail error "$directory cannot be written: ${problem:-read-only}"
        read_lock
        tell denied
    fi
    command -v flock > /dev/null || fail missing flock
    problem=$( (umask 077 && : >> "$directory/mutex") 2>&1) || fail error "$problem"
    exec 9>> "$directory/mutex"
    flock -w 10 9 || fail error "$directory/mutex is held by a process that does not go on"
    look_at_clock
}

# Makes the lock ours, or tells that we are still there; $since is when we took it.
hold() {
    case $seconds in
        -) until=- ;;
        =) until=${until:--} ;;
        *) until=$((now + seconds)) ;;
    esac
    text="$me $boot $since $until$newline$about"
    token=$me note=$about beat=$now
    if [ "$text" = "$there" ] && touch -d "@$now" "$lock"; then
        return 0
    fi
    new=$directory/lock.new
    problem=$({
        # cat says why it cannot write; the shell's own printf does not.
        printf '%s\n' "$text" | cat > "$new" && [ "$(cat "$new")" = "$text" ] &&
            touch -d "@$now" "$new" && mv -fT "$new" "$lock"
    } 2>&1) && return 0
    rm -f "$new"
    fail error "$lock cannot be written: ${problem:-it does not read back what was written}"
}

look_at_clock
case $verb in
    take)
        alone
        read_lock
        result=held
        case $token in
            '') result=taken since=$now until='' ;;
            "$me") result=kept ;;
            "$other") result=broke since=$now until='' ;;
        esac
        [ "$result" = held ] || hold
        ;;
    keep)
        alone
        read_lock
        result=held
        case $token in
            '')
                result=free
                if [ "$boot" != "$other" ]; then
                    result=taken since=$now
                    hold
                fi
                ;;
            "$me")
                result=kept
                hold
                ;;
        esac
        ;;
    release)
        alone
        read_lock
        result=held
        case $token in
            '') result=free ;;
            "$me")
                rm -f "$lock" || fail error "$lock cannot be removed"
                result=released token=''
                ;;
        esac
        ;;
    show)
        read_lock
        result=${token:+held}
        result=${result:-free}
        ;;
    *) exit 64 ;;
esac
tell "$result"
