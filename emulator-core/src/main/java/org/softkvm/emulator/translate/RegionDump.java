package org.softkvm.emulator.translate;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.concurrent.atomic.AtomicInteger;
import org.softkvm.emulator.HostMemory;
import org.softkvm.emulator.cpu.Cpu;
import org.softkvm.emulator.cpu.Mmu;
import org.softkvm.emulator.decode.Insn;

/**
 * Shows what was translated: for each region a text with its guest instructions (address, bytes, mnemonic, and whether
 * they are emitted in place or called) and the class file, which {@code javap -c -p} prints. For that, the system
 * property {@code softkvm.regions} names a folder.
 */
final class RegionDump {
    private static final String FOLDER = System.getProperty("softkvm.regions");
    private static final AtomicInteger NUMBER = new AtomicInteger();

    private RegionDump() {}

    static void write(Cpu c, Plan plan, RegionEmitter emitter) {
        if (FOLDER == null) {
            return;
        }
        StringBuilder text = new StringBuilder();
        text.append(String.format(
                Locale.ROOT,
                "%d-bit code, %d blocks, %d instructions, %d bytes of bytecode%s%n",
                plan.codeBits,
                plan.pieces.size(),
                plan.size(),
                emitter.codeSize,
                plan.counted ? ", counted" : ""));
        for (Plan.Piece p : plan.pieces) {
            text.append(String.format(Locale.ROOT, "%nblock %x%n", p.rip()));
            for (Insn i : p.insns()) {
                text.append(String.format(
                        Locale.ROOT,
                        "  %-12x %-32s %-10s %s%n",
                        i.rip,
                        bytes(c, i),
                        i.op.mnemonic(),
                        emitter.inlined(i) ? "" : "call"));
            }
            for (long t : p.targets()) {
                text.append(String.format(Locale.ROOT, "  -> %x%n", t));
            }
        }
        String name = String.format(
                Locale.ROOT,
                "region-%05d-%x",
                NUMBER.incrementAndGet(),
                plan.pieces.get(0).rip());
        try {
            Path folder = Files.createDirectories(Path.of(FOLDER));
            Files.writeString(folder.resolve(name + ".txt"), text);
            Files.write(folder.resolve(name + ".class"), emitter.bytes);
        } catch (IOException e) {
            throw new java.io.UncheckedIOException("softkvm.regions=" + FOLDER, e);
        }
    }

    /** The bytes as they are in memory now, where that can be told without effects. */
    private static String bytes(Cpu c, Insn i) {
        StringBuilder out = new StringBuilder();
        for (int k = 0; k < i.length; k++) {
            long host = Mmu.fetchProbe(c, i.rip + k);
            if (host < 0) {
                return out.append("..").toString();
            }
            out.append(String.format(Locale.ROOT, "%02x", HostMemory.getByte(host)));
        }
        return out.toString();
    }
}
