#!/bin/sh
# Compares the speed of SoftKVM's interpreter with Debian's bochs on the same long-mode integer loop.
#
#   interpreter-vs-bochs.sh [--engine NAME] [RUNS] [ITERATIONS]
#
# The default is 3 runs of 50 million iterations of 18 instructions, on the engine interpreter.
#
# The same ROM image (integer-loop.asm) runs on both, alternating, with two loop counts: the difference of their times
# is the loop alone, without start-up (the JVM's included) and mode switches. Printed: millions of instructions a second
# of every run, and the medians and their ratio. Needs bochs and nasm.
set -u

HERE=$(CDPATH= cd -- "$(dirname -- "$0")" && pwd)
ROOT=$(CDPATH= cd -- "$HERE/.." && pwd)
ENGINE=interpreter
if [ "${1:-}" = --engine ]; then
    ENGINE=${2:?interpreter-vs-bochs: --engine needs a name}
    shift 2
fi
SOFTKVM=${SOFTKVM:-$ROOT/softkvm}
RUNS=${1:-3}
LONG=${2:-50000000}
SHORT=$((LONG / 10))
INSTRUCTIONS=18
LIMIT=600

fail() {
    echo "interpreter-vs-bochs: $*" >&2
    exit 1
}

for tool in bochs nasm awk timeout; do
    command -v $tool >/dev/null 2>&1 || fail "'$tool' is needed"
done
WORK=$(mktemp -d) || exit 1
trap 'rm -rf "$WORK"' EXIT
trap 'exit 1' INT TERM

for count in $SHORT $LONG; do
    nasm -f bin -D ITERATIONS="$count" -o "$WORK/loop-$count.rom" "$HERE/integer-loop.asm" || fail "nasm failed"
done

# Debian's bochs has its debugger built in (hence the command file), no display without a window or a terminal (hence
# rfb, which does not wait for a viewer), and panics without a VGA BIOS file (an empty one is never called by the ROM).
head -c 32768 /dev/zero >"$WORK/vga.bin"
echo c >"$WORK/commands"
for count in $SHORT $LONG; do
    cat >"$WORK/bochsrc-$count" <<EOF
megs: 32
romimage: file=$WORK/loop-$count.rom, address=0xffff0000
vgaromimage: file=$WORK/vga.bin
vga: extension=none
display_library: rfb, options="timeout=0"
cpu: count=1, ips=500000000, reset_on_triple_fault=0
clock: sync=none
pci: enabled=0
plugin_ctrl: unmapped=true, biosdev=false, speaker=false, extfpuirq=false, parallel=false, serial=false, iodebug=false
sound: waveoutdrv=dummy, waveindrv=dummy, midioutdrv=dummy
mouse: enabled=0
log: $WORK/bochs.log
panic: action=fatal
error: action=report
info: action=report
debug: action=ignore
EOF
done

now() {
    date +%s.%N
}

run_bochs() {
    timeout $LIMIT bochs -q -f "$WORK/bochsrc-$1" -rc "$WORK/commands" </dev/null >"$WORK/bochs.out" 2>&1
    grep -q 'Shutdown port: shutdown requested' "$WORK/bochs.log" ||
        fail "bochs did not finish the loop: $(tail -n 1 "$WORK/bochs.out")"
}

run_softkvm() {
    "$SOFTKVM" run "$WORK/loop-$1.rom" --backend emulator --engine "$ENGINE" --timeout $LIMIT \
        >"$WORK/softkvm.out" 2>&1
    status=$?
    [ $status = 33 ] || fail "softkvm did not finish the loop (status $status): $(tail -n 1 "$WORK/softkvm.out")"
}

# measure NAME: runs the short and the long loop, prints a line and adds the rate to the file NAME.
measure() {
    begin=$(now)
    "run_$1" "$SHORT"
    middle=$(now)
    "run_$1" "$LONG"
    end=$(now)
    echo "$begin $middle $end" | awk -v name="$1" -v short="$SHORT" -v long="$LONG" -v k=$INSTRUCTIONS -v file="$WORK/$1" '{
        loop = ($3 - $2) - ($2 - $1)
        rate = (long - short) * k / loop / 1e6
        printf "%-8s loop %7.1f MIPS   (long run %6.2f s, short run %6.2f s; whole long run %7.1f MIPS)\n",
            name, rate, $3 - $2, $2 - $1, long * k / ($3 - $2) / 1e6
        print rate >> file
    }'
}

# The first start builds SoftKVM where that was not done: not in the measurement.
"$SOFTKVM" --version >/dev/null 2>"$WORK/info" || fail "softkvm does not start: $(tail -n 1 "$WORK/info")"
run=0
while [ $run -lt "$RUNS" ]; do
    measure bochs
    measure softkvm
    run=$((run + 1))
done

median() {
    sort -n "$WORK/$1" | awk '{ v[NR] = $1 } END { print (v[int((NR + 1) / 2)] + v[int(NR / 2) + 1]) / 2 }'
}
awk -v b="$(median bochs)" -v s="$(median softkvm)" -v n="$RUNS" -v e="$ENGINE" 'BEGIN {
    printf "median of %d: bochs %.1f MIPS, softkvm %s %.1f MIPS, ratio %.2f\n", n, b, e, s, s / b
}'
