package org.softkvm.vmm.pc;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import org.softkvm.vmm.GuestFile;
import org.softkvm.vmm.GuestModule;
import org.softkvm.vmm.VmmException;
import org.softkvm.vmm.snapshot.SnapshotReader;
import org.softkvm.vmm.snapshot.SnapshotWriter;

/**
 * A machine in the file of a snapshot. It knows what the machine is made of; the states of its parts are read when it is
 * built again:
 *
 * <pre>{@code
 * try (SavedPc saved = SavedPc.open(Path.of("guest.snapshot"));
 *         Pc pc = Pc.create(saved.config().serialOutput(System.out).build())) {
 *     PcResult result = pc.run();
 * }
 * }</pre>
 */
public final class SavedPc implements AutoCloseable {
    private static final int MAX_FILE = 1 << 30;
    private static final int MAX_LIST = 1 << 16;

    private final SnapshotReader in;
    private final String backend;
    private final String cpu;
    private final int cpus;
    private final long memory;
    private final String irqchip;
    private final Set<String> without;
    private final boolean virtualClock;
    private final List<Integer> debugPorts;
    private final GuestFile image;
    private final boolean kernel;
    private final Optional<GuestFile> initrd;
    private final String commandLine;
    private final List<GuestModule> modules;
    private final String bootProtocol;
    private final byte[] rom;
    private boolean taken;

    private SavedPc(SnapshotReader in) throws VmmException {
        this.in = in;
        backend = in.getText("a name");
        cpu = in.getText("a name");
        cpus = in.getInt();
        memory = in.getLong();
        irqchip = in.getText("a name");
        without = new TreeSet<>(texts(in));
        virtualClock = in.getFlag();
        List<Integer> ports = new ArrayList<>();
        for (int left = in.getCount("debug consoles", MAX_LIST); left > 0; left--) {
            ports.add(in.getCount("as a port", 0xFFFF));
        }
        debugPorts = List.copyOf(ports);
        kernel = in.getFlag();
        image = file(in);
        initrd = in.getFlag() ? Optional.of(file(in)) : Optional.empty();
        commandLine = in.getText("a command line");
        List<GuestModule> list = new ArrayList<>();
        for (int left = in.getCount("modules", MAX_LIST); left > 0; left--) {
            GuestFile file = file(in);
            list.add(new GuestModule(file, in.getText("a command line")));
        }
        modules = List.copyOf(list);
        bootProtocol = in.getText("a name");
        rom = in.getBytes("a ROM", MAX_FILE);
        if (memory <= 0) {
            throw in.damaged("memory of " + memory + " bytes");
        }
    }

    private static GuestFile file(SnapshotReader in) throws VmmException {
        String name = in.getText("the name of a file");
        return new GuestFile(name, in.getBytes("a file", MAX_FILE));
    }

    private static List<String> texts(SnapshotReader in) throws VmmException {
        List<String> texts = new ArrayList<>();
        for (int left = in.getCount("names", MAX_LIST); left > 0; left--) {
            texts.add(in.getText("a name"));
        }
        return texts;
    }

    /** Writes what {@link #open} reads. */
    static void write(PcConfig config, String backend, byte[] rom, SnapshotWriter out) throws IOException {
        out.putText(backend);
        out.putText(config.cpu());
        out.putInt(config.cpus());
        out.putLong(PcLimits.memory(config));
        out.putText(config.irqchip());
        out.putInt(config.without().size());
        for (String device : new TreeSet<>(config.without())) {
            out.putText(device);
        }
        out.putByte(config.virtualClock() ? 1 : 0);
        out.putInt(config.debugConsoles().size());
        for (DebugPort console : config.debugConsoles()) {
            out.putInt(console.port());
        }
        out.putByte(config.kernel() ? 1 : 0);
        write(config.image(), out);
        out.putByte(config.initrd().isPresent() ? 1 : 0);
        if (config.initrd().isPresent()) {
            write(config.initrd().get(), out);
        }
        out.putText(config.commandLine());
        out.putInt(config.modules().size());
        for (GuestModule module : config.modules()) {
            write(module.file(), out);
            out.putText(module.arguments());
        }
        out.putText(config.bootProtocol());
        out.putBytes(rom);
    }

    private static void write(GuestFile file, SnapshotWriter out) throws IOException {
        out.putText(file.name());
        out.putBytes(file.data());
    }

    /**
     * Opens a snapshot.
     *
     * @param file its file, as {@link PcConfig.Builder#save} made it
     * @return the machine in it
     * @throws VmmException if the file cannot be read, is no snapshot, one of another version, or damaged
     */
    public static SavedPc open(Path file) throws VmmException {
        SnapshotReader reader = new SnapshotReader(file);
        try {
            return new SavedPc(reader);
        } catch (VmmException | RuntimeException | Error e) {
            reader.close();
            throw e;
        }
    }

    /**
     * The configuration of the saved machine. What belongs to a run and not to the machine (backend, engine, streams,
     * limits) is to be added; a debug console leads where the configuration says, else nowhere.
     *
     * @return a builder; the machine is restored once, from the first PC that is made of it
     */
    public PcConfig.Builder config() {
        PcConfig.Builder builder = PcConfig.builder(image)
                .restore(this)
                .kernel(kernel)
                .commandLine(commandLine)
                .memory(memory)
                .cpu(cpu)
                .cpus(cpus)
                .bootProtocol(bootProtocol)
                .irqchip(irqchip)
                .virtualClock(virtualClock);
        initrd.ifPresent(builder::initrd);
        modules.forEach(builder::module);
        without.forEach(builder::without);
        return builder;
    }

    /** Gives the reader of the states away, once. */
    SnapshotReader take() {
        if (taken) {
            throw new IllegalStateException("a machine is restored once from an open snapshot");
        }
        taken = true;
        return in;
    }

    byte[] rom() {
        return rom;
    }

    /**
     * The backend that the machine ran on.
     *
     * @return its name
     */
    public String backend() {
        return backend;
    }

    /**
     * The CPU model.
     *
     * @return as {@link PcConfig#cpu()}
     */
    public String cpu() {
        return cpu;
    }

    /**
     * How many CPUs there are.
     *
     * @return 1 or more
     */
    public int cpus() {
        return cpus;
    }

    /**
     * The RAM.
     *
     * @return its size in bytes
     */
    public long memory() {
        return memory;
    }

    /**
     * Who has the PIC, the IOAPIC and the PIT.
     *
     * @return as {@link PcConfig#irqchip()}
     */
    public String irqchip() {
        return irqchip;
    }

    /**
     * The devices that were left out.
     *
     * @return as {@link PcConfig#without()}
     */
    public Set<String> without() {
        return Set.copyOf(without);
    }

    /**
     * Whether time is what the guest has executed.
     *
     * @return as {@link PcConfig#virtualClock()}
     */
    public boolean virtualClock() {
        return virtualClock;
    }

    /**
     * The ports of the debug consoles.
     *
     * @return their numbers, in their order
     */
    public List<Integer> debugPorts() {
        return debugPorts;
    }

    /** Closes the file. */
    @Override
    public void close() {
        in.close();
    }
}
