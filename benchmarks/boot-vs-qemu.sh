#!/bin/sh
# Compares the wall time of a boot: Debian's amd64 kernel from the start of the program to CMDS_OK, on SoftKVM (vmlinuz),
# once with and once without a cache of unpacked kernels, on QEMU's translator by PVH (vmlinux), and on it as a bzImage.
#
#   boot-vs-qemu.sh [--engine NAME] [--runs N] [--json FILE] [-- options of run-linux.sh]
#
# N rounds (default 5) of the four, one after the other; medians and the ratios SoftKVM / QEMU: below 1, SoftKVM is
# faster. The start of the programs counts. The cache is a folder of its own, filled before the first round. Needs qemu-system-x86_64, perl, awk and what run-linux.sh needs; nothing else
# should run on the machine.
set -u

HERE=$(CDPATH= cd -- "$(dirname -- "$0")" && pwd)
ROOT=$(CDPATH= cd -- "$HERE/.." && pwd)
LINUX=$ROOT/test-roms/linux/run-linux.sh
ENGINE=auto
RUNS=5
JSON=

fail() {
    echo "boot-vs-qemu: $*" >&2
    exit 1
}

while [ $# -gt 0 ]; do
    case $1 in
        --engine | --runs | --json)
            [ $# -ge 2 ] || fail "$1 needs a value"
            case $1 in
                --engine) ENGINE=$2 ;;
                --runs) RUNS=$2 ;;
                --json) JSON=$2 ;;
            esac
            shift
            ;;
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
case $RUNS in
    '' | *[!0-9]* | 0) fail "--runs: not a number above 0: $RUNS" ;;
esac
for tool in qemu-system-x86_64 perl awk; do
    command -v $tool >/dev/null 2>&1 || fail "'$tool' is needed"
done
WORK=$(mktemp -d) || exit 1
trap 'rm -rf "$WORK"' EXIT
trap 'exit 1' INT TERM
"$LINUX" amd64 --prepare "$@" >"$WORK/out" 2>&1 || fail "$(tail -n 1 "$WORK/out")"

SOFTKVM_BEGIN_FILE=$WORK/begin
export SOFTKVM_BEGIN_FILE

# boot NAME ARGUMENTS...: the time from the start of the program to CMDS_OK.
boot() {
    name=$1
    shift
    "$LINUX" amd64 --show "$@" 2>"$WORK/errors" |
        perl -MTime::HiRes=time -ne 'BEGIN { $| = 1 } printf "%.6f\n", time if /CMDS_OK/ && !$seen++' >"$WORK/end"
    [ -s "$WORK/end" ] || fail "$name: no CMDS_OK: $(tail -n 1 "$WORK/errors")"
    awk -v begin="$(cat "$WORK/begin")" '{ printf "%.3f\n", $1 - begin }' "$WORK/end" >>"$WORK/$name"
    printf '%-10s %8.2f s\n' "$name" "$(tail -n 1 "$WORK/$name")"
}

# The first start builds SoftKVM where that was not done: not in the measurement.
"${SOFTKVM:-$ROOT/softkvm}" --version >/dev/null 2>"$WORK/errors" ||
    fail "softkvm does not start: $(tail -n 1 "$WORK/errors")"
SOFTKVM_CACHE=$WORK/kernels
export SOFTKVM_CACHE
boot filling "$@" -- --engine "$ENGINE"
run=0
while [ $run -lt "$RUNS" ]; do
    boot softkvm "$@" -- --engine "$ENGINE"
    boot no-cache "$@" -- --engine "$ENGINE" --no-kernel-cache
    boot qemu-pvh --qemu-pvh "$@"
    boot qemu --qemu "$@"
    run=$((run + 1))
done

median() {
    sort -n "$WORK/$1" | awk '{ v[NR] = $1 } END { printf "%.3f\n", (v[int((NR + 1) / 2)] + v[int(NR / 2) + 1]) / 2 }'
}
s=$(median softkvm)
f=$(median no-cache)
p=$(median qemu-pvh)
b=$(median qemu)
awk -v s="$s" -v f="$f" -v p="$p" -v b="$b" -v n="$RUNS" -v e="$ENGINE" 'BEGIN {
    printf "median of %d: SoftKVM (engine %s) %.2f s, without the kernel cache %.2f s\n", n, e, s, f
    printf "QEMU by PVH %.2f s (ratio %.2f, without the cache %.2f), QEMU as bzImage %.2f s (ratio %.2f, without the cache %.2f)\n",
        p, s / p, f / p, b, s / b, f / b
}'
if [ -n "$JSON" ]; then
    printf '{"engine":"%s","softkvm_seconds":[%s],"softkvm_without_cache_seconds":[%s],"qemu_pvh_seconds":[%s],"qemu_bzimage_seconds":[%s]}\n' "$ENGINE" \
        "$(paste -s -d, "$WORK/softkvm")" "$(paste -s -d, "$WORK/no-cache")" "$(paste -s -d, "$WORK/qemu-pvh")" "$(paste -s -d, "$WORK/qemu")" >"$JSON"
fi
