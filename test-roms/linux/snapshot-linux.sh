#!/bin/sh
# Boots Debian's amd64 kernel to a shell, saves the machine there, restores it, and checks that the guest goes on: shell
# variables, the time since boot, the date, interrupts of timer and serial port, a sleep, all CPUs, power off.
#
#   snapshot-linux.sh [--cpus N] [--virtual] [--cache DIR] [-- OPTIONS of softkvm run]
#
# --virtual: instead, a boot under the virtual clock is saved in the middle, and the two parts together have to be what a
# boot without a stop is: the same output, instructions, virtual time and state hash (200 million instructions, saved
# after 120 million).
set -u

HERE=$(CDPATH= cd -- "$(dirname -- "$0")" && pwd)
ROOT=$(CDPATH= cd -- "$HERE/../.." && pwd)
SOFTKVM=${SOFTKVM:-$ROOT/softkvm}
CPUS=1
VIRTUAL=no
CACHE=

fail() {
    echo "snapshot-linux: $*" >&2
    exit 1
}

while [ $# -gt 0 ]; do
    case $1 in
        --cpus | --cache)
            [ $# -ge 2 ] || fail "$1 needs a value"
            case $1 in
                --cpus) CPUS=$2 ;;
                --cache) CACHE=$2 ;;
            esac
            shift
            ;;
        --virtual) VIRTUAL=yes ;;
        --)
            shift
            break
            ;;
        -h | --help)
            sed -n '2,/^set/s/^# \{0,1\}//p' "$0" | sed '$d'
            exit 0
            ;;
        *) fail "unknown option: $1 (see --help)" ;;
    esac
    shift
done
WORK=$(mktemp -d) || exit 1
trap 'rm -rf "$WORK"' EXIT
trap 'exit 1' INT TERM
"$HERE/run-linux.sh" amd64 --prepare ${CACHE:+--cache "$CACHE"} >"$WORK/files" 2>"$WORK/errors" ||
    fail "$(tail -n 1 "$WORK/errors")"
kernel=$(sed -n 1p "$WORK/files")
initrd=$(sed -n 2p "$WORK/files")
SNAPSHOT=$WORK/machine.snapshot

# why TEXT FILE: fails, with the end of the guest's output before it.
why() {
    tr -d '\r' <"$WORK/$2.output" | tail -n 15 >&2
    tail -n 3 "$WORK/$2.errors" >&2
    fail "$1"
}

size() {
    wc -c <"$1" | awk '{ printf "%.1f MiB", $1 / 1048576 }'
}

if [ $VIRTUAL = yes ]; then
    # run NAME OPTIONS...: the output, and of the statistics what has to be the same.
    run() {
        name=$1
        shift
        "$SOFTKVM" run --state-hash --stats json "$@" >"$WORK/$name.output" 2>"$WORK/$name.errors" </dev/null
        status=$?
        [ $status = 124 ] || why "the run ended with status $status" "$name"
        sed -n '/^{/p' "$WORK/$name.errors" | tr ',{}' '\n\n\n' | grep -E '^"(virtual_seconds|state_hash)"' >"$WORK/$name.figures"
    }
    boot() {
        name=$1
        shift
        run "$name" --kernel "$kernel" --initrd "$initrd" --append "console=ttyS0 earlyprintk=ttyS0" --clock virtual \
            --cpus "$CPUS" "$@"
    }
    boot whole --max-instructions 200000000 "$@"
    boot first --max-instructions 120000000 --save "$SNAPSHOT" --engine interpreter "$@"
    run second --restore "$SNAPSHOT" --max-instructions 80000000
    grep -q "Linux version" "$WORK/whole.output" || why "the kernel printed nothing" whole
    cat "$WORK/first.output" "$WORK/second.output" | cmp - "$WORK/whole.output" || fail "the outputs differ"
    diff "$WORK/whole.figures" "$WORK/second.figures" || fail "the runs differ"
    echo "snapshot-linux: a boot with a stop is the same as one without ($CPUS CPUs):" $(cat "$WORK/whole.figures")
    exit 0
fi

# The shell reads what is typed; a line of it comes back as echo, so the answers are told from it by their form.
cat >"$WORK/first.input" <<'END'
export MARK=four-and-twenty; i=40; cd /proc; mkdir -p /tmp/here; echo kept > /tmp/here/file
UP0=$(cut -d. -f1 /proc/uptime); DATE0=$(date +%s); PIDS=$$
sleep 1000 & echo "ready"_to_save
END
cat >"$WORK/second.input" <<'END'
echo "mark=<$MARK> i=<$((i + 2))> pwd=<$PWD> file=<$(cat /tmp/here/file)> pid=<$([ $$ = $PIDS ] && echo same)>"
UP1=$(cut -d. -f1 /proc/uptime); DATE1=$(date +%s)
echo "uptime=<$([ $UP1 -ge $UP0 ] && [ $UP1 -le $((UP0 + 60)) ] && echo on)> date=<$([ $DATE1 -ge $DATE0 ] && [ $DATE1 -le $((DATE0 + 60)) ] && echo on)>"
T0=$(cut -d. -f1 /proc/uptime); sleep 1; T1=$(cut -d. -f1 /proc/uptime); echo "slept=<$([ $((T1 - T0)) -ge 1 ] && [ $((T1 - T0)) -le 30 ] && echo well)>"
irq() { awk -v n="$1:" '$1 == n { s = 0; for (k = 2; $k ~ /^[0-9]+$/; k++) s += $k; print s }' /proc/interrupts; }
A=$(irq LOC); B=$(irq 4); sleep 0.3; echo "a line for the serial port"; C=$(irq LOC); D=$(irq 4); echo "ticks=<$([ $C -gt $A ] && echo more)> serial=<$([ $D -ge $B ] && [ $D -gt 0 ] && echo more)>"
echo "cpus=<$(nproc)> works=<$(for c in $(seq 0 $(($(nproc) - 1))); do taskset $((1 << c)) sh -c 'seq 1 2000 | sha256sum' | cut -c1-8; done | sort -u | wc -l)>"
echo "background=<$(kill -0 $! && echo alive)> sum=<$(seq 1 20000 | sha256sum | cut -c1-16)>"
poweroff -f
END

seconds() {
    date +%s.%N | awk -v begin="$1" '{ printf "%.1f", $1 - begin }'
}

begin=$(date +%s.%N)
# The keyboard is quiet until the shell is there: what comes earlier the kernel's console flushes.
{
    n=0
    while ! grep -q SHELL "$WORK/first.output" 2>/dev/null && [ $n -lt 300 ]; do
        sleep 1
        n=$((n + 1))
    done
    sleep 2
    cat "$WORK/first.input"
} | "$SOFTKVM" run --kernel "$kernel" --initrd "$initrd" --append "console=ttyS0 panic=-1 reboot=t quiet runshell" \
    --cpus "$CPUS" --timeout 300 --expect ready_to_save --save "$SNAPSHOT" "$@" \
    >"$WORK/first.output" 2>"$WORK/first.errors" &
pid=$!
wait $pid
status=$?
[ $status = 0 ] || why "the boot ended with status $status" first
[ -s "$SNAPSHOT" ] || why "there is no snapshot" first
echo "saved in the shell: $(size "$SNAPSHOT"), $(seconds "$begin") s from power-on"

begin=$(date +%s.%N)
"$SOFTKVM" run --restore "$SNAPSHOT" --timeout 300 <"$WORK/second.input" >"$WORK/second.output" 2>"$WORK/second.errors"
status=$?
[ $status = 0 ] || why "the restored machine ended with status $status" second
for answer in 'mark=<four-and-twenty> i=<42> pwd=</proc> file=<kept> pid=<same>' 'uptime=<on> date=<on>' 'slept=<well>' \
    'ticks=<more> serial=<more>' "cpus=<$CPUS> works=<1>" 'background=<alive> sum=<'; do
    tr -d '\r' <"$WORK/second.output" | grep -qF "$answer" || why "not there: $answer" second
done
expected=$(seq 1 20000 | sha256sum | cut -c1-16)
grep -qF "sum=<$expected>" "$WORK/second.output" || why "a wrong sum" second
echo "snapshot-linux: restored with $CPUS CPUs: shell, time, date, interrupts, serial port and power off are well, $(seconds "$begin") s"
