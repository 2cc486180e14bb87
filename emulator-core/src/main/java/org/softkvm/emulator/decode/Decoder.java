package org.softkvm.emulator.decode;

import java.util.Objects;
import org.softkvm.emulator.CpuModel;
import org.softkvm.emulator.cpu.Cpu;
import org.softkvm.emulator.cpu.Mmu;
import org.softkvm.emulator.exec.HandlerFactory;
import org.softkvm.emulator.simd.Vex;

/**
 * Decodes one instruction from guest memory by the instruction table (Intel SDM volume 2, chapter 2). Guest exceptions
 * that belong to the fetch (#PF, #GP for the limit or for more than 15 bytes) are thrown; an encoding that does not exist
 * decodes to the row {@link #INVALID}, whose meaning is #UD.
 */
public final class Decoder {
    private static final int MAX_LENGTH = 15;

    /** CR0, CR2, CR3, CR4, CR8. */
    private static final int CONTROL_REGISTERS = 0x11D;

    /** The row of everything undefined: #UD. */
    public static final Op INVALID = new Op(0, 0, -1, -1, Op.Prefix.ANY, false, false, "(bad)", java.util.List.of())
            .state(Decoder.class, "invalid")
            .ends();

    /** VEX.pp. */
    private static final Op.Prefix[] VEX_PREFIXES = {Op.Prefix.NP, Op.Prefix.P66, Op.Prefix.PF3, Op.Prefix.PF2};

    private final Cpu c;
    private final CpuModel model;
    private final boolean has386;
    private final boolean has286;

    private int codeBits;
    private long start;
    private int position;
    private long ipMask;
    private int maxLength;
    private int sib;

    /**
     * A decoder for one vcpu.
     *
     * @param c the vcpu
     */
    public Decoder(Cpu c) {
        // The table is made with the first vcpu, not by its first instruction.
        Objects.requireNonNull(OpTable.INSTANCE);
        this.c = c;
        this.model = c.model;
        this.has386 = model.has(Feature.I386);
        this.has286 = model.has(Feature.I286);
    }

    /**
     * The meaning of an undefined encoding.
     *
     * @param c the vcpu
     * @param i the instruction
     */
    public static void invalid(Cpu c, Insn i) {
        throw c.ud();
    }

    private int next8() {
        if (position >= maxLength) {
            throw c.gp(0);
        }
        long ip = start + position & ipMask;
        int b = Mmu.fetch8(c, ip);
        position++;
        return b;
    }

    private int next16() {
        int low = next8();
        return low | next8() << 8;
    }

    private int next32() {
        int low = next16();
        return low | next16() << 16;
    }

    private long next64() {
        long low = next32() & 0xFFFFFFFFL;
        return low | (long) next32() << 32;
    }

    /**
     * Decodes the instruction at an offset of the present code segment.
     *
     * @param rip offset in CS
     * @return a new instruction
     */
    public Insn decode(long rip) {
        codeBits = c.codeBits();
        start = rip;
        position = 0;
        ipMask = codeBits == 64 ? -1L : has386 ? 0xFFFFFFFFL : 0xFFFF;
        // The 8086 has no limit; the cap only ends an endless run of prefixes.
        maxLength = has386 ? MAX_LENGTH : has286 ? 10 : 4096;
        Insn i = new Insn();
        i.rip = rip;
        i.seg = Cpu.DS;
        int segment = -1;
        boolean p66 = false;
        boolean p67 = false;
        int b;
        prefixes:
        while (true) {
            b = next8();
            switch (b) {
                case 0x26, 0x2E, 0x36, 0x3E -> {
                    if (codeBits != 64) {
                        segment = b >> 3 & 3;
                    }
                    i.rex = 0;
                }
                case 0x64, 0x65 -> {
                    if (!has386) {
                        break prefixes;
                    }
                    segment = b - 0x60;
                    i.rex = 0;
                }
                case 0x66 -> {
                    if (!has386) {
                        break prefixes;
                    }
                    p66 = true;
                    i.rex = 0;
                }
                case 0x67 -> {
                    if (!has386) {
                        break prefixes;
                    }
                    p67 = true;
                    i.rex = 0;
                }
                case 0xF0 -> {
                    i.lock = true;
                    i.rex = 0;
                }
                case 0xF1 -> {
                    if (has386) {
                        break prefixes;
                    }
                    // The 8086 and 80286 take F1 for another LOCK.
                    i.lock = !has286 || i.lock;
                }
                case 0xF2, 0xF3 -> {
                    i.rep = (short) b;
                    i.rex = 0;
                }
                default -> {
                    if (codeBits == 64 && (b & 0xF0) == 0x40) {
                        i.rex = (byte) b;
                    } else {
                        break prefixes;
                    }
                }
            }
        }
        i.prefix66 = p66;
        i.segOverride = segment >= 0;
        i.addrSize = (byte) (codeBits == 64 ? (p67 ? 4 : 8) : (codeBits == 32) != p67 ? 4 : 2);
        i.addrMask = i.addrSize == 8 ? -1L : i.addrSize == 4 ? 0xFFFFFFFFL : 0xFFFF;

        boolean vex = b >= 0xC4 && b <= 0xC5 && isVex();
        Op op = vex ? vex(i, b) : legacy(i, b);
        if (op == null) {
            return finish(i, INVALID);
        }
        boolean memory = (i.modrm & 0xC0) != 0xC0;
        int defaultSize = codeBits == 64 ? (i.rex & 8) != 0 ? 8 : p66 ? 2 : 4 : (codeBits == 32) != p66 ? 4 : 2;
        if (codeBits == 64) {
            if (op.size64 == Op.Size64.F64) {
                defaultSize = 8;
            } else if (op.size64 == Op.Size64.D64 && defaultSize == 4) {
                defaultSize = 8;
            }
        }
        i.opSize = (byte) (vex && defaultSize == 2 ? 4 : defaultSize);
        if (op.modrm) {
            i.reg = (byte) (i.modrm >> 3 & 7 | (i.rex & 4) << 1);
            i.rm = (byte) (i.modrm & 7 | (i.rex & 1) << 3);
            boolean register = !memory || op.alwaysRegister;
            if (!register) {
                i.mem = true;
                decodeMemory(i);
                if (op.vsib) {
                    if (i.addrSize == 2 || (i.modrm & 7) != 4) {
                        return finish(i, INVALID);
                    }
                    i.index = Cpu.ZERO;
                    i.scale = (byte) (sib >> 6);
                    i.rm = (byte) (sib >> 3 & 7 | (i.rex & 2) << 2);
                    if (i.reg == i.rm || i.reg == i.vvvv || i.rm == i.vvvv) {
                        return finish(i, INVALID);
                    }
                }
            }
        } else if (op.plusR) {
            i.reg = (byte) (i.opcode & 7 | (i.rex & 1) << 3);
        }
        if (segment >= 0) {
            i.seg = (byte) segment;
        }
        int immediates = 0;
        boolean relative = false;
        for (Operand operand : op.operandArray) {
            switch (operand) {
                case Gb -> i.reg = (byte) byteCode(i.reg, i.rex);
                case Zb -> i.reg = (byte) byteCode(i.reg, i.rex);
                case Eb -> {
                    if (!i.mem) {
                        i.rm = (byte) byteCode(i.rm, i.rex);
                    }
                }
                case Sw -> {
                    i.reg &= 7;
                    // From the 386 on there are six, and CS cannot be loaded.
                    if (has386
                            && (i.reg > Cpu.GS
                                    || i.reg == Cpu.CS && op.operands().getFirst() == Operand.Sw)) {
                        return finish(i, INVALID);
                    }
                }
                case Cd -> {
                    if ((CONTROL_REGISTERS >> i.reg & 1) == 0) {
                        return finish(i, INVALID);
                    }
                }
                case P -> i.reg &= 7;
                case Q, Qd, N, STi -> i.rm &= 7;
                case Ib -> immediate(i, immediates++, next8());
                case L -> {
                    i.imm = next8();
                    i.imm2 = (int) i.imm >> 4 & (codeBits == 64 ? 15 : 7);
                }
                case Ibs -> immediate(i, immediates++, (byte) next8());
                case Iw -> immediate(i, immediates++, next16());
                case Iz -> immediate(i, immediates++, i.opSize == 2 ? (short) next16() : next32());
                case Iv ->
                    immediate(i, immediates++, i.opSize == 2 ? (short) next16() : i.opSize == 4 ? next32() : next64());
                case Jb -> {
                    i.imm = (byte) next8();
                    relative = true;
                }
                case Jz -> {
                    i.imm = i.opSize == 2 ? (short) next16() : next32();
                    relative = true;
                }
                case Ob, Ov -> {
                    i.mem = true;
                    i.disp = i.addrSize == 2 ? next16() : i.addrSize == 4 ? next32() & 0xFFFFFFFFL : next64();
                }
                case Ap -> {
                    i.imm = i.opSize == 2 ? next16() : next32() & 0xFFFFFFFFL;
                    i.imm2 = next16();
                }
                default -> {}
            }
        }
        finish(i, op);
        if (relative) {
            long sizeMask = i.opSize == 8 ? -1L : i.opSize == 4 ? 0xFFFFFFFFL : 0xFFFF;
            i.target = i.nextRip + i.imm & sizeMask;
        }
        if (i.base == RIP) {
            i.base = Cpu.ZERO;
            i.disp += i.nextRip;
        }
        if (op.vectorForm() == Op.VectorForm.HALVES) {
            boolean whole = op.hasWholeSource();
            i.inner = i.onScratch(Vex.DESTINATION, Vex.SOURCE, whole, i.imm);
            if (op.isWide()) {
                i.inner.inner = i.onScratch(Vex.DESTINATION, Vex.SOURCE, whole, i.imm >>> op.highImmediateShift());
            }
        }
        i.handler = HandlerFactory.handler(i, codeBits);
        return i;
    }

    /** Opcode and row of an instruction without VEX prefix; null where there is none. */
    private Op legacy(Insn i, int first) {
        int map = 0;
        int b = first;
        if (b == 0x0F && has286) {
            b = next8();
            map = 1;
            if (b == 0x38) {
                map = 2;
                b = next8();
            } else if (b == 0x3A) {
                map = 3;
                b = next8();
            }
        }
        i.opcode = (short) b;
        Op[] candidates = OpTable.INSTANCE.candidates(map, b);
        if (candidates == null) {
            return null;
        }
        for (Op op : candidates) {
            // One opcode either has a ModRM byte in all its forms or in none, within a mode.
            if (op.modrm && modeFits(op) && op.existsOn(model)) {
                i.modrm = (short) next8();
                break;
            }
        }
        boolean memory = (i.modrm & 0xC0) != 0xC0;
        for (Op candidate : candidates) {
            if (matches(candidate, i, i.prefix66, memory)) {
                return candidate;
            }
        }
        return null;
    }

    /** Whether C4 or C5 is VEX: always in 64-bit code, else where LES or LDS would have a register as source. */
    private boolean isVex() {
        if (codeBits == 64) {
            return true;
        }
        if (!has386) {
            return false;
        }
        int second = next8();
        position--;
        return second >= 0xC0;
    }

    /** Prefix, opcode and row of a VEX instruction (Intel SDM volume 2, 2.3); null where it is undefined. */
    private Op vex(Insn i, int b) {
        if (i.prefix66 || i.rep != 0 || i.lock || i.rex != 0 || c.realOrV86()) {
            return null;
        }
        int map = 1;
        int first = next8();
        int last = first;
        int rex = (~first >> 5 & 4) | 0x40;
        if (b == 0xC4) {
            last = next8();
            rex |= ~first >> 5 & 3 | last >> 4 & 8;
            map = first & 0x1F;
        }
        int vvvv = ~last >> 3 & 15;
        if (codeBits == 64) {
            i.rex = (byte) rex;
        }
        i.vectorLength = (byte) (16 << (last >> 2 & 1));
        i.opcode = (short) next8();
        Op[] candidates = OpTable.INSTANCE.vexCandidates(map, i.opcode);
        if (candidates == null) {
            return null;
        }
        if (candidates[0].modrm) {
            i.modrm = (short) next8();
        }
        boolean memory = (i.modrm & 0xC0) != 0xC0;
        for (Op op : candidates) {
            if (op.existsOn(model)
                    && modeFits(op)
                    && VEX_PREFIXES[last & 3] == op.prefix
                    && (op.vexL < 0 || op.vexL == (last >> 2 & 1))
                    && (op.requiredW < 0 || op.requiredW == (rex >> 3 & 1))
                    && (op.group < 0 || (i.modrm >> 3 & 7) == op.group)
                    && (memory ? !op.isRegisterOnly() : !op.isMemoryOnly())) {
                if (!op.usesVvvv && vvvv != 0) {
                    return null;
                }
                // Outside 64-bit code there are eight registers, and the bit is ignored.
                i.vvvv = (byte) (codeBits == 64 ? vvvv : vvvv & 7);
                return op;
            }
        }
        return null;
    }

    /** Marks RIP as the base until the length is known. */
    private static final int RIP = 17;

    private static void immediate(Insn i, int number, long value) {
        if (number == 0) {
            i.imm = value;
        } else {
            i.imm2 = (int) value;
        }
    }

    private static int byteCode(int n, int rex) {
        return rex == 0 && n >= 4 && n < 8 ? n + 12 : n;
    }

    private Insn finish(Insn i, Op op) {
        i.op = op;
        if (i.lock
                && has386
                && !(op.isLockable() && i.mem && op.operands().getFirst().mayBeMemory())) {
            i.op = INVALID;
        }
        i.length = (short) position;
        i.nextRip = start + position & ipMask;
        if (i.op == INVALID) {
            i.opSize = (byte) Math.max(i.opSize, 2);
            i.handler = HandlerFactory.handler(i, codeBits);
        }
        return i;
    }

    private boolean modeFits(Op op) {
        return switch (op.modes) {
            case ALL -> true;
            case NOT64 -> codeBits != 64;
            case ONLY64 -> codeBits == 64;
        };
    }

    private boolean matches(Op op, Insn i, boolean p66, boolean memory) {
        if (!modeFits(op) || !op.existsOn(model)) {
            return false;
        }
        boolean prefixFits = switch (op.prefix) {
            case ANY -> true;
            case NP -> !p66 && i.rep == 0;
            case NFX -> i.rep == 0;
            case P66 -> p66 && i.rep == 0;
            case PF3 -> i.rep == 0xF3;
            case PF2 -> i.rep == 0xF2;
        };
        if (!prefixFits) {
            return false;
        }
        if (op.group >= 0 && (i.modrm >> 3 & 7) != op.group) {
            return false;
        }
        if (op.modrmFixed >= 0 && i.modrm != op.modrmFixed) {
            return false;
        }
        if (op.isMemoryOnly() && !memory || op.isRegisterOnly() && memory) {
            return false;
        }
        return op.requiredW < 0 || op.requiredW == (i.rex >> 3 & 1);
    }

    private void decodeMemory(Insn i) {
        int mod = i.modrm >> 6;
        int rm = i.modrm & 7;
        if (i.addrSize == 2) {
            switch (rm) {
                case 0 -> pair(i, Cpu.RBX, Cpu.RSI, Cpu.DS);
                case 1 -> pair(i, Cpu.RBX, Cpu.RDI, Cpu.DS);
                case 2 -> pair(i, Cpu.RBP, Cpu.RSI, Cpu.SS);
                case 3 -> pair(i, Cpu.RBP, Cpu.RDI, Cpu.SS);
                case 4 -> pair(i, Cpu.RSI, Cpu.ZERO, Cpu.DS);
                case 5 -> pair(i, Cpu.RDI, Cpu.ZERO, Cpu.DS);
                case 6 -> {
                    if (mod != 0) {
                        pair(i, Cpu.RBP, Cpu.ZERO, Cpu.SS);
                    }
                }
                default -> pair(i, Cpu.RBX, Cpu.ZERO, Cpu.DS);
            }
            if (mod == 1) {
                i.disp = (byte) next8();
            } else if (mod == 2 || mod == 0 && rm == 6) {
                i.disp = (short) next16();
            }
            return;
        }
        if (rm == 4) {
            sib = next8();
            int index = sib >> 3 & 7 | (i.rex & 2) << 2;
            int base = sib & 7 | (i.rex & 1) << 3;
            if (index != 4) {
                i.index = (byte) index;
                i.scale = (byte) (sib >> 6);
            }
            if ((sib & 7) == 5 && mod == 0) {
                i.disp = next32();
            } else {
                i.base = (byte) base;
            }
        } else if (rm == 5 && mod == 0) {
            i.disp = next32();
            if (codeBits == 64) {
                i.base = RIP;
            }
        } else {
            i.base = (byte) (rm | (i.rex & 1) << 3);
        }
        if (i.base == Cpu.RSP || i.base == Cpu.RBP) {
            i.seg = Cpu.SS;
        }
        if (mod == 1) {
            i.disp = (byte) next8();
        } else if (mod == 2) {
            i.disp = next32();
        }
    }

    private static void pair(Insn i, int base, int index, int seg) {
        i.base = (byte) base;
        i.index = (byte) index;
        i.seg = (byte) seg;
    }
}
