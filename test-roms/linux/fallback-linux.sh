#!/bin/sh
# Boots Debian's kernel as run-linux.sh does, and fails where more than 1% of the instructions that the guest executed fell
# back to the interpreter although translated code should have executed them.
#
#   fallback-linux.sh amd64|i386 [--threshold N] [options of run-linux.sh] [-- options of softkvm run]
#
# Without --threshold translation is forced: each block is translated before its first execution, as a narrow region or a
# wide one by its address. That makes some hundred thousand regions and takes minutes. With --threshold N blocks become
# regions after N executions, in the background.
set -u

HERE=$(CDPATH= cd -- "$(dirname -- "$0")" && pwd)

if [ $# = 0 ] || [ "$1" = --help ]; then
    sed -n '2,/^set/s/^# \{0,1\}//p' "$0" | sed '$d'
    exit 0
fi
arch=$1
shift
options="-Dsoftkvm.narrow=half"
engine="--engine translator"
if [ "${1:-}" = --threshold ]; then
    [ $# -ge 2 ] || { echo "fallback-linux: --threshold needs a number" >&2; exit 1; }
    options="-Dsoftkvm.threshold=$2"
    engine=
    shift 2
fi
# The options for softkvm run go behind run-linux.sh's; the limit is never reached, it makes translated code count.
case " $* " in
    *" -- "*) ;;
    *) set -- "$@" -- ;;
esac
# shellcheck disable=SC2086
said=$(SOFTKVM_JAVA_OPTS="${SOFTKVM_JAVA_OPTS:-} $options" "$HERE/run-linux.sh" "$arch" --timeout 3000 "$@" \
    $engine --max-instructions 1000000000000) || exit
echo "$said"
echo "$said" | tr -d , | awk '
    / instructions .* MIPS / { executed = $2 }
    { for (i = 2; i < NF; i++) if ($i == "of" && $(i + 1) == "them") fallbacks = $(i - 1) }
    END {
        if (!executed || fallbacks == "") { print "no statistics"; exit 1 }
        printf "fallback-linux: %.2f%% of the instructions fell back\n", 100 * fallbacks / executed
        exit fallbacks > executed / 100
    }'
