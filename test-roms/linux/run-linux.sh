#!/bin/sh
# Boots Debian's stock kernel with a small busybox initramfs and checks what it prints.
#
#   run-linux.sh amd64|i386 [options]   (see --help)
#
# The kernel and busybox come from Debian's archive by apt-get download and are unpacked into a cache folder with
# dpkg-deb; nothing is installed. /init beside this script says what is checked inside the guest.
set -u

HERE=$(CDPATH= cd -- "$(dirname -- "$0")" && pwd)
ROOT=$(CDPATH= cd -- "$HERE/../.." && pwd)

usage() {
    cat <<'EOF'
usage: run-linux.sh amd64|i386 [options]

Boots Debian's kernel on SoftKVM; passes when the guest prints BOOT_OK, every check ok, and CMDS_OK. i386 (also called
i686) is the 686 flavour without PAE, on a Pentium II unless --cpu says otherwise.

  --cpu MODEL       CPU model (default: max; i386: pentium2)
  --cpus N          number of CPUs (default 1); the guest checks that it has them all and works on each
  --no-pit          leave PIT and HPET out: the kernel has kvmclock and the local APIC's timer alone (not with --qemu)
  --qemu            boot the same kernel and initramfs as a bzImage under qemu-system-x86_64 (TCG), for comparison
  --qemu-pvh        the same, with the unpacked vmlinux through its PVH entry
  --memory SIZE     guest memory (default 256M)
  --timeout S       seconds to wait (default 300)
  --max-seconds S   fail when the run takes longer than this (default: no limit but the timeout)
  --poweroff        wait for the guest's power off too and require exit status 0
  --append TEXT     more words for the kernel command line
  --verbose         the kernel's whole log on the serial port, from its first line on
  --show            pass the guest's serial output through while it runs
  --shell           give a shell in the guest instead of running the checks
  --prepare         fetch, unpack and build the initramfs only; print the two file names
  --cache DIR       where the files are kept (default: $XDG_CACHE_HOME/softkvm/linux, else test-roms/target/linux)
  -- OPTIONS        the rest goes to softkvm run (or to QEMU) as it stands
EOF
}

fail() {
    echo "run-linux: $*" >&2
    exit 1
}

need() {
    command -v "$1" >/dev/null 2>&1 || fail "'$1' is needed ($2)"
}

ARCH=
CPU=
CPUS=1
PIT=yes
RUNNER=softkvm
MEMORY=256M
TIMEOUT=300
MAX_SECONDS=
POWEROFF=no
APPEND=
VERBOSE=no
SHOW=no
SHELL_WANTED=no
PREPARE=no
if [ -n "${XDG_CACHE_HOME:-}" ]; then
    CACHE=$XDG_CACHE_HOME/softkvm/linux
else
    CACHE=$ROOT/test-roms/target/linux
fi

while [ $# -gt 0 ]; do
    case $1 in
        --cpu | --cpus | --memory | --timeout | --max-seconds | --append | --cache)
            [ $# -ge 2 ] || fail "$1 needs a value"
            ;;
    esac
    case $1 in
        amd64) ARCH=$1 ;;
        i386 | i686) ARCH=i386 ;;
        --cpu) CPU=$2 && shift ;;
        --cpus) CPUS=$2 && shift ;;
        --no-pit) PIT=no ;;
        --qemu) RUNNER=qemu ;;
        --qemu-pvh) RUNNER=qemu-pvh ;;
        --memory) MEMORY=$2 && shift ;;
        --timeout) TIMEOUT=$2 && shift ;;
        --max-seconds) MAX_SECONDS=$2 && shift ;;
        --append) APPEND=$2 && shift ;;
        --cache) CACHE=$2 && shift ;;
        --poweroff) POWEROFF=yes ;;
        --verbose) VERBOSE=yes ;;
        --show) SHOW=yes ;;
        --shell) SHELL_WANTED=yes ;;
        --prepare) PREPARE=yes ;;
        -h | --help) usage && exit 0 ;;
        --) shift && break ;;
        *) fail "unknown argument '$1' (see --help)" ;;
    esac
    shift
done
[ $PIT = yes ] || [ $RUNNER = softkvm ] || fail "--no-pit is for SoftKVM"
[ -n "$ARCH" ] || fail "which architecture? amd64 or i386 (see --help)"

# FLAVOUR names the kernel, MACHINE is what uname -m says, FLAGS are words that /proc/cpuinfo has to have.
case $ARCH in
    amd64) FLAVOUR=amd64 MACHINE=x86_64 FLAGS=fpu,tsc,msr,pae,cx8,apic,cmov,fxsr,sse,sse2,syscall,nx,lm ;;
    i386) FLAVOUR=686 MACHINE=i686 FLAGS=fpu,tsc,msr,cx8,cmov,mmx CPU=${CPU:-pentium2} ;;
esac

CACHE=$CACHE/$ARCH
mkdir -p "$CACHE" || fail "cannot create $CACHE"

# --- the files -------------------------------------------------------------------------------------------------------

# The lists of an architecture that this system does not have are kept beside the files, and its own are left alone.
APT_OPTIONS=
if [ "$(dpkg --print-architecture 2>/dev/null)" != "$ARCH" ]; then
    mkdir -p "$CACHE/apt/lists/partial" "$CACHE/apt/cache/archives/partial"
    : >"$CACHE/apt/status"
    APT_OPTIONS="-o APT::Architecture=$ARCH -o APT::Architectures=$ARCH -o Dir::State=$CACHE/apt
        -o Dir::State::status=$CACHE/apt/status -o Dir::State::lists=$CACHE/apt/lists -o Dir::Cache=$CACHE/apt/cache"
fi

# apt TOOL ARGUMENTS: apt-get or apt-cache for the guest's architecture.
apt() {
    tool=$1
    shift
    # shellcheck disable=SC2086
    "$tool" $APT_OPTIONS "$@"
}

# Runs "$@" quietly, up to four times; between the tries the package lists are refreshed where that is allowed. The
# refresh may fail for one list while the archive is being updated: what counts is that the next try succeeds.
retry() {
    for pause in 0 5 20 60; do
        if [ $pause != 0 ]; then
            sleep $pause
            [ "$(id -u)" != 0 ] && [ -z "$APT_OPTIONS" ] || apt apt-get -qq update >>"$CACHE/apt.log" 2>&1
        fi
        "$@" 2>>"$CACHE/apt.log" && return 0
    done
    return 1
}

kernel_package() {
    apt apt-cache depends "linux-image-$FLAVOUR" |
        sed -n "s/^ *Depends: \(linux-image-[0-9][^ :]*-$FLAVOUR\)[^-].*/\1/p; s/^ *Depends: \(linux-image-[0-9][^ :]*-$FLAVOUR\)\$/\1/p" |
        head -n 1 | grep .
}

# download PACKAGE FOLDER: unpacks the package into the folder.
download() {
    rm -rf "$2" "$CACHE/deb"
    mkdir -p "$2" "$CACHE/deb"
    (cd "$CACHE/deb" && apt apt-get -q download "$1" >>"$CACHE/apt.log" 2>&1) &&
        dpkg-deb -x "$CACHE"/deb/*.deb "$2" && rm -rf "$CACHE/deb"
}

fetch() {
    need apt-get "the kernel and busybox come from Debian's archive"
    need apt-cache "the kernel and busybox come from Debian's archive"
    need dpkg-deb "it unpacks the packages"
    : >"$CACHE/apt.log"
    package=$(retry kernel_package) ||
        fail "no linux-image-$FLAVOUR in the package lists (is this Debian, and did apt-get update run? see $CACHE/apt.log)"
    if [ ! -s "$CACHE/vmlinuz" ] || [ "$package" != "$(cat "$CACHE/kernel-package" 2>/dev/null)" ]; then
        echo "run-linux: fetching $package" >&2
        retry download "$package" "$CACHE/unpacked" || fail "cannot download $package (see $CACHE/apt.log)"
        cp "$CACHE/unpacked/boot/vmlinuz-${package#linux-image-}" "$CACHE/vmlinuz.new" ||
            fail "$package holds no kernel image"
        rm -rf "$CACHE/unpacked" "$CACHE/vmlinux"
        mv "$CACHE/vmlinuz.new" "$CACHE/vmlinuz"
        echo "$package" >"$CACHE/kernel-package"
    fi
    if [ ! -s "$CACHE/busybox" ]; then
        echo "run-linux: fetching busybox-static" >&2
        retry download busybox-static "$CACHE/unpacked" || fail "cannot download busybox-static (see $CACHE/apt.log)"
        cp "$CACHE/unpacked/bin/busybox" "$CACHE/busybox.new" || fail "busybox-static holds no bin/busybox"
        rm -rf "$CACHE/unpacked"
        mv "$CACHE/busybox.new" "$CACHE/busybox"
    fi
}

# The initramfs: /init, /bin/busybox and one link an applet that /init or a user of the shell may want. No device node
# is needed (so no root either): the kernel's built-in initramfs brings /dev/console.
build_initramfs() {
    [ "$CACHE/initrd.gz" -nt "$HERE/init" ] && [ "$CACHE/initrd.gz" -nt "$CACHE/busybox" ] && return
    tree=$CACHE/tree
    rm -rf "$tree"
    mkdir -p "$tree/bin" "$tree/proc" "$tree/sys" "$tree/dev" "$tree/tmp"
    cp "$CACHE/busybox" "$tree/bin/busybox"
    cp "$HERE/init" "$tree/init"
    chmod 755 "$tree/bin/busybox" "$tree/init"
    for applet in [ awk bc cat chmod clear cp cttyhack cut date dd df dmesg echo env expr false find free grep gzip head \
        hexdump id kill ln ls md5sum mkdir mknod more mount mv nproc od poweroff printf ps pwd reboot rm sed seq setsid \
        sh sha256sum sha512sum sleep sort stty sync tail taskset tee test time top touch tr true umount uname uniq vi wc which \
        xargs yes zcat; do
        ln -s busybox "$tree/bin/$applet"
    done
    # cpio of the host if it has one, else the applet of the busybox just fetched.
    cpio=cpio
    command -v cpio >/dev/null 2>&1 || cpio="$CACHE/busybox cpio"
    (cd "$tree" && find . | LC_ALL=C sort | $cpio -o -H newc 2>/dev/null) >"$CACHE/initrd.cpio" &&
        gzip -9n <"$CACHE/initrd.cpio" >"$CACHE/initrd.gz" && [ -s "$CACHE/initrd.cpio" ] ||
        fail "cannot pack the initramfs (install cpio)"
    rm -rf "$tree" "$CACHE/initrd.cpio"
}

# Prints the little-endian 32-bit word at offset $2 of file $1.
word() {
    od -An -tu1 -j "$2" -N 4 "$1" | awk '{ print $1 + 256 * ($2 + 256 * ($3 + 256 * $4)) }'
}

# Unpacks the ELF kernel from the bzImage: boot protocol 2.08, payload_offset (248h) is relative to the end of the setup
# sectors (count at 1F1h, plus the boot sector). The payload ends with its uncompressed size in 4 bytes after the xz.
unpack_vmlinux() {
    [ "$CACHE/vmlinux" -nt "$CACHE/vmlinuz" ] && return
    need xz "it unpacks the kernel"
    sectors=$(od -An -tu1 -j 497 -N 1 "$CACHE/vmlinuz" | tr -d ' ')
    start=$(((sectors + 1) * 512 + $(word "$CACHE/vmlinuz" 584)))
    length=$(($(word "$CACHE/vmlinuz" 588) - 4))
    tail -c +$((start + 1)) "$CACHE/vmlinuz" | head -c "$length" | xz -dc >"$CACHE/vmlinux.new" 2>/dev/null &&
        mv "$CACHE/vmlinux.new" "$CACHE/vmlinux" || fail "cannot unpack the kernel from $CACHE/vmlinuz"
}

fetch
build_initramfs
if [ $PREPARE = yes ]; then
    echo "$CACHE/vmlinuz"
    echo "$CACHE/initrd.gz"
    exit 0
fi

# --- the run ---------------------------------------------------------------------------------------------------------

# The kernel command line. None of it hides a CPU feature, a timer or a check of the kernel.
#   console=ttyS0   the console is the serial port
#   quiet           only warnings and worse on the serial port: the log costs an exit a character
#   panic=-1        a panic restarts the machine at once ...
#   reboot=t        ... by a triple fault, so that the run ends instead of waiting for the timeout
#   softkvm.*       what /init expects: the machine's name, the number of CPUs, CPU flags
# --verbose takes quiet away and adds:
#   earlyprintk=serial,ttyS0,115200   output before the console driver is up
#   ignore_loglevel                   everything that is logged
CMDLINE="console=ttyS0 panic=-1 reboot=t"
if [ $VERBOSE = yes ]; then
    CMDLINE="$CMDLINE earlyprintk=serial,ttyS0,115200 ignore_loglevel"
else
    CMDLINE="$CMDLINE quiet"
fi
CMDLINE="$CMDLINE softkvm.machine=$MACHINE softkvm.cpus=$CPUS softkvm.flags=$FLAGS"
[ $PIT = yes ] || CMDLINE="$CMDLINE softkvm.timer=none"
[ $SHELL_WANTED = no ] || CMDLINE="$CMDLINE runshell"
[ -z "$APPEND" ] || CMDLINE="$CMDLINE $APPEND"

KERNEL=$CACHE/vmlinuz
case $RUNNER in
    softkvm)
        [ $PIT = yes ] || set -- --without pit,hpet "$@"
        set -- "${SOFTKVM:-$ROOT/softkvm}" run --kernel "$KERNEL" --initrd "$CACHE/initrd.gz" --append "$CMDLINE" \
            --memory "$MEMORY" --cpus "$CPUS" ${CPU:+--cpu "$CPU"} "$@"
        if [ $SHELL_WANTED = no ]; then
            set -- "$@" --timeout "$TIMEOUT" --stats
            [ $POWEROFF = yes ] || set -- "$@" --expect CMDS_OK
        fi
        ;;
    qemu | qemu-pvh)
        need qemu-system-x86_64 "package qemu-system-x86"
        need timeout "package coreutils"
        [ $RUNNER = qemu ] || { unpack_vmlinux && KERNEL=$CACHE/vmlinux; }
        set -- qemu-system-x86_64 -accel tcg -nodefaults -display none -serial stdio -no-reboot -m "$MEMORY" -smp "$CPUS" \
            -kernel "$KERNEL" -initrd "$CACHE/initrd.gz" -append "$CMDLINE" "$@"
        [ $SHELL_WANTED = yes ] || set -- timeout -k 5 "$TIMEOUT" "$@"
        POWEROFF=yes
        ;;
esac
[ $SHELL_WANTED = no ] || exec "$@"

if [ $RUNNER = softkvm ]; then
    # The first start builds SoftKVM where that was not done: not in the time of the run.
    "${SOFTKVM:-$ROOT/softkvm}" --version >"$CACHE/stderr-softkvm.log" 2>&1 ||
        fail "softkvm does not start: $(tail -n 1 "$CACHE/stderr-softkvm.log")"
fi
SERIAL=$CACHE/serial-$RUNNER.log
ERRORS=$CACHE/stderr-$RUNNER.log
begin=$(date +%s.%N)
# For boot-vs-qemu.sh: when the program was started.
[ -z "${SOFTKVM_BEGIN_FILE:-}" ] || echo "$begin" >"$SOFTKVM_BEGIN_FILE"
if [ $SHOW = yes ]; then
    # The status of a pipe's first command is not POSIX: it goes through a file.
    { "$@" 2>"$ERRORS" </dev/null; echo $? >"$CACHE/status"; } | tee "$SERIAL"
    status=$(cat "$CACHE/status")
else
    "$@" >"$SERIAL" 2>"$ERRORS" </dev/null
    status=$?
fi
seconds=$(date +%s.%N | awk -v begin="$begin" '{ printf "%.1f", $1 - begin }')

# why TEXT: one line with the reason, the end of the serial output before it.
why() {
    echo "--- last lines of the serial output ($SERIAL)" >&2
    tr -d '\r' <"$SERIAL" | tail -n 15 >&2
    echo "---" >&2
    tail -n 3 "$ERRORS" >&2
    fail "$* (exit status $status after $seconds s)"
}

tr -d '\r' <"$SERIAL" | grep '^CHECK '
oks=$(tr -d '\r' <"$SERIAL" | grep -c '^CHECK .* ok$')
wanted=$(grep -c '^check ' "$HERE/init")
wrong=$(tr -d '\r' <"$SERIAL" | grep '^CHECK ' | grep -vc ' ok$')
grep -q '^BOOT_OK ' "$SERIAL" || why "the guest did not reach user space (no BOOT_OK)"
[ "$wrong" = 0 ] || why "$wrong checks came out wrong"
grep -q '^CMDS_OK' "$SERIAL" || why "the guest did not finish its checks (no CMDS_OK, $oks ok)"
[ "$oks" -ge "$wanted" ] || why "only $oks of at least $wanted checks were seen"
[ "$status" = 0 ] || why "the run ended with the wrong status"

# What softkvm --stats says; QEMU says nothing.
tr -d '\r' <"$SERIAL" | sed -n 's/^BOOT_OK /guest kernel: /p'
cat "$ERRORS"
echo "run-linux: $RUNNER: BOOT_OK, $oks checks ok, CMDS_OK, $seconds s"
if [ -n "$MAX_SECONDS" ] && awk -v s="$seconds" -v m="$MAX_SECONDS" 'BEGIN { exit !(s > m) }'; then
    fail "it took $seconds s, more than $MAX_SECONDS s"
fi
exit 0
