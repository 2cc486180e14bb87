#!/bin/sh
# As interpreter-vs-bochs.sh, for the translator: 3 runs of 200 million iterations, so that compiling does not count.
#
#   translator-vs-bochs.sh [RUNS] [ITERATIONS]
set -u

HERE=$(CDPATH= cd -- "$(dirname -- "$0")" && pwd)
exec "$HERE/interpreter-vs-bochs.sh" --engine translator "${1:-3}" "${2:-200000000}"
