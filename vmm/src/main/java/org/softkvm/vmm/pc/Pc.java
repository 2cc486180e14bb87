package org.softkvm.vmm.pc;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalLong;
import org.softkvm.devices.StateHash;
import org.softkvm.kvm.Capability;
import org.softkvm.kvm.CpuidEntry;
import org.softkvm.kvm.Errno;
import org.softkvm.kvm.Kvm;
import org.softkvm.kvm.KvmException;
import org.softkvm.kvm.KvmProvider;
import org.softkvm.kvm.Vcpu;
import org.softkvm.kvm.Vm;
import org.softkvm.vmm.VmmException;
import org.softkvm.vmm.acpi.AcpiTables;
import org.softkvm.vmm.acpi.MpTables;
import org.softkvm.vmm.loader.BootProtocol;
import org.softkvm.vmm.loader.BootRequest;
import org.softkvm.vmm.loader.CpuStart;
import org.softkvm.vmm.loader.GuestRam;
import org.softkvm.vmm.loader.ImageLoader;
import org.softkvm.vmm.loader.KernelCache;
import org.softkvm.vmm.loader.LoadedGuest;
import org.softkvm.vmm.loader.RamLayout;

/**
 * A PC: RAM, CPUs, interrupt controllers, timers, a serial port and ACPI power management over the KVM API, with a guest
 * loaded and ready to run.
 *
 * <pre>{@code
 * PcConfig config = PcConfig.builder(GuestFile.read(Path.of("hello.elf"))).serialOutput(System.out).build();
 * try (Pc pc = Pc.create(config)) {
 *     PcResult result = pc.run();
 * }
 * }</pre>
 */
public final class Pc implements AutoCloseable {
    /** Pages that KVM on Intel wants for itself in real mode; no RAM or ROM lies there. */
    private static final long IDENTITY_MAP = 0xFEFF_C000L;

    private static final long TSS = 0xFEFF_D000L;

    /** Where systems look for the MP tables. */
    private static final long MP_TABLES = 0xF_0000L;

    private static final long STOP_MILLIS = 10_000;

    private final PcConfig config;
    private final Kvm kvm;
    private final Vm vm;
    private final GuestRam ram;
    private final Board board;
    private final Cpus cpus;
    private final RunEnd end;
    private final byte[] rom;
    private final List<String> notes = new ArrayList<>();
    private boolean ran;
    private boolean closed;

    /** Makes it of a guest that is being loaded, or null where a saved one goes on. */
    private Pc(PcConfig config, Loading loading, Kvm kvm, Vm vm) throws VmmException {
        this.config = config;
        this.kvm = kvm;
        this.vm = vm;
        this.end = new RunEnd();
        checkExtensions();
        if (vm.checkExtension(Capability.SET_TSS_ADDR) != 0) {
            vm.setIdentityMapAddr(IDENTITY_MAP);
            vm.setTssAddr(TSS);
        }
        if (config.virtualClock()) {
            vm.enableCap(Capability.SOFTKVM_VIRTUAL_CLOCK, Board.VIRTUAL_EPOCH);
        }
        Snapshot.Restoring restoring = null;
        byte[] savedRom = {};
        if (loading == null) {
            SavedPc saved = config.restore().orElseThrow();
            restoring = Snapshot.begin(saved.take(), config);
            savedRom = saved.rom();
            if (config.virtualClock()) {
                vm.advanceTo(restoring.chips().virtualTime());
            }
        }
        Board.createChips(vm, config);
        chooseCpu();
        int most = vm.checkExtension(Capability.MAX_VCPUS);
        if (config.cpus() > 1 && config.cpus() > most) {
            throw new VmmException("--cpus: the backend " + kvm.backend() + " takes at most " + most + " CPUs");
        }

        RamLayout layout = RamLayout.of(PcLimits.memory(config));
        this.ram = new GuestRam(layout, vm.allocateMemory(layout.total()));
        // It is written into RAM while what follows is made.
        GuestRam written = ram;
        Loading writing = loading == null ? null : loading.then(guest -> fill(config, guest, written));
        Board made = null;
        try {
            MemoryMap memory = new MemoryMap(vm, ram, PcLimits.addressLines24(config));
            List<Vcpu> vcpus = createVcpus();
            made = new Board(vm, config, memory, layout, end);
            board = made;
            LoadedGuest guest = writing == null ? null : writing.await();
            rom = guest == null ? savedRom : guest.rom();
            memory.setRom(rom(rom));
            memory.install(true);
            cpus = new Cpus(vm, vcpus, board, end);
            if (guest != null) {
                cpus.prepare(guest.start());
            } else {
                restoring.finish(config, vm, ram, cpus, board, notes);
            }
        } catch (VmmException | RuntimeException | Error e) {
            if (writing != null) {
                writing.abandon();
            }
            if (made != null) {
                made.close();
            }
            throw e;
        }
    }

    /**
     * Builds a PC and loads its guest.
     *
     * @param config what it is made of and what it boots
     * @return the PC, not yet running
     * @throws VmmException if the configuration cannot be had here, or the image cannot be booted or the saved machine not
     *     restored
     */
    public static Pc create(PcConfig config) throws VmmException {
        checkTarget(config);
        if (backend(config).equals("auto")) {
            Thread.ofPlatform().daemon().name("softkvm-probe").start(Pc::probe);
        }
        PcLimits.check(config);
        // The machine is built while the image is read and unpacked.
        Loading loading = config.restore().isPresent() ? null : Loading.start(() -> load(config));
        try {
            return create(config, loading, Kvm.open(backend(config)));
        } catch (KvmException e) {
            throw new VmmException(explain(config, e), e);
        }
    }

    /**
     * Finds out what "auto" is while the image is read, which can take a second: on /dev/kvm a guest runs for some time to
     * show that others can. {@link Kvm#open()} does the same and finds the answer, or waits for it.
     */
    private static void probe() {
        for (KvmProvider provider : Kvm.providers()) {
            if (provider.unavailableBecause() == null && provider.passedOverBecause() == null) {
                return;
            }
        }
    }

    /** A run may be long: where its snapshot cannot go is said before. */
    private static void checkTarget(PcConfig config) throws VmmException {
        if (config.save().isPresent()) {
            Path file = config.save().get().file();
            Path folder = file.toAbsolutePath().getParent();
            if (Files.isDirectory(file)) {
                throw new VmmException("--save: " + file + ": is a directory");
            }
            if (Files.exists(file) && !Files.isRegularFile(file)) {
                // A complete snapshot takes the place of what has the name, be it /dev/null.
                throw new VmmException("--save: " + file + ": is no regular file");
            }
            if (folder == null || !Files.isDirectory(folder)) {
                throw new VmmException("--save: " + file + ": no such folder");
            }
        }
    }

    /** Auto takes the emulator for what only an emulator can do. */
    private static String backend(PcConfig config) {
        return config.backend().equals("auto") && !config.choosesBackend() ? "emulator" : config.backend();
    }

    /** Checks a configuration and loads its image, as far as no backend is needed. */
    static LoadedGuest load(PcConfig config) throws VmmException {
        PcLimits.check(config);
        BootRequest request = new BootRequest(
                config.image(),
                config.kernel(),
                config.initrd(),
                config.commandLine(),
                config.modules(),
                BootProtocol.of(config.bootProtocol()),
                config.kernelCache().map(KernelCache::new));
        LoadedGuest guest = ImageLoader.load(request, RamLayout.of(PcLimits.memory(config)), RamLayout.BIOS_START);
        if (guest.start() instanceof CpuStart.Flat32 && !PcLimits.has32Bits(config)) {
            throw new VmmException(config.image().name() + ": a " + guest.kind().title()
                    + " starts in 32-bit protected mode, which CPU model " + config.cpu() + " does not have");
        }
        if (guest.start() instanceof CpuStart.Long64 && !PcLimits.has64Bits(config)) {
            throw new VmmException(config.image().name() + ": a " + guest.kind().title()
                    + " starts in 64-bit mode, which CPU model " + config.cpu() + " does not have");
        }
        return guest;
    }

    /** Builds a PC on a KVM API that is open already; it is closed with the PC, or when this fails. */
    static Pc create(PcConfig config, Loading loading, Kvm kvm) throws VmmException {
        Vm vm = null;
        try {
            vm = kvm.createVm();
            return new Pc(config, loading, kvm, vm);
        } catch (KvmException e) {
            release(vm, kvm);
            throw new VmmException(explain(config, e), e);
        } catch (VmmException | RuntimeException | Error e) {
            release(vm, kvm);
            throw e;
        }
    }

    private static void release(Vm vm, Kvm kvm) {
        if (vm != null) {
            vm.close();
        }
        kvm.close();
    }

    private static String explain(PcConfig config, KvmException e) {
        if (e.errno() == Errno.ENOMEM) {
            return "--memory: the host does not have " + (PcLimits.memory(config) >> 20) + "M: " + e.argument();
        }
        if (e.errno() == Errno.ENODEV) {
            return e.argument().startsWith("backend ")
                    ? "--" + e.argument()
                    : "--backend " + config.backend() + ": " + e.argument();
        }
        return "the backend refuses the machine: " + e.getMessage();
    }

    private void chooseCpu() throws VmmException {
        if (kvm.checkExtension(Capability.SOFTKVM_CPU_MODEL) != 0) {
            try {
                vm.setCpuModel(config.cpu());
            } catch (KvmException e) {
                throw new VmmException("--cpu: " + e.argument());
            }
        } else if (!config.cpu().equals("max")) {
            throw new VmmException("the backend " + kvm.backend() + " has one CPU model only: max");
        }
        if (!config.engine().equals("auto")) {
            if (!kvm.engines().contains(config.engine())) {
                throw new VmmException("the backend " + kvm.backend() + " has no engine " + config.engine());
            }
            vm.setEngine(config.engine());
        }
    }

    /** What only an emulator can do. */
    private void checkExtensions() throws VmmException {
        if (config.maxInstructions() >= 0 && kvm.checkExtension(Capability.SOFTKVM_INSTRUCTION_LIMIT) == 0) {
            throw new VmmException("the backend " + kvm.backend() + " cannot count instructions: --max-instructions");
        }
        if (config.virtualClock() && kvm.checkExtension(Capability.SOFTKVM_VIRTUAL_CLOCK) == 0) {
            throw new VmmException("the backend " + kvm.backend() + " has no virtual clock: --clock virtual");
        }
        if (config.irqchip().equals("full") && kvm.checkExtension(Capability.IRQCHIP) == 0) {
            throw new VmmException("the backend " + kvm.backend() + " has no PIC and IOAPIC: --irqchip full");
        }
        if (config.stateHash() && kvm.checkExtension(Capability.SOFTKVM_STATE_HASH) == 0) {
            throw new VmmException("the backend " + kvm.backend() + " has no state hash: --state-hash");
        }
    }

    /** A ROM in memory that slots can lie on. */
    private MemorySegment rom(byte[] bytes) {
        if (bytes.length == 0) {
            return MemorySegment.NULL;
        }
        MemorySegment memory = vm.allocateMemory(bytes.length);
        MemorySegment.copy(MemorySegment.ofArray(bytes), 0, memory, 0, bytes.length);
        return memory;
    }

    private List<Vcpu> createVcpus() {
        List<Vcpu> vcpus = new ArrayList<>();
        for (int id = 0; id < config.cpus(); id++) {
            Vcpu vcpu = vm.createVcpu(id);
            vcpus.add(vcpu);
            if (kvm.checkExtension(Capability.SOFTKVM_CPU_MODEL) == 0) {
                vcpu.setCpuid(cpuid(id));
            }
        }
        return vcpus;
    }

    /** What the processor offers, with the APIC id of a CPU (Intel SDM volume 2, CPUID leaves 1, 0Bh and 1Fh). */
    private List<CpuidEntry> cpuid(int id) {
        List<CpuidEntry> entries = new ArrayList<>();
        for (CpuidEntry entry : kvm.supportedCpuid()) {
            int ebx = entry.ebx();
            int edx = entry.edx();
            switch (entry.function()) {
                case 1 -> ebx = ebx & 0xFF_FFFF | id << 24;
                case 0xB, 0x1F -> edx = id;
                default -> {
                    // The same for all.
                }
            }
            entries.add(
                    new CpuidEntry(entry.function(), entry.index(), entry.flags(), entry.eax(), ebx, entry.ecx(), edx));
        }
        return entries;
    }

    /**
     * Runs the guest until it ends, a limit is reached or {@link #stop()} is called. Once only.
     *
     * @return how it ended
     * @throws VmmException if SoftKVM itself, or a stream it was given, fails
     */
    public PcResult run() throws VmmException {
        if (ran || closed) {
            throw new IllegalStateException("a PC runs once");
        }
        ran = true;
        long start = System.nanoTime();
        board.start();
        cpus.start(config.virtualClock(), config.maxInstructions());
        waitForEnd(start);
        cpus.join(STOP_MILLIS);
        while (config.reboot() && end.goOn()) {
            reset();
            cpus.goOn();
            waitForEnd(start);
            cpus.join(STOP_MILLIS);
        }
        double seconds = (System.nanoTime() - start) / 1e9;
        Snapshot snapshot = takeSnapshot();
        IOException failure = board.close();
        RunEnd.Cause cause = end.cause();
        if (cause.error() != null) {
            throw cause.error();
        }
        if (failure != null) {
            throw new VmmException("the guest's output cannot be written: " + failure.getMessage(), failure);
        }
        if (snapshot != null) {
            PcConfig.SaveTarget target = config.save().orElseThrow();
            snapshot.write(target.file(), target.progress(), vm, ram);
        }
        OptionalLong hash = config.stateHash() ? OptionalLong.of(stateHash()) : OptionalLong.empty();
        return new PcResult(
                cause.reason(),
                cause.value(),
                cause.detail(),
                hash,
                cpus.statistics(seconds, counted(), config.virtualClock()));
    }

    /** The states of all parts where the machine is to be saved and could go on, else null. */
    private Snapshot takeSnapshot() throws VmmException {
        PcResult.Reason reason = end.cause().reason();
        if (config.save().isEmpty() || reason == null || !reason.canGoOn()) {
            return null;
        }
        cpus.settle();
        // What finishes an access may end the run for good, but the first reason is the one that is told.
        return Snapshot.of(config, kvm.backend(), rom, vm, cpus, board);
    }

    /**
     * What the backend could not take over from the snapshot: registers that it does not have, and the like.
     *
     * @return one line each, for a person; empty for a machine that was booted
     */
    public List<String> notes() {
        return List.copyOf(notes);
    }

    /**
     * A digest of the whole machine: the memory, the CPUs with their local APICs, and the chips of the board. Two runs
     * of the same guest under the virtual clock that end at the same instruction have the same; not while it runs.
     *
     * @return the digest
     * @throws KvmException ENOTTY where the backend has no state hash
     */
    public long stateHash() {
        StateHash hash = new StateHash();
        hash.add(vm.stateHash());
        board.hashState(hash);
        return hash.value();
    }

    /**
     * What a reset of the machine does: chips and CPUs are as after power-on. A ROM finds the memory as it was; what was
     * loaded without firmware is loaded anew, as its loader would do, into empty memory.
     */
    private void reset() throws VmmException {
        board.powerOn();
        cpus.reset();
        LoadedGuest guest = load(config);
        if (!(guest.start() instanceof CpuStart.Reset)) {
            ram.clear();
            fill(config, guest, ram);
            vm.memoryWritten(0, ram.layout().lowSize());
            vm.memoryWritten(RamLayout.HIGH_START, ram.layout().highSize());
        }
        cpus.prepare(guest.start());
    }

    /** Puts the tables and the guest into RAM that is empty. */
    private static void fill(PcConfig config, LoadedGuest guest, GuestRam ram) {
        ram.write(RamLayout.BIOS_START, AcpiTables.build(Board.acpi(config), RamLayout.BIOS_START));
        ram.write(MP_TABLES, MpTables.build(Board.acpi(config), MP_TABLES));
        guest.writeTo(ram);
    }

    private void waitForEnd(long start) throws VmmException {
        try {
            long limit =
                    config.timeout().map(duration -> saturatedNanos(duration)).orElse(Long.MAX_VALUE);
            while (!end.hasEnded()) {
                long left = limit == Long.MAX_VALUE ? limit : limit - (System.nanoTime() - start);
                if (!end.await(left)) {
                    end.end(PcResult.Reason.TIMEOUT, "stopped by --timeout");
                }
            }
        } catch (InterruptedException e) {
            end.end(PcResult.Reason.STOPPED, "interrupted");
            Thread.currentThread().interrupt();
        }
    }

    private static long saturatedNanos(Duration duration) {
        try {
            return duration.toNanos();
        } catch (ArithmeticException e) {
            return Long.MAX_VALUE;
        }
    }

    private boolean counted() {
        return kvm.checkExtension(Capability.SOFTKVM_STATISTICS) != 0;
    }

    /** Ends the run from another thread, or keeps it from starting; {@link #run()} returns with reason STOPPED. */
    public void stop() {
        end.end(PcResult.Reason.STOPPED, "stopped");
    }

    /**
     * Ends the run from another thread, as {@link #stop()}, and has the machine saved where
     * {@link PcConfig.Builder#save} says; {@link #run()} returns with reason SAVED.
     */
    public void saveAndStop() {
        end.end(PcResult.Reason.SAVED, "");
    }

    /** Frees everything. The PC must not be running on another thread. */
    @Override
    public void close() {
        if (closed) {
            return;
        }
        closed = true;
        board.close();
        if (!cpus.alive()) {
            cpus.close();
            vm.close();
            kvm.close();
        }
    }
}
