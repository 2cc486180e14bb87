package org.softkvm.vmm.pc;

import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import org.softkvm.vmm.GuestFile;
import org.softkvm.vmm.GuestModule;

/**
 * What a PC is made of and what it boots. Make one with {@link #builder(GuestFile)}.
 *
 * @param image the image or kernel, recognised by its content
 * @param kernel whether it has to be a kernel: ELF, multiboot or bzImage
 * @param initrd the initial RAM disk
 * @param commandLine the kernel's command line, empty for none
 * @param modules boot modules
 * @param bootProtocol how a kernel is entered: {@code auto}, {@code pvh}, {@code linux32} or {@code linux64}
 * @param memory bytes of RAM, a multiple of 4 KiB; 0 for the default of the CPU model
 * @param cpu CPU model, {@code max} for all that is implemented
 * @param cpus number of CPUs
 * @param irqchip who has the PIC, the IOAPIC and the PIT: {@code split} for the board, {@code full} for the backend
 * @param without devices that are left out, of {@link #REMOVABLE}
 * @param backend KVM backend, {@code auto} for the best there is
 * @param engine how the emulator executes code, {@code auto} for its default
 * @param virtualClock whether time advances with executed instructions and not with the host's clock
 * @param stateHash whether the result holds the state hash
 * @param reboot whether a reset restarts the machine, rather than ending the run
 * @param serialOutput what the guest sends to COM1
 * @param serialInput what COM1 sends to the guest; read on a thread of its own, never closed. Under the virtual clock it
 *     is read to its end before the guest starts.
 * @param debugConsoles debug consoles
 * @param expect text on COM1 or a debug console that ends the run
 * @param timeout host time after which the run ends
 * @param maxInstructions guest instructions after which the run ends; negative for no limit
 * @param restore the saved machine that goes on, instead of a boot
 * @param save where a snapshot goes when the run ends and the guest could go on
 * @param kernelCache a folder in which unpacked kernels are kept from run to run
 */
public record PcConfig(
        GuestFile image,
        boolean kernel,
        Optional<GuestFile> initrd,
        String commandLine,
        List<GuestModule> modules,
        String bootProtocol,
        long memory,
        String cpu,
        int cpus,
        String irqchip,
        Set<String> without,
        String backend,
        String engine,
        boolean virtualClock,
        boolean stateHash,
        boolean reboot,
        OutputStream serialOutput,
        Optional<InputStream> serialInput,
        List<DebugPort> debugConsoles,
        Optional<String> expect,
        Optional<Duration> timeout,
        long maxInstructions,
        Optional<SavedPc> restore,
        Optional<SaveTarget> save,
        Optional<Path> kernelCache) {

    /** The devices that can be left out: the 8254 with port 61h, and the HPET, which the board does not have anyway. */
    public static final Set<String> REMOVABLE = Set.of("hpet", "pit");

    /** Copies the lists and checks that nothing is null. Values out of range are reported when the PC is made. */
    public PcConfig {
        Objects.requireNonNull(image, "image");
        Objects.requireNonNull(initrd, "initrd");
        Objects.requireNonNull(commandLine, "commandLine");
        modules = List.copyOf(modules);
        Objects.requireNonNull(bootProtocol, "bootProtocol");
        Objects.requireNonNull(cpu, "cpu");
        Objects.requireNonNull(irqchip, "irqchip");
        without = Set.copyOf(without);
        Objects.requireNonNull(backend, "backend");
        Objects.requireNonNull(engine, "engine");
        Objects.requireNonNull(serialOutput, "serialOutput");
        Objects.requireNonNull(serialInput, "serialInput");
        debugConsoles = List.copyOf(debugConsoles);
        Objects.requireNonNull(expect, "expect");
        Objects.requireNonNull(timeout, "timeout");
        Objects.requireNonNull(restore, "restore");
        Objects.requireNonNull(save, "save");
        Objects.requireNonNull(kernelCache, "kernelCache");
    }

    /**
     * Whether the best backend is looked for when the PC is made.
     *
     * @return true for {@code auto}, where nothing is asked for that only an emulator can do
     */
    public boolean choosesBackend() {
        return backend.equals("auto")
                && engine.equals("auto")
                && cpu.equals("max")
                && maxInstructions < 0
                && !virtualClock
                && !stateHash;
    }

    /**
     * The file of a snapshot.
     *
     * @param file the file, which is replaced when the new one is complete
     * @param progress told how far the writing is
     */
    public record SaveTarget(Path file, SaveProgress progress) {
        /** Checks that nothing is null. */
        public SaveTarget {
            Objects.requireNonNull(file, "file");
            Objects.requireNonNull(progress, "progress");
        }
    }

    /**
     * A configuration with defaults: one CPU of model {@code max}, 256 MiB, nobody at the serial port, no limits.
     *
     * @param image the image or kernel
     * @return a builder
     */
    public static Builder builder(GuestFile image) {
        return new Builder(image);
    }

    /** Collects a configuration. */
    public static final class Builder {
        private final GuestFile image;
        private boolean kernel;
        private Optional<GuestFile> initrd = Optional.empty();
        private String commandLine = "";
        private final List<GuestModule> modules = new ArrayList<>();
        private long memory;
        private String cpu = "max";
        private int cpus = 1;
        private String bootProtocol = "auto";
        private boolean reboot = true;
        private String irqchip = "split";
        private final Set<String> without = new HashSet<>();
        private String backend = "auto";
        private String engine = "auto";
        private boolean virtualClock;
        private boolean stateHash;
        private OutputStream serialOutput = OutputStream.nullOutputStream();
        private Optional<InputStream> serialInput = Optional.empty();
        private final List<DebugPort> debugConsoles = new ArrayList<>();
        private Optional<String> expect = Optional.empty();
        private Optional<Duration> timeout = Optional.empty();
        private long maxInstructions = -1;
        private Optional<SavedPc> restore = Optional.empty();
        private Optional<SaveTarget> save = Optional.empty();
        private Optional<Path> kernelCache = Optional.empty();

        private Builder(GuestFile image) {
            this.image = image;
        }

        /**
         * Demands that the image is a kernel.
         *
         * @param value whether it is
         * @return this
         */
        public Builder kernel(boolean value) {
            kernel = value;
            return this;
        }

        /**
         * Adds an initial RAM disk.
         *
         * @param file its content
         * @return this
         */
        public Builder initrd(GuestFile file) {
            initrd = Optional.of(file);
            return this;
        }

        /**
         * Sets the kernel's command line.
         *
         * @param value the command line
         * @return this
         */
        public Builder commandLine(String value) {
            commandLine = value;
            return this;
        }

        /**
         * Adds a boot module.
         *
         * @param module the module
         * @return this
         */
        public Builder module(GuestModule module) {
            modules.add(module);
            return this;
        }

        /**
         * Sets the amount of RAM.
         *
         * @param bytes a multiple of 4 KiB
         * @return this
         */
        public Builder memory(long bytes) {
            memory = bytes;
            return this;
        }

        /**
         * Chooses the CPU model.
         *
         * @param model {@code max}, {@code x86-64-v2}, {@code x86-64-v3}, {@code pentium2}, {@code 486}, {@code 286} or {@code 8086}, and
         *     for those with CPUID {@code ,+flag} or {@code ,-flag} behind it
         * @return this
         */
        public Builder cpu(String model) {
            cpu = model;
            return this;
        }

        /**
         * Sets the number of CPUs.
         *
         * @param number 1 or more
         * @return this
         */
        public Builder cpus(int number) {
            cpus = number;
            return this;
        }

        /**
         * Chooses who has the PIC, the IOAPIC and the PIT.
         *
         * @param kind {@code split}: the board, and the backend has the local APICs only; {@code full}: the backend
         * @return this
         */
        public Builder irqchip(String kind) {
            irqchip = kind;
            return this;
        }

        /**
         * Leaves a device out.
         *
         * @param device one of {@link PcConfig#REMOVABLE}
         * @return this
         */
        public Builder without(String device) {
            without.add(device);
            return this;
        }

        /**
         * Chooses the KVM backend.
         *
         * @param name {@code auto}, {@code emulator} or {@code kvm}
         * @return this
         */
        public Builder backend(String name) {
            backend = name;
            return this;
        }

        /**
         * Chooses how the emulator executes code.
         *
         * @param name {@code auto} or {@code interpreter}
         * @return this
         */
        public Builder engine(String name) {
            engine = name;
            return this;
        }

        /**
         * Lets time advance with executed instructions: the same guest then does the same in every run, on every host.
         *
         * @param value whether it does
         * @return this
         */
        public Builder virtualClock(boolean value) {
            virtualClock = value;
            return this;
        }

        /**
         * Asks for the state hash at the end of the run.
         *
         * @param value whether the result is to hold it
         * @return this
         */
        public Builder stateHash(boolean value) {
            stateHash = value;
            return this;
        }

        /**
         * Listens to COM1.
         *
         * @param output gets every byte the guest sends, flushed whenever the guest pauses
         * @return this
         */
        public Builder serialOutput(OutputStream output) {
            serialOutput = output;
            return this;
        }

        /**
         * Talks to COM1.
         *
         * @param input read until its end, or until the run ends
         * @return this
         */
        public Builder serialInput(InputStream input) {
            serialInput = Optional.of(input);
            return this;
        }

        /**
         * Adds a debug console.
         *
         * @param console the console
         * @return this
         */
        public Builder debugConsole(DebugPort console) {
            debugConsoles.add(console);
            return this;
        }

        /**
         * Ends the run when a text was seen on COM1 or a debug console.
         *
         * @param text the text, compared as UTF-8 bytes
         * @return this
         */
        public Builder expect(String text) {
            expect = Optional.of(text);
            return this;
        }

        /**
         * Limits the run by host time.
         *
         * @param limit how long it may take
         * @return this
         */
        public Builder timeout(Duration limit) {
            timeout = Optional.of(limit);
            return this;
        }

        /**
         * Decides what a reset does, by port 92h, CF9h or the keyboard controller. A triple fault always ends the run.
         *
         * @param restart true (the default): the machine starts again; false: the run ends with reason RESET
         * @return this
         */
        public Builder reboot(boolean restart) {
            reboot = restart;
            return this;
        }

        /**
         * Chooses how a kernel is entered.
         *
         * @param name {@code auto} (as the image says), {@code pvh}, {@code linux32} or {@code linux64}
         * @return this
         */
        public Builder bootProtocol(String name) {
            bootProtocol = name;
            return this;
        }

        /**
         * Limits the run by guest instructions.
         *
         * @param number how many
         * @return this
         */
        public Builder maxInstructions(long number) {
            maxInstructions = number;
            return this;
        }

        /** The machine goes on from where it was saved; see {@link SavedPc#config()}. */
        Builder restore(SavedPc saved) {
            restore = Optional.of(saved);
            return this;
        }

        /**
         * Saves the machine when the run ends in a way that it could go on from: at a limit, at the expected text, or by
         * {@link Pc#saveAndStop()}.
         *
         * @param file the file, which is replaced when the new one is complete
         * @param progress told how far the writing is
         * @return this
         */
        public Builder save(Path file, SaveProgress progress) {
            save = Optional.of(new SaveTarget(file, progress));
            return this;
        }

        /**
         * Keeps large kernels unpacked, up to four of them, so that the next boot of a compressed one is quicker. Without a
         * folder nothing is written. Nor is anything where the folder cannot be written, which is no error, or where others
         * than its owner may write to it.
         *
         * @param folder the folder, for this purpose alone; made where it is missing
         * @return this
         */
        public Builder kernelCache(Path folder) {
            kernelCache = Optional.of(folder);
            return this;
        }

        /**
         * Finishes.
         *
         * @return the configuration
         */
        public PcConfig build() {
            return new PcConfig(
                    image,
                    kernel,
                    initrd,
                    commandLine,
                    modules,
                    bootProtocol,
                    memory,
                    cpu,
                    cpus,
                    irqchip,
                    without,
                    backend,
                    engine,
                    virtualClock,
                    stateHash,
                    reboot,
                    serialOutput,
                    serialInput,
                    debugConsoles,
                    expect,
                    timeout,
                    maxInstructions,
                    restore,
                    save,
                    kernelCache);
        }
    }
}
