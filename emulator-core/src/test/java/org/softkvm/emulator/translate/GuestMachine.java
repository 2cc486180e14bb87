package org.softkvm.emulator.translate;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.HexFormat;
import java.util.List;
import org.softkvm.emulator.CpuModel;
import org.softkvm.emulator.GuestMemory;
import org.softkvm.emulator.HostMemory;
import org.softkvm.emulator.LocalInterruptController;
import org.softkvm.emulator.MemorySlot;
import org.softkvm.emulator.StoppedClock;
import org.softkvm.emulator.VirtualCpu;
import org.softkvm.emulator.cpu.Cpu;

/** A machine in 64-bit mode whose exceptions are delivered to a stack of their own and halt. */
final class GuestMachine implements AutoCloseable {
    static final int TABLES = 0x1000;
    static final int GDT = 0x5000;
    static final int IDT = 0x6000;
    static final int TSS = 0x7000;
    static final int HANDLERS = 0x8000;
    static final int FRAMES = 0x9000;
    static final int CODE = 0x10000;
    /** The page below is not present, and the one above is read-only. */
    static final int ABSENT = 0x30000;

    static final int SIZE = 0x40000;

    /** How code is run. */
    enum Way {
        SINGLE_STEPS(false),
        INTERPRETER(false),
        COUNTED_INTERPRETER(false),
        SHARED_INTERPRETER(false),
        REGION(true),
        COUNTED_REGION(true),
        SHARED_REGION(true);

        final boolean translated;

        Way(boolean translated) {
            this.translated = translated;
        }

        boolean counted() {
            return name().startsWith("COUNTED");
        }

        boolean shared() {
            return name().startsWith("SHARED");
        }
    }

    final MemorySegment ram = HostMemory.allocate(SIZE);
    final GuestMemory memory = new GuestMemory();
    final VirtualCpu vcpu;
    final VirtualCpu other;
    final StringBuilder trace = new StringBuilder();

    private final Way way;
    private final LocalInterruptController lapic;

    GuestMachine(Way way) {
        this(way, LocalInterruptController.NONE);
    }

    GuestMachine(Way way, LocalInterruptController lapic) {
        this.way = way;
        this.lapic = lapic;
        memory.setSlots(List.of(new MemorySlot(0, 0, 0, ram, false, false)));
        vcpu = vcpu(0);
        other = way.shared() ? vcpu(1) : null;
        vcpu.setTranslation(way.translated ? 0 : Integer.MAX_VALUE, true);
        vcpu.setNarrow(true);
        vcpu.setVirtualTime(way.counted());
    }

    private VirtualCpu vcpu(int number) {
        return new VirtualCpu(number, memory, CpuModel.MAX, lapic, StoppedClock.INSTANCE);
    }

    void write(int at, byte[] bytes) {
        memory.write(at, bytes, 0, bytes.length);
        memory.notifyHostWrite(at, bytes.length);
    }

    void put(int at, long value) {
        write(
                at,
                ByteBuffer.allocate(8)
                        .order(ByteOrder.LITTLE_ENDIAN)
                        .putLong(value)
                        .array());
    }

    long get(int at) {
        byte[] bytes = new byte[8];
        memory.read(at, bytes, 0, 8);
        return ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).getLong();
    }

    void prepare(String code, long rsp) {
        byte[] noise = new byte[SIZE];
        for (int k = 0; k < SIZE; k++) {
            noise[k] = (byte) (k * 0x9E3779B9 >>> 24 & 0x7F);
        }
        write(0, noise);
        put(TABLES, TABLES + 0x1000 | 3);
        put(TABLES + 0x1000, TABLES + 0x2000 | 3);
        put(TABLES + 0x2000, TABLES + 0x3000 | 3);
        for (int page = 0; page < 512; page++) {
            int at = page << 12;
            put(TABLES + 0x3000 + 8 * page, at == ABSENT ? 0 : at == ABSENT + 0x1000 ? at | 1 : at | 3);
        }
        put(GDT, 0);
        put(GDT + 8, 0x00AF9B000000FFFFL);
        put(TSS + 0x24, FRAMES + 0x100);
        for (int vector = 0; vector < 32; vector++) {
            // An interrupt gate with the first stack of the table.
            int handler = HANDLERS + 16 * vector;
            put(IDT + 16 * vector, 0x8E01_0008_0000L | handler & 0xFFFF);
            put(IDT + 16 * vector + 8, 0);
            write(handler, new byte[] {(byte) 0xF4});
        }
        write(CODE, HexFormat.of().parseHex(code.replace(" ", "")));
        vcpu.setControl(0x80010011L, 0, TABLES, Cpu.CR4_PAE, Cpu.EFER_LME | Cpu.EFER_LMA);
        vcpu.setGdt(GDT, 15);
        vcpu.setIdt(IDT, 16 * 32 - 1);
        vcpu.setSegment(Cpu.CS, 8, 0, 0xFFFFFFFFL, 0xA09B);
        for (int seg : new int[] {Cpu.ES, Cpu.SS, Cpu.DS}) {
            vcpu.setSegment(seg, 16, 0, 0xFFFFFFFFL, 0xC093);
        }
        vcpu.setSegment(Cpu.TR, 24, TSS, 0x67, 0x8B);
        for (int n = 0; n < 16; n++) {
            vcpu.setRegister(n, 0x1111_1111_1111_1111L * n);
        }
        again(rsp);
    }

    void again(long rsp) {
        vcpu.setRegister(Cpu.RSP, rsp);
        vcpu.setRip(CODE);
        vcpu.setRflags(2);
        vcpu.setHalted(false);
        trace.setLength(0);
    }

    /** Runs to HLT or to the limit of instructions. */
    String run() {
        int exit = go();
        while (exit == VirtualCpu.EXIT_MMIO) {
            trace.append(String.format(
                    "mmio %s %x %d %x%n",
                    vcpu.mmioWrite(), vcpu.mmioAddress(), vcpu.mmioSize(), vcpu.mmioWrite() ? vcpu.mmioData() : 0));
            vcpu.setMmioData(0x123456789ABCDEFL);
            exit = go();
        }
        trace.append(String.format("exit %d rip %x cr2 %x flags %x", exit, vcpu.rip(), vcpu.cr2(), vcpu.rflags()));
        trace.append(String.format(" dr6 %x%n", vcpu.debugRegister(6)));
        for (int n = 0; n < 16; n++) {
            trace.append(String.format("%x ", vcpu.register(n)));
        }
        return trace.toString();
    }

    private int go() {
        int exit;
        do {
            if (way == Way.SINGLE_STEPS) {
                vcpu.setInstructionLimit(vcpu.instructions() + 1);
            }
            exit = vcpu.run();
        } while (way == Way.SINGLE_STEPS && exit == VirtualCpu.EXIT_INTR);
        return exit;
    }

    static void sameMemory(GuestMachine a, GuestMachine b) {
        assertThat(a.ram.mismatch(b.ram)).isNegative();
    }

    @Override
    public void close() {
        vcpu.close();
        if (other != null) {
            other.close();
        }
        HostMemory.free(ram);
    }
}
