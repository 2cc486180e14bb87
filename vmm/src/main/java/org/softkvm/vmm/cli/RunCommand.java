package org.softkvm.vmm.cli;

import java.io.FileDescriptor;
import java.io.FileInputStream;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import org.apache.commons.cli.CommandLine;
import org.softkvm.vmm.GuestFile;
import org.softkvm.vmm.GuestModule;
import org.softkvm.vmm.VmmException;
import org.softkvm.vmm.pc.DebugPort;
import org.softkvm.vmm.pc.Pc;
import org.softkvm.vmm.pc.PcConfig;
import org.softkvm.vmm.pc.PcResult;
import org.softkvm.vmm.pc.SavedPc;

/** The command 'softkvm run'. */
final class RunCommand {
    /** Options whose devices come later; all take a value. */
    private static final List<String> NOT_YET =
            List.of(RunOptions.FIRMWARE, RunOptions.DISK, RunOptions.CDROM, RunOptions.FLOPPY, RunOptions.BOOT);

    private final InputStream in;
    private final OutputStream out;
    private final PrintStream err;

    /** Where kernels and a verdict on /dev/kvm are kept. */
    private final Optional<Path> cache;

    private final List<OutputStream> files = new ArrayList<>();

    /** The PC that a key may stop: set before it reads the first one. */
    private volatile Pc running;

    /** The machine that goes on, or null where one is booted. */
    private SavedPc saved;

    /** Whether there is a file to save to. */
    private volatile boolean saving;

    /** What is to be kept of this run's choice of a backend, or null. */
    private KeptVerdict verdict;

    private ProgressLine progress;

    RunCommand(InputStream in, OutputStream out, PrintStream err, Optional<Path> cache) {
        this.in = in;
        this.out = out;
        this.err = err;
        this.cache = cache;
    }

    /** Runs a guest and returns the exit status. */
    int run(List<String> arguments) throws UsageException, VmmException {
        CommandLine line = RunOptions.parse(arguments);
        if (line.hasOption(RunOptions.HELP)) {
            new PrintStream(out, true).print(Help.TEXT);
            return 0;
        }
        String stats = stats(line);
        PcResult result;
        try {
            if (line.hasOption(RunOptions.RESTORE)) {
                saved = SavedPc.open(path("--restore", line.getOptionValue(RunOptions.RESTORE)));
                RestoreOptions.check(line, saved);
            }
            result = run(line);
        } finally {
            closeFiles();
            if (saved != null) {
                saved.close();
            }
        }
        if (!stats.isEmpty()) {
            err.print(stats.equals("json") ? StatsReport.json(result) : StatsReport.text(result));
        }
        if (result.stateHash().isPresent()) {
            err.println(
                    "softkvm: state hash " + StatsReport.hex(result.stateHash().getAsLong()));
        }
        return status(result, line);
    }

    /** Runs it, with the terminal in raw mode if the guest's keyboard is one. */
    private PcResult run(CommandLine line) throws UsageException, VmmException {
        CompilerPriority.lower(line.hasOption(RunOptions.CPUS) ? cpus(line) : 1);
        boolean keyboard = in == System.in && serial(line).equals("stdio") && !virtualClock(line);
        try (HostTerminal terminal = keyboard ? HostTerminal.open().orElse(null) : null;
                Pc pc = Pc.create(configuration(line, terminal != null))) {
            if (verdict != null) {
                verdict.update();
            }
            if (terminal != null) {
                err.println("softkvm: Ctrl-A X ends, Ctrl-A H helps");
            }
            for (String note : pc.notes()) {
                err.println("softkvm: --restore: " + note);
            }
            running = pc;
            return pc.run();
        }
    }

    private int status(PcResult result, CommandLine line) throws VmmException {
        String expected = line.getOptionValue(RunOptions.EXPECT);
        if (!result.detail().isEmpty()) {
            err.println("softkvm: " + result.detail());
        }
        if (expected != null && result.reason() == PcResult.Reason.POWER_OFF) {
            throw new VmmException("the guest powered off before the expected text was seen: " + expected);
        }
        if (line.hasOption(RunOptions.SAVE)) {
            if (result.reason().canGoOn()) {
                err.println("softkvm: saved to " + saved(line.getOptionValue(RunOptions.SAVE)));
            } else if (result.reason() != PcResult.Reason.STOPPED) {
                throw new VmmException("--save: nothing was saved: " + ending(result.reason()));
            }
        }
        return result.exitStatus();
    }

    /** The file, its size and how long it took. */
    private String saved(String file) {
        long size = Path.of(file).toFile().length();
        return String.format(Locale.ROOT, "%s: %.1f MiB in %.1f s", file, size / 1048576.0, progress.seconds());
    }

    private static String ending(PcResult.Reason reason) {
        return switch (reason) {
            case POWER_OFF -> "the guest powered off";
            case DEBUG_EXIT -> "the guest ended by the debug-exit port";
            case TRIPLE_FAULT -> "a triple fault ended the guest";
            default -> "the guest reset the machine";
        };
    }

    private static String stats(CommandLine line) throws UsageException {
        String stats = line.getOptionValue(RunOptions.STATS, "");
        if (!List.of("", "text", "json").contains(stats)) {
            throw new UsageException("--stats: unknown form: " + stats + " (text or json)");
        }
        return stats;
    }

    private PcConfig configuration(CommandLine line, boolean raw) throws UsageException, VmmException {
        refuseUnsupported(line);
        PcConfig.Builder builder;
        if (saved != null) {
            builder = saved.config();
            run(line, builder);
        } else {
            builder = PcConfig.builder(image(line)).kernel(line.hasOption(RunOptions.KERNEL));
            // Numbers first: a mistyped option is said before a file is read.
            machine(line, builder);
            run(line, builder);
            files(line, builder);
        }
        if (line.hasOption(RunOptions.SAVE)) {
            progress = new ProgressLine(err);
            builder.save(path("--save", line.getOptionValue(RunOptions.SAVE)), progress);
        }
        if (line.hasOption(RunOptions.EXPECT)) {
            if (line.getOptionValue(RunOptions.EXPECT).isEmpty()) {
                throw new UsageException("--expect: must not be empty");
            }
            builder.expect(line.getOptionValue(RunOptions.EXPECT));
        }
        consoles(line, raw, builder);
        PcConfig config = builder.build();
        if (verdict != null && !config.choosesBackend()) {
            verdict = null; // Nothing will be probed.
        }
        return config;
    }

    private static void files(CommandLine line, PcConfig.Builder builder) throws UsageException, VmmException {
        if (line.hasOption(RunOptions.INITRD)) {
            builder.initrd(GuestFile.read(path("--initrd", line.getOptionValue(RunOptions.INITRD))));
        }
        builder.commandLine(line.getOptionValue(RunOptions.APPEND, ""));
        for (String module : values(line, RunOptions.MODULE)) {
            int space = module.indexOf(' ');
            String file = space < 0 ? module : module.substring(0, space);
            String rest = space < 0 ? "" : module.substring(space + 1);
            builder.module(new GuestModule(GuestFile.read(path("--module", file)), rest));
        }
    }

    private static void refuseUnsupported(CommandLine line) throws UsageException {
        for (String name : NOT_YET) {
            if (line.hasOption(name)) {
                throw new UsageException("option is not supported yet: --" + name);
            }
        }
        refuseValue(line, RunOptions.SCREEN, "none", List.of("text", "png:"), "screen");
    }

    private static void refuseValue(CommandLine line, String name, String supported, List<String> later, String what)
            throws UsageException {
        String value = line.getOptionValue(name, supported);
        if (value.equals(supported)) {
            return;
        }
        for (String known : later) {
            if (value.equals(known) || known.endsWith(":") && value.startsWith(known)) {
                throw new UsageException(what + " is not supported yet: " + value);
            }
        }
        throw new UsageException("--" + name + ": unknown " + what + ": " + value);
    }

    private static GuestFile image(CommandLine line) throws UsageException, VmmException {
        List<String> images = line.getArgList();
        boolean kernel = line.hasOption(RunOptions.KERNEL);
        if (images.size() > 1) {
            throw new UsageException("more than one image: " + images.get(1));
        }
        if (kernel && !images.isEmpty()) {
            throw new UsageException("give an image or --kernel, not both: " + images.getFirst());
        }
        if (!kernel && images.isEmpty()) {
            throw new UsageException("nothing to boot: give an image or --kernel");
        }
        return GuestFile.read(
                kernel ? path("--kernel", line.getOptionValue(RunOptions.KERNEL)) : path("image", images.getFirst()));
    }

    /** What the machine is made of. */
    private static void machine(CommandLine line, PcConfig.Builder builder) throws UsageException {
        builder.cpu(line.getOptionValue(RunOptions.CPU, "max"));
        builder.bootProtocol(line.getOptionValue(RunOptions.BOOT_PROTOCOL, "auto"));
        builder.virtualClock(clock(line).equals("virtual"));
        builder.irqchip(line.getOptionValue(RunOptions.IRQCHIP, "split"));
        without(line).forEach(builder::without);
        if (line.hasOption(RunOptions.MEMORY)) {
            builder.memory(memory(line));
        }
        if (line.hasOption(RunOptions.CPUS)) {
            builder.cpus(cpus(line));
        }
    }

    /** The value of --clock. */
    static String clock(CommandLine line) throws UsageException {
        String clock = line.getOptionValue(RunOptions.CLOCK, "host");
        if (!List.of("host", "virtual").contains(clock)) {
            throw new UsageException("--clock: unknown clock: " + clock + " (host or virtual)");
        }
        return clock;
    }

    /** The value of --without. */
    static List<String> without(CommandLine line) {
        return line.hasOption(RunOptions.WITHOUT)
                ? List.of(line.getOptionValue(RunOptions.WITHOUT).split(",", -1))
                : List.of();
    }

    /** The value of --memory, which is there, in bytes. */
    static long memory(CommandLine line) throws UsageException {
        long memory = Values.size("--memory", line.getOptionValue(RunOptions.MEMORY));
        if (memory == 0) {
            throw new UsageException("--memory: a machine needs memory: " + line.getOptionValue(RunOptions.MEMORY));
        }
        return memory;
    }

    /** The value of --cpus, which is there. */
    static int cpus(CommandLine line) throws UsageException {
        long cpus = Values.count("--cpus", line.getOptionValue(RunOptions.CPUS));
        return (int) Math.min(cpus, Integer.MAX_VALUE);
    }

    /** How it runs, and for how long. */
    private void run(CommandLine line, PcConfig.Builder builder) throws UsageException {
        builder.backend(backend(line));
        builder.engine(line.getOptionValue(RunOptions.ENGINE, "auto"));
        builder.reboot(!line.hasOption(RunOptions.NO_REBOOT));
        if (!line.hasOption(RunOptions.NO_KERNEL_CACHE)) {
            cache.map(CacheFolder::kernels).ifPresent(builder::kernelCache);
        }
        builder.stateHash(line.hasOption(RunOptions.STATE_HASH));
        if (line.hasOption(RunOptions.TIMEOUT)) {
            builder.timeout(Values.duration("--timeout", line.getOptionValue(RunOptions.TIMEOUT)));
        }
        if (line.hasOption(RunOptions.MAX_INSTRUCTIONS)) {
            builder.maxInstructions(
                    Values.count("--max-instructions", line.getOptionValue(RunOptions.MAX_INSTRUCTIONS)));
        }
    }

    /** The value of --backend; the emulator for auto, where an earlier run has found out that it will be that one. */
    private String backend(CommandLine line) {
        String backend = line.getOptionValue(RunOptions.BACKEND, "auto");
        if (!backend.equals("auto")) {
            return backend;
        }
        KeptVerdict kept = cache.flatMap(KeptVerdict::in).orElse(null);
        if (kept == null) {
            return backend;
        }
        if (kept.holds()) {
            return "emulator";
        }
        verdict = kept;
        return backend;
    }

    private void consoles(CommandLine line, boolean raw, PcConfig.Builder builder) throws UsageException, VmmException {
        String serial = serial(line);
        if (serial.equals("stdio") && (!virtualClock(line) || inputEnds())) {
            builder.serialInput(
                    raw
                            ? new EscapeInput(in, () -> running.stop(), this::save, () -> err.print(EscapeInput.HELP))
                            : in);
        }
        if (!serial.equals("none")) {
            builder.serialOutput(output("--serial", serial));
        }
        Set<Integer> open = new HashSet<>();
        for (String console : values(line, RunOptions.DEBUGCON)) {
            int equals = console.indexOf('=');
            String port = equals < 0 ? console : console.substring(0, equals);
            String target = equals < 0 ? "stdio" : console.substring(equals + 1);
            int number = Values.port("--debugcon", port);
            open.add(number);
            builder.debugConsole(new DebugPort(number, output("--debugcon", target)));
        }
        if (saved != null) {
            for (int port : saved.debugPorts()) {
                if (open.add(port)) {
                    builder.debugConsole(new DebugPort(port, out));
                }
            }
        }
        saving = line.hasOption(RunOptions.SAVE);
    }

    /** Ctrl-A S. */
    private void save() {
        if (saving) {
            running.saveAndStop();
        } else {
            err.println("softkvm: --save was not given");
        }
    }

    private boolean virtualClock(CommandLine line) {
        return saved != null
                ? saved.virtualClock()
                : line.getOptionValue(RunOptions.CLOCK, "host").equals("virtual");
    }

    private static String serial(CommandLine line) {
        return line.getOptionValue(RunOptions.SERIAL, "stdio");
    }

    /**
     * Whether standard input is a file. Under the virtual clock input is read to its end before the guest starts; who
     * types, or a pipe that is never closed, would keep it from starting.
     */
    private boolean inputEnds() {
        if (in != System.in) {
            return true;
        }
        try {
            return new FileInputStream(FileDescriptor.in).getChannel().size() > 0;
        } catch (IOException e) {
            return false;
        }
    }

    private OutputStream output(String option, String target) throws UsageException, VmmException {
        if (target.equals("stdio")) {
            return out;
        }
        if (!target.startsWith("file:") || target.length() == "file:".length()) {
            throw new UsageException(option + ": unknown target: " + target + " (stdio or file:F)");
        }
        String name = target.substring("file:".length());
        try {
            OutputStream file = new FileOutputStream(path(option, name).toFile());
            files.add(file);
            return file;
        } catch (IOException e) {
            throw new VmmException(option + ": cannot write: " + e.getMessage(), e);
        }
    }

    private void closeFiles() throws VmmException {
        for (OutputStream file : files) {
            try {
                file.close();
            } catch (IOException e) {
                throw new VmmException("cannot close an output file: " + e.getMessage(), e);
            }
        }
    }

    private static Path path(String option, String name) throws UsageException {
        try {
            if (name.isEmpty()) {
                throw new UsageException(option + ": the name of a file is needed");
            }
            return Path.of(name);
        } catch (InvalidPathException e) {
            throw new UsageException(option + ": not the name of a file: " + e.getMessage());
        }
    }

    private static List<String> values(CommandLine line, String name) {
        String[] values = line.getOptionValues(name);
        return values == null ? List.of() : List.of(values);
    }
}
