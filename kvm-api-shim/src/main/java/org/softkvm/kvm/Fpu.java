package org.softkvm.kvm;

/** x87 and SSE registers ({@code struct kvm_fpu}); made once and reused. */
public final class Fpu {
    /** ST0 to ST7 (by stack position, as FXSAVE has them): 10 bytes each, then 6 bytes that are 0. */
    public final byte[][] fpr = new byte[8][16];
    /** Control word, 16 bits. */
    public int fcw;
    /** Status word, 16 bits. */
    public int fsw;
    /** Abridged tag word, 8 bits: a bit is 1 where the register of that number is not empty. */
    public int ftwx;
    /** Opcode of the last instruction, 11 bits. */
    public int lastOpcode;
    /** Address of the last instruction. */
    public long lastIp;
    /** Address of the last operand. */
    public long lastDp;
    /** XMM0 to XMM15, little-endian. */
    public final byte[][] xmm = new byte[16][16];
    /** MXCSR. */
    public int mxcsr;

    /** Makes a set of registers that are all 0. */
    public Fpu() {}
}
