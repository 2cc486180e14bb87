#!/bin/sh
# Builds the benchmark guests of src/main/bench into bench/. Needs gcc and binutils for x86-64.
#
#   build-bench.sh [--output DIR] [NAME...]
#
# The images are checked in: another compiler makes other code, and figures compare only for the same image.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
output=$here/bench
if [ "${1:-}" = --output ]; then
    output=${2:?build-bench.sh: --output needs a directory}
    shift 2
fi
mkdir -p "$output"
output=$(cd "$output" && pwd)
source=$here/src/main/bench
[ $# -gt 0 ] || set -- sieve crc32 lists sort bytecode recursion strings nbody x87 syscalls smc

for tool in gcc ld objcopy; do
    command -v $tool >/dev/null 2>&1 || {
        echo "build-bench.sh: $tool is not installed (Debian and Ubuntu: apt-get install gcc binutils)" >&2
        exit 1
    }
done
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# Integer code has no SSE, which GCC would use for copies otherwise: what is measured is what the name says.
common='-std=gnu11 -O2 -Wall -Wextra -Werror -ffreestanding -fno-pic -no-pie -mno-red-zone -fno-stack-protector
    -fno-asynchronous-unwind-tables -fcf-protection=none -fno-strict-aliasing -fno-tree-loop-distribute-patterns
    -mcmodel=small -Wno-main'
cd "$source"
# shellcheck disable=SC2086
gcc $common -mgeneral-regs-only -c -o "$work/start.o" start.S
# shellcheck disable=SC2086
gcc $common -mgeneral-regs-only -c -o "$work/main.o" main.c
for name in "$@"; do
    case $name in
        nbody) float=-mfpmath=sse ;;
        x87) float='-mfpmath=387 -mno-sse -fno-math-errno' ;;
        *) float=-mgeneral-regs-only ;;
    esac
    # shellcheck disable=SC2086
    gcc $common $float -c -o "$work/$name.o" "$name.c"
    # SMC writes into its own code: the text segment is writable, as all is without a paging bit against it.
    ld -m elf_x86_64 -N --no-warn-rwx-segments -z noexecstack -z max-page-size=4096 --build-id=none -T bench.ld -o "$work/$name.elf64" \
        "$work/start.o" "$work/main.o" "$work/$name.o"
    # QEMU's multiboot loader takes 32-bit ELF files only.
    objcopy -I elf64-x86-64 -O elf32-i386 --strip-all "$work/$name.elf64" "$output/$name.elf"
done
