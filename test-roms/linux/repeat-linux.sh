#!/bin/sh
# Boots Debian's amd64 kernel twice under the virtual clock, up to a number of instructions, and compares the runs: the
# instructions executed, the serial output and the state hash have to be the same.
#
#   repeat-linux.sh [--engine NAME] [--instructions N] [--cache DIR] [-- OPTIONS of softkvm run]
#
# The first run is on the interpreter, the second on the engine that is named (default auto). Default 300000000
# instructions.
set -u

HERE=$(CDPATH= cd -- "$(dirname -- "$0")" && pwd)
ROOT=$(CDPATH= cd -- "$HERE/../.." && pwd)
SOFTKVM=${SOFTKVM:-$ROOT/softkvm}
INSTRUCTIONS=300000000
ENGINE=auto
CACHE=

fail() {
    echo "repeat-linux: $*" >&2
    exit 1
}

while [ $# -gt 0 ]; do
    case $1 in
        --engine | --instructions | --cache)
            [ $# -ge 2 ] || fail "$1 needs a value"
            case $1 in
                --engine) ENGINE=$2 ;;
                --instructions) INSTRUCTIONS=$2 ;;
                --cache) CACHE=$2 ;;
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
WORK=$(mktemp -d) || exit 1
trap 'rm -rf "$WORK"' EXIT
trap 'exit 1' INT TERM
"$HERE/run-linux.sh" amd64 --prepare ${CACHE:+--cache "$CACHE"} >"$WORK/files" 2>"$WORK/errors" ||
    fail "$(tail -n 1 "$WORK/errors")"
kernel=$(sed -n 1p "$WORK/files")
initrd=$(sed -n 2p "$WORK/files")

# run NAME OPTIONS...: the output and, of the statistics, what has to be the same.
run() {
    name=$1
    shift
    "$SOFTKVM" run --kernel "$kernel" --initrd "$initrd" --append "console=ttyS0 earlyprintk=ttyS0" --clock virtual \
        --max-instructions "$INSTRUCTIONS" --state-hash --stats json "$@" \
        >"$WORK/$name.output" 2>"$WORK/$name.errors" </dev/null
    status=$?
    [ $status = 124 ] || fail "the run ended with status $status: $(tail -n 1 "$WORK/$name.errors")"
    sed -n '/^{/p' "$WORK/$name.errors" | tr ',{}' '\n\n\n' |
        grep -E '^"(instructions|virtual_seconds|interrupts|faults|state_hash)"' >"$WORK/$name.figures"
}

run first --engine interpreter "$@"
run second --engine "$ENGINE" "$@"
grep -q "Linux version" "$WORK/first.output" || fail "the kernel printed nothing"
cmp "$WORK/first.output" "$WORK/second.output" || fail "the outputs differ"
diff "$WORK/first.figures" "$WORK/second.figures" || fail "the runs differ"
echo "repeat-linux: two runs are the same:" $(cat "$WORK/first.figures")
