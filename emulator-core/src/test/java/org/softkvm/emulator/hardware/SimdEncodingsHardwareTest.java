package org.softkvm.emulator.hardware;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.softkvm.emulator.cpu.Cpu;

/**
 * Every encoding of MMX and SSE to SSE4.2 against what an Intel CPU did in user mode: results, MXCSR, flags, memory; memory
 * operands whose last byte is the last one mapped; exceptions for misaligned operands and unmasked conditions. Data and state before each case come from {@code src/test/native/simd-encodings-hardware.c}, which says what a line
 * holds. RCP and RSQRT, whose value the architecture leaves open, are held to their bound of error.
 */
class SimdEncodingsHardwareTest {
    private static final int RAX = 0;
    private static final int RDX = 2;
    private static final int FLAGS = 3;
    private static final int MXCSR = 4;
    private static final int MM1 = 5;
    private static final int MM2 = 6;
    private static final int XMM0 = 7;
    private static final int XMM1 = 9;
    private static final int XMM2 = 11;
    private static final int MEMORY = 13;
    private static final int COUNT = 17;
    private static final int ARITHMETIC = 0x8d5;
    private static final double BOUND = 1.5 / 4096;
    private static final String[] NAMES = {
        "rax", "rcx", "rdx", "flags", "mxcsr", "mm1", "mm2", "xmm0l", "xmm0h", "xmm1l", "xmm1h", "xmm2l", "xmm2h", "m0",
        "m1", "m2", "m3"
    };

    private final long[] registers = new long[16];
    private final byte[] data = new byte[UserMachine.PAGE];
    private final byte[] stack = new byte[UserMachine.PAGE];
    private HardwareCases random;

    @Test
    void instructionsDoWhatTheHardwareDoes() throws IOException {
        List<String> wrong = new ArrayList<>();
        int cases = 0;
        try (UserMachine machine = new UserMachine()) {
            for (String line : HardwareCases.lines("simd-encodings-hardware.txt.gz")) {
                cases++;
                String difference = run(machine, line.split(" "));
                if (!difference.isEmpty()) {
                    wrong.add(line + System.lineSeparator() + difference);
                }
            }
        }
        assertThat(wrong.size())
                .as("wrong cases, of which: " + String.join("", wrong.subList(0, Math.min(20, wrong.size()))))
                .isZero();
        assertThat(cases).isGreaterThan(15_000);
    }

    private String run(UserMachine machine, String[] t) {
        long[] state = prepare(Integer.parseInt(t[0]), t[1].charAt(0));
        byte[] code = HexFormat.of().parseHex(t[3]);
        int vector = t[4].equals("-") ? -1 : Integer.parseInt(t[4]);
        long[] wanted = state.clone();
        for (int k = 5; k < t.length; k++) {
            String[] sides = t[k].split("=");
            wanted[Integer.parseInt(sides[0])] = Long.parseUnsignedLong(sides[1], 16);
        }
        load(machine, state, UserMachine.DATA + UserMachine.PAGE - Integer.parseInt(t[2]));
        int got = machine.run(code, registers, (int) state[FLAGS] | 0x202, data, stack);
        long[] after = store(machine);
        if (vector >= 0) {
            // EFLAGS went to the stack of the handler.
            after[FLAGS] = wanted[FLAGS];
        }
        StringBuilder diff = new StringBuilder();
        if (got != vector) {
            diff.append(String.format("  vector: expected %d got %d%n", vector, got));
        }
        int approximate = approximation(code);
        for (int k = 0; k < COUNT; k++) {
            boolean same = wanted[k] == after[k];
            if (vector < 0 && approximate != 0 && (k == XMM1 || k == XMM1 + 1)) {
                long source = t[3].endsWith("ca") ? state[XMM2 + k - XMM1] : memorySource(state, t, k - XMM1);
                boolean high = close(approximate, source >>> 32, wanted[k] >>> 32, after[k] >>> 32);
                boolean low = close(approximate, source, wanted[k], after[k]);
                // The scalar forms leave the other elements as they were.
                same = code[0] == (byte) 0xf3
                        ? (k == XMM1 ? low && wanted[k] >>> 32 == after[k] >>> 32 : same)
                        : low && high;
            }
            if (!same) {
                diff.append(
                        String.format("  %s: before %x expected %x got %x%n", NAMES[k], state[k], wanted[k], after[k]));
            }
        }
        return diff.toString();
    }

    private static long memorySource(long[] state, String[] t, int half) {
        int distance = Integer.parseInt(t[2]);
        return distance == 4 ? state[MEMORY + 3] >>> 32 : state[MEMORY + 4 - distance / 8 + half];
    }

    /** 0x52 for RSQRT, 0x53 for RCP, else 0. */
    private static int approximation(byte[] code) {
        int at = code[0] == (byte) 0xf3 ? 1 : 0;
        return code[at] == 0x0f && (code[at + 1] == 0x52 || code[at + 1] == 0x53) ? code[at + 1] : 0;
    }

    private static boolean close(int opcode, long source, long hardware, long got) {
        float x = Float.intBitsToFloat((int) source);
        float h = Float.intBitsToFloat((int) hardware);
        float g = Float.intBitsToFloat((int) got);
        if (Float.isNaN(h) || Float.isInfinite(h) || h == 0) {
            return (int) hardware == (int) got;
        }
        double exact = opcode == 0x53 ? 1 / (double) x : 1 / Math.sqrt(x);
        return Math.abs(g - exact) <= BOUND * Math.abs(exact);
    }

    private void load(UserMachine machine, long[] state, long operand) {
        registers[Cpu.RAX] = state[RAX];
        registers[Cpu.RCX] = state[RAX + 1];
        registers[Cpu.RDX] = state[RDX];
        registers[Cpu.RSI] = operand;
        registers[Cpu.RDI] = operand;
        registers[Cpu.RSP] = UserMachine.STACK + 2048;
        machine.vcpu.setMxcsr((int) state[MXCSR]);
        machine.vcpu.setFpuStatusWord(0);
        machine.vcpu.setFpuAbridgedTag(0);
        machine.vcpu.setFpuRegister(1, 0xffff, state[MM1]);
        machine.vcpu.setFpuRegister(2, 0xffff, state[MM2]);
        for (int k = 0; k < 6; k++) {
            machine.vcpu.setVector(k >> 1, k & 1, state[XMM0 + k]);
        }
        for (int k = 0; k < 4; k++) {
            UserMachine.LONG.set(data, UserMachine.PAGE - 32 + 8 * k, state[MEMORY + k]);
        }
    }

    private static long[] store(UserMachine machine) {
        long[] s = new long[COUNT];
        s[RAX] = machine.vcpu.register(Cpu.RAX);
        s[RAX + 1] = machine.vcpu.register(Cpu.RCX);
        s[RDX] = machine.vcpu.register(Cpu.RDX);
        s[FLAGS] = machine.vcpu.rflags() & ARITHMETIC;
        s[MXCSR] = machine.vcpu.mxcsr();
        // TOP is 0, before and after.
        s[MM1] = machine.vcpu.fpuSignificand(1);
        s[MM2] = machine.vcpu.fpuSignificand(2);
        for (int k = 0; k < 6; k++) {
            s[XMM0 + k] = machine.vcpu.vector(k >> 1, k & 1);
        }
        for (int k = 0; k < 4; k++) {
            s[MEMORY + k] = (long) UserMachine.LONG.get(machine.data(), UserMachine.PAGE - 32 + 8 * k);
        }
        return s;
    }

    // ---------------------------------------------------------------- the generator's state

    private long[] prepare(int number, char kind) {
        random = new HardwareCases(number * 1_000_003L);
        long[] st = new long[COUNT];
        for (int i = 0; i < COUNT; i++) {
            st[i] = random.value();
        }
        st[FLAGS] = random.next() & ARITHMETIC;
        long v = random.next();
        st[MXCSR] = ((v >> 32 & 7) == 0 ? (v >> 36 & 0x3f) << 7 : 0x1f80)
                | ((v >> 2 & 1) != 0 ? (v & 3) << 13 : 0)
                | ((v >> 8 & 7) == 0 ? v >> 16 & 0x3f : 0)
                | ((v >> 24 & 7) == 0 ? 0x8000 : 0)
                | ((v >> 28 & 7) == 0 ? 0x40 : 0);
        long w = random.next();
        switch (kind) {
            case 'D' -> {
                for (int i = XMM0; i < COUNT; i++) {
                    st[i] = twice();
                }
            }
            case 'S' -> {
                for (int i = MM1; i < COUNT; i++) {
                    st[i] = single();
                    st[i] |= single() << 32;
                }
            }
            case 'C' -> {
                long count = (w & 0x300) != 0 ? w & 0x3f : w;
                st[MM2] = count;
                st[XMM2] = count;
                st[MEMORY + 2] = count;
                st[MEMORY + 3] = count;
            }
            case 'T' -> {
                for (int i = XMM0; i < COUNT; i++) {
                    st[i] = text((w & 1) != 0);
                }
                if ((w & 6) != 0) {
                    st[RAX] = (w >> 8 & 63) - 32;
                    st[RDX] = (w >> 16 & 63) - 32;
                }
            }
            case 'X' -> {
                if ((w & 7) != 0) {
                    st[MEMORY + 3] &= 0x0000ffff0000ffffL;
                }
            }
            default -> {}
        }
        return st;
    }

    private long twice() {
        long k = random.next();
        long v = random.next();
        long sign = v & Long.MIN_VALUE;
        long fraction = v & 0xfffffffffffffL;
        return switch ((int) k & 15) {
            case 0 -> sign;
            case 1 -> sign | 0x7ffL << 52;
            case 2 -> sign | 0xfffL << 51 | fraction;
            case 3 -> sign | 0x7ffL << 52 | fraction >> 1 | 1;
            case 4 -> sign | fraction >> (k >> 4 & 31);
            case 5 -> Double.doubleToRawLongBits((v & 0xff) - 128);
            case 6 -> Double.doubleToRawLongBits((int) v);
            case 7 -> Double.doubleToRawLongBits(((v & 63) - 32) / 4.0);
            case 8 -> sign | 0x7feL << 52 | fraction;
            case 9 -> sign | (k >> 4 & 3) << 52 | fraction;
            case 10, 11 -> sign | 1020 + (k >> 4 & 7) << 52 | fraction;
            case 12 -> sign | 1046 + (k >> 4 & 63) << 52 | fraction;
            case 13 ->
                sign | ((k >> 8 & 1) != 0 ? 1023 + 124 + (k >> 4 & 7) : 1023 - 152 + (k >> 4 & 31)) << 52 | fraction;
            default -> v;
        };
    }

    private long single() {
        long k = random.next();
        long v = random.next();
        long sign = v & 1L << 31;
        long fraction = v & 0x7fffff;
        return switch ((int) k & 15) {
            case 0 -> sign;
            case 1 -> sign | 0xffL << 23;
            case 2 -> sign | 0x1ffL << 22 | fraction;
            case 3 -> sign | 0xffL << 23 | fraction >> 1 | 1;
            case 4 -> sign | fraction >> (k >> 4 & 15);
            case 5 -> Float.floatToRawIntBits((v & 0xff) - 128) & 0xffffffffL;
            case 6 -> Float.floatToRawIntBits((v & 0xffff) - 32768) & 0xffffffffL;
            case 7 -> Float.floatToRawIntBits(((v & 63) - 32) / 4.0f) & 0xffffffffL;
            case 8 -> sign | 0xfeL << 23 | fraction;
            case 9 -> sign | (k >> 4 & 3) << 23 | fraction;
            case 10, 11, 12 -> sign | 124 + (k >> 4 & 7) << 23 | fraction;
            case 13 -> sign | 148 + (k >> 4 & 63) << 23 | fraction;
            default -> v & 0xffffffffL;
        };
    }

    private static final int[] ALPHABET = {0x61, 0x62, 0x63, 0x81, 0xfe, 0x61, 0x62, 0x63};

    private long text(boolean words) {
        long r = 0;
        long v = random.next();
        for (int k = 0; k < 64; k += words ? 16 : 8) {
            int x = (int) (v >>> k) & 0x7f;
            long c = ALPHABET[x & 7];
            r |= (x >> 3 == 0 ? 0 : words ? c * 0x101 & 0xff7f : c) << k;
        }
        return r;
    }
}
