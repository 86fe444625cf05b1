# Print what the trial of a kernel left on this host: the last kernel messages of its boot where
# the journal kept them, and what the firmware kept of a panic. Changes nothing, reads a bounded
# amount.
#
# usage: sh -s -- RELEASE
release=$1

# Print the last kernel messages of the trial's boot; fail when the journal does not know it.
messages() {
    for boot in -1 -2 -3; do
        timeout 20 journalctl --quiet --dmesg --boot="$boot" --lines=all --no-pager 2>/dev/null |
            grep -qF "kubert.trial=$release" || continue
        echo "last kernel messages of its boot (journalctl --dmesg --boot=$boot):"
        timeout 20 journalctl --quiet --dmesg --boot="$boot" --lines=25 --output=short-monotonic \
            --no-hostname --no-pager 2>/dev/null | cut -c 1-240
        return 0
    done
    return 1
}

messages || echo "the journal kept nothing of its boot: it ended too early, or the journal is not kept on disk"
for record in /sys/fs/pstore/dmesg-* /var/lib/systemd/pstore/dmesg-* /var/lib/systemd/pstore/*/dmesg.txt; do
    [ -f "$record" ] && [ -n "$(find "$record" -mmin -240 2>/dev/null)" ] || continue
    echo "kept by the firmware ($record):"
    tail -c 3000 "$record" | tail -n 25 | cut -c 1-240
    break
done
exit 0
