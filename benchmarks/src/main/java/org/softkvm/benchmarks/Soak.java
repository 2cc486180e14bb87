package org.softkvm.benchmarks;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.lang.management.ClassLoadingMXBean;
import java.lang.management.ManagementFactory;
import java.lang.management.MemoryPoolMXBean;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import org.softkvm.testroms.RomCatalogue;
import org.softkvm.testroms.RomMachine;
import org.softkvm.testroms.RomRunner;
import org.softkvm.testroms.TestRom;
import org.softkvm.vmm.GuestFile;
import org.softkvm.vmm.VmmException;
import org.softkvm.vmm.pc.Pc;
import org.softkvm.vmm.pc.PcConfig;
import org.softkvm.vmm.pc.PcResult;

/**
 * Runs ROMs, benchmark guests, boots of Linux and a Linux that restarts itself for a long time in one JVM, and watches
 * what the translator costs: metaspace, classes, code cache and heap. {@code benchmarks/soak.sh} starts it.
 *
 * <p>It fails where a guest fails, where a bound is passed, and where the second half of the run needs clearly more than
 * the first.
 */
public final class Soak {
    /**
     * Bounds, in MiB. Forced translation of a Linux boot makes regions faster than HotSpot sees a reason to collect those
     * that were given up: up to some 260 of metaspace were seen, 60 otherwise.
     */
    private static final long METASPACE = 384;

    private static final long HEAP = 320;
    /** How much of the reserved code cache may be in use; HotSpot sweeps before it is full. */
    private static final double CODE_CACHE = 0.9;
    /** What the second half may need more than the first: a factor, and MiB that do not count. */
    private static final double GROWTH = 1.25;

    private static final long SLACK = 16;

    private static final long MIB = 1 << 20;
    private static final Duration GUEST = Duration.ofMinutes(10);

    /** ROMs that measure time: under the host's clock a busy machine can fail them. */
    private static final Set<String> HOST_TIME =
            Set.of("pit", "time-clocks", "apic-timer", "ioapic", "timer-irq0", "timer-long");

    /** Benchmark guests, with iterations that take a second or so on a translator. */
    private static final String[][] GUESTS = {
        {"sieve", "n=20 w=1"},
        {"crc32", "n=40 w=1"},
        {"lists", "n=20 w=1"},
        {"bytecode", "n=8 w=1"},
        {"recursion", "n=60 w=1"},
        {"sort", "n=1 w=0"},
        {"strings", "n=600 w=5"},
        {"nbody", "n=60 w=1"},
        {"x87", "n=3 w=1"},
        {"syscalls", "n=20 w=2"},
        {"smc", "n=200 w=10"},
    };

    private record Sample(long metaspace, long heap, long codeCache) {}

    private final Path root;
    private final Path linux;
    private final long begin = System.nanoTime();
    private final long end;
    private final List<Sample> samples = new ArrayList<>();
    private final List<String> failures = new ArrayList<>();
    private long guests;
    private long restarts;
    private long late;
    private long regions;
    private long dropped;
    private long regionsFailed;

    private Soak(Path root, Path linux, double minutes) {
        this.root = root;
        this.linux = linux;
        end = begin + (long) (minutes * 60e9);
    }

    /**
     * Runs it.
     *
     * @param arguments the folder of the project, the folder with vmlinuz and initrd.gz, minutes
     * @throws Exception if a guest cannot be started at all
     */
    public static void main(String[] arguments) throws Exception {
        Soak soak = new Soak(Path.of(arguments[0]), Path.of(arguments[1]), Double.parseDouble(arguments[2]));
        System.exit(soak.run() ? 0 : 1);
    }

    private boolean run() throws VmmException, IOException {
        System.out.println("minutes  phase                       guests restarts  regions dropped failed"
                + "  metaspace MiB (peak)  classes  unloaded  code cache MiB (peak)  heap after GC MiB");
        for (int cycle = 0; !over(); cycle++) {
            // Counted regions are other code than those that do not count, and both have their turn.
            roms("auto", cycle % 2 == 1);
            benchmarks("auto");
            linuxBoot(1 + cycle % 2, "auto");
            linuxRestarts("auto");
            roms("translator", cycle % 2 == 0);
            benchmarks("translator");
            linuxRestarts("translator");
        }
        judge();
        failures.forEach(failure -> System.out.println("FAILED: " + failure));
        System.out.printf(
                Locale.ROOT,
                "%s after %.1f minutes: %d guests (%d repeated under the virtual clock), %d restarts, %d regions translated, %d dropped, %d failed; "
                        + "at most %d MiB of metaspace, %d MiB of code cache, %d MiB of heap after GC%n",
                failures.isEmpty() ? "passed" : "failed",
                minutes(),
                guests,
                late,
                restarts,
                regions,
                dropped,
                regionsFailed,
                samples.stream().mapToLong(Sample::metaspace).max().orElse(0),
                samples.stream().mapToLong(Sample::codeCache).max().orElse(0),
                samples.stream().mapToLong(Sample::heap).max().orElse(0));
        return failures.isEmpty();
    }

    private boolean over() {
        return System.nanoTime() - end >= 0;
    }

    private double minutes() {
        return (System.nanoTime() - begin) / 60e9;
    }

    private void roms(String engine, boolean virtual) throws VmmException {
        for (TestRom rom : RomCatalogue.all()) {
            if (over()) {
                return;
            }
            String name = rom.name() + " " + engine;
            RomMachine machine = new RomMachine("emulator", engine);
            PcConfig.Builder config = RomRunner.configure(rom, machine, GUEST).virtualClock(virtual);
            int before = failures.size();
            run(virtual ? name + " virtual" : name, config, rom.status());
            if (!virtual && failures.size() > before && HOST_TIME.contains(rom.name())) {
                // A busy machine takes the guest's time away; without the host's time the ROM has to pass.
                run(name + " virtual", RomRunner.configure(rom, machine, GUEST).virtualClock(true), rom.status());
                if (failures.size() == before + 1) {
                    System.out.println(failures.removeLast().lines().findFirst().orElseThrow()
                            + ", which measures the host's time; passed under the virtual clock");
                    late++;
                }
            }
        }
        sample("ROMs, " + engine + (virtual ? ", virtual" : ""));
    }

    private void benchmarks(String engine) throws VmmException, IOException {
        for (String[] guest : GUESTS) {
            if (over()) {
                return;
            }
            Path image = root.resolve("test-roms/bench/" + guest[0] + ".elf");
            PcConfig.Builder config = PcConfig.builder(GuestFile.read(image))
                    .commandLine(guest[1])
                    .engine(engine);
            run(guest[0] + " " + engine, config, 33);
        }
        sample("benchmark guests, " + engine);
    }

    private PcConfig.Builder linux(String words) throws VmmException {
        return PcConfig.builder(GuestFile.read(linux.resolve("vmlinuz")))
                .kernel(true)
                .initrd(GuestFile.read(linux.resolve("initrd.gz")))
                .commandLine("console=ttyS0 panic=-1 reboot=k " + words)
                .memory(256 * MIB);
    }

    private void linuxBoot(int cpus, String engine) throws VmmException {
        if (over()) {
            return;
        }
        String words = "quiet softkvm.machine=x86_64 softkvm.cpus=" + cpus;
        run("Linux " + engine, linux(words).cpus(cpus).engine(engine).expect("CMDS_OK"), 0);
        sample("Linux, " + cpus + " CPUs, " + engine);
    }

    /** A Linux whose only program restarts the machine, for some minutes: the same vcpu and its regions all the time. */
    private void linuxRestarts(String engine) throws VmmException {
        if (over()) {
            return;
        }
        String output = run(
                "Linux restarts " + engine,
                linux("earlyprintk=ttyS0 rdinit=/bin/reboot -- -f")
                        .engine(engine)
                        .timeout(Duration.ofMinutes(engine.equals("auto") ? 3 : 6)),
                124);
        long starts = output.split("Linux version ", -1).length - 1;
        if (starts < 1) {
            failures.add("Linux, which restarts itself, did not start");
        }
        restarts += starts;
        sample("Linux restarts, " + engine);
    }

    private String run(String name, PcConfig.Builder config, int status) throws VmmException {
        ByteArrayOutputStream serial = new ByteArrayOutputStream();
        PcResult result;
        PcConfig pc = config.backend("emulator").serialOutput(serial).build();
        try (Pc machine = Pc.create(pc)) {
            result = machine.run();
        }
        guests++;
        regions += result.statistics().translation().regions();
        dropped += result.statistics().translation().dropped();
        regionsFailed += result.statistics().translation().failed();
        String output = serial.toString(StandardCharsets.ISO_8859_1);
        if (result.exitStatus() != status) {
            failures.add(name + ": status " + result.exitStatus() + " " + result.detail() + "\n" + tail(output));
            System.out.println(failures.getLast());
        }
        return output;
    }

    private static String tail(String output) {
        return output.substring(Math.max(0, output.length() - 500));
    }

    private void sample(String phase) {
        // Twice: classes whose loader died in the first go in the second.
        System.gc();
        System.gc();
        long metaspace = 0;
        long metaspacePeak = 0;
        long heap = ManagementFactory.getMemoryMXBean().getHeapMemoryUsage().getUsed() / MIB;
        long codeCache = 0;
        long codePeak = 0;
        long codeReserved = 0;
        for (MemoryPoolMXBean pool : ManagementFactory.getMemoryPoolMXBeans()) {
            if (pool.getName().equals("Metaspace")) {
                metaspace = pool.getUsage().getUsed() / MIB;
                metaspacePeak = pool.getPeakUsage().getUsed() / MIB;
            } else if (pool.getName().startsWith("CodeHeap") || pool.getName().startsWith("CodeCache")) {
                codeCache += pool.getUsage().getUsed() / MIB;
                codePeak += pool.getPeakUsage().getUsed() / MIB;
                codeReserved += pool.getUsage().getMax() / MIB;
            }
            pool.resetPeakUsage();
        }
        ClassLoadingMXBean classes = ManagementFactory.getClassLoadingMXBean();
        System.out.printf(
                Locale.ROOT,
                "%7.1f  %-27s %6d %8d %8d %7d %6d %14d %6d %8d %9d %15d %6d %18d%n",
                minutes(),
                phase,
                guests,
                restarts,
                regions,
                dropped,
                regionsFailed,
                metaspace,
                metaspacePeak,
                classes.getLoadedClassCount(),
                classes.getUnloadedClassCount(),
                codeCache,
                codePeak,
                heap);
        // What counts is the most that was in use, while guests ran: behind them there is little left.
        samples.add(new Sample(metaspacePeak, heap, codePeak));
        bound("metaspace", metaspacePeak, METASPACE);
        bound("heap after GC", heap, HEAP);
        bound("code cache", codePeak, (long) (codeReserved * CODE_CACHE));
    }

    private void bound(String what, long value, long most) {
        if (value > most) {
            failures.add(String.format(
                    Locale.ROOT, "%s is %d MiB after %.1f minutes, more than %d", what, value, minutes(), most));
        }
    }

    /** The second half of the samples needs little more than the first. */
    private void judge() {
        int half = samples.size() / 2;
        if (half < 7) {
            System.out.println("too short to compare its halves");
            return;
        }
        List<Sample> first = samples.subList(0, half);
        List<Sample> second = samples.subList(half, samples.size());
        growth("metaspace", first, second, Sample::metaspace);
        growth("heap after GC", first, second, Sample::heap);
    }

    private void growth(
            String what, List<Sample> first, List<Sample> second, java.util.function.ToLongFunction<Sample> f) {
        long before = first.stream().mapToLong(f).max().orElseThrow();
        long after = second.stream().mapToLong(f).max().orElseThrow();
        if (after > before * GROWTH + SLACK) {
            failures.add(what + " grew from " + before + " MiB in the first half to " + after + " MiB in the second");
        }
    }
}
