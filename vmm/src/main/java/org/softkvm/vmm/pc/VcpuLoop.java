package org.softkvm.vmm.pc;

import java.util.concurrent.locks.Lock;
import org.softkvm.devices.DeviceBus;
import org.softkvm.kvm.ExitReason;
import org.softkvm.kvm.KvmException;
import org.softkvm.kvm.Regs;
import org.softkvm.kvm.Sregs;
import org.softkvm.kvm.Vcpu;
import org.softkvm.kvm.VcpuRun;
import org.softkvm.vmm.VmmException;

/** Runs one vcpu: hands its exits to the board until the run ends. The way of an exit allocates nothing. */
final class VcpuLoop implements Runnable {
    /** KVM's exit reasons, all below this, are counted one by one. */
    static final int COUNTED = 64;

    /** An access is done in a few parts at most. */
    private static final int MOST_PARTS = 1000;

    private final Vcpu vcpu;
    private final VcpuRun run;
    private final Board board;
    private final DeviceBus bus;
    private final Lock lock;
    private final ExtIntLine extInt;
    private final RunEnd end;
    private final long[] exits = new long[COUNTED];
    private InstructionBudget budget;

    /** The vcpu has a limit of instructions. */
    private boolean limited;

    private volatile Thread thread;

    VcpuLoop(Vcpu vcpu, Board board, RunEnd end) {
        this.vcpu = vcpu;
        this.run = vcpu.runState();
        this.board = board;
        this.bus = board.bus();
        this.lock = board.lock();
        this.extInt = board.extInt();
        this.end = end;
    }

    /** Makes the vcpu look whether the run has ended or an interrupt waits. Any thread. */
    void wakeUp() {
        if (Thread.currentThread() != thread) {
            vcpu.kick();
        }
    }

    /** Exits so far by KVM's reasons; exact once the loop has ended. The limit of instructions is not counted. */
    long[] exits() {
        return exits;
    }

    /** The calling thread runs the vcpu from now on. */
    void adopt() {
        thread = Thread.currentThread();
    }

    /** Bounds what the vcpu executes; before the run. */
    void setBudget(InstructionBudget instructions) {
        budget = instructions;
        limited = true;
        vcpu.setInstructionLimit(budget.take());
    }

    @Override
    public void run() {
        adopt();
        try {
            while (!end.hasEnded()) {
                int reason = enter();
                if (reason == ExitReason.SOFTKVM_INSTRUCTION_LIMIT) {
                    long more = budget.take();
                    if (more == 0) {
                        endAtLimit();
                    }
                    vcpu.setInstructionLimit(more);
                } else {
                    dispatch(reason);
                }
            }
        } catch (RuntimeException | Error e) {
            fail(end, e);
        }
    }

    /**
     * Runs the vcpu under the virtual clock once, up to an exit and for so many instructions at most.
     *
     * @return the exit, served already; HLT where the vcpu has nothing to do
     */
    int step(long instructions) {
        limited = true;
        vcpu.setInstructionLimit(instructions);
        int reason = enter();
        if (reason != ExitReason.SOFTKVM_INSTRUCTION_LIMIT && reason != ExitReason.HLT) {
            dispatch(reason);
        }
        return reason;
    }

    /** Finishes the access that the last exit left open, so that the registers are the whole state; the vcpu stands. */
    void settle() {
        if (limited) {
            vcpu.setInstructionLimit(-1);
        }
        run.setImmediateExit(true);
        try {
            for (int part = 0; part < MOST_PARTS; part++) {
                int reason = vcpu.run();
                if (reason == ExitReason.INTR) {
                    break;
                }
                dispatch(reason);
            }
        } finally {
            run.setImmediateExit(false);
        }
    }

    /** How many accesses an exit was. */
    int accesses(int reason) {
        return reason == ExitReason.IO ? run.ioCount() : 1;
    }

    private int enter() {
        injectExtInt();
        int reason = vcpu.run();
        if (reason >= 0 && reason < COUNTED) {
            exits[reason]++;
        }
        return reason;
    }

    void endAtLimit() {
        end.end(PcResult.Reason.INSTRUCTION_LIMIT, "stopped at the limit of --max-instructions" + place());
    }

    /** The run ends because a CPU's thread cannot go on. */
    static void fail(RunEnd end, Throwable e) {
        if (e instanceof KvmException) {
            end.fail(new VmmException("the CPU cannot run: " + e.getMessage(), e));
            return;
        }
        StackTraceElement[] trace = e.getStackTrace();
        String where = trace.length == 0 ? "" : " at " + trace[0];
        end.fail(new VmmException("internal error on the CPU's thread: " + e + where, e));
    }

    private void dispatch(int reason) {
        switch (reason) {
            case ExitReason.IO -> io();
            case ExitReason.MMIO -> mmio();
            case ExitReason.INTR, ExitReason.IRQ_WINDOW_OPEN -> {
                // The loop looks at both.
            }
            case ExitReason.IOAPIC_EOI -> {
                lock.lock();
                try {
                    board.endOfInterrupt(run.eoiVector());
                } finally {
                    lock.unlock();
                }
            }
            case ExitReason.SHUTDOWN -> end.end(PcResult.Reason.TRIPLE_FAULT, "triple fault" + place());
            case ExitReason.SYSTEM_EVENT ->
                end.end(
                        run.systemEventType() == 1 ? PcResult.Reason.POWER_OFF : PcResult.Reason.RESET,
                        run.systemEventType() == 1 ? "" : "the guest asked for a reset");
            case ExitReason.INTERNAL_ERROR ->
                end.fail(new VmmException("the CPU gave up: " + describe(run.internalErrorSuberror()) + place()));
            case ExitReason.FAIL_ENTRY ->
                end.fail(new VmmException("the CPU cannot be entered, reason 0x"
                        + Long.toHexString(run.failEntryReason()) + text() + place()));
            default -> end.fail(new VmmException("unexpected exit " + ExitReason.name(reason) + place()));
        }
    }

    private void io() {
        int port = run.ioPort();
        int size = run.ioSize();
        int count = run.ioCount();
        lock.lock();
        try {
            if (run.ioDirection() == VcpuRun.IO_OUT) {
                for (int i = 0; i < count; i++) {
                    bus.writePort(port, size, run.ioValue(i));
                }
            } else {
                for (int i = 0; i < count; i++) {
                    run.setIoValue(i, (int) bus.readPort(port, size));
                }
            }
        } finally {
            lock.unlock();
        }
    }

    private void mmio() {
        long address = run.mmioAddress();
        int length = run.mmioLength();
        lock.lock();
        try {
            if (run.mmioIsWrite()) {
                writeMmio(address, length, run.mmioData());
            } else {
                run.setMmioData(readMmio(address, length));
            }
        } finally {
            lock.unlock();
        }
    }

    /** Parts of an access that crosses a page can have any length; the bus wants powers of two. */
    private void writeMmio(long address, int length, long data) {
        int done = 0;
        while (done < length) {
            int piece = Integer.highestOneBit(length - done);
            bus.writeMmio(address + done, piece, data >>> 8 * done);
            done += piece;
        }
    }

    private long readMmio(long address, int length) {
        long data = 0;
        int done = 0;
        while (done < length) {
            int piece = Integer.highestOneBit(length - done);
            data |= bus.readMmio(address + done, piece) << 8 * done;
            done += piece;
        }
        return data;
    }

    /**
     * Gives the vcpu the PIC's interrupt when it can take one, else asks to be told when it can. KVM looks at LINT0 of
     * the local APIC before it says that it can.
     */
    private void injectExtInt() {
        boolean wanted = vcpu.id() == 0 && extInt.isAsserted();
        if (wanted && run.readyForInterruptInjection() && run.ifFlag()) {
            lock.lock();
            try {
                // It may have gone since: an INTA cycle without a request would be a spurious interrupt.
                if (extInt.isAsserted()) {
                    vcpu.interrupt(board.acknowledgeExtInt());
                }
                wanted = extInt.isAsserted();
            } finally {
                lock.unlock();
            }
        }
        if (run.requestInterruptWindow() != wanted) {
            run.setRequestInterruptWindow(wanted);
        }
    }

    private String describe(int suberror) {
        String what = switch (suberror) {
            case ExitReason.INTERNAL_ERROR_EMULATION -> "an instruction could not be executed";
            case ExitReason.INTERNAL_ERROR_SIMUL_EX -> "unexpected simultaneous exceptions";
            case ExitReason.INTERNAL_ERROR_DELIVERY_EV -> "an event could not be delivered";
            default -> "internal error " + suberror;
        };
        StringBuilder data = new StringBuilder();
        for (int i = 0; i < run.internalErrorDataCount(); i++) {
            data.append(i == 0 ? " (data " : " ").append(Long.toHexString(run.internalErrorData(i)));
        }
        return what + text() + (data.isEmpty() ? "" : data + ")");
    }

    private String text() {
        return run.errorText().isEmpty() ? "" : ": " + run.errorText();
    }

    /** Where the CPU stands, for messages. */
    private String place() {
        Regs regs = new Regs();
        Sregs sregs = new Sregs();
        vcpu.getRegs(regs);
        vcpu.getSregs(sregs);
        return String.format(
                " (CPU %d at CS:RIP %04x:%x, CS base %x, CR0 %x, CR2 %x, CR3 %x)",
                vcpu.id(), sregs.cs.selector, regs.rip, sregs.cs.base, sregs.cr0, sregs.cr2, sregs.cr3);
    }
}
