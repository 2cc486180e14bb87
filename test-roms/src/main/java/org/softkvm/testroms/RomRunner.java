package org.softkvm.testroms;

import java.io.ByteArrayOutputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import org.softkvm.vmm.GuestFile;
import org.softkvm.vmm.VmmException;
import org.softkvm.vmm.pc.DebugPort;
import org.softkvm.vmm.pc.Pc;
import org.softkvm.vmm.pc.PcConfig;
import org.softkvm.vmm.pc.PcResult;

/** Runs ROMs on a PC and collects what they print on COM1. */
public final class RomRunner {
    /** RAM of the PC for the ROMs of this module, in bytes. */
    private static final long MEMORY = 64L << 20;

    private RomRunner() {}

    /**
     * Runs a ROM of this module on the machine it asks for.
     *
     * @param rom the ROM
     * @param machine backend and engine
     * @param timeout host time after which the run ends with status 124
     * @return status and output
     * @throws VmmException if the machine cannot be had
     */
    public static RomResult run(TestRom rom, RomMachine machine, Duration timeout) throws VmmException {
        return run(configure(rom, machine, timeout));
    }

    /**
     * The machine that a ROM of this module asks for, open for changes.
     *
     * @param rom the ROM
     * @param machine backend and engine
     * @param timeout host time after which the run ends with status 124
     * @return the configuration, for {@link #run(PcConfig.Builder)}
     */
    public static PcConfig.Builder configure(TestRom rom, RomMachine machine, Duration timeout) {
        PcConfig.Builder pc = PcConfig.builder(new GuestFile(rom.file(), rom.image()))
                .memory(MEMORY)
                .cpus(rom.cpus())
                .backend(machine.backend())
                .engine(machine.engine())
                .timeout(timeout);
        List<Integer> consoles = rom.debugConsoles();
        for (int port : consoles) {
            pc.debugConsole(new DebugPort(port, OutputStream.nullOutputStream()));
        }
        return pc;
    }

    /**
     * Runs whatever a configuration describes.
     *
     * @param pc the configuration; its serial output is set here
     * @return status and output
     * @throws VmmException if the image cannot be booted or the machine cannot be had
     */
    public static RomResult run(PcConfig.Builder pc) throws VmmException {
        ByteArrayOutputStream serial = new ByteArrayOutputStream();
        PcResult result;
        try (Pc machine = Pc.create(pc.serialOutput(serial).build())) {
            result = machine.run();
        }
        return new RomResult(result.exitStatus(), serial.toString(StandardCharsets.ISO_8859_1), result.detail());
    }
}
