package org.softkvm.kvm;

/**
 * Ids of registers for {@link Vcpu#getOneReg(long)}: together they are the whole state of a vcpu.
 *
 * <p>An id is laid out as upstream's {@code struct kvm_x86_reg_id}: architecture (20h) in bits 63:56, size in bits
 * 55:52 (3: 64 bits), type in bits 39:32, index in bits 31:0. Types 2 (MSR) and 3 (KVM's own, the shadow-stack
 * pointer) are upstream's. Types from {@link #TYPE_GPR} on are SoftKVM's. Every register here is 64 bits: a narrower
 * one is zero-extended, a wider one has several ids.
 */
public final class RegisterId {
    /** Architecture and size: an x86 register of 64 bits. */
    public static final long X86_U64 = 0x2030_0000_0000_0000L;

    /** Type: MSR; the index is the number of the MSR (upstream). */
    public static final int TYPE_MSR = 2;
    /** Type: registers of KVM; the only index is 0, the shadow-stack pointer (upstream). */
    public static final int TYPE_KVM = 3;
    /** Type: general registers by their number in instructions (0 RAX, 1 RCX, ... 15 R15), 16 RIP, 17 RFLAGS. */
    public static final int TYPE_GPR = 0x80;
    /** Type: segment registers; the index is register * 4 + part. */
    public static final int TYPE_SEGMENT = 0x81;
    /** Type: 0 GDTR base, 1 GDTR limit, 2 IDTR base, 3 IDTR limit. */
    public static final int TYPE_DESCRIPTOR_TABLE = 0x82;
    /** Type: control registers by their number (0, 2, 3, 4, 8), 100h XCR0, 110h to 113h the loaded PDPTEs. */
    public static final int TYPE_CONTROL = 0x83;
    /** Type: debug registers by their number (0 to 3, 6, 7). */
    public static final int TYPE_DEBUG = 0x84;
    /** Type: x87; the index is i * 2 for bits 63:0 and i * 2 + 1 for bits 79:64 of ST(i), 10h to 17h the rest. */
    public static final int TYPE_X87 = 0x85;
    /** Type: vector registers; the index is register * 8 + quadword, 1000h is MXCSR. */
    public static final int TYPE_VECTOR = 0x86;
    /** Type: events, with the meaning of {@link VcpuEvents}. */
    public static final int TYPE_EVENT = 0x87;
    /** Type: the local APIC; the index is offset in its page / 16 (see {@link LapicState}). */
    public static final int TYPE_LAPIC = 0x88;

    /**
     * Type: what the emulator has beyond the state that KVM knows of, so that a restored guest goes on to the
     * nanosecond: 0 to 6, see {@link #EMULATOR_PV_EOI} and behind. /dev/kvm has none of them.
     */
    public static final int TYPE_EMULATOR = 0x89;

    /** RAX; the other general registers follow in the order of their numbers in instructions. */
    public static final long RAX = id(TYPE_GPR, 0);
    /** RCX. */
    public static final long RCX = id(TYPE_GPR, 1);
    /** RDX. */
    public static final long RDX = id(TYPE_GPR, 2);
    /** RBX. */
    public static final long RBX = id(TYPE_GPR, 3);
    /** RSP. */
    public static final long RSP = id(TYPE_GPR, 4);
    /** RBP. */
    public static final long RBP = id(TYPE_GPR, 5);
    /** RSI. */
    public static final long RSI = id(TYPE_GPR, 6);
    /** RDI. */
    public static final long RDI = id(TYPE_GPR, 7);
    /** RIP. */
    public static final long RIP = id(TYPE_GPR, 16);
    /** RFLAGS. */
    public static final long RFLAGS = id(TYPE_GPR, 17);

    /** Number of ES in {@link #segment(int, int)}; CS, SS, DS, FS and GS follow as in instructions. */
    public static final int SEGMENT_ES = 0;
    /** Number of CS in {@link #segment(int, int)}. */
    public static final int SEGMENT_CS = 1;
    /** Number of SS in {@link #segment(int, int)}. */
    public static final int SEGMENT_SS = 2;
    /** Number of DS in {@link #segment(int, int)}. */
    public static final int SEGMENT_DS = 3;
    /** Number of FS in {@link #segment(int, int)}. */
    public static final int SEGMENT_FS = 4;
    /** Number of GS in {@link #segment(int, int)}. */
    public static final int SEGMENT_GS = 5;
    /** Number of LDTR in {@link #segment(int, int)}. */
    public static final int SEGMENT_LDTR = 6;
    /** Number of the task register in {@link #segment(int, int)}. */
    public static final int SEGMENT_TR = 7;

    /** Part of a segment register: the selector. */
    public static final int PART_SELECTOR = 0;
    /** Part of a segment register: the base. */
    public static final int PART_BASE = 1;
    /** Part of a segment register: the limit, scaled. */
    public static final int PART_LIMIT = 2;
    /**
     * Part of a segment register: type in bits 3:0, s 4, dpl 6:5, present 7, avl 12, l 13, db 14, g 15, unusable 16
     * (the access rights as VMX has them, Intel SDM volume 3, table 26-2).
     */
    public static final int PART_ACCESS_RIGHTS = 3;

    /** Base of GDTR. */
    public static final long GDTR_BASE = id(TYPE_DESCRIPTOR_TABLE, 0);
    /** Limit of GDTR. */
    public static final long GDTR_LIMIT = id(TYPE_DESCRIPTOR_TABLE, 1);
    /** Base of IDTR. */
    public static final long IDTR_BASE = id(TYPE_DESCRIPTOR_TABLE, 2);
    /** Limit of IDTR. */
    public static final long IDTR_LIMIT = id(TYPE_DESCRIPTOR_TABLE, 3);

    /** CR0. */
    public static final long CR0 = id(TYPE_CONTROL, 0);
    /** CR2. */
    public static final long CR2 = id(TYPE_CONTROL, 2);
    /** CR3. */
    public static final long CR3 = id(TYPE_CONTROL, 3);
    /** CR4. */
    public static final long CR4 = id(TYPE_CONTROL, 4);
    /** CR8. */
    public static final long CR8 = id(TYPE_CONTROL, 8);
    /** XCR0. */
    public static final long XCR0 = id(TYPE_CONTROL, 0x100);
    /** The first of the four PDPTEs that PAE paging loaded with CR3. */
    public static final long PDPTE0 = id(TYPE_CONTROL, 0x110);

    /** x87 control word. */
    public static final long FCW = id(TYPE_X87, 0x10);
    /** x87 status word. */
    public static final long FSW = id(TYPE_X87, 0x11);
    /** x87 abridged tag word, as {@link Fpu#ftwx}. */
    public static final long FTW = id(TYPE_X87, 0x12);
    /** x87 opcode of the last instruction. */
    public static final long FOP = id(TYPE_X87, 0x13);
    /** x87 address of the last instruction. */
    public static final long FIP = id(TYPE_X87, 0x14);
    /** x87 address of the last operand. */
    public static final long FDP = id(TYPE_X87, 0x15);
    /** x87 code selector of the last instruction. */
    public static final long FCS = id(TYPE_X87, 0x16);
    /** x87 selector of the last operand. */
    public static final long FDS = id(TYPE_X87, 0x17);

    /** MXCSR. */
    public static final long MXCSR = id(TYPE_VECTOR, 0x1000);

    /** The exception: nr in bits 7:0, injected 8, has error code 9, pending 10, error code 63:32. */
    public static final long EVENT_EXCEPTION = id(TYPE_EVENT, 0);
    /** The payload of the exception; present (see {@link VcpuEvents#exceptionHasPayload}) by the next id. */
    public static final long EVENT_EXCEPTION_PAYLOAD = id(TYPE_EVENT, 1);
    /** 1 where the payload of the exception is valid. */
    public static final long EVENT_EXCEPTION_HAS_PAYLOAD = id(TYPE_EVENT, 2);
    /** The interrupt: nr in bits 7:0, injected 8, soft 9, shadow 17:16. */
    public static final long EVENT_INTERRUPT = id(TYPE_EVENT, 3);
    /** The NMI: injected in bit 0, pending 1, masked 2. */
    public static final long EVENT_NMI = id(TYPE_EVENT, 4);
    /** System-management mode: in it in bit 0, SMI pending 1, inside an NMI 2, INIT latched 3. */
    public static final long EVENT_SMM = id(TYPE_EVENT, 5);
    /** 1 where a triple fault is pending. */
    public static final long EVENT_TRIPLE_FAULT = id(TYPE_EVENT, 6);
    /** The vector of the start-up message. */
    public static final long EVENT_SIPI_VECTOR = id(TYPE_EVENT, 7);
    /** The number of the {@link MpState}. */
    public static final long MP_STATE = id(TYPE_EVENT, 8);
    /** The vector given by {@link Vcpu#interrupt(int)} that waits, or all ones. */
    public static final long EVENT_PENDING_EXTINT = id(TYPE_EVENT, 9);

    /**
     * 1 where the end of the interrupt in service was offered to the guest by a bit in memory (KVM's paravirtual EOI) and
     * the guest has not taken it. To be read before the local APIC, which withdraws the offer; written, it is made again
     * when the vcpu runs next.
     */
    public static final long EMULATOR_PV_EOI = id(TYPE_EMULATOR, 0);
    /**
     * The time-stamp counter that the guest reads less that of the VM, which all vcpus share: equal for vcpus whose
     * counters agree. In no list: it says the same as the MSR, but for several vcpus at once.
     */
    public static final long EMULATOR_TSC_OFFSET = id(TYPE_EMULATOR, 1);
    /** Instructions executed since the guest started, on whatever machine. */
    public static final long EMULATOR_INSTRUCTIONS = id(TYPE_EMULATOR, 2);
    /** The state of the random generator; under the virtual clock only. */
    public static final long EMULATOR_RANDOM = id(TYPE_EMULATOR, 3);
    /**
     * The local APIC's errors that the ESR does not show yet in bits 7:0, whether the next one raises its interrupt 8,
     * LINT0 and LINT1 asserted 17:16, their level-triggered interrupts not yet ended 19:18, an ExtINT message waits 20.
     */
    public static final long EMULATOR_APIC_LATCHES = id(TYPE_EMULATOR, 4);
    /**
     * Nanoseconds since the count of the local APIC's timer stood at {@link #EMULATOR_APIC_TIMER_START}; written, it
     * counts when that is written.
     */
    public static final long EMULATOR_APIC_TIMER_ELAPSED = id(TYPE_EMULATOR, 5);
    /** The count from which the local APIC's timer counts in bits 31:0, whether it does 32. */
    public static final long EMULATOR_APIC_TIMER_START = id(TYPE_EMULATOR, 6);

    private RegisterId() {}

    /**
     * The id of a type and index.
     *
     * @param type one of the TYPE_ constants
     * @param index the index, with the meaning that the type gives it
     * @return the id of a 64-bit register
     */
    public static long id(int type, int index) {
        return X86_U64 | (long) type << 32 | Integer.toUnsignedLong(index);
    }

    /**
     * The type of an id.
     *
     * @param id an id
     * @return bits 39:32
     */
    public static int type(long id) {
        return (int) (id >>> 32) & 0xFF;
    }

    /**
     * The index of an id.
     *
     * @param id an id
     * @return bits 31:0
     */
    public static int index(long id) {
        return (int) id;
    }

    /**
     * The id of an MSR (upstream's).
     *
     * @param number the number of the MSR
     * @return the id
     */
    public static long msr(int number) {
        return id(TYPE_MSR, number);
    }

    /**
     * The id of a general register.
     *
     * @param number its number in instructions: 0 RAX, 1 RCX, 2 RDX, 3 RBX, 4 RSP, 5 RBP, 6 RSI, 7 RDI, 8 R8 to 15 R15
     * @return the id
     */
    public static long gpr(int number) {
        return id(TYPE_GPR, number);
    }

    /**
     * The id of a part of a segment register.
     *
     * @param segment {@link #SEGMENT_ES} to {@link #SEGMENT_TR}
     * @param part {@link #PART_SELECTOR}, {@link #PART_BASE}, {@link #PART_LIMIT} or {@link #PART_ACCESS_RIGHTS}
     * @return the id
     */
    public static long segment(int segment, int part) {
        return id(TYPE_SEGMENT, segment * 4 + part);
    }

    /**
     * The id of a debug register.
     *
     * @param number 0 to 3, 6 or 7
     * @return the id
     */
    public static long dr(int number) {
        return id(TYPE_DEBUG, number);
    }

    /**
     * The id of the lower 64 bits (the significand) of an x87 register.
     *
     * @param i the position in the stack, 0 to 7
     * @return the id
     */
    public static long stLow(int i) {
        return id(TYPE_X87, i * 2);
    }

    /**
     * The id of the upper 16 bits (sign and exponent) of an x87 register.
     *
     * @param i the position in the stack, 0 to 7
     * @return the id
     */
    public static long stHigh(int i) {
        return id(TYPE_X87, i * 2 + 1);
    }

    /**
     * The id of 64 bits of an XMM or YMM register.
     *
     * @param register 0 to 15
     * @param quadword 0 for bits 63:0, 1 for bits 127:64; 2 and 3 for the upper half of a YMM register
     * @return the id
     */
    public static long xmm(int register, int quadword) {
        return id(TYPE_VECTOR, register * 8 + quadword);
    }

    /**
     * The id of a register of the local APIC.
     *
     * @param offset its offset in the page, a multiple of 16 below 1024
     * @return the id
     */
    public static long lapic(int offset) {
        return id(TYPE_LAPIC, offset >> 4);
    }
}
