package org.softkvm.emulator.cpu;

import java.lang.foreign.MemorySegment;
import java.util.HexFormat;
import java.util.List;
import org.softkvm.emulator.CpuModel;
import org.softkvm.emulator.GuestMemory;
import org.softkvm.emulator.HostMemory;
import org.softkvm.emulator.LocalInterruptController;
import org.softkvm.emulator.MemorySlot;
import org.softkvm.emulator.StoppedClock;
import org.softkvm.emulator.decode.Decoder;
import org.softkvm.emulator.decode.Insn;

/**
 * A CPU with 2 MiB of memory for tests: code as hex, GDT, IDT and TSS at fixed places, and single instructions by
 * {@link #step}. The GDT is built by {@link #gdt}; entry n has selector 8 n.
 */
final class Bench implements AutoCloseable {
    static final long GDT = 0x1000;
    static final long IDT = 0x2000;
    static final long TSS = 0x3000;
    static final long LDT = 0x4000;
    static final long CODE = 0x10000;

    /** Flat 4 GiB segments: code and data, by DPL; 16-bit code and data of 64 KiB; 64-bit code. */
    static final long CODE32 = 0x00CF9B000000FFFFL;

    static final long DATA32 = 0x00CF93000000FFFFL;
    static final long CODE16 = 0x00009B000000FFFFL;
    static final long DATA16 = 0x000093000000FFFFL;
    static final long CODE64 = 0x00AF9B000000FFFFL;

    final Cpu c;
    private final MemorySegment ram;
    private final long host;

    Bench(CpuModel model) {
        ram = HostMemory.allocate(0x200000);
        ram.fill((byte) 0);
        host = HostMemory.offsetOf(ram);
        GuestMemory memory = new GuestMemory();
        memory.setSlots(List.of(new MemorySlot(0, 0, 0, ram, false, false)));
        c = new Cpu(0, memory, model, LocalInterruptController.NONE, StoppedClock.INSTANCE);
    }

    /** A descriptor with another DPL. */
    static long dpl(long descriptor, int dpl) {
        return descriptor | (long) dpl << 45;
    }

    static long conforming(long descriptor) {
        return descriptor | 4L << 40;
    }

    static long absent(long descriptor) {
        return descriptor & ~(1L << 47);
    }

    /** A system segment: TSS or LDT. */
    static long system(int type, long base, int limit, int dpl) {
        return limit & 0xFFFF | (base & 0xFFFFFF) << 16 | (0x80L | type | dpl << 5) << 40 | (base >>> 24 & 0xFF) << 56;
    }

    /** A gate; count is a call gate's parameters or the IST index. */
    static long gate(int type, int selector, long offset, int dpl, int count) {
        return offset & 0xFFFF
                | (long) selector << 16
                | (long) count << 32
                | (0x80L | type | dpl << 5) << 40
                | (offset >>> 16 & 0xFFFF) << 48;
    }

    void gdt(long... descriptors) {
        for (int k = 0; k < descriptors.length; k++) {
            put(GDT + 8L * k, 8, descriptors[k]);
        }
        c.gdtBase = GDT;
        c.gdtLimit = 8 * descriptors.length - 1;
        c.idtBase = IDT;
        c.idtLimit = 0x7FF;
    }

    void idt(int vector, long gate) {
        put(IDT + 8L * vector, 8, gate);
    }

    void idt64(int vector, long gate, long upper) {
        put(IDT + 16L * vector, 8, gate);
        put(IDT + 16L * vector + 8, 8, upper);
        c.idtLimit = 0xFFF;
    }

    void put(long at, int size, long value) {
        for (int k = 0; k < size; k++) {
            HostMemory.putByte(host + at + k, (int) (value >>> 8 * k));
        }
    }

    long get(long at, int size) {
        long v = 0;
        for (int k = 0; k < size; k++) {
            v |= (long) HostMemory.getByte(host + at + k) << 8 * k;
        }
        return v;
    }

    void code(long at, String hex) {
        byte[] bytes = HexFormat.of().parseHex(hex.replace(" ", ""));
        for (int k = 0; k < bytes.length; k++) {
            HostMemory.putByte(host + at + k, bytes[k]);
        }
    }

    /** Real mode with all segments at 0 and CS:IP = 0000:ip, SP = 8000h. */
    void real(int ip) {
        for (int seg = 0; seg < 6; seg++) {
            c.setSegment(seg, 0, 0, 0xFFFF, 0x93);
        }
        c.idtBase = 0;
        c.idtLimit = 0x3FF;
        c.r[Cpu.RSP] = 0x8000;
        c.rip = ip;
    }

    /** Protected mode at a privilege level with segments from the GDT; RIP = CODE, ESP = 9000h. */
    void protectedMode(int cs, int ss, int cpl) {
        c.cr0 |= Cpu.CR0_PE;
        c.cpl = cpl;
        c.deriveSegments();
        for (int seg = 0; seg < 6; seg++) {
            int selector = (seg == Cpu.CS ? cs : ss) | cpl;
            Segmentation.set(c, seg, selector, get(GDT + (selector & 0xFFF8), 8));
        }
        c.r[Cpu.RSP] = 0x9000;
        c.rip = CODE;
        c.updateMode();
    }

    /** Long mode with 4 GiB identity-mapped by 2 MiB pages of which the first is there. */
    void longMode(int cs, int ss, int cpl) {
        put(0x100000, 8, 0x101007);
        put(0x101000, 8, 0x102007);
        put(0x102000, 8, 0x87);
        c.cr3 = 0x100000;
        c.cr4 |= Cpu.CR4_PAE;
        c.efer |= Cpu.EFER_LME | Cpu.EFER_LMA;
        c.cr0 |= Cpu.CR0_PG | Cpu.CR0_PE;
        c.flushTlb();
        protectedMode(cs, ss, cpl);
    }

    /** A busy TSS of a type (without the busy bit) at TSS, as task register; its GDT entry is the caller's affair. */
    void taskRegister(int selector, int type, int limit) {
        c.setSegment(Cpu.TR, selector, TSS, limit, 0x82 | type);
    }

    /** Executes one instruction, and delivers its fault. */
    void step() {
        long rip = c.rip;
        Insn i = null;
        try {
            i = new Decoder(c).decode(rip);
            c.rip = i.nextRip;
            i.handler.exec(c, i);
        } catch (GuestFault f) {
            c.rip = rip;
            Events.exception(c, i);
        }
    }

    /** Executes code at CODE, one instruction. */
    void run(String hex) {
        code(CODE, hex);
        c.rip = CODE;
        step();
    }

    /** The n-th word of size bytes on the stack. */
    long stack(int n, int size) {
        long sp = c.mode64 ? c.r[Cpu.RSP] : c.segBase[Cpu.SS] + c.sp();
        return get(sp + (long) n * size, size);
    }

    @Override
    public void close() {
        HostMemory.free(ram);
    }
}
