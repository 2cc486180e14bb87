package org.softkvm.kvm.linux;

import static org.softkvm.kvm.abi.Fields.getByte;
import static org.softkvm.kvm.abi.Fields.getInt;
import static org.softkvm.kvm.abi.Fields.getLong;
import static org.softkvm.kvm.abi.Fields.getShort;
import static org.softkvm.kvm.abi.Fields.putByte;
import static org.softkvm.kvm.abi.Fields.putFlag;
import static org.softkvm.kvm.abi.Fields.putInt;
import static org.softkvm.kvm.abi.Fields.putLong;
import static org.softkvm.kvm.abi.Fields.putShort;

import java.lang.foreign.MemorySegment;
import java.util.HexFormat;
import java.util.Objects;
import org.softkvm.kvm.ExitReason;
import org.softkvm.kvm.Regs;
import org.softkvm.kvm.Sregs;
import org.softkvm.kvm.VcpuEvents;
import org.softkvm.kvm.VcpuRun;
import org.softkvm.kvm.abi.EventsCodec;
import org.softkvm.kvm.abi.RegsCodec;
import org.softkvm.kvm.abi.RunStruct;

/** The run state on the page that the kernel shares. */
final class LinuxRun implements VcpuRun {
    private static final int MAX_DATA = 16;
    private static final int MAX_INSTRUCTION = 15;

    private final MemorySegment page;
    private final MemorySegment defaultData;
    private final Regs regs = new Regs();
    private final Sregs sregs = new Sregs();
    private final VcpuEvents events = new VcpuEvents();
    private int exitReason;
    private volatile boolean immediateExit;

    /**
     * Makes the run state.
     *
     * @param page the mapping of the vcpu's descriptor
     */
    LinuxRun(MemorySegment page) {
        this.page = page;
        this.defaultData = page.asSlice(RunStruct.PIO_OFFSET, RunStruct.PAGE);
    }

    MemorySegment page() {
        return page;
    }

    /** The caller's registers onto the page, before a run. */
    void putSyncRegs() {
        int dirty = dirtyRegs();
        if ((dirty & SYNC_REGS) != 0) {
            RegsCodec.put(regs, page, RunStruct.SYNC_REGS);
        }
        if ((dirty & SYNC_SREGS) != 0) {
            RegsCodec.put(sregs, page, RunStruct.SYNC_SREGS);
        }
        if ((dirty & SYNC_EVENTS) != 0) {
            EventsCodec.put(events, page, RunStruct.SYNC_EVENTS);
        }
    }

    /** The kernel's registers from the page, after a run. */
    void getSyncRegs() {
        int valid = validRegs();
        if ((valid & SYNC_REGS) != 0) {
            RegsCodec.get(page, RunStruct.SYNC_REGS, regs);
        }
        if ((valid & SYNC_SREGS) != 0) {
            RegsCodec.get(page, RunStruct.SYNC_SREGS, sregs);
        }
        if ((valid & SYNC_EVENTS) != 0) {
            EventsCodec.get(page, RunStruct.SYNC_EVENTS, events);
        }
    }

    /** What the kernel says ended the run. */
    int kernelReason() {
        return getInt(page, RunStruct.EXIT_REASON);
    }

    void setExitReason(int reason) {
        exitReason = reason;
    }

    /** What the kernel is to see, which may differ from what the caller set: a kick uses it too. */
    void writeImmediateExit(boolean value) {
        putFlag(page, RunStruct.IMMEDIATE_EXIT, value);
    }

    @Override
    public int exitReason() {
        return exitReason;
    }

    @Override
    public int flags() {
        return getShort(page, RunStruct.FLAGS);
    }

    // ---- Ports

    @Override
    public int ioDirection() {
        return getByte(page, RunStruct.IO_DIRECTION);
    }

    @Override
    public int ioSize() {
        return getByte(page, RunStruct.IO_SIZE);
    }

    @Override
    public int ioPort() {
        return getShort(page, RunStruct.IO_PORT);
    }

    @Override
    public int ioCount() {
        return getInt(page, RunStruct.IO_COUNT);
    }

    @Override
    public MemorySegment ioData() {
        return defaultData;
    }

    private long itemOffset(int item) {
        Objects.checkIndex(item, ioCount());
        return getLong(page, RunStruct.IO_DATA_OFFSET) + (long) item * ioSize();
    }

    @Override
    public int ioValue(int item) {
        long offset = itemOffset(item);
        return switch (ioSize()) {
            case 1 -> getByte(page, offset);
            case 2 -> getShort(page, offset);
            default -> getInt(page, offset);
        };
    }

    @Override
    public void setIoValue(int item, int value) {
        long offset = itemOffset(item);
        switch (ioSize()) {
            case 1 -> putByte(page, offset, value);
            case 2 -> putShort(page, offset, value);
            default -> putInt(page, offset, value);
        }
    }

    // ---- Memory-mapped registers

    @Override
    public long mmioAddress() {
        return getLong(page, RunStruct.MMIO_ADDRESS);
    }

    @Override
    public int mmioLength() {
        return getInt(page, RunStruct.MMIO_LENGTH);
    }

    @Override
    public boolean mmioIsWrite() {
        return getByte(page, RunStruct.MMIO_IS_WRITE) != 0;
    }

    @Override
    public long mmioData() {
        long data = getLong(page, RunStruct.MMIO_DATA);
        int length = mmioLength();
        return length >= Long.BYTES ? data : data & (1L << length * Byte.SIZE) - 1;
    }

    @Override
    public void setMmioData(long data) {
        putLong(page, RunStruct.MMIO_DATA, data);
    }

    // ---- Other exits

    @Override
    public int eoiVector() {
        return getByte(page, RunStruct.EOI_VECTOR);
    }

    @Override
    public int internalErrorSuberror() {
        return getInt(page, RunStruct.INTERNAL_SUBERROR);
    }

    @Override
    public int internalErrorDataCount() {
        return Math.clamp(getInt(page, RunStruct.INTERNAL_NDATA), 0, MAX_DATA);
    }

    @Override
    public long internalErrorData(int item) {
        return getLong(page, RunStruct.INTERNAL_DATA + Objects.checkIndex(item, internalErrorDataCount()) * 8L);
    }

    @Override
    public String errorText() {
        if (exitReason == ExitReason.FAIL_ENTRY) {
            return "the processor refused the state of the guest";
        }
        if (exitReason != ExitReason.INTERNAL_ERROR || internalErrorSuberror() != ExitReason.INTERNAL_ERROR_EMULATION) {
            return "";
        }
        String text = "the kernel's emulator cannot execute the instruction";
        // Flags and bytes take three quadwords.
        if (internalErrorDataCount() < 3
                || (getLong(page, RunStruct.EMULATION_FLAGS) & RunStruct.EMULATION_FLAG_INSTRUCTION_BYTES) == 0) {
            return text;
        }
        byte[] bytes = new byte[Math.min(getByte(page, RunStruct.EMULATION_INSN_SIZE), MAX_INSTRUCTION)];
        for (int i = 0; i < bytes.length; i++) {
            bytes[i] = (byte) getByte(page, RunStruct.EMULATION_INSN_BYTES + i);
        }
        return text + ", bytes " + HexFormat.ofDelimiter(" ").formatHex(bytes);
    }

    @Override
    public long failEntryReason() {
        return getLong(page, RunStruct.FAIL_ENTRY_REASON);
    }

    @Override
    public int systemEventType() {
        return getInt(page, RunStruct.SYSTEM_EVENT_TYPE);
    }

    @Override
    public int debugException() {
        return getInt(page, RunStruct.DEBUG_EXCEPTION);
    }

    @Override
    public long debugPc() {
        return getLong(page, RunStruct.DEBUG_PC);
    }

    @Override
    public long debugDr6() {
        return getLong(page, RunStruct.DEBUG_DR6);
    }

    @Override
    public long debugDr7() {
        return getLong(page, RunStruct.DEBUG_DR7);
    }

    @Override
    public int msrReason() {
        return getInt(page, RunStruct.MSR_REASON);
    }

    @Override
    public int msrIndex() {
        return getInt(page, RunStruct.MSR_INDEX);
    }

    @Override
    public long msrData() {
        return getLong(page, RunStruct.MSR_DATA);
    }

    @Override
    public void setMsrData(long data) {
        putLong(page, RunStruct.MSR_DATA, data);
    }

    @Override
    public void setMsrError(boolean error) {
        putFlag(page, RunStruct.MSR_ERROR, error);
    }

    @Override
    public long tprAccessRip() {
        return getLong(page, RunStruct.TPR_ACCESS_RIP);
    }

    @Override
    public boolean tprAccessIsWrite() {
        return getInt(page, RunStruct.TPR_ACCESS_IS_WRITE) != 0;
    }

    // ---- Interrupts and control

    @Override
    public boolean requestInterruptWindow() {
        return getByte(page, RunStruct.REQUEST_INTERRUPT_WINDOW) != 0;
    }

    @Override
    public void setRequestInterruptWindow(boolean request) {
        putFlag(page, RunStruct.REQUEST_INTERRUPT_WINDOW, request);
    }

    @Override
    public boolean readyForInterruptInjection() {
        return getByte(page, RunStruct.READY_FOR_INTERRUPT_INJECTION) != 0;
    }

    @Override
    public boolean ifFlag() {
        return getByte(page, RunStruct.IF_FLAG) != 0;
    }

    @Override
    public boolean immediateExit() {
        return immediateExit;
    }

    @Override
    public void setImmediateExit(boolean immediateExit) {
        this.immediateExit = immediateExit;
        // A run that is about to begin sees it; one that begins later copies it from the field.
        writeImmediateExit(immediateExit);
    }

    @Override
    public long cr8() {
        return getLong(page, RunStruct.CR8);
    }

    @Override
    public void setCr8(long cr8) {
        putLong(page, RunStruct.CR8, cr8);
    }

    @Override
    public long apicBase() {
        return getLong(page, RunStruct.APIC_BASE);
    }

    @Override
    public void setApicBase(long apicBase) {
        putLong(page, RunStruct.APIC_BASE, apicBase);
    }

    // ---- Registers on the page

    @Override
    public int validRegs() {
        return (int) getLong(page, RunStruct.VALID_REGS);
    }

    @Override
    public void setValidRegs(int mask) {
        putLong(page, RunStruct.VALID_REGS, mask);
    }

    @Override
    public int dirtyRegs() {
        return (int) getLong(page, RunStruct.DIRTY_REGS);
    }

    @Override
    public void setDirtyRegs(int mask) {
        putLong(page, RunStruct.DIRTY_REGS, mask);
    }

    @Override
    public Regs syncRegs() {
        return regs;
    }

    @Override
    public Sregs syncSregs() {
        return sregs;
    }

    @Override
    public VcpuEvents syncEvents() {
        return events;
    }
}
