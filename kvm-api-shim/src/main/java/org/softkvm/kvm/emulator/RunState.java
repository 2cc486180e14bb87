package org.softkvm.kvm.emulator;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import java.util.Objects;
import org.softkvm.kvm.Regs;
import org.softkvm.kvm.Sregs;
import org.softkvm.kvm.VcpuEvents;
import org.softkvm.kvm.VcpuRun;

/** The run state of an emulated vcpu: plain fields that the vcpu's thread writes at each exit. */
final class RunState implements VcpuRun {
    private static final ValueLayout.OfShort SHORT =
            ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final int MAX_ERROR_DATA = 16;

    private static final VarHandle IMMEDIATE_EXIT;

    static {
        try {
            IMMEDIATE_EXIT = MethodHandles.lookup().findVarHandle(RunState.class, "immediateExit", boolean.class);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    int exitReason;
    int ioDirection;
    int ioSize;
    int ioPort;
    int ioCount;
    long mmioAddress;
    int mmioLength;
    boolean mmioIsWrite;
    long mmioData;
    int eoiVector;
    int flags;
    int msrReason;
    int msrIndex;
    long msrData;
    boolean msrError;
    long tprAccessRip;
    boolean tprAccessIsWrite;
    int validRegs;
    int dirtyRegs;
    final Regs syncRegs = new Regs();
    final Sregs syncSregs = new Sregs();
    final VcpuEvents syncEvents = new VcpuEvents();
    int debugException;
    long debugPc;
    long debugDr6;
    long debugDr7;
    int internalErrorSuberror;
    int internalErrorDataCount;
    String errorText = "";
    boolean requestInterruptWindow;
    boolean readyForInterruptInjection;
    boolean ifFlag;
    long cr8;
    long apicBase;
    private final MemorySegment ioData;

    private final long[] internalErrorData = new long[MAX_ERROR_DATA];

    @SuppressWarnings("unused") // by IMMEDIATE_EXIT
    private boolean immediateExit;

    /**
     * Makes a run state.
     *
     * @param ioBuffer where the core keeps the data of a port access
     */
    RunState(byte[] ioBuffer) {
        ioData = MemorySegment.ofArray(ioBuffer);
    }

    void addInternalErrorData(long item) {
        internalErrorData[internalErrorDataCount++] = item;
    }

    /** Drops the first items of a port access: they have been served. */
    void dropIoItems(int items) {
        if (items > 0) {
            ioCount -= items;
            MemorySegment.copy(ioData, (long) items * ioSize, ioData, 0, (long) ioCount * ioSize);
        }
    }

    @Override
    public int exitReason() {
        return exitReason;
    }

    @Override
    public int ioDirection() {
        return ioDirection;
    }

    @Override
    public int ioSize() {
        return ioSize;
    }

    @Override
    public int ioPort() {
        return ioPort;
    }

    @Override
    public int ioCount() {
        return ioCount;
    }

    @Override
    public MemorySegment ioData() {
        return ioData;
    }

    @Override
    public int ioValue(int item) {
        Objects.checkIndex(item, ioCount);
        return switch (ioSize) {
            case 1 -> ioData.get(ValueLayout.JAVA_BYTE, item) & 0xFF;
            case 2 -> ioData.get(SHORT, item * 2L) & 0xFFFF;
            default -> ioData.get(INT, item * 4L);
        };
    }

    @Override
    public void setIoValue(int item, int value) {
        Objects.checkIndex(item, ioCount);
        switch (ioSize) {
            case 1 -> ioData.set(ValueLayout.JAVA_BYTE, item, (byte) value);
            case 2 -> ioData.set(SHORT, item * 2L, (short) value);
            default -> ioData.set(INT, item * 4L, value);
        }
    }

    @Override
    public long mmioAddress() {
        return mmioAddress;
    }

    @Override
    public int mmioLength() {
        return mmioLength;
    }

    @Override
    public boolean mmioIsWrite() {
        return mmioIsWrite;
    }

    @Override
    public long mmioData() {
        return mmioData;
    }

    @Override
    public void setMmioData(long data) {
        mmioData = data;
    }

    @Override
    public int eoiVector() {
        return eoiVector;
    }

    @Override
    public int flags() {
        return flags;
    }

    @Override
    public int msrReason() {
        return msrReason;
    }

    @Override
    public int msrIndex() {
        return msrIndex;
    }

    @Override
    public long msrData() {
        return msrData;
    }

    @Override
    public void setMsrData(long data) {
        msrData = data;
    }

    @Override
    public void setMsrError(boolean error) {
        msrError = error;
    }

    @Override
    public long tprAccessRip() {
        return tprAccessRip;
    }

    @Override
    public boolean tprAccessIsWrite() {
        return tprAccessIsWrite;
    }

    @Override
    public int validRegs() {
        return validRegs;
    }

    @Override
    public void setValidRegs(int mask) {
        validRegs = mask;
    }

    @Override
    public int dirtyRegs() {
        return dirtyRegs;
    }

    @Override
    public void setDirtyRegs(int mask) {
        dirtyRegs = mask;
    }

    @Override
    public Regs syncRegs() {
        return syncRegs;
    }

    @Override
    public Sregs syncSregs() {
        return syncSregs;
    }

    @Override
    public VcpuEvents syncEvents() {
        return syncEvents;
    }

    @Override
    public int debugException() {
        return debugException;
    }

    @Override
    public long debugPc() {
        return debugPc;
    }

    @Override
    public long debugDr6() {
        return debugDr6;
    }

    @Override
    public long debugDr7() {
        return debugDr7;
    }

    @Override
    public int internalErrorSuberror() {
        return internalErrorSuberror;
    }

    @Override
    public int internalErrorDataCount() {
        return internalErrorDataCount;
    }

    @Override
    public long internalErrorData(int item) {
        return internalErrorData[Objects.checkIndex(item, internalErrorDataCount)];
    }

    @Override
    public String errorText() {
        return errorText;
    }

    @Override
    public long failEntryReason() {
        return 0;
    }

    @Override
    public int systemEventType() {
        return 0;
    }

    @Override
    public boolean requestInterruptWindow() {
        return requestInterruptWindow;
    }

    @Override
    public void setRequestInterruptWindow(boolean request) {
        requestInterruptWindow = request;
    }

    @Override
    public boolean readyForInterruptInjection() {
        return readyForInterruptInjection;
    }

    @Override
    public boolean ifFlag() {
        return ifFlag;
    }

    @Override
    public boolean immediateExit() {
        return (boolean) IMMEDIATE_EXIT.getOpaque(this);
    }

    @Override
    public void setImmediateExit(boolean immediateExit) {
        IMMEDIATE_EXIT.setOpaque(this, immediateExit);
    }

    @Override
    public long cr8() {
        return cr8;
    }

    @Override
    public void setCr8(long cr8) {
        this.cr8 = cr8;
    }

    @Override
    public long apicBase() {
        return apicBase;
    }

    @Override
    public void setApicBase(long apicBase) {
        this.apicBase = apicBase;
    }
}
