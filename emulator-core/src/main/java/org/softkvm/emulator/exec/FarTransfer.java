package org.softkvm.emulator.exec;

import org.softkvm.emulator.cpu.Cpu;
import org.softkvm.emulator.cpu.Descriptors;
import org.softkvm.emulator.cpu.Segmentation;
import org.softkvm.emulator.cpu.StackFrame;
import org.softkvm.emulator.cpu.TaskSwitch;
import org.softkvm.emulator.cpu.Vector;
import org.softkvm.emulator.decode.Feature;
import org.softkvm.emulator.decode.Insn;

/** Far JMP and CALL (Intel SDM volume 2, JMP and CALL; volume 3, section 6.8). */
public final class FarTransfer {
    private FarTransfer() {}

    /** JMP ptr16:16 and ptr16:32. */
    public static void jmp(Cpu c, Insn i) {
        jump(c, i, i.imm2, i.imm);
    }

    /** JMP m16:16, m16:32 and m16:64. */
    public static void jmpIndirect(Cpu c, Insn i) {
        long offset = pointerOffset(c, i);
        jump(c, i, pointerSelector(c, i), offset);
    }

    /** CALL ptr16:16 and ptr16:32. */
    public static void call(Cpu c, Insn i) {
        call(c, i, i.imm2, i.imm);
    }

    /** CALL m16:16, m16:32 and m16:64. */
    public static void callIndirect(Cpu c, Insn i) {
        long offset = pointerOffset(c, i);
        call(c, i, pointerSelector(c, i), offset);
    }

    /** The offset of the far pointer in memory. */
    static long pointerOffset(Cpu c, Insn i) {
        return c.read(c.eaRead(i, i.opSize), i.opSize);
    }

    /** The selector of the far pointer in memory. */
    static int pointerSelector(Cpu c, Insn i) {
        return c.read16(c.segRead(i.seg, c.ea(i) + i.opSize & i.addrMask, 2));
    }

    private static void jump(Cpu c, Insn i, int selector, long offset) {
        if (c.realOrV86()) {
            if (offset > c.segLimit[Cpu.CS]) {
                throw c.gp(0);
            }
            Segmentation.loadReal(c, Cpu.CS, selector);
            c.rip = offset;
            return;
        }
        if (Descriptors.isNull(selector)) {
            throw c.gp(0);
        }
        long d = Descriptors.fetch(c, selector, Vector.GP, 0);
        if (!Descriptors.isSegment(d)) {
            jumpSystem(c, i, selector, d);
            return;
        }
        checkDirect(c, selector, d);
        checkOffset(c, d, offset);
        Segmentation.setCode(c, selector, Descriptors.accessed(c, selector, d), c.cpl);
        c.rip = offset;
    }

    private static void call(Cpu c, Insn i, int selector, long offset) {
        StackFrame frame = c.frame;
        if (c.realOrV86()) {
            frame.current();
            frame.check(2, i.opSize, 0);
            if (offset > c.segLimit[Cpu.CS]) {
                throw c.gp(0);
            }
            frame.push(i.opSize, c.segSel[Cpu.CS]);
            frame.push(i.opSize, i.nextRip);
            frame.commit();
            Segmentation.loadReal(c, Cpu.CS, selector);
            c.rip = offset;
            return;
        }
        if (Descriptors.isNull(selector)) {
            throw c.gp(0);
        }
        long d = Descriptors.fetch(c, selector, Vector.GP, 0);
        if (!Descriptors.isSegment(d)) {
            callSystem(c, i, selector, d);
            return;
        }
        checkDirect(c, selector, d);
        frame.current();
        frame.check(2, i.opSize, 0);
        checkOffset(c, d, offset);
        d = Descriptors.accessed(c, selector, d);
        frame.push(i.opSize, c.segSel[Cpu.CS]);
        frame.push(i.opSize, i.nextRip);
        frame.commit();
        Segmentation.setCode(c, selector, d, c.cpl);
        c.rip = offset;
    }

    /** A direct transfer's code segment: never changes the CPL. */
    private static void checkDirect(Cpu c, int selector, long d) {
        int error = Descriptors.error(selector, 0);
        if (!Descriptors.isCode(d) || isBadLong(c, d)) {
            throw c.gp(error);
        }
        int dpl = Descriptors.dpl(d);
        if (Descriptors.isConforming(d) ? dpl > c.cpl : (selector & 3) > c.cpl || dpl != c.cpl) {
            throw c.gp(error);
        }
        if (!Descriptors.isPresent(d)) {
            throw c.fault(Vector.NP, error);
        }
    }

    /** Both L and D set in long mode. */
    static boolean isBadLong(Cpu c, long d) {
        return c.longMode() && Descriptors.isLong(d) && Descriptors.isBig(d);
    }

    /** The new instruction pointer: canonical in 64-bit code, else within the segment's limit. */
    static void checkOffset(Cpu c, long d, long offset) {
        if (c.longMode() && Descriptors.isLong(d)
                ? offset << 16 >> 16 != offset
                : Long.compareUnsigned(offset, Descriptors.limit(d)) > 0) {
            throw c.gp(0);
        }
    }

    // ---------------------------------------------------------------- gates and tasks

    /** Checks that a gate or TSS may be used: privileges, then present. */
    private static void checkGate(Cpu c, int selector, long d) {
        int error = Descriptors.error(selector, 0);
        int dpl = Descriptors.dpl(d);
        if (dpl < c.cpl || (selector & 3) > dpl) {
            throw c.gp(error);
        }
        if (!Descriptors.isPresent(d)) {
            throw c.fault(Vector.NP, error);
        }
    }

    /** Whether the system descriptor is a call gate; tasks are switched here; anything else faults. */
    private static boolean isCallGate(Cpu c, Insn i, int selector, long d, boolean call) {
        int type = Descriptors.systemType(d);
        boolean has386 = c.model.has(Feature.I386);
        if (type == Descriptors.CALL_GATE32 && has386 || type == Descriptors.CALL_GATE16 && !c.longMode()) {
            return true;
        }
        if (!c.longMode()) {
            int tss = type & ~Descriptors.TSS_BUSY;
            if (type == Descriptors.TASK_GATE) {
                checkGate(c, selector, d);
                c.rip = i.nextRip;
                TaskSwitch.jumpOrCall(c, Descriptors.gateSelector(d), call);
                return false;
            }
            if (tss == Descriptors.TSS16 || tss == Descriptors.TSS32 && has386) {
                int error = Descriptors.error(selector, 0);
                int dpl = Descriptors.dpl(d);
                if (dpl < c.cpl || (selector & 3) > dpl) {
                    throw c.gp(error);
                }
                c.rip = i.nextRip;
                TaskSwitch.jumpOrCall(c, selector, call);
                return false;
            }
        }
        throw c.gp(Descriptors.error(selector, 0));
    }

    /** The target offset of a call gate, and the checks that JMP and CALL share. */
    private static long gateTarget(Cpu c, int selector, long gate) {
        checkGate(c, selector, gate);
        long offset = Descriptors.gateOffset(gate);
        if (c.longMode()) {
            offset |= Segmentation.upperHalf(c, selector, 0) << 32;
        } else if (Descriptors.type(gate) == Descriptors.CALL_GATE16) {
            offset &= 0xFFFF;
        }
        return offset;
    }

    /** The code descriptor that a call gate leads to; in long mode it has to be 64-bit code. */
    private static long gateCode(Cpu c, int selector) {
        if (Descriptors.isNull(selector)) {
            throw c.gp(0);
        }
        long d = Descriptors.fetch(c, selector, Vector.GP, 0);
        if (!Descriptors.isCode(d)
                || Descriptors.dpl(d) > c.cpl
                || c.longMode() && (!Descriptors.isLong(d) || Descriptors.isBig(d))) {
            throw c.gp(Descriptors.error(selector, 0));
        }
        return d;
    }

    private static void jumpSystem(Cpu c, Insn i, int selector, long gate) {
        if (!isCallGate(c, i, selector, gate, false)) {
            return;
        }
        long offset = gateTarget(c, selector, gate);
        int target = Descriptors.gateSelector(gate);
        long d = gateCode(c, target);
        if (!Descriptors.isConforming(d) && Descriptors.dpl(d) != c.cpl) {
            throw c.gp(Descriptors.error(target, 0));
        }
        if (!Descriptors.isPresent(d)) {
            throw c.fault(Vector.NP, Descriptors.error(target, 0));
        }
        checkOffset(c, d, offset);
        Segmentation.setCode(c, target, Descriptors.accessed(c, target, d), c.cpl);
        c.rip = offset;
    }

    private static void callSystem(Cpu c, Insn i, int selector, long gate) {
        if (!isCallGate(c, i, selector, gate, true)) {
            return;
        }
        long offset = gateTarget(c, selector, gate);
        int target = Descriptors.gateSelector(gate);
        long d = gateCode(c, target);
        if (!Descriptors.isPresent(d)) {
            throw c.fault(Vector.NP, Descriptors.error(target, 0));
        }
        int dpl = Descriptors.dpl(d);
        boolean inner = !Descriptors.isConforming(d) && dpl < c.cpl;
        int size = c.longMode() ? 8 : Descriptors.type(gate) == Descriptors.CALL_GATE32 ? 4 : 2;
        StackFrame frame = c.frame;
        int parameters = 0;
        if (!inner) {
            if (size == 8) {
                frame.currentLong(c.r[Cpu.RSP]);
            } else {
                frame.current();
            }
            frame.check(2, size, 0);
        } else if (size == 8) {
            frame.innerLong(dpl, frame.pointerFromTss(dpl * 8 + 4, 0));
            frame.check(4, 8, 0);
        } else {
            parameters = (int) (gate >>> 32) & 31;
            frame.inner(dpl, 0);
            frame.check(4 + parameters, size, 0);
            for (int k = 0; k < parameters; k++) {
                long at = c.spMask(c.sp() + (long) k * size);
                frame.parameters[k] = c.read(c.stackRead(at, size), size);
            }
        }
        checkOffset(c, d, offset);
        d = Descriptors.accessed(c, target, d);
        frame.accessed();
        if (inner) {
            frame.push(size, c.segSel[Cpu.SS]);
            frame.push(size, c.r[Cpu.RSP]);
            for (int k = parameters - 1; k >= 0; k--) {
                frame.push(size, frame.parameters[k]);
            }
        }
        frame.push(size, c.segSel[Cpu.CS]);
        frame.push(size, i.nextRip);
        int level = inner ? dpl : c.cpl;
        c.cpl = level;
        frame.commit();
        Segmentation.setCode(c, target, d, level);
        c.rip = offset;
    }
}
