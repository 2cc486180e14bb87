package org.softkvm.emulator.decode;

/**
 * Operand kinds, in the notation of the opcode maps (Intel SDM volume 2, appendix A.2): addressing method, then type.
 * b = 8, w = 16, d = 32, q = 64 bits, v = operand size (16, 32, 64), y = 32 or 64, z = 16 or 32, x = 128 bits.
 * V, W, U, H, L and Mx are 256 bits wide where VEX.L is 1 ({@link Insn#vectorLength}); Wx and Ux are not.
 */
public enum Operand {
    /** ModRM.rm: byte register or memory. */
    Eb(1, true),
    /** ModRM.rm: 16-bit register or memory. */
    Ew(2, true),
    /** ModRM.rm: 32-bit register or memory. */
    Ed(4, true),
    /** ModRM.rm: 64-bit register or memory. */
    Eq(8, true),
    /** ModRM.rm by operand size. */
    Ev(0, true),
    /** ModRM.rm, 32 bits, or 64 with REX.W. */
    Ey(-1, true),
    /** ModRM.reg: byte register. */
    Gb(1, false),
    /** ModRM.reg: 16 bits. */
    Gw(2, false),
    /** ModRM.reg: 32 bits. */
    Gd(4, false),
    /** ModRM.reg: 64 bits. */
    Gq(8, false),
    /** ModRM.reg by operand size. */
    Gv(0, false),
    /** ModRM.reg, 32 bits, or 64 with REX.W. */
    Gy(-1, false),
    /** Register in the opcode's low three bits, byte. */
    Zb(1, false),
    /** Register in the opcode's low three bits, by operand size. */
    Zv(0, false),
    /** ModRM.rm: memory only, any size. */
    M(0, true),
    /** ModRM.rm: memory only, byte. */
    Mb(1, true),
    /** ModRM.rm: memory only, 16 bits. */
    Mw(2, true),
    /** ModRM.rm: memory only, 32 bits. */
    Md(4, true),
    /** ModRM.rm: memory only, 64 bits. */
    Mq(8, true),
    /** ModRM.rm: memory only, 80 bits. */
    Mt(10, true),
    /** ModRM.rm: memory only, 128 bits. */
    Mx(16, true),
    /** ModRM.rm: memory only, far pointer or pair by operand size. */
    Mp(0, true),
    /** Immediate byte, zero-extended. */
    Ib(1, false),
    /** Immediate byte, sign-extended to the operand size. */
    Ibs(0, false),
    /** Immediate 16 bits. */
    Iw(2, false),
    /** Immediate by operand size, at most 32 bits, sign-extended to 64. */
    Iz(0, false),
    /** Immediate by operand size, up to 64 bits. */
    Iv(0, false),
    /** Relative branch, byte. */
    Jb(0, false),
    /** Relative branch, 16 or 32 bits. */
    Jz(0, false),
    /** Absolute memory offset of a byte. */
    Ob(1, false),
    /** Absolute memory offset by operand size. */
    Ov(0, false),
    /** Far pointer immediate. */
    Ap(0, false),
    /** AL. */
    AL(1, false),
    /** AX, EAX, RAX by operand size. */
    rAX(0, false),
    /** CL. */
    CL(1, false),
    /** DX. */
    DX(2, false),
    /** The constant 1. */
    One(1, false),
    /** ModRM.reg: segment register. */
    Sw(2, false),
    /** ModRM.reg: control register. */
    Cd(0, false),
    /** ModRM.reg: debug register. */
    Dd(0, false),
    /** ModRM.rm: general register only, by operand size (mode size for control registers). */
    Ry(0, false),
    /** DS:SI string byte. */
    Xb(1, false),
    /** DS:SI string element by operand size. */
    Xv(0, false),
    /** ES:DI string byte. */
    Yb(1, false),
    /** ES:DI string element by operand size. */
    Yv(0, false),
    /** A segment register named by the opcode. */
    Seg(2, false),
    /** ModRM.reg: XMM register. */
    V(16, false),
    /** ModRM.rm: XMM register or memory. */
    W(16, true),
    /** ModRM.rm: low 64 bits of an XMM register, or 64 bits of memory. */
    Wq(8, true),
    /** ModRM.rm: low 32 bits of an XMM register, or 32 bits of memory. */
    Wd(4, true),
    /** ModRM.rm: low 16 bits of an XMM register, or 16 bits of memory. */
    Ww(2, true),
    /** ModRM.rm: low 8 bits of an XMM register, or 8 bits of memory. */
    Wb(1, true),
    /** ModRM.rm: XMM register only. */
    U(16, false),
    /** ModRM.rm: XMM register or 128 bits of memory, whatever VEX.L is. */
    Wx(16, true),
    /** ModRM.rm: XMM register only, whatever VEX.L is. */
    Ux(16, false),
    /** VEX.vvvv: vector register. */
    H(16, false),
    /** Vector register in the high four bits of an immediate byte ({@link Insn#imm2}). */
    L(16, false),
    /** ModRM.rm with SIB: memory with a vector of indexes (VSIB); the index register's number is in {@link Insn#rm}. */
    VM(0, true),
    /** VEX.vvvv: general register, 32 bits, or 64 with VEX.W. */
    By(-1, false),
    /** ModRM.reg: MMX register. */
    P(8, false),
    /** ModRM.rm: MMX register or memory. */
    Q(8, true),
    /** ModRM.rm: low 32 bits of an MMX register, or 32 bits of memory. */
    Qd(4, true),
    /** ModRM.rm: MMX register only. */
    N(8, false),
    /** x87 ST(0). */
    ST0(10, false),
    /** x87 ST(i), i in ModRM.rm. */
    STi(10, false);

    private final int size;
    private final boolean modrmMemory;

    Operand(int size, boolean modrmMemory) {
        this.size = size;
        this.modrmMemory = modrmMemory;
    }

    /**
     * The operand's size for an operand size attribute.
     *
     * @param opSize 2, 4 or 8
     * @return bytes
     */
    public int size(int opSize) {
        return size == 0 ? opSize : size == -1 ? (opSize == 8 ? 8 : 4) : size;
    }

    /**
     * Whether it is ModRM.rm and may be memory.
     *
     * @return true for E, M, W and Q kinds
     */
    public boolean mayBeMemory() {
        return modrmMemory;
    }
}
