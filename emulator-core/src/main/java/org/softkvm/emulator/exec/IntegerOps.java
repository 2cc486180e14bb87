package org.softkvm.emulator.exec;

import java.lang.invoke.VarHandle;
import org.softkvm.emulator.cpu.Cpu;
import org.softkvm.emulator.cpu.Flags;
import org.softkvm.emulator.cpu.GuestFault;
import org.softkvm.emulator.cpu.Locked;
import org.softkvm.emulator.cpu.Vector;
import org.softkvm.emulator.decode.Feature;
import org.softkvm.emulator.decode.Insn;

/** Integer instructions that are not plain value methods: stack, exchange, bit strings, BCD, flags. */
public final class IntegerOps {
    /** Every so many PAUSEs a spin loop gives its host processor away. */
    private static final int PAUSES = 64;

    private IntegerOps() {}

    /** NOP, hints and prefetches: no access. */
    public static void nop(Cpu c, Insn i) {
        // Nothing.
    }

    /** PAUSE: a spin loop gives the host's other threads a chance. */
    public static void pause(Cpu c, Insn i) {
        if (++c.pauses % PAUSES != 0 || !c.memory.isShared()) {
            Thread.onSpinWait();
        } else {
            // Whom this vcpu waits for may be waiting for a processor of the host.
            Thread.yield();
        }
    }

    /** MFENCE: no later load passes an earlier store. The only order that x86 does not keep by itself. */
    public static void mfence(Cpu c, Insn i) {
        VarHandle.fullFence();
    }

    /** CRC32 of a word, doubleword or quadword; the destination is 32 bits wide, or 64 with REX.W. */
    public static void crc32(Cpu c, Insn i) {
        int size = i.opSize;
        long data = c.getRm(i, size);
        int crc = (int) c.r[i.reg];
        for (int k = 0; k < size; k++) {
            crc = Alu.crcByte(crc, (int) (data >>> 8 * k) & 0xFF);
        }
        c.set32(i.reg, crc);
    }

    /** LEA. */
    public static void lea(Cpu c, Insn i) {
        c.set(i.reg, i.opSize, c.ea(i));
    }

    // ---------------------------------------------------------------- stack

    /** PUSH r. The 8086 pushes the new SP where later CPUs push the old one. */
    public static void pushReg(Cpu c, Insn i) {
        if (i.reg == Cpu.RSP && !c.model.has(Feature.I286)) {
            c.push(2, c.r[Cpu.RSP] - 2);
            return;
        }
        c.push(i.opSize, c.r[i.reg]);
    }

    /** PUSH r/m. */
    public static void pushRm(Cpu c, Insn i) {
        if (!i.mem && i.rm == Cpu.RSP && !c.model.has(Feature.I286)) {
            c.push(2, c.r[Cpu.RSP] - 2);
            return;
        }
        c.push(i.opSize, c.getRm(i, i.opSize));
    }

    /** PUSH imm. */
    public static void pushImm(Cpu c, Insn i) {
        c.push(i.opSize, i.imm);
    }

    /** POP r. */
    public static void popReg(Cpu c, Insn i) {
        long value = c.pop(i.opSize);
        c.set(i.reg, i.opSize, value);
    }

    /** POP r/m: the address is computed with the stack pointer after the pop. */
    public static void popRm(Cpu c, Insn i) {
        int size = i.opSize;
        if (!i.mem) {
            long value = c.pop(size);
            c.set(i.rm, size, value);
            return;
        }
        long old = c.r[Cpu.RSP];
        long value = c.pop(size);
        boolean done = false;
        try {
            long la = c.eaWrite(i, size);
            c.write(la, size, value);
            done = true;
        } finally {
            if (!done) {
                c.r[Cpu.RSP] = old;
            }
        }
    }

    /** PUSHA, PUSHAD. */
    public static void pusha(Cpu c, Insn i) {
        int size = i.opSize;
        long sp = c.r[Cpu.RSP];
        // All eight places are checked before the first is written.
        for (int k = 1; k <= 8; k++) {
            c.checkWrite(c.stackWrite(c.spMask(sp - (long) k * size), size), size);
        }
        for (int k = 0; k < 8; k++) {
            c.write(c.stackWrite(c.spMask(sp - (long) (k + 1) * size), size), size, k == Cpu.RSP ? sp : c.r[k]);
        }
        c.setSp(c.spMask(sp - 8L * size));
    }

    /** POPA, POPAD. */
    public static void popa(Cpu c, Insn i) {
        int size = i.opSize;
        long sp = c.r[Cpu.RSP];
        for (int k = 0; k < 8; k++) {
            c.read(c.stackRead(c.spMask(sp + (long) k * size), size), size);
        }
        c.exitInfo.rewind();
        for (int k = 7; k >= 0; k--) {
            long value = c.read(c.stackRead(c.spMask(sp + (long) (7 - k) * size), size), size);
            if (k != Cpu.RSP) {
                c.set(k, size, value);
            }
        }
        c.setSp(c.spMask(sp + 8L * size));
    }

    /** ENTER. */
    public static void enter(Cpu c, Insn i) {
        int size = i.opSize;
        int level = i.imm2 & 31;
        long sp = c.r[Cpu.RSP];
        long at = c.spMask(sp - size);
        int pushed = 0;
        long last;
        try {
            c.checkWrite(c.stackWrite(at, size), size);
            pushed++;
            for (int k = 1; k < level; k++) {
                c.read(c.stackRead(c.spMask(c.r[Cpu.RBP] - (long) k * size), size), size);
                at = c.spMask(at - size);
                c.checkWrite(c.stackWrite(at, size), size);
                pushed++;
            }
            if (level > 0) {
                at = c.spMask(at - size);
                c.checkWrite(c.stackWrite(at, size), size);
                pushed++;
            }
            last = c.spMask(at - (i.imm & 0xFFFF));
            // The CPU probes the new top of the stack with a write.
            if (c.model.has(Feature.I386)) {
                c.checkWrite(c.stackWrite(last, size), size);
            }
        } catch (GuestFault f) {
            // What a CPU has pushed before the fault is in memory, below the stack pointer.
            pushFrames(c, i, pushed);
            throw f;
        }
        pushFrames(c, i, pushed);
        c.set(Cpu.RBP, size, c.spMask(sp - size));
        c.setSp(last);
    }

    /** The first values that ENTER pushes: RBP, the frame pointers that it leads to, the new one. */
    private static void pushFrames(Cpu c, Insn i, int count) {
        int size = i.opSize;
        int level = i.imm2 & 31;
        long bp = c.r[Cpu.RBP];
        long frame = c.spMask(c.r[Cpu.RSP] - size);
        long at = frame;
        c.exitInfo.rewind();
        for (int k = 0; k < count; k++) {
            long value =
                    k == 0 ? bp : k < level ? c.read(c.stackRead(c.spMask(bp - (long) k * size), size), size) : frame;
            c.write(c.stackWrite(at, size), size, value);
            at = c.spMask(at - size);
        }
    }

    /** LEAVE. */
    public static void leave(Cpu c, Insn i) {
        int size = i.opSize;
        long offset = c.spMask(c.r[Cpu.RBP]);
        long value = c.read(c.stackRead(offset, size), size);
        c.setSp(c.spMask(offset + size));
        c.set(Cpu.RBP, size, value);
    }

    // ---------------------------------------------------------------- exchange

    /** XCHG r/m8, r8. */
    public static void xchgb(Cpu c, Insn i) {
        if (i.mem) {
            long la = c.eaWrite(i, 1);
            // XCHG with memory is locked with or without the prefix.
            int old;
            do {
                old = c.rmw8(la);
            } while (!c.cas8(la, old, c.get8(i.reg)));
            c.set8(i.reg, old);
        } else {
            int old = c.get8(i.rm);
            c.set8(i.rm, c.get8(i.reg));
            c.set8(i.reg, old);
        }
    }

    private static long rmw(Cpu c, long la, int size) {
        return switch (size) {
            case 2 -> c.rmw16(la);
            case 4 -> c.rmw32(la) & 0xFFFFFFFFL;
            default -> c.rmw64(la);
        };
    }

    /** XCHG r/m, r. */
    public static void xchgv(Cpu c, Insn i) {
        int size = i.opSize;
        if (i.mem) {
            long la = c.eaWrite(i, size);
            long old;
            do {
                old = rmw(c, la, size);
            } while (!c.cas(la, size, old, c.r[i.reg]));
            c.set(i.reg, size, old);
        } else {
            long old = c.get(i.rm, size);
            c.set(i.rm, size, c.r[i.reg]);
            c.set(i.reg, size, old);
        }
    }

    /** XCHG rAX, r. */
    public static void xchgAx(Cpu c, Insn i) {
        if (i.reg == Cpu.RAX) {
            // 90h is NOP: in 64-bit mode it must not cut RAX.
            return;
        }
        long old = c.get(Cpu.RAX, i.opSize);
        c.set(Cpu.RAX, i.opSize, c.r[i.reg]);
        c.set(i.reg, i.opSize, old);
    }

    /** Stores what was computed from a value read by rmw: at once, or where LOCK demands it by compare-and-set. */
    private static boolean store(Cpu c, Insn i, long la, int size, long old, long value) {
        if (i.lock) {
            return c.cas(la, size, old, value);
        }
        c.write(la, size, value);
        return true;
    }

    /** XADD r/m8, r8. */
    public static void xaddb(Cpu c, Insn i) {
        int b = c.get8(i.reg);
        int a;
        if (i.mem) {
            long la = c.eaWrite(i, 1);
            do {
                a = c.rmw8(la);
            } while (!store(c, i, la, 1, a, a + b));
            c.set8(i.reg, a);
        } else {
            a = c.get8(i.rm);
            c.set8(i.reg, a);
            c.set8(i.rm, a + b);
        }
        c.setLazy(Flags.ADD, a, b);
    }

    /** XADD r/m, r. */
    public static void xaddv(Cpu c, Insn i) {
        int size = i.opSize;
        long b = c.get(i.reg, size);
        long a;
        if (i.mem) {
            long la = c.eaWrite(i, size);
            do {
                a = rmw(c, la, size);
            } while (!store(c, i, la, size, a, a + b));
            c.set(i.reg, size, a);
        } else {
            a = c.get(i.rm, size);
            c.set(i.reg, size, a);
            c.set(i.rm, size, a + b);
        }
        c.setLazy(Flags.ADD | Integer.numberOfTrailingZeros(size), a, b);
    }

    /** CMPXCHG r/m8, r8. */
    public static void cmpxchgb(Cpu c, Insn i) {
        int al = c.get8(Cpu.RAX);
        int old;
        if (i.mem) {
            long la = c.eaWrite(i, 1);
            do {
                old = c.rmw8(la);
            } while (!store(c, i, la, 1, old, al == old ? c.get8(i.reg) : old));
        } else {
            old = c.get8(i.rm);
            if (al == old) {
                c.set8(i.rm, c.get8(i.reg));
            }
        }
        if (al != old) {
            c.set8(Cpu.RAX, old);
        }
        c.setLazy(Flags.SUB, al, old);
    }

    /** CMPXCHG r/m, r. The memory operand is written in either case. */
    public static void cmpxchgv(Cpu c, Insn i) {
        int size = i.opSize;
        long ax = c.get(Cpu.RAX, size);
        long old;
        if (i.mem) {
            long la = c.eaWrite(i, size);
            do {
                old = rmw(c, la, size);
            } while (!store(c, i, la, size, old, ax == old ? c.r[i.reg] : old));
        } else {
            old = c.get(i.rm, size);
            if (ax == old) {
                c.set(i.rm, size, c.r[i.reg]);
            }
        }
        if (ax != old) {
            c.set(Cpu.RAX, size, old);
        }
        c.setLazy(Flags.SUB | Integer.numberOfTrailingZeros(size), ax, old);
    }

    /** CMPXCHG8B, CMPXCHG16B. */
    public static void cmpxchg2(Cpu c, Insn i) {
        boolean wide = i.opSize == 8;
        int half = wide ? 8 : 4;
        long la = c.eaWrite(i, 2 * half);
        if (wide && (la & 15) != 0) {
            throw c.gp(0);
        }
        c.checkWrite(la, 2 * half);
        int flags = c.arith() & ~Flags.ZF;
        boolean equal = Locked.compareAndSetPair(
                c,
                i.lock,
                la,
                half,
                c.get(Cpu.RAX, half),
                c.get(Cpu.RDX, half),
                c.get(Cpu.RBX, half),
                c.get(Cpu.RCX, half));
        if (equal) {
            c.setArith(flags | Flags.ZF);
        } else {
            c.set(Cpu.RAX, half, c.t0);
            c.set(Cpu.RDX, half, c.t1);
            c.setArith(flags);
        }
    }

    // ---------------------------------------------------------------- bit strings in memory

    private static long bitAddress(Cpu c, Insn i, boolean write) {
        int size = i.opSize;
        int shift = 64 - 8 * size;
        long n = c.r[i.reg] << shift >> shift;
        int bitsLog = size == 2 ? 4 : size == 4 ? 5 : 6;
        long offset = c.ea(i) + (n >> bitsLog) * size & i.addrMask;
        return write ? c.segWrite(i.seg, offset, size) : c.segRead(i.seg, offset, size);
    }

    private static void bitFlags(Cpu c, boolean set) {
        c.setArith(c.arith() & ~Flags.CF | (set ? Flags.CF : 0));
    }

    /** BT m, r. */
    public static void btMem(Cpu c, Insn i) {
        long v = c.read(bitAddress(c, i, false), i.opSize);
        bitFlags(c, (v >>> (c.r[i.reg] & i.opSize * 8 - 1) & 1) != 0);
    }

    private static void change(Cpu c, Insn i, int kind) {
        long la = bitAddress(c, i, true);
        long bit = 1L << (c.r[i.reg] & i.opSize * 8 - 1);
        long v;
        do {
            v = rmw(c, la, i.opSize);
        } while (!store(c, i, la, i.opSize, v, kind == 0 ? v | bit : kind == 1 ? v & ~bit : v ^ bit));
        bitFlags(c, (v & bit) != 0);
    }

    /** BTS m, r. */
    public static void btsMem(Cpu c, Insn i) {
        change(c, i, 0);
    }

    /** BTR m, r. */
    public static void btrMem(Cpu c, Insn i) {
        change(c, i, 1);
    }

    /** BTC m, r. */
    public static void btcMem(Cpu c, Insn i) {
        change(c, i, 2);
    }

    // ---------------------------------------------------------------- conversions, flags

    /** CBW, CWDE, CDQE. */
    public static void cbw(Cpu c, Insn i) {
        switch (i.opSize) {
            case 2 -> c.set16(Cpu.RAX, (byte) c.r[Cpu.RAX]);
            case 4 -> c.set32(Cpu.RAX, (short) c.r[Cpu.RAX]);
            default -> c.r[Cpu.RAX] = (int) c.r[Cpu.RAX];
        }
    }

    /** CWD, CDQ, CQO. */
    public static void cwd(Cpu c, Insn i) {
        int shift = 64 - 8 * i.opSize;
        c.set(Cpu.RDX, i.opSize, c.r[Cpu.RAX] << shift >> 63);
    }

    /** LAHF. */
    public static void lahf(Cpu c, Insn i) {
        c.set8(16, c.arith() & 0xD5 | 2);
    }

    /** SAHF. */
    public static void sahf(Cpu c, Insn i) {
        c.setArith(c.arith() & Flags.OF | c.get8(16) & 0xD5);
    }

    /** CLC. */
    public static void clc(Cpu c, Insn i) {
        c.setArith(c.arith() & ~Flags.CF);
    }

    /** STC. */
    public static void stc(Cpu c, Insn i) {
        c.setArith(c.arith() | Flags.CF);
    }

    /** CMC. */
    public static void cmc(Cpu c, Insn i) {
        c.setArith(c.arith() ^ Flags.CF);
    }

    /** CLD. */
    public static void cld(Cpu c, Insn i) {
        c.eflags &= ~Flags.DF;
    }

    /** STD. */
    public static void std(Cpu c, Insn i) {
        c.eflags |= Flags.DF;
    }

    /** SALC: undocumented, on all Intel CPUs outside 64-bit mode. */
    public static void salc(Cpu c, Insn i) {
        c.set8(Cpu.RAX, -c.carry());
    }

    /** XLAT. */
    public static void xlat(Cpu c, Insn i) {
        long offset = c.r[Cpu.RBX] + c.get8(Cpu.RAX) & i.addrMask;
        c.set8(Cpu.RAX, c.read8(c.segRead(i.seg, offset, 1)));
    }

    /** D0 to D3 /6 of the 8086: all ones. */
    public static int setmo8(Cpu c, int a, int n) {
        if ((n & 0xFF) == 0) {
            return a;
        }
        c.setArith(Flags.SF | Flags.PF);
        return 0xFF;
    }

    /** D1, D3 /6 of the 8086. */
    public static int setmo16(Cpu c, int a, int n) {
        if ((n & 0xFF) == 0) {
            return a;
        }
        c.setArith(Flags.SF | Flags.PF);
        return 0xFFFF;
    }

    /** The FPU's escape opcodes on a CPU without one: #NM by the machine status word, else an operand is read and dropped. */
    public static void escape(Cpu c, Insn i) {
        if ((c.cr0 & (Cpu.CR0_EM | Cpu.CR0_TS)) != 0) {
            throw c.fault(Vector.NM, 0);
        }
        if (i.mem) {
            c.read16(c.eaRead(i, 2));
        }
    }

    // ---------------------------------------------------------------- BCD

    private static int szp(int v) {
        return ((v & 0x80) != 0 ? Flags.SF : 0) | ((v & 0xFF) == 0 ? Flags.ZF : 0) | (Flags.parity(v) ? Flags.PF : 0);
    }

    /** DAA. */
    public static void daa(Cpu c, Insn i) {
        int f = c.arith();
        int old = c.get8(Cpu.RAX);
        int al = old;
        boolean cf = (f & Flags.CF) != 0;
        boolean low = (al & 15) > 9 || (f & Flags.AF) != 0;
        // The 8086 compares the upper digit with 9Fh where AF was set.
        int limit = !c.model.has(Feature.I186) && (f & Flags.AF) != 0 ? 0x9F : 0x99;
        boolean high = old > limit || cf;
        if (low) {
            al += 6;
        }
        if (high) {
            al += 0x60;
        }
        c.set8(Cpu.RAX, al);
        c.setArith(szp(al) | (low ? Flags.AF : 0) | (high ? Flags.CF : 0));
    }

    /** DAS. */
    public static void das(Cpu c, Insn i) {
        int f = c.arith();
        int old = c.get8(Cpu.RAX);
        int al = old;
        boolean cf = (f & Flags.CF) != 0;
        boolean low = (al & 15) > 9 || (f & Flags.AF) != 0;
        boolean first = !c.model.has(Feature.I186);
        int limit = first && (f & Flags.AF) != 0 ? 0x9F : 0x99;
        boolean high = old > limit || cf;
        boolean carry = high;
        if (low) {
            carry |= !first && al < 6;
            al -= 6;
        }
        if (high) {
            al -= 0x60;
        }
        c.set8(Cpu.RAX, al);
        c.setArith(szp(al) | (low ? Flags.AF : 0) | (carry ? Flags.CF : 0));
    }

    /** AAA. The 8086 adds to AL and AH apart, later CPUs to AX. */
    public static void aaa(Cpu c, Insn i) {
        asciiAdjust(c, 1);
    }

    /** AAS. */
    public static void aas(Cpu c, Insn i) {
        asciiAdjust(c, -1);
    }

    private static void asciiAdjust(Cpu c, int sign) {
        int ax = (int) c.r[Cpu.RAX] & 0xFFFF;
        boolean adjust = (ax & 15) > 9 || (c.arith() & Flags.AF) != 0;
        if (adjust) {
            if (c.model.has(Feature.I186)) {
                ax += sign * 0x106;
            } else {
                ax = ax + sign * 6 & 0xFF | (ax >> 8) + sign << 8;
            }
        }
        c.set16(Cpu.RAX, ax & 0xFF0F);
        c.setArith(szp(ax & 15) | (adjust ? Flags.AF | Flags.CF : 0));
    }

    /** AAM. */
    public static void aam(Cpu c, Insn i) {
        int base = (int) i.imm & 0xFF;
        if (base == 0) {
            if (!c.model.has(Feature.I286)) {
                // The 8086 pushes the flags of a zero result (seen on the chip).
                c.setArith(szp(0));
            }
            throw c.fault(Vector.DE, 0);
        }
        int al = c.get8(Cpu.RAX);
        c.set16(Cpu.RAX, al / base << 8 | al % base);
        c.setArith(szp(al % base));
    }

    /** AAD. */
    public static void aad(Cpu c, Insn i) {
        int al = c.get8(Cpu.RAX) + c.get8(16) * ((int) i.imm & 0xFF) & 0xFF;
        c.set16(Cpu.RAX, al);
        c.setArith(szp(al));
    }
}
