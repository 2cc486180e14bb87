package org.softkvm.emulator.decode;

import org.softkvm.emulator.exec.Handler;

/**
 * One decoded instruction. Written by the {@link Decoder} only; semantics read it.
 *
 * <p>It knows its own place ({@link #rip}, {@link #nextRip}), so that the interpreter needs no store to keep RIP exact:
 * blocks are keyed by their address. The small fields are small, because cold code is bound by the memory that its
 * instructions take.
 */
public final class Insn implements Cloneable {
    /** The row of the instruction table. */
    public Op op;
    /** What the interpreter calls. */
    public Handler handler;
    /** Offset of the first byte in CS. */
    public long rip;
    /** Offset of the following instruction in CS, cut to the code size. */
    public long nextRip;
    /** Bytes, 1 to 15. */
    public short length;
    /** Operand size in bytes: 2, 4 or 8. */
    public byte opSize;
    /** Address size in bytes: 2, 4 or 8. */
    public byte addrSize;
    /** Mask of the address size. */
    public long addrMask;
    /** The ModRM byte, or 0. */
    public short modrm;
    /** The last opcode byte. */
    public short opcode;
    /** ModRM.rm is a memory operand. */
    public boolean mem;
    /**
     * ModRM.reg with REX.R, or the register in the opcode with REX.B. For byte operands a register code: 16 to 19 are
     * AH, CH, DH, BH.
     */
    public byte reg;
    /** ModRM.rm as a register with REX.B (byte operands: register code). */
    public byte rm;
    /** Base register of the memory operand; 16 (always zero) where there is none. */
    public byte base = 16;
    /** Index register; 16 where there is none. */
    public byte index = 16;
    /** Index shift, 0 to 3. */
    public byte scale;
    /** Displacement (RIP-relative: the address itself), or the offset of moffs operands. */
    public long disp;
    /** Segment of the memory operand (default or overridden). */
    public byte seg;
    /** A segment override was given (and counts in this mode). */
    public boolean segOverride;
    /** Immediate, extended as the operand kind says; far pointers: offset. */
    public long imm;
    /** Second immediate: ENTER's level, the far pointer's selector, EXTRQ-like forms. */
    public int imm2;
    /** Branch target of relative branches, cut to the operand size. */
    public long target;
    /** Condition of the jump behind this instruction, where one handler executes both; the target is the jump's then. */
    public byte jumpCondition;
    /** LOCK prefix. */
    public boolean lock;
    /** Last of the prefixes F2 and F3, or 0. */
    public short rep;
    /** An operand-size prefix (66h) was there. */
    public boolean prefix66;
    /** The REX byte, or 0. VEX prefixes leave W, R, X and B here as REX has them. */
    public byte rex;
    /** VEX: the register in VEX.vvvv; 0 where the row does not use it. */
    public byte vvvv;
    /**
     * VEX forms that run an SSE method on halves (see {@link Op#halves}): this instruction on the scratch registers; its
     * own {@code inner} is the one for the upper half. Else null.
     */
    public Insn inner;
    /** Vector length of VEX instructions in bytes, 16 or 32; 0 without a VEX prefix. */
    public byte vectorLength;

    /**
     * A copy, with the same row and handler.
     *
     * @return a new instruction, equal in all fields
     */
    public Insn copy() {
        try {
            return (Insn) clone();
        } catch (CloneNotSupportedException e) {
            throw new AssertionError(e);
        }
    }

    /**
     * This instruction with the scratch registers of {@link org.softkvm.emulator.simd.Vex} for its destination and, where
     * its source is a whole vector, for its source.
     *
     * @param register the scratch register that is the destination
     * @param source the scratch register that is the source
     * @param wholeSource whether the source is a vector register or as much memory
     * @param immediate the immediate
     * @return a new instruction
     */
    Insn onScratch(int register, int source, boolean wholeSource, long immediate) {
        Insn n = copy();
        n.inner = null;
        n.mem = mem && !wholeSource;
        n.reg = (byte) register;
        n.rm = wholeSource ? (byte) source : rm;
        n.imm = immediate;
        return n;
    }
}
