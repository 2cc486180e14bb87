package org.softkvm.kvm.dispatch;

import static org.softkvm.kvm.abi.Fields.getByte;
import static org.softkvm.kvm.abi.Fields.getLong;
import static org.softkvm.kvm.abi.Fields.putByte;
import static org.softkvm.kvm.abi.Fields.putFlag;
import static org.softkvm.kvm.abi.Fields.putInt;
import static org.softkvm.kvm.abi.Fields.putLong;
import static org.softkvm.kvm.abi.Fields.putShort;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import org.softkvm.kvm.ExitReason;
import org.softkvm.kvm.Regs;
import org.softkvm.kvm.Sregs;
import org.softkvm.kvm.Vcpu;
import org.softkvm.kvm.VcpuEvents;
import org.softkvm.kvm.VcpuRun;
import org.softkvm.kvm.abi.EventsCodec;
import org.softkvm.kvm.abi.RegsCodec;
import org.softkvm.kvm.abi.RunStruct;

/** struct kvm_run of a client, filled from and handed to the run state of the backend. */
final class RunPage {
    private static final int SYNC_REGS = 1;
    private static final int SYNC_SREGS = 2;
    private static final int SYNC_EVENTS = 4;
    private static final int ALL_SYNC = SYNC_REGS | SYNC_SREGS | SYNC_EVENTS;
    private static final int INSTRUCTION_BYTES = 8;

    private final Vcpu vcpu;
    private final VcpuRun state;
    private final MemorySegment page = Arena.ofAuto().allocate(SystemEndpoint.MAPPING_SIZE, RunStruct.PAGE);
    private final Regs regs = new Regs();
    private final Sregs sregs = new Sregs();
    private final VcpuEvents events = new VcpuEvents();

    /** The exit whose answer the client may have put on the page; -1 for none. */
    private int open = -1;

    RunPage(Vcpu vcpu) {
        this.vcpu = vcpu;
        this.state = vcpu.runState();
        putLong(page, RunStruct.CR8, state.cr8());
        putLong(page, RunStruct.APIC_BASE, state.apicBase());
    }

    MemorySegment memory() {
        return page;
    }

    boolean immediateExit() {
        return getByte(page, RunStruct.IMMEDIATE_EXIT) != 0;
    }

    /** False where the masks of registers name some that there are not. */
    boolean checkMasks() {
        return ((getLong(page, RunStruct.VALID_REGS) | getLong(page, RunStruct.DIRTY_REGS)) & ~(long) ALL_SYNC) == 0;
    }

    /** What the client wants, before a run. */
    void take() {
        state.setRequestInterruptWindow(getByte(page, RunStruct.REQUEST_INTERRUPT_WINDOW) != 0);
        state.setCr8(getLong(page, RunStruct.CR8));
        state.setApicBase(getLong(page, RunStruct.APIC_BASE));
        long dirty = getLong(page, RunStruct.DIRTY_REGS);
        if ((dirty & SYNC_REGS) != 0) {
            RegsCodec.get(page, RunStruct.SYNC_REGS, regs);
            vcpu.setRegs(regs);
        }
        if ((dirty & SYNC_SREGS) != 0) {
            RegsCodec.get(page, RunStruct.SYNC_SREGS, sregs);
            vcpu.setSregs(sregs);
        }
        if ((dirty & SYNC_EVENTS) != 0) {
            EventsCodec.get(page, RunStruct.SYNC_EVENTS, events);
            vcpu.setVcpuEvents(events);
        }
        putLong(page, RunStruct.DIRTY_REGS, 0);
        takeAnswer();
    }

    private void takeAnswer() {
        switch (open) {
            case ExitReason.IO -> {
                if (state.ioDirection() == VcpuRun.IO_IN) {
                    long size = (long) state.ioSize() * state.ioCount();
                    MemorySegment.copy(page, RunStruct.PIO_OFFSET, state.ioData(), 0, size);
                }
            }
            case ExitReason.MMIO -> {
                if (!state.mmioIsWrite()) {
                    state.setMmioData(getLong(page, RunStruct.MMIO_DATA));
                }
            }
            case ExitReason.X86_RDMSR, ExitReason.X86_WRMSR -> {
                state.setMsrData(getLong(page, RunStruct.MSR_DATA));
                state.setMsrError(getByte(page, RunStruct.MSR_ERROR) != 0);
            }
            default -> {
                // No answer.
            }
        }
        open = -1;
    }

    /** What the run came to. */
    void give(int reason) {
        putInt(page, RunStruct.EXIT_REASON, reason);
        switch (reason) {
            case ExitReason.IO -> giveIo();
            case ExitReason.MMIO -> giveMmio();
            case ExitReason.INTERNAL_ERROR -> giveError();
            case ExitReason.IOAPIC_EOI -> putByte(page, RunStruct.EOI_VECTOR, state.eoiVector());
            case ExitReason.FAIL_ENTRY -> putLong(page, RunStruct.FAIL_ENTRY_REASON, state.failEntryReason());
            case ExitReason.SYSTEM_EVENT -> {
                putInt(page, RunStruct.SYSTEM_EVENT_TYPE, state.systemEventType());
                putInt(page, RunStruct.SYSTEM_EVENT_NDATA, 0);
            }
            case ExitReason.DEBUG -> {
                putInt(page, RunStruct.DEBUG_EXCEPTION, state.debugException());
                putLong(page, RunStruct.DEBUG_PC, state.debugPc());
                putLong(page, RunStruct.DEBUG_DR6, state.debugDr6());
                putLong(page, RunStruct.DEBUG_DR7, state.debugDr7());
            }
            case ExitReason.X86_RDMSR, ExitReason.X86_WRMSR -> {
                putByte(page, RunStruct.MSR_ERROR, 0);
                putInt(page, RunStruct.MSR_REASON, state.msrReason());
                putInt(page, RunStruct.MSR_INDEX, state.msrIndex());
                putLong(page, RunStruct.MSR_DATA, state.msrData());
                open = reason;
            }
            case ExitReason.TPR_ACCESS -> {
                putLong(page, RunStruct.TPR_ACCESS_RIP, state.tprAccessRip());
                putInt(page, RunStruct.TPR_ACCESS_IS_WRITE, state.tprAccessIsWrite() ? 1 : 0);
            }
            default -> {
                // Carries nothing.
            }
        }
        putFlag(page, RunStruct.READY_FOR_INTERRUPT_INJECTION, state.readyForInterruptInjection());
        putFlag(page, RunStruct.IF_FLAG, state.ifFlag());
        putShort(page, RunStruct.FLAGS, state.flags());
        putLong(page, RunStruct.CR8, state.cr8());
        putLong(page, RunStruct.APIC_BASE, state.apicBase());
        giveRegisters();
    }

    /** The APIC base and CR8 were changed by another call. */
    void refresh() {
        putLong(page, RunStruct.CR8, state.cr8());
        putLong(page, RunStruct.APIC_BASE, state.apicBase());
    }

    private void giveIo() {
        putByte(page, RunStruct.IO_DIRECTION, state.ioDirection());
        putByte(page, RunStruct.IO_SIZE, state.ioSize());
        putShort(page, RunStruct.IO_PORT, state.ioPort());
        putInt(page, RunStruct.IO_COUNT, state.ioCount());
        putLong(page, RunStruct.IO_DATA_OFFSET, RunStruct.PIO_OFFSET);
        if (state.ioDirection() == VcpuRun.IO_OUT) {
            long size = (long) state.ioSize() * state.ioCount();
            MemorySegment.copy(state.ioData(), 0, page, RunStruct.PIO_OFFSET, size);
        }
        open = ExitReason.IO;
    }

    private void giveMmio() {
        putLong(page, RunStruct.MMIO_ADDRESS, state.mmioAddress());
        putLong(page, RunStruct.MMIO_DATA, state.mmioData());
        putInt(page, RunStruct.MMIO_LENGTH, state.mmioLength());
        putFlag(page, RunStruct.MMIO_IS_WRITE, state.mmioIsWrite());
        open = ExitReason.MMIO;
    }

    /**
     * An instruction that cannot be emulated has a form of its own in the ABI: flags, the bytes of the instruction, and
     * behind them what the implementation likes, here its linear address.
     */
    private void giveError() {
        int suberror = state.internalErrorSuberror();
        int count = state.internalErrorDataCount();
        putInt(page, RunStruct.INTERNAL_SUBERROR, suberror);
        if (suberror == ExitReason.INTERNAL_ERROR_EMULATION && count >= 2) {
            putInt(page, RunStruct.INTERNAL_NDATA, 4);
            putLong(page, RunStruct.EMULATION_FLAGS, RunStruct.EMULATION_FLAG_INSTRUCTION_BYTES);
            page.asSlice(RunStruct.EMULATION_INSN_SIZE, 16).fill((byte) 0);
            putByte(page, RunStruct.EMULATION_INSN_SIZE, INSTRUCTION_BYTES);
            putLong(page, RunStruct.EMULATION_INSN_BYTES, state.internalErrorData(1));
            putLong(page, RunStruct.INTERNAL_DATA + 3 * 8, state.internalErrorData(0));
            return;
        }
        putInt(page, RunStruct.INTERNAL_NDATA, count);
        for (int i = 0; i < count; i++) {
            putLong(page, RunStruct.INTERNAL_DATA + i * 8L, state.internalErrorData(i));
        }
    }

    private void giveRegisters() {
        long valid = getLong(page, RunStruct.VALID_REGS);
        if ((valid & SYNC_REGS) != 0) {
            vcpu.getRegs(regs);
            RegsCodec.put(regs, page, RunStruct.SYNC_REGS);
        }
        if ((valid & SYNC_SREGS) != 0) {
            vcpu.getSregs(sregs);
            RegsCodec.put(sregs, page, RunStruct.SYNC_SREGS);
        }
        if ((valid & SYNC_EVENTS) != 0) {
            vcpu.getVcpuEvents(events);
            EventsCodec.put(events, page, RunStruct.SYNC_EVENTS);
        }
    }
}
