#!/bin/sh
# Builds SoftKVM and runs random programs on its engines and backends, comparing what they show:
#
#   differential.sh [--seed N] [--programs N] [--backends interpreter,translator,abi,kvm] [--case N]
#
# Prints a table of what was equal and of what cannot be compared on this machine's /dev/kvm, by category; the status is 1
# where a difference is in none of them.
set -u

root=$(CDPATH='' cd -P "$(dirname "$0")/.." && pwd) || exit 125
java_home=$("$root/softkvm" --java-home) || exit
log=$root/test-roms/target/build.log
mkdir -p "$root/test-roms/target"
(cd "$root" && JAVA_HOME=$java_home mvn -B -q -pl test-roms -am package -DskipTests) >"$log" 2>&1 || {
    cat "$log" >&2
    exit 125
}

modules=
for module in emulator-core device-models kvm-api-shim vmm test-roms; do
    modules=$modules$(echo "$root/$module/target/$module"-*.jar):
done
exec "$java_home/bin/java" -p "$modules$root/vmm/target/lib" --enable-native-access=org.softkvm.kvm \
    -m org.softkvm.testroms/org.softkvm.testroms.differential.Main "$@"
