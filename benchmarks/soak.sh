#!/bin/sh
# Runs guests in one JVM for an hour: test ROMs, benchmark guests, Linux, and a Linux that restarts itself, with and
# without forced translation. Prints what the translator costs as time goes by (metaspace, classes, code cache, heap after
# a collection, regions) and fails where a guest fails or a bound is passed.
#
#   soak.sh [MINUTES]        (default 60)
#
# Needs what run-linux.sh needs. The table is the same on a busy machine; only less happens in the time, and a ROM that
# measures the host's time and fails runs once more under the virtual clock, which the output says.
set -u

root=$(CDPATH='' cd -P "$(dirname "$0")/.." && pwd) || exit 125
java_home=$("$root/softkvm" --java-home) || exit
files=$("$root/test-roms/linux/run-linux.sh" amd64 --prepare) || exit
linux=$(dirname "$(echo "$files" | head -n 1)")
log=$root/benchmarks/target/build.log
mkdir -p "$root/benchmarks/target"
(cd "$root" && JAVA_HOME=$java_home mvn -B -q -pl benchmarks -am package -DskipTests) >"$log" 2>&1 || {
    cat "$log" >&2
    exit 125
}

modules=
for module in emulator-core device-models kvm-api-shim vmm test-roms; do
    for jar in "$root/$module/target/$module"-*.jar; do
        case $jar in
            *-sources.jar | *-javadoc.jar | *-tests.jar | *-whitebox.jar) ;;
            *) modules=$modules$jar: ;;
        esac
    done
done
exec "$java_home/bin/java" -Xmx1g -p "$modules$root/vmm/target/lib" \
    --add-modules org.softkvm.emulator,org.softkvm.devices,org.softkvm.kvm,org.softkvm.vmm,org.softkvm.testroms \
    -cp "$(echo "$root"/benchmarks/target/benchmarks-*.jar)" org.softkvm.benchmarks.Soak "$root" "$linux" "${1:-60}"
