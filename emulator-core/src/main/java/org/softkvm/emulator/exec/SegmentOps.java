package org.softkvm.emulator.exec;

import org.softkvm.emulator.cpu.Cpu;
import org.softkvm.emulator.cpu.Descriptors;
import org.softkvm.emulator.cpu.Flags;
import org.softkvm.emulator.cpu.Segmentation;
import org.softkvm.emulator.decode.Feature;
import org.softkvm.emulator.decode.Insn;

/** Segment registers as operands, and the descriptor table instructions (Intel SDM volume 2). */
public final class SegmentOps {
    private SegmentOps() {}

    // ---------------------------------------------------------------- moves

    /** The segment register in ModRM.reg: two bits on the 8086, no FS and GS before the 80386. */
    private static int segment(Cpu c, Insn i) {
        int reg = i.modrm >> 3 & 7;
        if (!c.model.has(Feature.I286)) {
            return reg & 3;
        }
        if (reg > (c.model.has(Feature.I386) ? Cpu.GS : Cpu.DS)) {
            throw c.ud();
        }
        return reg;
    }

    /** MOV r/m, Sreg: 16 bits to memory, zero-extended to a register. */
    public static void movFromSegment(Cpu c, Insn i) {
        int selector = c.segSel[segment(c, i)];
        if (i.mem) {
            c.write16(c.eaWrite(i, 2), selector);
        } else {
            c.set(i.rm, i.opSize, selector);
        }
    }

    /** MOV Sreg, r/m16; CS only on the 8086. */
    public static void movToSegment(Cpu c, Insn i) {
        int seg = segment(c, i);
        if (seg == Cpu.CS) {
            if (c.model.has(Feature.I286)) {
                throw c.ud();
            }
            Segmentation.loadReal(c, Cpu.CS, (int) c.getRm(i, 2));
            c.rip = i.nextRip;
            return;
        }
        Segmentation.load(c, seg, (int) c.getRm(i, 2));
        if (seg == Cpu.SS) {
            c.shadow = Cpu.SHADOW_SS;
        }
    }

    /** The segment register in the opcode of PUSH and POP: 06 to 1F, 0F A0 to 0F A9. */
    private static int opcodeSegment(Insn i) {
        return i.opcode >> 3 & 7;
    }

    /** PUSH Sreg: a 32-bit push moves the stack pointer by 4 but writes 16 bits, as recent CPUs do. */
    public static void push(Cpu c, Insn i) {
        int size = i.opSize;
        int selector = c.segSel[opcodeSegment(i)];
        long offset = c.spMask(c.r[Cpu.RSP] - size);
        if (size == 4) {
            c.write16(c.stackWrite(offset, 2), selector);
        } else {
            c.write(c.stackWrite(offset, size), size, selector);
        }
        c.setSp(offset);
    }

    /** POP Sreg; POP CS only on the 8086. */
    public static void pop(Cpu c, Insn i) {
        int seg = opcodeSegment(i);
        long sp = c.sp();
        int selector = c.read16(c.stackRead(sp, 2));
        if (seg == Cpu.CS) {
            Segmentation.loadReal(c, Cpu.CS, selector);
            c.setSp(c.spMask(sp + 2));
            c.rip = i.nextRip;
            return;
        }
        int stackSize = c.stackAddressSize();
        Segmentation.load(c, seg, selector);
        c.set(Cpu.RSP, stackSize, sp + i.opSize);
        if (seg == Cpu.SS) {
            c.shadow = Cpu.SHADOW_SS;
        }
    }

    private static void loadFar(Cpu c, Insn i, int seg) {
        long offset = FarTransfer.pointerOffset(c, i);
        Segmentation.load(c, seg, FarTransfer.pointerSelector(c, i));
        c.set(i.reg, i.opSize, offset);
    }

    /** LES. */
    public static void les(Cpu c, Insn i) {
        loadFar(c, i, Cpu.ES);
    }

    /** LDS. */
    public static void lds(Cpu c, Insn i) {
        loadFar(c, i, Cpu.DS);
    }

    /** LSS. */
    public static void lss(Cpu c, Insn i) {
        loadFar(c, i, Cpu.SS);
    }

    /** LFS. */
    public static void lfs(Cpu c, Insn i) {
        loadFar(c, i, Cpu.FS);
    }

    /** LGS. */
    public static void lgs(Cpu c, Insn i) {
        loadFar(c, i, Cpu.GS);
    }

    // ---------------------------------------------------------------- looking at descriptors

    private static void setZero(Cpu c, boolean set) {
        int flags = c.arith();
        c.setArith(set ? flags | Flags.ZF : flags & ~Flags.ZF);
    }

    private static void requireProtected(Cpu c) {
        if (c.realOrV86()) {
            throw c.ud();
        }
    }

    /** The descriptor, or 0 where the selector is null or outside its table. */
    private static long look(Cpu c, int selector) {
        if (Descriptors.isNull(selector)) {
            return 0;
        }
        long address = Descriptors.address(c, selector, 8);
        return address == -1 ? 0 : Descriptors.raw(c, address);
    }

    private static boolean visible(Cpu c, int selector, long d) {
        return Descriptors.isCode(d) && Descriptors.isConforming(d)
                || Descriptors.dpl(d) >= Math.max(c.cpl, selector & 3);
    }

    /** Whether LAR (or LSL) accepts the descriptor's type. */
    private static boolean acceptable(Cpu c, int selector, long d, boolean lar) {
        if (Descriptors.isSegment(d)) {
            return true;
        }
        boolean longMode = c.longMode();
        boolean good = switch (Descriptors.type(d)) {
            case Descriptors.TSS16, Descriptors.TSS16 | Descriptors.TSS_BUSY -> !longMode;
            case Descriptors.CALL_GATE16, Descriptors.TASK_GATE -> lar && !longMode;
            case Descriptors.LDT -> true;
            case Descriptors.TSS32, Descriptors.TSS32 | Descriptors.TSS_BUSY -> c.model.has(Feature.I386);
            case Descriptors.CALL_GATE32 -> lar && c.model.has(Feature.I386);
            default -> false;
        };
        if (!good || !longMode) {
            return good;
        }
        long address = Descriptors.address(c, selector, 16);
        return address != -1 && (c.sysRead(address + 8, 8) >>> 40 & 0x1F) == 0;
    }

    /** LAR. */
    public static void lar(Cpu c, Insn i) {
        requireProtected(c);
        int selector = (int) c.getRm(i, 2);
        long d = look(c, selector);
        boolean good = d != 0 && acceptable(c, selector, d, true) && visible(c, selector, d);
        if (good) {
            c.set(i.reg, i.opSize, d >>> 32 & (i.opSize == 2 ? 0xFF00 : 0x00FFFF00));
        }
        setZero(c, good);
    }

    /** LSL. */
    public static void lsl(Cpu c, Insn i) {
        requireProtected(c);
        int selector = (int) c.getRm(i, 2);
        long d = look(c, selector);
        boolean good = d != 0 && acceptable(c, selector, d, false) && visible(c, selector, d);
        if (good) {
            c.set(i.reg, i.opSize, Descriptors.limit(d));
        }
        setZero(c, good);
    }

    /** VERR. */
    public static void verr(Cpu c, Insn i) {
        requireProtected(c);
        int selector = (int) c.getRm(i, 2);
        long d = look(c, selector);
        setZero(c, Descriptors.isReadable(d) && visible(c, selector, d));
    }

    /** VERW. */
    public static void verw(Cpu c, Insn i) {
        requireProtected(c);
        int selector = (int) c.getRm(i, 2);
        long d = look(c, selector);
        setZero(c, Descriptors.isWritableData(d) && visible(c, selector, d));
    }

    /** ARPL. */
    public static void arpl(Cpu c, Insn i) {
        requireProtected(c);
        int source = (int) c.r[i.reg] & 3;
        int old;
        if (i.mem) {
            long la = c.eaWrite(i, 2);
            old = c.rmw16(la);
            if ((old & 3) < source) {
                c.write16(la, old & ~3 | source);
            }
        } else {
            old = (int) c.r[i.rm] & 0xFFFF;
            if ((old & 3) < source) {
                c.set16(i.rm, old & ~3 | source);
            }
        }
        setZero(c, (old & 3) < source);
    }

    // ---------------------------------------------------------------- table registers

    private static void requirePrivileged(Cpu c) {
        if (c.cpl != 0) {
            throw c.gp(0);
        }
    }

    private static void checkUmip(Cpu c) {
        if (c.cpl != 0 && (c.cr4 & Cpu.CR4_UMIP) != 0) {
            throw c.gp(0);
        }
    }

    private static void store(Cpu c, Insn i, int limit, long base) {
        checkUmip(c);
        int size = c.mode64 ? 8 : 4;
        long at = c.eaWrite(i, 2);
        long baseAt = c.segWrite(i.seg, c.ea(i) + 2 & i.addrMask, size);
        c.checkWrite(at, 2);
        c.checkWrite(baseAt, size);
        c.write16(at, limit);
        // The 80286 fills the last byte with ones; later CPUs store the whole base whatever the operand size.
        c.write(baseAt, size, c.model.has(Feature.I386) ? base : base | 0xFF000000L);
    }

    /** SGDT. */
    public static void sgdt(Cpu c, Insn i) {
        store(c, i, c.gdtLimit, c.gdtBase);
    }

    /** SIDT. */
    public static void sidt(Cpu c, Insn i) {
        store(c, i, c.idtLimit, c.idtBase);
    }

    /** The base operand of LGDT and LIDT: 24 bits with a 16-bit operand size. */
    private static long loadBase(Cpu c, Insn i) {
        if (c.mode64) {
            long base = c.read64(c.segRead(i.seg, c.ea(i) + 2 & i.addrMask, 8));
            if (base << 16 >> 16 != base) {
                throw c.gp(0);
            }
            return base;
        }
        long base = c.read32(c.segRead(i.seg, c.ea(i) + 2 & i.addrMask, 4)) & 0xFFFFFFFFL;
        return i.opSize == 2 ? base & 0xFFFFFF : base;
    }

    /** LGDT. */
    public static void lgdt(Cpu c, Insn i) {
        requirePrivileged(c);
        int limit = c.read16(c.eaRead(i, 2));
        c.gdtBase = loadBase(c, i);
        c.gdtLimit = limit;
    }

    /** LIDT. */
    public static void lidt(Cpu c, Insn i) {
        requirePrivileged(c);
        int limit = c.read16(c.eaRead(i, 2));
        c.idtBase = loadBase(c, i);
        c.idtLimit = limit;
    }

    private static void storeWord(Cpu c, Insn i, long value) {
        if (i.mem) {
            c.write16(c.eaWrite(i, 2), (int) value);
        } else {
            c.set(i.rm, i.opSize, value);
        }
    }

    /** SLDT. */
    public static void sldt(Cpu c, Insn i) {
        requireProtected(c);
        checkUmip(c);
        storeWord(c, i, c.segSel[Cpu.LDTR]);
    }

    /** STR. */
    public static void str(Cpu c, Insn i) {
        requireProtected(c);
        checkUmip(c);
        storeWord(c, i, c.segSel[Cpu.TR]);
    }

    /** SMSW: the whole CR0 into a 32- or 64-bit register; the 80286 has ones in the upper bits. */
    public static void smsw(Cpu c, Insn i) {
        checkUmip(c);
        long value = c.model.has(Feature.I386) ? c.cr0 & 0xFFFFFFFFL : c.cr0 & 0xF | 0xFFF0;
        storeWord(c, i, value);
    }

    /** LLDT. */
    public static void lldt(Cpu c, Insn i) {
        requireProtected(c);
        requirePrivileged(c);
        Segmentation.loadLdt(c, (int) c.getRm(i, 2));
    }

    /** LTR. */
    public static void ltr(Cpu c, Insn i) {
        requireProtected(c);
        requirePrivileged(c);
        Segmentation.loadTr(c, (int) c.getRm(i, 2));
    }
}
