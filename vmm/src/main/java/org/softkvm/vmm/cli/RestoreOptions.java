package org.softkvm.vmm.cli;

import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import org.apache.commons.cli.CommandLine;
import org.softkvm.vmm.pc.SavedPc;

/** Refuses options that contradict a machine that goes on. */
final class RestoreOptions {
    /** What was booted is in the snapshot. */
    private static final List<String> BOOTED = List.of(
            RunOptions.KERNEL, RunOptions.INITRD, RunOptions.APPEND, RunOptions.MODULE, RunOptions.BOOT_PROTOCOL);

    private RestoreOptions() {}

    static void check(CommandLine line, SavedPc saved) throws UsageException {
        if (!line.getArgList().isEmpty()) {
            throw new UsageException("--restore goes on with what was booted, another image cannot be given: "
                    + line.getArgList().getFirst());
        }
        for (String name : BOOTED) {
            if (line.hasOption(name)) {
                throw new UsageException(
                        "--" + name + ": cannot be given with --restore, which goes on with what was booted");
            }
        }
        if (line.hasOption(RunOptions.MEMORY)) {
            long memory = RunCommand.memory(line);
            if (memory != saved.memory()) {
                throw contradicts(RunOptions.MEMORY, size(memory), size(saved.memory()));
            }
        }
        if (line.hasOption(RunOptions.CPUS)) {
            check(RunOptions.CPUS, String.valueOf(RunCommand.cpus(line)), String.valueOf(saved.cpus()));
        }
        if (line.hasOption(RunOptions.CPU)) {
            check(RunOptions.CPU, line.getOptionValue(RunOptions.CPU), saved.cpu());
        }
        if (line.hasOption(RunOptions.IRQCHIP)) {
            check(RunOptions.IRQCHIP, line.getOptionValue(RunOptions.IRQCHIP), saved.irqchip());
        }
        if (line.hasOption(RunOptions.CLOCK)) {
            check(RunOptions.CLOCK, RunCommand.clock(line), saved.virtualClock() ? "virtual" : "host");
        }
        if (line.hasOption(RunOptions.WITHOUT)) {
            Set<String> without = new TreeSet<>(RunCommand.without(line));
            if (!without.equals(saved.without())) {
                throw contradicts(
                        RunOptions.WITHOUT,
                        String.join(",", without),
                        String.join(",", new TreeSet<>(saved.without())));
            }
        }
        String[] consoles = line.getOptionValues(RunOptions.DEBUGCON);
        for (String console : consoles == null ? new String[0] : consoles) {
            int port = Values.port("--debugcon", console.replaceFirst("=.*", ""));
            if (!saved.debugPorts().contains(port)) {
                throw new UsageException(
                        "--debugcon: the saved machine has no debug console at port 0x" + Integer.toHexString(port));
            }
        }
    }

    private static void check(String option, String wanted, String saved) throws UsageException {
        if (!wanted.equalsIgnoreCase(saved)) {
            throw contradicts(option, wanted, saved);
        }
    }

    private static UsageException contradicts(String option, String wanted, String saved) {
        return new UsageException("--" + option + ": " + wanted + " contradicts the saved machine, which has "
                + (saved.isEmpty() ? "none" : saved));
    }

    private static String size(long bytes) {
        return bytes % (1 << 20) == 0 ? (bytes >> 20) + "M" : (bytes >> 10) + "K";
    }
}
