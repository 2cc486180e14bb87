package org.softkvm.emulator.exec;

import org.softkvm.emulator.MsrGate;
import org.softkvm.emulator.cpu.Cpu;
import org.softkvm.emulator.cpu.ExitCode;
import org.softkvm.emulator.cpu.ExitInfo;
import org.softkvm.emulator.cpu.Flags;
import org.softkvm.emulator.cpu.OutsideDebug;
import org.softkvm.emulator.decode.Insn;

/** RDMSR and WRMSR with the VM's filter, and their exits to user space (KVM_EXIT_X86_RDMSR, KVM_EXIT_X86_WRMSR). */
public final class MsrOps {
    private static final ExitInfo.IoCompletion READ = c -> complete(c, true);
    private static final ExitInfo.IoCompletion WRITE = c -> complete(c, false);

    private MsrOps() {}

    /** RDMSR. */
    public static void rdmsr(Cpu c, Insn i) {
        if (c.cpl != 0) {
            throw c.gp(0);
        }
        c.exactly();
        int index = (int) c.r[Cpu.RCX];
        if (!c.msrGate.allows(index, false)) {
            throw refuse(c, i, MsrGate.FILTER, false);
        }
        if (!c.msrs.read(c, index)) {
            throw refuse(c, i, reason(c, index), false);
        }
        set(c, c.msrs.value);
    }

    private static void set(Cpu c, long value) {
        c.set32(Cpu.RAX, (int) value);
        c.set32(Cpu.RDX, (int) (value >>> 32));
    }

    /** WRMSR. */
    public static void wrmsr(Cpu c, Insn i) {
        if (c.cpl != 0) {
            throw c.gp(0);
        }
        c.exactly();
        int index = (int) c.r[Cpu.RCX];
        if (!c.msrGate.allows(index, true)) {
            throw refuse(c, i, MsrGate.FILTER, true);
        }
        if (!c.msrs.write(c, index, value(c))) {
            throw refuse(c, i, reason(c, index), true);
        }
    }

    private static long value(Cpu c) {
        return c.r[Cpu.RDX] << 32 | c.r[Cpu.RAX] & 0xFFFFFFFFL;
    }

    /** Why an access failed that the filter allows. */
    private static int reason(Cpu c, int index) {
        return c.lapic.ownsMsr(index) || c.msrs.isKnown(c, index) ? MsrGate.INVALID : MsrGate.UNKNOWN;
    }

    /** The exit that user space asked for, else #GP. */
    private static RuntimeException refuse(Cpu c, Insn i, int reason, boolean write) {
        if ((c.msrGate.exits() & reason) == 0) {
            return c.gp(0);
        }
        ExitInfo info = c.exitInfo;
        info.msrReason = reason;
        info.msrIndex = (int) c.r[Cpu.RCX];
        info.msrData = write ? value(c) : 0;
        info.msrError = false;
        info.ioInsn = i;
        info.ioCompletion = write ? WRITE : READ;
        return c.leave(write ? ExitCode.X86_WRMSR : ExitCode.X86_RDMSR);
    }

    /** The instruction ends as user space says: RIP has stayed at it so far. */
    private static void complete(Cpu c, boolean read) {
        ExitInfo info = c.exitInfo;
        Insn i = info.ioInsn;
        info.ioInsn = null;
        boolean trap = c.stepArmed;
        c.stepArmed = false;
        boolean outside = c.outsideStep;
        c.outsideStep = false;
        if (outside) {
            OutsideDebug.stepped(c);
        }
        if (info.msrError) {
            throw c.gp(0);
        }
        if (read) {
            set(c, info.msrData);
        }
        c.rip = c.mode64 ? c.rip + i.length : c.rip + i.length & 0xFFFFFFFFL;
        c.eflags &= ~Flags.RF;
        c.instructions++;
        if (trap) {
            c.pendingDebug |= OutsideDebug.DR6_BS;
        }
    }
}
