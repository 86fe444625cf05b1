# Removes the run in DIRECTORY, and what it keeps in memory: sh -c FORGET sh DIRECTORY
# A load outlives a measurement only if its guard was killed.
[ ! -e "$1/load.process" ] || sh "$1/load.sh" stop "$1"
live=$(readlink "$1/live" 2> /dev/null)
case $live in
    *..*) ;;
    /dev/shm/kubert-stream-* | /run/kubert-stream-*) rm -rf -- "$live" ;;
esac
rm -rf -- "$1"
