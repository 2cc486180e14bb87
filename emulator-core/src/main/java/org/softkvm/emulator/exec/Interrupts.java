package org.softkvm.emulator.exec;

import org.softkvm.emulator.cpu.Cpu;
import org.softkvm.emulator.cpu.Events;
import org.softkvm.emulator.cpu.Flags;
import org.softkvm.emulator.cpu.OutsideDebug;
import org.softkvm.emulator.cpu.Vector;
import org.softkvm.emulator.decode.Insn;

/** Software interrupts and BOUND (Intel SDM volume 2, INT n/INTO/INT3/INT1; BOUND). */
public final class Interrupts {
    private Interrupts() {}

    /** INT n: in virtual-8086 mode only at IOPL 3. */
    public static void intN(Cpu c, Insn i) {
        if (c.v86() && c.iopl() < 3) {
            throw c.gp(0);
        }
        Events.software(c, i, (int) i.imm & 0xFF, Events.SOFTWARE);
    }

    /** INT3, whatever the IOPL. */
    public static void int3(Cpu c, Insn i) {
        if ((c.outsideDebug & OutsideDebug.USE_SW_BP) != 0) {
            throw OutsideDebug.leave(c, i.rip, Vector.BP);
        }
        Events.software(c, i, Vector.BP, Events.SOFTWARE);
    }

    /** INTO. */
    public static void into(Cpu c, Insn i) {
        if (Flags.of(c.fop, c.fa, c.fb)) {
            Events.software(c, i, Vector.OF, Events.SOFTWARE);
        }
    }

    /** INT1: #DB without a check of the gate's DPL. What MOV SS left pending comes with it, not after it. */
    public static void int1(Cpu c, Insn i) {
        if (OutsideDebug.takesDebugExceptions(c)) {
            throw OutsideDebug.leave(c, i.rip, Vector.DB);
        }
        Events.software(c, i, Vector.DB, Events.EXTERNAL);
        Events.mergeDebug(c);
    }

    /** BOUND: a fault, so that the handler may correct the index. */
    public static void bound(Cpu c, Insn i) {
        int size = i.opSize;
        int shift = 64 - 8 * size;
        long index = c.get(i.reg, size) << shift >> shift;
        long low = c.read(c.eaRead(i, size), size) << shift >> shift;
        long high = c.read(c.segRead(i.seg, c.ea(i) + size & i.addrMask, size), size) << shift >> shift;
        if (index < low || index > high) {
            throw c.fault(Vector.BR, 0);
        }
    }
}
