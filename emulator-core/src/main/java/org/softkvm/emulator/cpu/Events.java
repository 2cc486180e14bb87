package org.softkvm.emulator.cpu;

import org.softkvm.emulator.decode.Feature;
import org.softkvm.emulator.decode.Insn;

/**
 * Delivery of exceptions and interrupts (Intel SDM volume 3, chapter 7; volume 2, INT n). A delivery either happens
 * completely or raises a fault and changes nothing but accessed bits.
 */
public final class Events {
    /** A fault or trap of an instruction: EXT is set in error codes of nested faults. */
    public static final int EXCEPTION = 0;
    /** INT n, INT3, INTO: the gate's DPL counts, EXT is clear. */
    public static final int SOFTWARE = 1;
    /** INT1, NMI, external interrupts and debug traps: as EXCEPTION, but RF stays as it is. */
    public static final int EXTERNAL = 2;

    /** DR6: detected access to debug registers. */
    private static final int DR6_BD = 0x2000;

    private static final long DR7_GD = 0x2000;
    /** KVM_INTERNAL_ERROR_DELIVERY_EV: an event could not be delivered. */
    private static final int SUBERROR_DELIVERY = 3;

    /** Faults in a row that a delivery goes through: more than any chain that ends. */
    private static final int MOST_NESTED = 16;

    private Events() {}

    // ---------------------------------------------------------------- entry points of the run loop

    /**
     * Delivers the fault in flight. For #DB the error holds the bits that DR6 gets (0 where they are there already).
     *
     * @param c the vcpu; RIP is at the faulting instruction
     * @param i the faulting instruction, or null where its fetch faulted
     */
    public static void exception(Cpu c, Insn i) {
        int vector = c.faultVector;
        if (i != null) {
            if (c.faultNonCanonical && i.mem && i.seg == Cpu.SS) {
                vector = Vector.SS;
            } else if (vector == Vector.DE && !c.model.has(Feature.I286)) {
                // The 8086 returns to the instruction after the division.
                c.rip = i.nextRip;
            }
        }
        if (vector == Vector.SS && !c.protectedMode() && !c.model.has(Feature.I386)) {
            // The 80286 has interrupt 13 for every segment overrun in real mode.
            vector = Vector.GP;
        }
        if (vector == Vector.DB) {
            setDr6(c, c.faultError);
        }
        raise(c, vector, EXCEPTION, c.faultError, Vector.hasErrorCode(vector));
    }

    /**
     * Delivers an exception that user space injects (KVM_SET_VCPU_EVENTS).
     *
     * @param c the vcpu
     * @param vector exception vector
     * @param error error code
     * @param hasError whether it has one
     */
    public static void inject(Cpu c, int vector, int error, boolean hasError) {
        raise(c, vector, EXCEPTION, error, hasError);
    }

    /**
     * Delivers the #BP that user space injects for the INT3 at RIP: as if the instruction had been executed.
     *
     * @param c the vcpu
     */
    public static void injectBreakpoint(Cpu c) {
        long at = c.rip;
        c.rip = c.mode64 ? at + 1 : at + 1 & 0xFFFFFFFFL;
        try {
            deliver(c, Vector.BP, SOFTWARE, 0, false);
        } catch (GuestFault f) {
            c.rip = at;
            raise(c, c.faultVector, EXCEPTION, c.faultError, Vector.hasErrorCode(c.faultVector));
        } catch (GuestExit e) {
            c.rip = at;
            c.exit = ExitCode.INTERNAL_ERROR;
            c.exitInfo.suberror = SUBERROR_DELIVERY;
        }
    }

    /**
     * Delivers the pending debug trap.
     *
     * @param c the vcpu
     */
    public static void debugTrap(Cpu c) {
        int bits = c.pendingDebug;
        setDr6(c, bits);
        c.pendingDebug = 0;
        if (!raise(c, Vector.DB, EXTERNAL, 0, false)) {
            c.pendingDebug = bits;
        }
    }

    /**
     * Reports pending debug traps in DR6 with a #DB that was just delivered.
     *
     * @param c the vcpu
     */
    public static void mergeDebug(Cpu c) {
        setDr6(c, c.pendingDebug);
        c.pendingDebug = 0;
    }

    private static void setDr6(Cpu c, int bits) {
        if (bits != 0) {
            c.dr[6] = c.dr[6] & ~0xFL | bits & 0xFFFFFFFFL;
        }
    }

    /**
     * Delivers an NMI.
     *
     * @param c the vcpu
     */
    public static void nmi(Cpu c) {
        c.nmiBlocked = true;
        if (!raise(c, Vector.NMI, EXTERNAL, 0, false)) {
            c.nmiBlocked = false;
            c.nmiSecond = c.nmiPending;
            c.nmiPending = true;
        }
    }

    /**
     * Delivers an external interrupt.
     *
     * @param c the vcpu
     * @param vector 0 to 255
     */
    public static void interrupt(Cpu c, int vector) {
        if (!raise(c, vector, EXTERNAL, 0, false)) {
            c.injectedVector = vector;
        }
    }

    /**
     * A software interrupt of an instruction; a fault of the delivery is thrown, and belongs to the instruction.
     *
     * @param c the vcpu
     * @param i the instruction; the following one is the return address
     * @param vector 0 to 255
     * @param kind SOFTWARE, or EXTERNAL for INT1
     */
    public static void software(Cpu c, Insn i, int vector, int kind) {
        c.rip = i.nextRip;
        deliver(c, vector, kind, 0, false);
        // TF was cleared by the delivery, so there is no trap after this instruction.
        c.stepArmed = false;
    }

    // ---------------------------------------------------------------- escalation

    /**
     * Delivers an event; faults on the way become the next event, a double fault or a shutdown (SDM table 7-5).
     *
     * <p>Benign faults may lead to one another without end: an alignment check whose handler's stack is misaligned, too.
     * So a delivery gives up after some of them, with nothing changed, and the run loop gets to look at its requests; a
     * fault then comes back with its instruction.
     *
     * @return false where it gave up
     */
    private static boolean raise(Cpu c, int firstVector, int firstKind, int firstError, boolean firstHasError) {
        int vector = firstVector;
        int kind = firstKind;
        int error = firstError;
        boolean hasError = firstHasError;
        for (int nested = 0; nested < MOST_NESTED; nested++) {
            try {
                deliver(c, vector, kind, error, hasError);
                // Watched bytes in the frame: a trap before the handler's first instruction.
                c.pendingDebug |= c.debugHits;
                c.debugHits = 0;
                return true;
            } catch (GuestFault f) {
                int second = c.faultVector;
                boolean serious = isContributory(second) || second == Vector.PF;
                if (kind == EXCEPTION && vector == Vector.DF && serious) {
                    c.exit = ExitCode.SHUTDOWN;
                    c.stopAfterInsn();
                    return true;
                }
                boolean twice = kind == EXCEPTION
                        && (isContributory(vector) && isContributory(second) || vector == Vector.PF && serious);
                vector = twice ? Vector.DF : second;
                error = twice ? 0 : c.faultError;
                hasError = Vector.hasErrorCode(vector);
                kind = EXCEPTION;
            } catch (GuestExit e) {
                // Tables or a stack in MMIO space: no user space can answer in the middle of a delivery.
                c.exit = ExitCode.INTERNAL_ERROR;
                c.exitInfo.suberror = SUBERROR_DELIVERY;
                c.stopAfterInsn();
                return true;
            }
        }
        return false;
    }

    private static boolean isContributory(int vector) {
        return switch (vector) {
            case Vector.DE, Vector.TS, Vector.NP, Vector.SS, Vector.GP -> true;
            default -> false;
        };
    }

    // ---------------------------------------------------------------- delivery

    /**
     * Delivers one event, or throws the fault that prevents it.
     *
     * @param c the vcpu; RIP is the return address
     * @param vector 0 to 255
     * @param kind EXCEPTION, SOFTWARE or EXTERNAL
     * @param error error code
     * @param hasError whether an error code is pushed (not in real mode)
     */
    public static void deliver(Cpu c, int vector, int kind, int error, boolean hasError) {
        int flags = c.flags();
        if (kind == SOFTWARE) {
            flags &= ~Flags.RF;
        } else if (kind == EXCEPTION && (vector != Vector.DB || (error & DR6_BD) != 0)) {
            flags |= Flags.RF;
        }
        if (!c.protectedMode()) {
            deliverReal(c, vector, flags);
        } else if (c.longMode()) {
            deliverLong(c, vector, kind == SOFTWARE, flags, error, hasError);
        } else {
            deliverProtected(c, vector, kind == SOFTWARE, flags, error, hasError);
        }
        c.shadow = 0;
        c.halted = false;
        if (vector == Vector.DB && kind != SOFTWARE) {
            c.dr[7] &= ~DR7_GD;
            c.msrs.debugCtl &= ~Msrs.DEBUGCTL_BTF;
        }
    }

    private static void deliverReal(Cpu c, int vector, int flags) {
        if (vector * 4 + 3 > c.idtLimit) {
            throw c.gp(vector * 8 + 2);
        }
        long address = c.idtBase + vector * 4;
        int ip = (int) c.sysRead(address, 2);
        int cs = (int) c.sysRead(address + 2, 2);
        StackFrame frame = c.frame;
        frame.current();
        frame.check(3, 2, 0);
        frame.push(2, flags);
        frame.push(2, c.segSel[Cpu.CS]);
        frame.push(2, c.rip);
        frame.commit();
        c.setFlags(flags & ~(Flags.IF | Flags.TF | Flags.AC | Flags.RF));
        Segmentation.loadReal(c, Cpu.CS, cs);
        c.rip = ip;
    }

    private static void deliverProtected(Cpu c, int vector, boolean software, int flags, int error, boolean hasError) {
        int ext = software ? 0 : 1;
        int idtError = vector * 8 + 2 + ext;
        if (vector * 8 + 7 > c.idtLimit) {
            throw c.gp(idtError);
        }
        long gate = Descriptors.raw(c, c.idtBase + vector * 8 & 0xFFFFFFFFL);
        int type = Descriptors.systemType(gate);
        boolean has386 = c.model.has(Feature.I386);
        boolean gate32 = type == Descriptors.INTERRUPT_GATE32 || type == Descriptors.TRAP_GATE32;
        boolean known = type == Descriptors.INTERRUPT_GATE16
                || type == Descriptors.TRAP_GATE16
                || type == Descriptors.TASK_GATE
                || gate32 && has386;
        if (!known || software && Descriptors.dpl(gate) < c.cpl) {
            throw c.gp(idtError);
        }
        if (!Descriptors.isPresent(gate)) {
            throw c.fault(Vector.NP, idtError);
        }
        if (type == Descriptors.TASK_GATE) {
            TaskSwitch.interrupt(c, Descriptors.gateSelector(gate), flags, ext, error, hasError);
            return;
        }
        int selector = Descriptors.gateSelector(gate);
        if (Descriptors.isNull(selector)) {
            throw c.gp(ext);
        }
        long d = Descriptors.fetch(c, selector, Vector.GP, ext);
        int csError = Descriptors.error(selector, ext);
        int dpl = Descriptors.dpl(d);
        if (!Descriptors.isCode(d) || dpl > c.cpl) {
            throw c.gp(csError);
        }
        if (!Descriptors.isPresent(d)) {
            throw c.fault(Vector.NP, csError);
        }
        boolean v86 = c.v86();
        boolean inner = !Descriptors.isConforming(d) && dpl < c.cpl;
        if (v86 && (!inner || dpl != 0)) {
            throw c.gp(csError);
        }
        int size = gate32 ? 4 : 2;
        StackFrame frame = c.frame;
        if (inner) {
            frame.inner(dpl, ext);
        } else {
            frame.current();
        }
        frame.check((v86 ? 9 : inner ? 5 : 3) + (hasError ? 1 : 0), size, ext);
        long offset = gate32 ? Descriptors.gateOffset(gate) : gate & 0xFFFF;
        if (offset > Descriptors.limit(d)) {
            throw c.gp(ext);
        }
        d = Descriptors.accessed(c, selector, d);
        frame.accessed();
        if (v86) {
            frame.push(size, c.segSel[Cpu.GS]);
            frame.push(size, c.segSel[Cpu.FS]);
            frame.push(size, c.segSel[Cpu.DS]);
            frame.push(size, c.segSel[Cpu.ES]);
        }
        if (inner) {
            frame.push(size, c.segSel[Cpu.SS]);
            frame.push(size, c.r[Cpu.RSP]);
        }
        frame.push(size, flags);
        frame.push(size, c.segSel[Cpu.CS]);
        frame.push(size, c.rip);
        if (hasError) {
            frame.push(size, error);
        }
        int level = inner ? dpl : c.cpl;
        c.cpl = level;
        c.setFlags(handlerFlags(flags, (type & 1) == 0));
        frame.commit();
        if (v86) {
            Segmentation.loadNull(c, Cpu.GS, 0, 0);
            Segmentation.loadNull(c, Cpu.FS, 0, 0);
            Segmentation.loadNull(c, Cpu.DS, 0, 0);
            Segmentation.loadNull(c, Cpu.ES, 0, 0);
        }
        Segmentation.setCode(c, selector, d, level);
        c.rip = offset;
    }

    private static int handlerFlags(int flags, boolean interruptGate) {
        return flags & ~(Flags.TF | Flags.NT | Flags.RF | Flags.VM | (interruptGate ? Flags.IF : 0));
    }

    private static void deliverLong(Cpu c, int vector, boolean software, int flags, int error, boolean hasError) {
        int ext = software ? 0 : 1;
        int idtError = vector * 8 + 2 + ext;
        if (vector * 16 + 15 > c.idtLimit) {
            throw c.gp(idtError);
        }
        long address = c.idtBase + vector * 16;
        long gate = c.sysRead(address, 8);
        long upper = c.sysRead(address + 8, 8);
        int type = Descriptors.systemType(gate);
        if (type != Descriptors.INTERRUPT_GATE32 && type != Descriptors.TRAP_GATE32
                || software && Descriptors.dpl(gate) < c.cpl) {
            throw c.gp(idtError);
        }
        if (!Descriptors.isPresent(gate)) {
            throw c.fault(Vector.NP, idtError);
        }
        int selector = Descriptors.gateSelector(gate);
        if (Descriptors.isNull(selector)) {
            throw c.gp(ext);
        }
        long d = Descriptors.fetch(c, selector, Vector.GP, ext);
        int csError = Descriptors.error(selector, ext);
        int dpl = Descriptors.dpl(d);
        if (!Descriptors.isCode(d) || dpl > c.cpl || !Descriptors.isLong(d) || Descriptors.isBig(d)) {
            throw c.gp(csError);
        }
        if (!Descriptors.isPresent(d)) {
            throw c.fault(Vector.NP, csError);
        }
        boolean inner = !Descriptors.isConforming(d) && dpl < c.cpl;
        int level = inner ? dpl : c.cpl;
        int ist = (int) (gate >>> 32) & 7;
        StackFrame frame = c.frame;
        long rsp = ist != 0
                ? frame.pointerFromTss(ist * 8 + 28, ext)
                : inner ? frame.pointerFromTss(level * 8 + 4, ext) : c.r[Cpu.RSP];
        rsp &= ~15L;
        if (inner) {
            frame.innerLong(level, rsp);
        } else {
            frame.currentLong(rsp);
        }
        frame.check(hasError ? 6 : 5, 8, ext);
        long offset = Descriptors.gateOffset(gate) | upper << 32;
        if (offset << 16 >> 16 != offset) {
            throw c.gp(ext);
        }
        d = Descriptors.accessed(c, selector, d);
        frame.push(8, c.segSel[Cpu.SS]);
        frame.push(8, c.r[Cpu.RSP]);
        frame.push(8, flags & 0xFFFFFFFFL);
        frame.push(8, c.segSel[Cpu.CS]);
        frame.push(8, c.rip);
        if (hasError) {
            frame.push(8, error & 0xFFFFFFFFL);
        }
        c.cpl = level;
        c.setFlags(handlerFlags(flags, (type & 1) == 0));
        frame.commit();
        Segmentation.setCode(c, selector, d, level);
        c.rip = offset;
    }
}
