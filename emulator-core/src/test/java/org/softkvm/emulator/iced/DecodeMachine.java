package org.softkvm.emulator.iced;

import java.lang.foreign.MemorySegment;
import java.util.List;
import org.softkvm.emulator.CpuModel;
import org.softkvm.emulator.GuestMemory;
import org.softkvm.emulator.HostMemory;
import org.softkvm.emulator.LocalInterruptController;
import org.softkvm.emulator.MemorySlot;
import org.softkvm.emulator.StoppedClock;
import org.softkvm.emulator.TimeSource;
import org.softkvm.emulator.cpu.Cpu;
import org.softkvm.emulator.cpu.GuestFault;
import org.softkvm.emulator.decode.Decoder;
import org.softkvm.emulator.decode.Insn;

/** A vcpu that decodes in 16-, 32- or 64-bit code. */
public final class DecodeMachine implements AutoCloseable {
    private static final int CODE = 0x1000;
    private static final int PML4 = 0x2000;
    private static final int PDPT = 0x3000;
    private static final int SIZE = 0x10000;

    private final MemorySegment memory = HostMemory.allocate(SIZE);
    private final GuestMemory guest = new GuestMemory();
    private final long rip;
    private final Cpu c;
    private final Decoder decoder;

    public DecodeMachine(int bits) {
        guest.setSlots(List.of(new MemorySlot(0, 0, 0, memory, false, false)));
        TimeSource time = StoppedClock.INSTANCE;
        c = new Cpu(0, guest, CpuModel.MAX, LocalInterruptController.NONE, time);
        // The instruction pointers for which the tables' branch targets are made.
        rip = bits == 16 ? 0x7FF0 : bits == 32 ? 0x7FFF_FFF0L : CODE;
        c.cr0 |= Cpu.CR0_PE | Cpu.CR0_NE;
        if (bits == 64) {
            byte[] entry = new byte[8];
            entry[0] = 0x03;
            entry[1] = (byte) (PDPT >> 8);
            guest.write(PML4, entry, 0, 8);
            // One page of 1 GiB.
            entry[0] = (byte) 0x83;
            entry[1] = 0;
            guest.write(PDPT, entry, 0, 8);
            c.cr3 = PML4;
            c.cr4 |= Cpu.CR4_PAE;
            c.efer |= Cpu.EFER_LME | Cpu.EFER_LMA;
            c.cr0 |= Cpu.CR0_PG;
        }
        long base = bits == 64 ? 0 : CODE - rip & 0xFFFF_FFFFL;
        c.setSegment(Cpu.CS, 8, base, 0xFFFF_FFFFL, bits == 64 ? 0xA09B : bits == 32 ? 0xC09B : 0x809B);
        c.updateMode();
        c.deriveSegments();
        c.flushTlb();
        decoder = new Decoder(c);
        if (c.codeBits() != bits) {
            throw new AssertionError(c.codeBits());
        }
    }

    /** Decodes; null where the fetch faults. */
    public Insn decode(byte[] code) {
        guest.write(CODE, code, 0, code.length);
        try {
            return decoder.decode(rip);
        } catch (GuestFault f) {
            return null;
        }
    }

    @Override
    public void close() {
        HostMemory.free(memory);
    }
}
