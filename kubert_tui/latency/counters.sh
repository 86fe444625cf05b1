# Prints what the firmware and the hardware count: sh counters.sh
#   smi CPU NUMBER          system management interrupts since power-on (MSR 0x34)
#   smi unknown REASON
#   throttle CPU NUMBER     times the core was slowed down because it was hot
#   rt throttling           the kernel says that it stopped real-time tasks, since it started
# It loads no module and changes nothing.
for cpu in /dev/cpu/[0-9]*; do
    [ -e "$cpu/msr" ] || continue
    number=${cpu##*/}
    # Eight bytes at offset 0x34.
    value=$(dd if="$cpu/msr" bs=8 count=1 skip=52 iflag=skip_bytes 2> /dev/null | od -A n -t u8)
    case $value in
        *[0-9]*) echo "smi $number ${value##* }"; told=1 ;;
    esac
done
if [ -z "${told-}" ]; then
    if [ -e /dev/cpu/0/msr ]; then
        echo 'smi unknown MSR 0x34 cannot be read (no Intel processor, or not permitted)'
    else
        echo 'smi unknown there is no /dev/cpu/0/msr (the module msr is not loaded)'
    fi
fi
for count in /sys/devices/system/cpu/cpu[0-9]*/thermal_throttle/core_throttle_count; do
    [ -r "$count" ] || continue
    cpu=${count#/sys/devices/system/cpu/cpu}
    echo "throttle ${cpu%%/*} $(cat "$count")"
done
dmesg 2> /dev/null | grep -q 'RT throttling activated' && echo 'rt throttling'
exit 0
