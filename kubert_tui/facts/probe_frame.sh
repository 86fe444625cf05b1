# The frame of the fact probe: how sections are printed. The readers and the order follow it.
#
# The probe prints raw material, decides nothing and leaves nothing behind on the host (except that
# dnf, where it is asked for updates, keeps its own log of that).
#
# Runs under any POSIX sh (dash, bash, busybox), as `sh -s [-- CYCLICTEST...]` with this text on
# standard input, preceded by a line `nonce=RANDOM`. Each section of the output is
#
#     NONCE begin NAME SUBJECT
#     ...at most $limit bytes...
#     NONCE end STATUS
#
# STATUS is the exit status of what was run, or `absent` (no such file), `denied` (no permission)
# or `missing` (no such command). The nonce keeps what a host's files say from posing as sections.

limit=262144
PATH="${PATH:-/usr/bin:/bin}:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
LC_ALL=C
LANGUAGE=C
export PATH LC_ALL LANGUAGE
unset GREP_OPTIONS CDPATH ENV BASH_ENV

if timeout -k 1 5 true >/dev/null 2>&1; then
    limiter='timeout -k 1'
elif timeout 5 true >/dev/null 2>&1; then
    limiter=timeout
else
    limiter=
fi
limited=${limiter:+$limiter 5}

begin() { printf '\n%s begin %s %s\n' "$nonce" "$1" "$2"; }
end() { printf '\n%s end %s\n' "$nonce" "$1"; }

# Run "$@", print at most $limit bytes of both its outputs, and set $status.
bounded() {
    {
        status=$( { { "$@" 3>&- 4>&-; printf '%s' "$?" >&4; } 2>&1 | head -c "$limit" >&3; } 4>&1 )
    } 3>&1
}

# NAME FILE: the content of a file.
show() {
    begin "$1" "$2"
    if [ -f "$2" ] && [ -r "$2" ]; then
        bounded cat "$2"
    elif [ -e "$2" ] || hidden "$2"; then
        status=denied
    else
        status=absent
    fi
    end "$status"
}

# Whether a directory on the way to "$1" may not be entered, so that nobody can say what is there.
hidden() {
    directory=${1%/*}
    while [ -n "$directory" ]; do
        if [ -d "$directory" ]; then
            [ ! -x "$directory" ]
            return
        fi
        directory=${directory%/*}
    done
    return 1
}

# NAME SECONDS COMMAND...: the output of a program that may be missing, or may hang.
try() {
    name=$1 seconds=$2
    shift 2
    begin "$name" "$*"
    if command -v "$1" >/dev/null 2>&1; then
        bounded ${limiter:+$limiter $seconds} "$@"
    else
        status=missing
    fi
    end "$status"
}

# NAME SUBJECT FUNCTION ARGUMENT...: the output of one of the functions below.
collect() {
    begin "$1" "$2"
    shift 2
    bounded "$@"
    end "$status"
}

# Print `FILE:LINE` for every readable file of "$@" (patterns that match nothing are no error).
each() {
    grep '' /dev/null "$@" 2>/dev/null
    return 0
}
