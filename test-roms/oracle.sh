#!/bin/sh
# Runs test ROMs on another machine than SoftKVM, to check the ROMs themselves.
#
#   oracle.sh qemu|kvm|bochs [NAME...]
#
# qemu: QEMU's TCG; kvm: QEMU with /dev/kvm; bochs: Bochs, for which the ROM is assembled again and wrapped in a
# BIOS image that loads it (Debian: bochs, bochs-term, seabios). Prints one line a ROM: its name, its last line of output and whether status and number
# of assertions are what its header says; with failures, the lines that failed. A ROM whose header has a line
# "; QEMU: ..." or "; Bochs: ..." is known to fail there, for the reason the line gives.
set -u

here=$(cd "$(dirname "$0")" && pwd)
machine=${1:?oracle.sh: qemu, kvm or bochs?}
shift
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

run_qemu() {
    case $1 in
        *.elf) load="-kernel $1" ;;
        *) if [ "$(stat -c %s "$1")" = 512 ]; then load="-drive file=$1,format=raw"; else load="-bios $1"; fi ;;
    esac
    accel="-accel tcg -cpu max"
    if [ "$machine" = kvm ]; then accel="-accel kvm -cpu host"; fi
    # shellcheck disable=SC2086
    timeout "${LIMIT:-20}" qemu-system-x86_64 $accel $load -smp "$cpus" -m 64 -display none -no-reboot -serial "file:$work/out" \
        -device isa-debug-exit,iobase=0xf4,iosize=4 -chardev null,id=d0 -chardev null,id=d1 \
        -device isa-debugcon,iobase=0x402,chardev=d0 -device isa-debugcon,iobase=0xe9,chardev=d1 ${QEMU_ARGS:-} >"$work/log" 2>&1
}

run_bochs() {
    source=$here/src/main/asm/$name.asm
    case $1 in
        *.elf)
            (cd "$here/src/main/asm" && nasm -f bin -w-all -DBOCHS -o "$work/rom.elf" "$source" &&
                nasm -f bin -w-all -DROM="'$work/rom.elf'" -o "$work/bios.bin" lib/bochs-bios.asm) || return 1
            ;;
        *) (cd "$here/src/main/asm" && nasm -f bin -w-all -DBOCHS -o "$work/bios.bin" "$source") || return 1 ;;
    esac
    address=$(printf '0x%x' $((0x100000000 - $(stat -c %s "$work/bios.bin"))))
    cat >"$work/bochsrc" <<RC
display_library: term
romimage: file=$work/bios.bin, address=$address
vgaromimage: file=/usr/share/seabios/vgabios-stdvga.bin
cpu: model=${BOCHS_CPU:-corei7_skylake_x}, count=$cpus, ips=50000000, reset_on_triple_fault=0, ignore_bad_msrs=0
memory: guest=64, host=64
com1: enabled=1, mode=file, dev=$work/out
clock: sync=none, time0=utc
log: $work/log
panic: action=fatal
error: action=report
info: action=report
sound: waveoutdrv=dummy
speaker: enabled=0
plugin_ctrl: iodebug=true
RC
    echo c >"$work/rc"
    TERM=xterm timeout "${LIMIT:-20}" script -qec "bochs -q -f $work/bochsrc -rc $work/rc" /dev/null </dev/null >"$work/console" 2>&1
}

if [ $# = 0 ]; then
    set -- $(cd "$here/src/main/asm" && ls -- *.asm | sed 's/\.asm$//')
fi
bad=0
for name in "$@"; do
    source=$here/src/main/asm/$name.asm
    file=$here/images/$name.elf
    if [ ! -f "$file" ]; then file=$here/images/$name.bin; fi
    want_status=$(sed -n 's/^; status: *//p' "$source" | head -n 1)
    want_count=$(sed -n 's/^; assertions: *//p' "$source" | head -n 1)
    cpus=$(sed -n 's/^; needs:.*cpus=\([0-9]*\).*/\1/p' "$source" | head -n 1)
    cpus=${cpus:-1}
    : >"$work/out"
    if [ "$machine" = bochs ]; then run_bochs "$file"; else run_qemu "$file"; fi
    status=$?
    last=$(tail -n 1 "$work/out" | tr -d '\r')
    verdict=PASS
    if [ "$machine" != bochs ] && [ "$status" != "$want_status" ]; then verdict="BAD status $status, not $want_status"; fi
    if [ "$want_status" = 33 ] && [ "$last" != "$want_count passed, 0 failed" ]; then verdict="BAD"; fi
    echo "$name: $last: $verdict"
    if [ "$verdict" != PASS ]; then
        bad=$((bad + 1))
        grep -aE '^(FAIL|  and|tests planned)' "$work/out"
        sed -n 's/^; \(QEMU\|Bochs\): /known, \1: /p' "$source"
        if [ -n "${VERBOSE:-}" ]; then cat "$work/console"; tail -n 20 "$work/log"; cat "$work/out"; fi
    fi
done
echo "$bad of $# not as their headers say"
