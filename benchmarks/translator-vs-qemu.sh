#!/bin/sh
# Compares the speed of SoftKVM with QEMU's translator (TCG) on the benchmark guests of test-roms/bench, in pairs.
#
#   translator-vs-qemu.sh [options] [WORKLOAD...]       (see --help)
#
# Both run the same image, one right after the other, in changing order. A guest prints a line when its warm-up ends and
# one when its main phase ends; what is compared is the time between the two lines, the steady state. The checksums in
# the lines have to be equal. The ratio of a pair is QEMU's time divided by SoftKVM's: above 1, SoftKVM is faster. Needs
# qemu-system-x86_64, perl and awk; nothing else should run on the machine.
set -u

HERE=$(CDPATH= cd -- "$(dirname -- "$0")" && pwd)
ROOT=$(CDPATH= cd -- "$HERE/.." && pwd)
SOFTKVM=${SOFTKVM:-$ROOT/softkvm}
IMAGES=$ROOT/test-roms/bench

usage() {
    cat <<'END'
usage: translator-vs-qemu.sh [options] [WORKLOAD...]

  --engine NAME     SoftKVM's engine: auto (default), translator, interpreter
  --pairs N         pairs of runs for each workload (default 5); the median counts
  --scale F         all iterations times F (default 1; 0.01 to see that everything works)
  --warm F          the warm-up as a part of the main phase (default 1)
  --json FILE       writes all figures there
  --list            names the workloads with their groups and iterations
  --memory SIZE     the guest's memory (default 256M)

Workloads: all of them, or those that are named. The geometric mean is over those of the groups integer, memory and
string. SOFTKVM and QEMU in the environment name other programs than ./softkvm and qemu-system-x86_64.
END
}

fail() {
    echo "translator-vs-qemu: $*" >&2
    exit 1
}

# name group iterations: some seconds of QEMU's time each.
WORKLOADS='sieve integer 250
crc32 integer 700
lists integer 800
bytecode integer 160
recursion integer 1000
sort memory 4
strings string 12000
nbody sse2 2400
x87 x87 60
syscalls exceptions 320
smc self-modifying 3600'

ENGINE=auto
PAIRS=5
SCALE=1
WARM=1
JSON=
MEMORY=256M
QEMU=${QEMU:-qemu-system-x86_64}
LIMIT=1200
NAMES=
while [ $# -gt 0 ]; do
    case $1 in
        --engine | --pairs | --scale | --warm | --json | --memory)
            [ $# -ge 2 ] || fail "$1 needs a value"
            case $1 in
                --engine) ENGINE=$2 ;;
                --pairs) PAIRS=$2 ;;
                --scale) SCALE=$2 ;;
                --warm) WARM=$2 ;;
                --json) JSON=$2 ;;
                --memory) MEMORY=$2 ;;
            esac
            shift
            ;;
        --list)
            echo "$WORKLOADS"
            exit 0
            ;;
        -h | --help)
            usage
            exit 0
            ;;
        -*) fail "unknown option: $1 (see --help)" ;;
        *)
            echo "$WORKLOADS" | grep -q "^$1 " || fail "unknown workload: $1 (see --list)"
            NAMES="$NAMES $1"
            ;;
    esac
    shift
done
case $PAIRS in
    '' | *[!0-9]* | 0) fail "--pairs: not a number above 0: $PAIRS" ;;
esac
[ -n "$NAMES" ] || NAMES=$(echo "$WORKLOADS" | cut -d' ' -f1)

for tool in "$QEMU" perl awk timeout; do
    command -v "$tool" >/dev/null 2>&1 || fail "'$tool' is needed"
done
WORK=$(mktemp -d) || exit 1
trap 'rm -rf "$WORK"' EXIT
trap 'exit 1' INT TERM
# The first start builds SoftKVM where that was not done: not in the measurement.
"$SOFTKVM" --version >/dev/null 2>"$WORK/errors" || fail "softkvm does not start: $(tail -n 1 "$WORK/errors")"

# Puts the time in front of each line that a guest sends.
stamp() {
    perl -MTime::HiRes=time -ne 'BEGIN { $| = 1 } printf "%.6f %s", time, $_'
}

# run_qemu IMAGE OPTIONS, run_softkvm IMAGE OPTIONS: the guest's lines with their times.
run_qemu() {
    timeout $LIMIT "$QEMU" -accel tcg -cpu max -m "$MEMORY" -nodefaults -display none -serial stdio -no-reboot \
        -device isa-debug-exit,iobase=0xf4,iosize=4 -kernel "$1" -append "$2" </dev/null 2>"$WORK/errors" | stamp
}

run_softkvm() {
    timeout $LIMIT "$SOFTKVM" run "$1" --append "$2" --memory "$MEMORY" --engine "$ENGINE" \
        </dev/null 2>"$WORK/errors" | stamp
}

# measure PROGRAM WORKLOAD OPTIONS: appends the seconds to a file and leaves the checksums in another.
measure() {
    "run_$1" "$IMAGES/$2.elf" "$3" >"$WORK/lines"
    awk '$2 == "warm" { begin = $1; warm = $3 } $2 == "main" { printf "%.4f %s %s\n", $1 - begin, warm, $3 }' \
        "$WORK/lines" >"$WORK/result"
    [ -s "$WORK/result" ] || fail "$2 did not end on $1: $(tail -n 1 "$WORK/lines" | cut -d' ' -f2-) $(tail -n 1 "$WORK/errors")"
    cut -d' ' -f1 "$WORK/result" >>"$WORK/$2.$1"
    cut -d' ' -f2- "$WORK/result" >"$WORK/sums.$1"
}

median() {
    sort -n "$1" | awk '{ v[NR] = $1 } END { printf "%.4f\n", (v[int((NR + 1) / 2)] + v[int(NR / 2) + 1]) / 2 }'
}

list() {
    paste -s -d, "$1"
}

printf '%-10s %-15s %10s %10s %10s %8s\n' workload group iterations "QEMU s" "SoftKVM s" ratio
for name in $NAMES; do
    # shellcheck disable=SC2046
    set -- $(echo "$WORKLOADS" | grep "^$name ")
    group=$2
    n=$(awk -v n="$3" -v s="$SCALE" 'BEGIN { v = int(n * s + 0.5); print v < 1 ? 1 : v }')
    w=$(awk -v n="$n" -v s="$WARM" 'BEGIN { v = int(n * s + 0.5); print v < 1 ? 1 : v }')
    pair=0
    while [ $pair -lt "$PAIRS" ]; do
        if [ $((pair % 2)) = 0 ]; then
            measure qemu "$name" "n=$n w=$w"
            measure softkvm "$name" "n=$n w=$w"
        else
            measure softkvm "$name" "n=$n w=$w"
            measure qemu "$name" "n=$n w=$w"
        fi
        cmp -s "$WORK/sums.qemu" "$WORK/sums.softkvm" ||
            fail "$name: the checksums differ: QEMU $(cat "$WORK/sums.qemu"), SoftKVM $(cat "$WORK/sums.softkvm")"
        pair=$((pair + 1))
    done
    paste "$WORK/$name.qemu" "$WORK/$name.softkvm" | awk '{ printf "%.4f\n", $1 / ($2 > 0 ? $2 : 0.000001) }' \
        >"$WORK/$name.ratios"
    qemu=$(median "$WORK/$name.qemu")
    softkvm=$(median "$WORK/$name.softkvm")
    ratio=$(median "$WORK/$name.ratios")
    printf '%-10s %-15s %10s %10.3f %10.3f %8.3f\n' "$name" "$group" "$n" "$qemu" "$softkvm" "$ratio"
    echo "$name $group $ratio" >>"$WORK/table"
    printf '%s{"name":"%s","group":"%s","iterations":%s,"warm":%s,"qemu_seconds":[%s],"softkvm_seconds":[%s],"ratio":%s}' \
        "$(test -s "$WORK/json" && echo ,)" "$name" "$group" "$n" "$w" "$(list "$WORK/$name.qemu")" \
        "$(list "$WORK/$name.softkvm")" "$ratio" >>"$WORK/json"
done
mean=$(awk '$2 == "integer" || $2 == "memory" || $2 == "string" { sum += log($3); n++ }
    END { if (n) printf "%.3f", exp(sum / n); else print "null" }' "$WORK/table")
echo "geometric mean of integer, memory and string (medians of $PAIRS, engine $ENGINE): $mean"
if [ -n "$JSON" ]; then
    version=$("$QEMU" --version | head -n 1)
    cpu=$(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo 2>/dev/null | head -n 1)
    printf '{"engine":"%s","pairs":%s,"scale":%s,"warm":%s,"qemu":"%s","cpu":"%s","workloads":[%s],"geometric_mean":%s}\n' \
        "$ENGINE" "$PAIRS" "$SCALE" "$WARM" "$version" "$cpu" "$(cat "$WORK/json")" "$mean" >"$JSON"
fi
