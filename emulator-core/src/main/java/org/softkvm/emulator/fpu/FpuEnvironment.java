package org.softkvm.emulator.fpu;

import org.softkvm.emulator.cpu.Cpu;
import org.softkvm.emulator.decode.Insn;

/**
 * The memory images of FNSTENV, FLDENV, FNSAVE and FRSTOR (Intel SDM volume 1, figures 8-9 to 8-12): 16- or 32-bit by
 * operand size, with selectors or with linear addresses by mode. 64-bit code has the 32-bit image with selectors.
 */
final class FpuEnvironment {
    private FpuEnvironment() {}

    private static long at(Cpu c, long la, int n) {
        return c.mode64 ? la + n : la + n & 0xFFFF_FFFFL;
    }

    private static int size(boolean wide, boolean registers) {
        return (wide ? 28 : 14) + (registers ? 80 : 0);
    }

    static void store(Cpu c, Insn i, boolean registers) {
        FpuState s = c.fpu;
        boolean wide = i.opSize != 2;
        int size = size(wide, registers);
        long la = c.eaWrite(i, size);
        // All of it first: an image is written whole or not at all.
        c.checkWrite(la, size);
        boolean real = c.realOrV86();
        long ip = real ? ((long) s.instructionSelector << 4) + s.instructionPointer : s.instructionPointer;
        long dp = real ? ((long) s.dataSelector << 4) + s.dataPointer : s.dataPointer;
        if (wide) {
            put32(c, la, 0, 0xFFFF_0000 | s.controlWord());
            put32(c, la, 4, 0xFFFF_0000 | s.statusWord());
            put32(c, la, 8, 0xFFFF_0000 | s.tagWord());
            if (real) {
                put32(c, la, 12, 0xFFFF_0000 | (int) ip & 0xFFFF);
                put32(c, la, 16, (int) (ip >>> 16 & 0xFFFF) << 12 | s.opcode & 0x7FF);
                put32(c, la, 20, 0xFFFF_0000 | (int) dp & 0xFFFF);
                put32(c, la, 24, (int) (dp >>> 16 & 0xFFFF) << 12);
            } else {
                put32(c, la, 12, (int) ip);
                put32(c, la, 16, s.instructionSelector & 0xFFFF | (s.opcode & 0x7FF) << 16);
                put32(c, la, 20, (int) dp);
                put32(c, la, 24, 0xFFFF_0000 | s.dataSelector & 0xFFFF);
            }
        } else {
            put16(c, la, 0, s.controlWord());
            put16(c, la, 2, s.statusWord());
            put16(c, la, 4, s.tagWord());
            put16(c, la, 6, (int) ip);
            put16(c, la, 8, real ? (int) (ip >>> 16 & 15) << 12 | s.opcode & 0x7FF : s.instructionSelector);
            put16(c, la, 10, (int) dp);
            put16(c, la, 12, real ? (int) (dp >>> 16 & 15) << 12 : s.dataSelector);
        }
        if (registers) {
            int offset = size(wide, false);
            for (int n = 0; n < 8; n++) {
                c.write64(at(c, la, offset + 10 * n), s.stackSignificand(n));
                c.write16(at(c, la, offset + 10 * n + 8), s.stackSignExponent(n));
            }
            s.init();
        } else {
            s.setControlWord(s.controlWord() | FpEnv.ALL);
        }
    }

    private static void put32(Cpu c, long la, int n, int value) {
        c.write32(at(c, la, n), value);
    }

    private static void put16(Cpu c, long la, int n, int value) {
        c.write16(at(c, la, n), value & 0xFFFF);
    }

    static void load(Cpu c, Insn i, boolean registers) {
        FpuState s = c.fpu;
        boolean wide = i.opSize != 2;
        int size = size(wide, registers);
        long la = c.eaRead(i, size);
        boolean real = c.realOrV86();
        int step = wide ? 4 : 2;
        int cw = c.read16(la);
        int sw = c.read16(at(c, la, step));
        int tags = c.read16(at(c, la, 2 * step));
        long ip = get(c, la, 3 * step, wide);
        long cs = get(c, la, 4 * step, wide);
        long dp = get(c, la, 5 * step, wide);
        long ds = get(c, la, 6 * step, wide);
        if (registers) {
            int offset = size(wide, false);
            for (int n = 0; n < 8; n++) {
                s.loadSig[n] = c.read64(at(c, la, offset + 10 * n));
                s.loadSignExp[n] = c.read16(at(c, la, offset + 10 * n + 8));
            }
        }
        s.setControlWord(cw);
        s.setStatusWord(sw);
        s.setTagWord(tags);
        if (real) {
            s.instructionPointer = ip & 0xFFFF | (cs >>> 12 & (wide ? 0xFFFF : 15)) << 16;
            s.instructionSelector = 0;
            s.opcode = (int) cs & 0x7FF;
            s.dataPointer = dp & 0xFFFF | (ds >>> 12 & (wide ? 0xFFFF : 15)) << 16;
            s.dataSelector = 0;
        } else {
            s.instructionPointer = ip;
            s.instructionSelector = (int) cs & 0xFFFF;
            s.opcode = (int) (cs >>> 16) & 0x7FF;
            s.dataPointer = dp;
            s.dataSelector = (int) ds & 0xFFFF;
        }
        if (registers) {
            for (int n = 0; n < 8; n++) {
                s.setStack(n, s.loadSignExp[n], s.loadSig[n]);
            }
        }
    }

    private static long get(Cpu c, long la, int n, boolean wide) {
        return wide ? c.read32(at(c, la, n)) & 0xFFFF_FFFFL : c.read16(at(c, la, n));
    }
}
