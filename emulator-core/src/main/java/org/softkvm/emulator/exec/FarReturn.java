package org.softkvm.emulator.exec;

import org.softkvm.emulator.cpu.Cpu;
import org.softkvm.emulator.cpu.Descriptors;
import org.softkvm.emulator.cpu.Flags;
import org.softkvm.emulator.cpu.Segmentation;
import org.softkvm.emulator.cpu.TaskSwitch;
import org.softkvm.emulator.cpu.Vector;
import org.softkvm.emulator.decode.Feature;
import org.softkvm.emulator.decode.Insn;

/** Far RET and IRET (Intel SDM volume 2, RET and IRET/IRETD/IRETQ). */
public final class FarReturn {
    /** What IRET always restores: CF PF AF ZF SF TF DF OF NT. */
    private static final int LOW_FLAGS = Flags.ARITH | Flags.TF | Flags.DF | Flags.NT;
    /** What the 32- and 64-bit forms restore besides. */
    private static final int HIGH_FLAGS = Flags.RF | Flags.AC | Flags.ID;

    private FarReturn() {}

    /** The n-th word of the frame at an offset of the stack. */
    private static long slot(Cpu c, long at, int n, int size) {
        return c.read(c.stackRead(c.spMask(at + (long) n * size), size), size);
    }

    /** RETF and RETF imm16. */
    public static void retf(Cpu c, Insn i) {
        int size = i.opSize;
        long release = i.imm & 0xFFFF;
        long sp = c.sp();
        long offset = slot(c, sp, 0, size);
        int selector = (int) slot(c, sp, 1, size) & 0xFFFF;
        if (c.realOrV86()) {
            if (offset > c.segLimit[Cpu.CS]) {
                throw c.gp(0);
            }
            c.setSp(c.spMask(sp + 2 * size + release));
            Segmentation.loadReal(c, Cpu.CS, selector);
            c.rip = offset;
            return;
        }
        long d = returnCode(c, selector);
        if ((selector & 3) == c.cpl) {
            FarTransfer.checkOffset(c, d, offset);
            d = Descriptors.accessed(c, selector, d);
            c.setSp(c.spMask(sp + 2 * size + release));
            Segmentation.setCode(c, selector, d, c.cpl);
            c.rip = offset;
            return;
        }
        long outer = c.spMask(sp + 2 * size + release);
        long newSp = slot(c, outer, 0, size);
        int ss = (int) slot(c, outer, 1, size) & 0xFFFF;
        leave(c, selector, d, offset, ss, newSp, release, false, 0, 0);
    }

    /** The code descriptor of a far return, checked; also for a return to the same level. */
    private static long returnCode(Cpu c, int selector) {
        if (Descriptors.isNull(selector)) {
            throw c.gp(0);
        }
        long d = Descriptors.fetch(c, selector, Vector.GP, 0);
        int error = Descriptors.error(selector, 0);
        int rpl = selector & 3;
        if (!Descriptors.isCode(d)
                || FarTransfer.isBadLong(c, d)
                || rpl < c.cpl
                || (Descriptors.isConforming(d) ? Descriptors.dpl(d) > rpl : Descriptors.dpl(d) != rpl)) {
            throw c.gp(error);
        }
        if (!Descriptors.isPresent(d)) {
            throw c.fault(Vector.NP, error);
        }
        return d;
    }

    /** The stack descriptor of a return that loads SS, checked; 0 for the null selector that 64-bit code may have. */
    private static long returnStack(Cpu c, int selector, int rpl, long code) {
        if (Descriptors.isNull(selector)) {
            if (!c.longMode() || !Descriptors.isLong(code) || rpl == 3 || (selector & 3) != rpl) {
                throw c.gp(0);
            }
            return 0;
        }
        long d = Descriptors.fetch(c, selector, Vector.GP, 0);
        int error = Descriptors.error(selector, 0);
        if ((selector & 3) != rpl || !Descriptors.isWritableData(d) || Descriptors.dpl(d) != rpl) {
            throw c.gp(error);
        }
        if (!Descriptors.isPresent(d)) {
            throw c.fault(Vector.SS, error);
        }
        return d;
    }

    /** The rest of a return that loads SS: the last checks, then CS, SS, flags and the data segments. */
    private static void leave(
            Cpu c,
            int selector,
            long code,
            long offset,
            int ss,
            long newSp,
            long release,
            boolean withFlags,
            int flags,
            int size) {
        int rpl = selector & 3;
        long stack = returnStack(c, ss, rpl, code);
        FarTransfer.checkOffset(c, code, offset);
        long d = Descriptors.accessed(c, selector, code);
        if (stack != 0) {
            stack = Descriptors.accessed(c, ss, stack);
        }
        boolean outer = rpl > c.cpl;
        if (withFlags) {
            restoreFlags(c, flags, size);
        }
        Segmentation.setCode(c, selector, d, rpl);
        if (stack == 0) {
            Segmentation.loadNull(c, Cpu.SS, ss, rpl);
        } else {
            Segmentation.set(c, Cpu.SS, ss, stack);
        }
        c.setSp(c.spMask(newSp + release));
        c.rip = offset;
        if (outer) {
            dropInnerSegments(c, rpl);
        }
    }

    /** After a return to an outer level: data segments that it may not use become null. Bases stay. */
    private static void dropInnerSegments(Cpu c, int cpl) {
        for (int seg = 0; seg <= Cpu.GS; seg++) {
            if (seg == Cpu.CS || seg == Cpu.SS) {
                continue;
            }
            int attr = c.segAttr[seg];
            boolean conforming = (attr & 0x1C) == 0x1C;
            if ((attr & Cpu.ATTR_UNUSABLE) == 0 && !conforming && (attr >> Cpu.ATTR_DPL_SHIFT & 3) < cpl) {
                c.setSegment(seg, 0, c.segBase[seg], c.segLimit[seg], Cpu.ATTR_UNUSABLE);
            }
        }
    }

    /** Flags of a protected-mode IRET, by the CPL before it. */
    private static void restoreFlags(Cpu c, int value, int size) {
        int mask = LOW_FLAGS;
        if (size != 2) {
            mask |= HIGH_FLAGS;
        }
        if (c.cpl <= c.iopl()) {
            mask |= Flags.IF;
        }
        if (c.cpl == 0) {
            mask |= Flags.IOPL;
            if (size != 2) {
                mask |= Flags.VIF | Flags.VIP;
            }
        }
        setFlags(c, c.flags() & ~mask | value & mask);
    }

    /** Sets EFLAGS. RF only matters where instruction breakpoints are armed; elsewhere nothing would clear it again. */
    private static void setFlags(Cpu c, int value) {
        c.setFlags(c.breakCode == 0 ? value & ~Flags.RF : value);
    }

    /** IRET, IRETD, IRETQ. */
    public static void iret(Cpu c, Insn i) {
        c.serialize();
        // NMIs are unblocked even where the instruction faults.
        c.nmiBlocked = false;
        if (c.longMode()) {
            iretLong(c, i);
        } else if (!c.protectedMode()) {
            iretReal(c, i, false);
        } else if (c.v86()) {
            if (c.iopl() < 3) {
                throw c.gp(0);
            }
            iretReal(c, i, true);
        } else {
            iretProtected(c, i);
        }
    }

    private static void iretReal(Cpu c, Insn i, boolean v86) {
        int size = i.opSize;
        long sp = c.sp();
        long offset = slot(c, sp, 0, size);
        int selector = (int) slot(c, sp, 1, size) & 0xFFFF;
        int value = (int) slot(c, sp, 2, size);
        if (offset > c.segLimit[Cpu.CS]) {
            throw c.gp(0);
        }
        int mask = size == 2 ? 0xFFFF : 0x257FD5;
        if (v86) {
            mask &= ~Flags.IOPL;
        } else if (!c.model.has(Feature.I386)) {
            // The 80286 keeps IOPL and NT clear in real mode.
            mask &= 0x0FFF;
        }
        c.setSp(c.spMask(sp + 3 * size));
        setFlags(c, c.flags() & ~mask | value & mask);
        Segmentation.loadReal(c, Cpu.CS, selector);
        c.rip = offset;
    }

    private static void iretProtected(Cpu c, Insn i) {
        if ((c.eflags & Flags.NT) != 0) {
            c.rip = i.nextRip;
            TaskSwitch.iret(c);
            return;
        }
        int size = i.opSize;
        long sp = c.sp();
        long offset = slot(c, sp, 0, size);
        int selector = (int) slot(c, sp, 1, size) & 0xFFFF;
        int value = (int) slot(c, sp, 2, size);
        if (size == 4 && (value & Flags.VM) != 0 && c.cpl == 0) {
            iretToV86(c, sp, offset, selector, value);
            return;
        }
        long d = returnCode(c, selector);
        if ((selector & 3) == c.cpl) {
            FarTransfer.checkOffset(c, d, offset);
            d = Descriptors.accessed(c, selector, d);
            c.setSp(c.spMask(sp + 3 * size));
            restoreFlags(c, value, size);
            Segmentation.setCode(c, selector, d, c.cpl);
            c.rip = offset;
            return;
        }
        long newSp = slot(c, sp, 3, size);
        int ss = (int) slot(c, sp, 4, size) & 0xFFFF;
        leave(c, selector, d, offset, ss, newSp, 0, true, value, size);
    }

    private static void iretToV86(Cpu c, long sp, long offset, int cs, int flags) {
        long newSp = slot(c, sp, 3, 4);
        int ss = (int) slot(c, sp, 4, 4) & 0xFFFF;
        int es = (int) slot(c, sp, 5, 4) & 0xFFFF;
        int ds = (int) slot(c, sp, 6, 4) & 0xFFFF;
        int fs = (int) slot(c, sp, 7, 4) & 0xFFFF;
        int gs = (int) slot(c, sp, 8, 4) & 0xFFFF;
        if (offset > 0xFFFF) {
            throw c.gp(0);
        }
        c.cpl = 3;
        setFlags(c, flags);
        Segmentation.loadReal(c, Cpu.CS, cs);
        Segmentation.loadReal(c, Cpu.SS, ss);
        Segmentation.loadReal(c, Cpu.ES, es);
        Segmentation.loadReal(c, Cpu.DS, ds);
        Segmentation.loadReal(c, Cpu.FS, fs);
        Segmentation.loadReal(c, Cpu.GS, gs);
        c.r[Cpu.RSP] = newSp;
        c.rip = offset;
    }

    private static void iretLong(Cpu c, Insn i) {
        if ((c.eflags & Flags.NT) != 0) {
            throw c.gp(0);
        }
        int size = i.opSize;
        long sp = c.sp();
        long offset = slot(c, sp, 0, size);
        int selector = (int) slot(c, sp, 1, size) & 0xFFFF;
        int value = (int) slot(c, sp, 2, size);
        // 64-bit code always has SS:RSP in the frame.
        boolean withStack = c.mode64;
        long newSp = 0;
        int ss = 0;
        if (withStack) {
            newSp = slot(c, sp, 3, size);
            ss = (int) slot(c, sp, 4, size) & 0xFFFF;
        }
        long d = returnCode(c, selector);
        if (!withStack && (selector & 3) != c.cpl) {
            newSp = slot(c, sp, 3, size);
            ss = (int) slot(c, sp, 4, size) & 0xFFFF;
            withStack = true;
        }
        if (withStack) {
            leave(c, selector, d, offset, ss, newSp, 0, true, value, size);
            return;
        }
        FarTransfer.checkOffset(c, d, offset);
        d = Descriptors.accessed(c, selector, d);
        c.setSp(c.spMask(sp + 3 * size));
        restoreFlags(c, value, size);
        Segmentation.setCode(c, selector, d, c.cpl);
        c.rip = offset;
    }
}
