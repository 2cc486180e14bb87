package org.softkvm.devices.apic;

/**
 * The registers of a local APIC, numbered by their offset in the page divided by 16, which is also the offset of their
 * MSR from 800h; and what may be written to them.
 */
final class ApicRegister {
    static final int ID = 0x02;
    static final int VERSION = 0x03;
    static final int TPR = 0x08;
    static final int APR = 0x09;
    static final int PPR = 0x0A;
    static final int EOI = 0x0B;
    static final int LDR = 0x0D;
    static final int DFR = 0x0E;
    static final int SVR = 0x0F;
    static final int ISR = 0x10;
    static final int TMR = 0x18;
    static final int IRR = 0x20;
    static final int ESR = 0x28;
    static final int LVT_CMCI = 0x2F;
    static final int ICR = 0x30;
    static final int ICR2 = 0x31;
    static final int LVT_TIMER = 0x32;
    static final int LVT_LINT0 = 0x35;
    static final int LVT_LINT1 = 0x36;
    static final int LVT_ERROR = 0x37;
    static final int TIMER_INITIAL = 0x38;
    static final int TIMER_CURRENT = 0x39;
    static final int TIMER_DIVIDE = 0x3E;
    static final int SELF_IPI = 0x3F;

    /** The bits of the low half of the ICR that are kept. */
    static final int ICR_WRITABLE = 0xCCFFF;

    /** The bits of the low half of the ICR that do not fault in x2APIC mode: the status bit is dropped. */
    static final int ICR_NOT_RESERVED = 0xCDFFF;

    private static final int LVT_STATUS = 1 << 12;
    private static final int LINT_STATUS = LVT_STATUS | 1 << 14;

    private ApicRegister() {}

    static boolean isLvt(int register) {
        return register == LVT_CMCI || register >= LVT_TIMER && register <= LVT_ERROR;
    }

    /** Whether it is a word of the ISR, TMR or IRR. */
    static boolean isVectorWord(int register) {
        return register >= ISR && register < IRR + VectorSet.WORDS;
    }

    static int lvtWritable(int register) {
        return switch (register) {
            case LVT_TIMER -> 0x700FF;
            case LVT_LINT0, LVT_LINT1 -> 0x1A7FF;
            case LVT_ERROR -> 0x100FF;
            default -> 0x107FF;
        };
    }

    /** Whether it can be read as an MSR in x2APIC mode. */
    static boolean isX2apicReadable(int register) {
        return switch (register) {
            case ID, VERSION, TPR, PPR, LDR, SVR, ESR, ICR, TIMER_INITIAL, TIMER_CURRENT, TIMER_DIVIDE -> true;
            default -> isVectorWord(register) || isLvt(register);
        };
    }

    /** Whether it can be written as an MSR of 32 bits in x2APIC mode. */
    static boolean isX2apicWritable(int register) {
        return switch (register) {
            case TPR, EOI, SVR, ESR, TIMER_INITIAL, TIMER_DIVIDE -> true;
            default -> isLvt(register);
        };
    }

    /** The bits that a write in x2APIC mode may set: the others raise #GP. */
    static long x2apicBits(int register, int svrWritable) {
        return switch (register) {
            case TPR -> 0xFF;
            case SVR -> svrWritable;
            case TIMER_INITIAL -> 0xFFFFFFFFL;
            case TIMER_DIVIDE -> 0xB;
            case LVT_LINT0, LVT_LINT1 -> lvtWritable(register) | LINT_STATUS;
            default -> isLvt(register) ? lvtWritable(register) | LVT_STATUS : 0;
        };
    }
}
