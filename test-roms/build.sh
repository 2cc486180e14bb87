#!/bin/sh
# Builds every test ROM from src/main/asm into images/, and images/index.tsv from the ROMs' comment headers.
#
#   build.sh [--output DIR]
#
# The same sources give the same bytes (nasm -f bin: no linker, no time stamps). A ROM's header says its format
# ("; format: elf" when absent): elf is a kernel for multiboot 1 and PVH, flat a 64 KiB ROM that ends at 4 GiB,
# boot a boot sector.
set -eu

# The order of the index is that of the bytes of the names, wherever it is built.
LC_ALL=C
export LC_ALL

here=$(cd "$(dirname "$0")" && pwd)
output=$here/images
if [ "${1:-}" = --output ]; then
    output=${2:?build.sh: --output needs a directory}
fi
if ! command -v nasm >/dev/null 2>&1; then
    echo "build.sh: nasm is not installed; the test ROMs cannot be rebuilt (Debian and Ubuntu: apt-get install nasm)" >&2
    exit 1
fi
mkdir -p "$output"

# The value of a header line "; key: value" of a source.
header() {
    sed -n "s/^; $2: *//p" "$1" | head -n 1
}

cd "$here/src/main/asm"
index=$output/index.tsv
printf '# name\tfile\tstatus\tassertions\tneeds\tsha256\n' >"$index.new"
for source in *.asm; do
    name=${source%.asm}
    format=$(header "$source" format)
    case ${format:-elf} in
        elf) file=$name.elf ;;
        flat | boot) file=$name.bin ;;
        *)
            echo "build.sh: $source: unknown format '$format'" >&2
            exit 1
            ;;
    esac
    status=$(header "$source" status)
    assertions=$(header "$source" assertions)
    needs=$(header "$source" needs)
    if [ -z "$status" ] || [ -z "$assertions" ] || [ -z "$needs" ]; then
        echo "build.sh: $source: the header needs the lines status, assertions and needs" >&2
        exit 1
    fi
    nasm -f bin -Ox -Werror -o "$output/$file" "$source"
    if [ "${format:-elf}" = elf ] && [ "$(wc -c <"$output/$file")" -gt 49152 ]; then
        echo "build.sh: $source: the image does not fit between 4000 and 10000" >&2
        exit 1
    fi
    sum=$(sha256sum <"$output/$file")
    printf '%s\t%s\t%s\t%s\t%s\t%s\n' "$name" "$file" "$status" "$assertions" "$needs" "${sum%% *}" >>"$index.new"
done
mv "$index.new" "$index"
