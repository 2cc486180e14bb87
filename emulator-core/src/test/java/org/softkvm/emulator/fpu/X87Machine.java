package org.softkvm.emulator.fpu;

import java.lang.foreign.MemorySegment;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
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

/** A vcpu in real mode that executes single instructions; BX points at the memory operand. */
final class X87Machine implements AutoCloseable {
    static final int CODE = 0x1000;
    static final int DATA = 0x2000;

    final Cpu c;
    final FpuState fpu;

    private final MemorySegment memory;
    private final Decoder decoder;
    private final Map<String, Insn> decoded = new HashMap<>();

    X87Machine() {
        this(CpuModel.MAX);
    }

    X87Machine(CpuModel model) {
        memory = HostMemory.allocate(0x10000);
        GuestMemory guest = new GuestMemory();
        guest.setSlots(List.of(new MemorySlot(0, 0, 0, memory, false, false)));
        TimeSource time = StoppedClock.INSTANCE;
        c = new Cpu(0, guest, model, LocalInterruptController.NONE, time);
        c.setSegment(Cpu.CS, 0, 0, 0xFFFF, 0x9B);
        c.r[Cpu.RBX] = DATA;
        c.cr0 |= Cpu.CR0_NE;
        fpu = c.fpu;
        fpu.init();
        decoder = new Decoder(c);
    }

    /** Decodes an instruction given in hexadecimal. */
    Insn decode(String code) {
        byte[] bytes = HexFormat.of().parseHex(code.replace(" ", ""));
        for (int n = 0; n < bytes.length; n++) {
            c.write8(CODE + n, bytes[n]);
        }
        return decoder.decode(CODE);
    }

    /** Executes an instruction given in hexadecimal. */
    void run(String code) {
        Insn i = decoded.computeIfAbsent(code, this::decode);
        i.handler.exec(c, i);
    }

    /** Executes an instruction that has to fault. */
    int fault(String code) {
        try {
            run(code);
        } catch (GuestFault f) {
            return c.faultVector;
        }
        return -1;
    }

    void store(byte[] bytes) {
        for (int n = 0; n < bytes.length; n++) {
            c.write8(DATA + n, bytes[n]);
        }
    }

    byte[] load(int count) {
        byte[] bytes = new byte[count];
        for (int n = 0; n < count; n++) {
            bytes[n] = (byte) c.read8(DATA + n);
        }
        return bytes;
    }

    /** Sets ST(i) from 20 hexadecimal digits; its tag stays. */
    void set(int i, String digits) {
        fpu.setStack(i, Integer.parseInt(digits.substring(0, 4), 16), Long.parseUnsignedLong(digits.substring(4), 16));
    }

    /** ST(i) as 20 hexadecimal digits. */
    String get(int i) {
        return "%04x%016x".formatted(fpu.stackSignExponent(i), fpu.stackSignificand(i));
    }

    @Override
    public void close() {
        HostMemory.free(memory);
    }
}
