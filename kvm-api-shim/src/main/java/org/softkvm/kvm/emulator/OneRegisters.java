package org.softkvm.kvm.emulator;

import java.util.Arrays;
import org.softkvm.emulator.VirtualCpu;
import org.softkvm.kvm.Errno;
import org.softkvm.kvm.KvmException;
import org.softkvm.kvm.MpState;
import org.softkvm.kvm.RegisterId;
import org.softkvm.kvm.VcpuEvents;

/** KVM_GET_ONE_REG and KVM_SET_ONE_REG over the whole state of a vcpu; see {@link RegisterId}. */
final class OneRegisters {
    private static final String GET = "KVM_GET_ONE_REG";
    private static final String SET = "KVM_SET_ONE_REG";
    private static final int RIP = 16;
    private static final int RFLAGS = 17;
    private static final int XCR0 = 0x100;
    private static final int PDPTE = 0x110;
    private static final int QUADWORDS_PER_VECTOR = 8;
    private static final int MXCSR = 0x1000;
    private static final int[] DEBUG = {0, 1, 2, 3, 6, 7};

    private final VirtualCpu cpu;
    private final LapicPort port;
    private final boolean hasLapic;
    private final Runner runner;
    private final RegisterSets sets;
    private final MsrAccess msrs;
    private final EmulatorRegisters extras;
    private final VcpuEvents events = new VcpuEvents();

    /** Quadwords of a vector register: of XMM, or of YMM. */
    private final int vectorQuadwords;

    OneRegisters(
            VirtualCpu cpu,
            LapicPort port,
            boolean hasLapic,
            Runner runner,
            RegisterSets sets,
            MsrAccess msrs,
            EmulatorRegisters extras,
            boolean hasYmm) {
        vectorQuadwords = hasYmm ? 4 : 2;
        this.cpu = cpu;
        this.port = port;
        this.hasLapic = hasLapic;
        this.runner = runner;
        this.sets = sets;
        this.msrs = msrs;
        this.extras = extras;
    }

    static KvmException unknown(String call, long id) {
        return new KvmException(call, Errno.EINVAL, "id=0x" + Long.toHexString(id) + " (no such register)");
    }

    static KvmException refused(long id, long value) {
        return new KvmException(
                SET, Errno.EINVAL, "id=0x" + Long.toHexString(id) + " value=0x" + Long.toHexString(value));
    }

    // ---- Reading

    long get(long id) {
        if ((id & ~0xFF_FFFF_FFFFL) != RegisterId.X86_U64) {
            throw unknown(GET, id);
        }
        int index = RegisterId.index(id);
        return switch (RegisterId.type(id)) {
            case RegisterId.TYPE_MSR -> {
                if (!msrs.canRead(index)) {
                    throw unknown(GET, id);
                }
                yield msrs.read(index);
            }
            case RegisterId.TYPE_GPR -> getGeneral(id, index);
            case RegisterId.TYPE_SEGMENT -> getSegment(id, index);
            case RegisterId.TYPE_DESCRIPTOR_TABLE -> getTable(id, index);
            case RegisterId.TYPE_CONTROL -> getControl(id, index);
            case RegisterId.TYPE_DEBUG -> {
                if (!isDebug(index)) {
                    throw unknown(GET, id);
                }
                yield cpu.debugRegister(index);
            }
            case RegisterId.TYPE_X87 -> getX87(id, index);
            case RegisterId.TYPE_VECTOR -> {
                if (index == MXCSR) {
                    yield Integer.toUnsignedLong(cpu.mxcsr());
                }
                if (!isVector(index)) {
                    throw unknown(GET, id);
                }
                yield cpu.vector(index / QUADWORDS_PER_VECTOR, index % QUADWORDS_PER_VECTOR);
            }
            case RegisterId.TYPE_EVENT -> getEvent(id);
            case RegisterId.TYPE_EMULATOR -> extras.get(id);
            case RegisterId.TYPE_LAPIC -> {
                if (!isLapic(index)) {
                    throw unknown(GET, id);
                }
                port.settle();
                yield Integer.toUnsignedLong(sets.getLapicRegister(index * 16));
            }
            default -> throw unknown(GET, id);
        };
    }

    private long getGeneral(long id, int index) {
        if (index == RIP) {
            return cpu.rip();
        }
        if (index == RFLAGS) {
            return cpu.rflags();
        }
        if (index < 0 || index > RFLAGS) {
            throw unknown(GET, id);
        }
        return cpu.register(index);
    }

    private long getSegment(long id, int index) {
        int segment = index >> 2;
        if (index < 0 || segment > RegisterId.SEGMENT_TR) {
            throw unknown(GET, id);
        }
        return switch (index & 3) {
            case RegisterId.PART_SELECTOR -> cpu.segmentSelector(segment) & 0xFFFF;
            case RegisterId.PART_BASE -> cpu.segmentBase(segment);
            case RegisterId.PART_LIMIT -> cpu.segmentLimit(segment) & 0xFFFF_FFFFL;
            default -> cpu.segmentAttributes(segment) & SegmentCodec.ATTRIBUTES;
        };
    }

    private long getTable(long id, int index) {
        return switch (index) {
            case 0 -> cpu.gdtBase();
            case 1 -> cpu.gdtLimit();
            case 2 -> cpu.idtBase();
            case 3 -> cpu.idtLimit();
            default -> throw unknown(GET, id);
        };
    }

    private long getControl(long id, int index) {
        return switch (index) {
            case 0 -> cpu.cr0();
            case 2 -> cpu.cr2();
            case 3 -> cpu.cr3();
            case 4 -> cpu.cr4();
            case 8 -> port.cr8();
            case XCR0 -> cpu.xcr0();
            case PDPTE, PDPTE + 1, PDPTE + 2, PDPTE + 3 -> cpu.pdptr(index - PDPTE);
            default -> throw unknown(GET, id);
        };
    }

    private long getX87(long id, int index) {
        if (index >= 0 && index < 16) {
            return (index & 1) == 0 ? cpu.fpuSignificand(index >> 1) : cpu.fpuSignExponent(index >> 1);
        }
        if (id == RegisterId.FCW) {
            return cpu.fpuControlWord();
        } else if (id == RegisterId.FSW) {
            return cpu.fpuStatusWord();
        } else if (id == RegisterId.FTW) {
            return cpu.fpuAbridgedTag();
        } else if (id == RegisterId.FOP) {
            return cpu.fpuOpcode();
        } else if (id == RegisterId.FIP) {
            return cpu.fpuInstructionPointer();
        } else if (id == RegisterId.FDP) {
            return cpu.fpuDataPointer();
        } else if (id == RegisterId.FCS) {
            return cpu.fpuInstructionSelector();
        } else if (id == RegisterId.FDS) {
            return cpu.fpuDataSelector();
        }
        throw unknown(GET, id);
    }

    private long getEvent(long id) {
        if (id == RegisterId.MP_STATE) {
            return runner.mpState().number();
        }
        if (id == RegisterId.EVENT_PENDING_EXTINT) {
            return hasLapic ? port.queuedVector() : -1;
        }
        runner.takeNmis();
        sets.getEvents(events);
        events.smiLatchedInit = runner.isInitLatched();
        if (id == RegisterId.EVENT_EXCEPTION) {
            return events.exceptionNr
                    | bit(events.exceptionInjected, 8)
                    | bit(events.exceptionHasErrorCode, 9)
                    | bit(events.exceptionPending, 10)
                    | (long) events.exceptionErrorCode << 32;
        } else if (id == RegisterId.EVENT_EXCEPTION_PAYLOAD) {
            return events.exceptionPayload;
        } else if (id == RegisterId.EVENT_EXCEPTION_HAS_PAYLOAD) {
            return bit(events.exceptionHasPayload, 0);
        } else if (id == RegisterId.EVENT_INTERRUPT) {
            return events.interruptNr
                    | bit(events.interruptInjected, 8)
                    | bit(events.interruptSoft, 9)
                    | (long) events.interruptShadow << 16;
        } else if (id == RegisterId.EVENT_NMI) {
            return bit(events.nmiInjected, 0) | bit(events.nmiPending, 1) | bit(events.nmiMasked, 2);
        } else if (id == RegisterId.EVENT_SMM) {
            return bit(events.smm, 0)
                    | bit(events.smiPending, 1)
                    | bit(events.smmInsideNmi, 2)
                    | bit(events.smiLatchedInit, 3);
        } else if (id == RegisterId.EVENT_TRIPLE_FAULT) {
            return bit(events.tripleFaultPending, 0);
        } else if (id == RegisterId.EVENT_SIPI_VECTOR) {
            return runner.startupVector();
        }
        throw unknown(GET, id);
    }

    private static long bit(boolean value, int position) {
        return value ? 1L << position : 0;
    }

    private static boolean isSet(long value, int position) {
        return (value >>> position & 1) != 0;
    }

    private static boolean isDebug(int index) {
        return index >= 0 && index <= 7 && index != 4 && index != 5;
    }

    private boolean isVector(int index) {
        return index >= 0 && index < 16 * QUADWORDS_PER_VECTOR && index % QUADWORDS_PER_VECTOR < vectorQuadwords;
    }

    private boolean isLapic(int index) {
        return hasLapic && index >= 0 && index < 64;
    }

    // ---- Writing

    void set(long id, long value) {
        if ((id & ~0xFF_FFFF_FFFFL) != RegisterId.X86_U64) {
            throw unknown(SET, id);
        }
        int index = RegisterId.index(id);
        switch (RegisterId.type(id)) {
            case RegisterId.TYPE_MSR -> {
                if (!msrs.canRead(index)) {
                    throw unknown(SET, id);
                }
                if (!msrs.write(index, value)) {
                    throw refused(id, value);
                }
            }
            case RegisterId.TYPE_GPR -> setGeneral(id, index, value);
            case RegisterId.TYPE_SEGMENT -> setSegment(id, index, value);
            case RegisterId.TYPE_DESCRIPTOR_TABLE -> setTable(id, index, value);
            case RegisterId.TYPE_CONTROL -> setControl(id, index, value);
            case RegisterId.TYPE_DEBUG -> {
                if (!isDebug(index)) {
                    throw unknown(SET, id);
                }
                if (index >= 6 && value >>> 32 != 0) {
                    throw refused(id, value);
                }
                cpu.setDebugRegister(index, value);
            }
            case RegisterId.TYPE_X87 -> setX87(id, index, value);
            case RegisterId.TYPE_VECTOR -> {
                if (index == MXCSR) {
                    if ((value & ~0xFFFFL) != 0) {
                        throw refused(id, value);
                    }
                    cpu.setMxcsr((int) value);
                } else if (isVector(index)) {
                    cpu.setVector(index / QUADWORDS_PER_VECTOR, index % QUADWORDS_PER_VECTOR, value);
                } else {
                    throw unknown(SET, id);
                }
            }
            case RegisterId.TYPE_EVENT -> setEvent(id, value);
            case RegisterId.TYPE_EMULATOR -> extras.set(id, value);
            case RegisterId.TYPE_LAPIC -> {
                if (!isLapic(index)) {
                    throw unknown(SET, id);
                }
                port.settle();
                if (value >>> 32 != 0 || !sets.setLapicRegister(index * 16, (int) value)) {
                    throw refused(id, value);
                }
            }
            default -> throw unknown(SET, id);
        }
    }

    private void setGeneral(long id, int index, long value) {
        if (index == RIP) {
            cpu.setRip(value);
        } else if (index == RFLAGS) {
            sets.setRflags(value);
        } else if (index >= 0 && index < RIP) {
            cpu.setRegister(index, value);
        } else {
            throw unknown(SET, id);
        }
    }

    private void setSegment(long id, int index, long value) {
        int segment = index >> 2;
        if (index < 0 || segment > RegisterId.SEGMENT_TR) {
            throw unknown(SET, id);
        }
        int selector = cpu.segmentSelector(segment);
        long base = cpu.segmentBase(segment);
        long limit = cpu.segmentLimit(segment);
        int attributes = cpu.segmentAttributes(segment);
        long most;
        switch (index & 3) {
            case RegisterId.PART_SELECTOR -> {
                selector = (int) value;
                most = 0xFFFF;
            }
            case RegisterId.PART_BASE -> {
                base = value;
                most = -1;
            }
            case RegisterId.PART_LIMIT -> {
                limit = value;
                most = 0xFFFF_FFFFL;
            }
            default -> {
                attributes = (int) value;
                most = SegmentCodec.ATTRIBUTES;
            }
        }
        if ((value & ~most) != 0) {
            throw refused(id, value);
        }
        cpu.setSegment(segment, selector, base, limit, attributes);
    }

    private void setTable(long id, int index, long value) {
        if ((index & 1) != 0 && value >>> 16 != 0) {
            throw refused(id, value);
        }
        switch (index) {
            case 0 -> cpu.setGdt(value, cpu.gdtLimit());
            case 1 -> cpu.setGdt(cpu.gdtBase(), (int) value);
            case 2 -> cpu.setIdt(value, cpu.idtLimit());
            case 3 -> cpu.setIdt(cpu.idtBase(), (int) value);
            default -> throw unknown(SET, id);
        }
    }

    /** One control register; that they go together is for the caller to see to, who may write them in any order. */
    private void setControl(long id, int index, long value) {
        switch (index) {
            case 0 -> {
                if (value >>> 32 != 0) {
                    throw refused(id, value);
                }
                cpu.setControl(value, cpu.cr2(), cpu.cr3(), cpu.cr4(), cpu.efer());
            }
            case 2 -> cpu.setControl(cpu.cr0(), value, cpu.cr3(), cpu.cr4(), cpu.efer());
            case 3 -> cpu.setControl(cpu.cr0(), cpu.cr2(), value, cpu.cr4(), cpu.efer());
            case 4 -> {
                if ((value & CpuBits.cr4Reserved(cpu)) != 0) {
                    throw refused(id, value);
                }
                cpu.setControl(cpu.cr0(), cpu.cr2(), cpu.cr3(), value, cpu.efer());
            }
            case 8 -> {
                if (value >>> 4 != 0) {
                    throw refused(id, value);
                }
                port.setCr8FromOutside((int) value);
            }
            case XCR0 -> {
                if ((value & 1) == 0) {
                    throw refused(id, value);
                }
                cpu.setXcr0(value);
            }
            case PDPTE, PDPTE + 1, PDPTE + 2, PDPTE + 3 -> cpu.setPdptr(index - PDPTE, value);
            default -> throw unknown(SET, id);
        }
    }

    private void setX87(long id, int index, long value) {
        if (index >= 0 && index < 16) {
            int i = index >> 1;
            if ((index & 1) == 0) {
                cpu.setFpuRegister(i, cpu.fpuSignExponent(i), value);
            } else if (value >>> 16 != 0) {
                throw refused(id, value);
            } else {
                cpu.setFpuRegister(i, (int) value, cpu.fpuSignificand(i));
            }
            return;
        }
        long most = id == RegisterId.FIP || id == RegisterId.FDP ? -1 : id == RegisterId.FTW ? 0xFF : 0xFFFF;
        if ((value & ~most) != 0) {
            throw refused(id, value);
        }
        if (id == RegisterId.FCW) {
            cpu.setFpuControlWord((int) value);
        } else if (id == RegisterId.FSW) {
            cpu.setFpuStatusWord((int) value);
        } else if (id == RegisterId.FTW) {
            cpu.setFpuAbridgedTag((int) value);
        } else if (id == RegisterId.FOP) {
            cpu.setFpuOpcode((int) value);
        } else if (id == RegisterId.FIP) {
            cpu.setFpuInstruction(cpu.fpuInstructionSelector(), value);
        } else if (id == RegisterId.FDP) {
            cpu.setFpuData(cpu.fpuDataSelector(), value);
        } else if (id == RegisterId.FCS) {
            cpu.setFpuInstruction((int) value, cpu.fpuInstructionPointer());
        } else if (id == RegisterId.FDS) {
            cpu.setFpuData((int) value, cpu.fpuDataPointer());
        } else {
            throw unknown(SET, id);
        }
    }

    private void setEvent(long id, long value) {
        if (id == RegisterId.MP_STATE) {
            setMpState(id, value);
            return;
        }
        if (id == RegisterId.EVENT_PENDING_EXTINT) {
            if (hasLapic && value >= -1 && value <= 255) {
                port.setQueuedVector((int) value);
                cpu.requestInterruptCheck();
            } else if (value != -1) {
                throw refused(id, value);
            }
            return;
        }
        if (id == RegisterId.EVENT_SIPI_VECTOR) {
            if (value < 0 || value > 255) {
                throw refused(id, value);
            }
            runner.setStartupVector((int) value);
            return;
        }
        runner.takeNmis();
        sets.getEvents(events);
        events.flags = VcpuEvents.VALID_NMI_PENDING | VcpuEvents.VALID_SHADOW;
        if (id == RegisterId.EVENT_EXCEPTION) {
            events.exceptionNr = (int) value & 0xFF;
            events.exceptionInjected = isSet(value, 8);
            events.exceptionHasErrorCode = isSet(value, 9);
            events.exceptionPending = isSet(value, 10);
            events.exceptionErrorCode = (int) (value >>> 32);
            if (events.exceptionPending) {
                throw refused(id, value);
            }
        } else if (id == RegisterId.EVENT_INTERRUPT) {
            events.interruptNr = (int) value & 0xFF;
            events.interruptInjected = isSet(value, 8);
            events.interruptSoft = isSet(value, 9);
            events.interruptShadow = (int) (value >>> 16) & 3;
        } else if (id == RegisterId.EVENT_NMI) {
            events.nmiInjected = isSet(value, 0);
            events.nmiPending = isSet(value, 1);
            events.nmiMasked = isSet(value, 2);
        } else if (id == RegisterId.EVENT_SMM) {
            if (value >>> 4 != 0) {
                throw refused(id, value);
            }
            events.flags |= VcpuEvents.VALID_SMM;
            events.smm = isSet(value, 0);
            events.smiPending = isSet(value, 1);
            events.smmInsideNmi = isSet(value, 2);
            events.smiLatchedInit = isSet(value, 3);
        } else if (id == RegisterId.EVENT_EXCEPTION_PAYLOAD
                || id == RegisterId.EVENT_EXCEPTION_HAS_PAYLOAD
                || id == RegisterId.EVENT_TRIPLE_FAULT) {
            // What the backend does not have is always 0.
            if (value != 0) {
                throw refused(id, value);
            }
            return;
        } else {
            throw unknown(SET, id);
        }
        sets.setEvents(events);
        if (id == RegisterId.EVENT_SMM) {
            runner.setInitLatched(events.smiLatchedInit);
        }
    }

    private void setMpState(long id, long value) {
        if (value < 0 || value > MpState.SIPI_RECEIVED.number()) {
            throw refused(id, value);
        }
        MpState state = MpState.of((int) value);
        if (!hasLapic && state != MpState.RUNNABLE) {
            throw refused(id, value);
        }
        runner.setMpState(state);
    }

    // ---- The whole state

    /** All ids, in an order in which writing them restores the state. */
    long[] list() {
        long[] ids = new long[512];
        int n = extras.addBefore(ids, 0);
        for (int msr : MsrList.indices()) {
            // The deadline is taken only once the timer is in its mode.
            if (msr != MsrList.TSC_DEADLINE && msrs.canRead(msr)) {
                ids[n++] = RegisterId.msr(msr);
            }
        }
        ids[n++] = RegisterId.CR0;
        ids[n++] = RegisterId.CR2;
        ids[n++] = RegisterId.CR3;
        ids[n++] = RegisterId.CR4;
        ids[n++] = RegisterId.XCR0;
        for (int i = 0; i < 4; i++) {
            ids[n++] = RegisterId.PDPTE0 + i;
        }
        ids[n++] = RegisterId.GDTR_BASE;
        ids[n++] = RegisterId.GDTR_LIMIT;
        ids[n++] = RegisterId.IDTR_BASE;
        ids[n++] = RegisterId.IDTR_LIMIT;
        for (int segment = 0; segment <= RegisterId.SEGMENT_TR; segment++) {
            for (int part = 0; part < 4; part++) {
                ids[n++] = RegisterId.segment(segment, part);
            }
        }
        for (int i = 0; i <= RFLAGS; i++) {
            ids[n++] = RegisterId.gpr(i);
        }
        for (int i : DEBUG) {
            ids[n++] = RegisterId.dr(i);
        }
        // The status word first: the registers are relative to the top of the stack.
        for (long id : new long[] {
            RegisterId.FCW,
            RegisterId.FSW,
            RegisterId.FOP,
            RegisterId.FIP,
            RegisterId.FDP,
            RegisterId.FCS,
            RegisterId.FDS
        }) {
            ids[n++] = id;
        }
        for (int i = 0; i < 8; i++) {
            ids[n++] = RegisterId.stLow(i);
            ids[n++] = RegisterId.stHigh(i);
        }
        ids[n++] = RegisterId.FTW;
        for (int i = 0; i < 16; i++) {
            for (int quadword = 0; quadword < vectorQuadwords; quadword++) {
                ids[n++] = RegisterId.xmm(i, quadword);
            }
        }
        ids[n++] = RegisterId.MXCSR;
        if (hasLapic) {
            for (int index = 0; index < 64; index++) {
                ids[n++] = RegisterId.lapic(index * 16);
            }
            ids[n++] = RegisterId.msr(MsrList.TSC_DEADLINE);
        }
        n = extras.addBehind(ids, n);
        ids[n++] = RegisterId.CR8;
        ids[n++] = RegisterId.EVENT_EXCEPTION;
        ids[n++] = RegisterId.EVENT_EXCEPTION_PAYLOAD;
        ids[n++] = RegisterId.EVENT_EXCEPTION_HAS_PAYLOAD;
        ids[n++] = RegisterId.EVENT_INTERRUPT;
        ids[n++] = RegisterId.EVENT_NMI;
        ids[n++] = RegisterId.EVENT_SMM;
        ids[n++] = RegisterId.EVENT_TRIPLE_FAULT;
        ids[n++] = RegisterId.EVENT_SIPI_VECTOR;
        ids[n++] = RegisterId.EVENT_PENDING_EXTINT;
        ids[n++] = RegisterId.MP_STATE;
        return Arrays.copyOf(ids, n);
    }
}
