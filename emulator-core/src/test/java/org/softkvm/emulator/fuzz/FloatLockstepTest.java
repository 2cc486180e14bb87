package org.softkvm.emulator.fuzz;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.fail;

import java.io.ByteArrayOutputStream;
import java.util.SplittableRandom;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.softkvm.emulator.VirtualCpu;
import org.softkvm.emulator.cpu.Cpu;

/**
 * As {@link LockstepTest}, for loops of SSE and x87 instructions over ordinary and special numbers, under all kinds of
 * MXCSR and x87 control words: what random bytes hardly ever make.
 *
 * <p>System properties: {@code softkvm.lockstep.seed}, {@code softkvm.lockstep.float} (cases in each mode),
 * {@code softkvm.lockstep.case} (one case only).
 */
@Execution(ExecutionMode.CONCURRENT)
class FloatLockstepTest {
    private static final long SEED = Long.getLong("softkvm.lockstep.seed", 1);
    private static final int CASES = Integer.getInteger("softkvm.lockstep.float", 250);
    private static final int ONLY_CASE = Integer.getInteger("softkvm.lockstep.case", -1);
    private static final int DATA_BYTES = 0x80;
    private static final int INSTRUCTIONS_A_CASE = 4_000;

    @ParameterizedTest
    @EnumSource(names = {"LONG64_SUPERVISOR", "LONG64_USER", "PROTECTED32_PAGED_USER", "REAL"})
    void wideRegionsAgree(FuzzMode mode) {
        agree(mode, false);
    }

    @ParameterizedTest
    @EnumSource(names = {"LONG64_SUPERVISOR", "LONG64_USER", "PROTECTED32_PAGED_USER", "REAL"})
    void narrowRegionsAgree(FuzzMode mode) {
        agree(mode, true);
    }

    private static void agree(FuzzMode mode, boolean narrow) {
        try (FuzzMachine interpreter = new FuzzMachine(mode);
                FuzzMachine translator = new FuzzMachine(mode)) {
            translator.vcpu.setTranslation(0, true);
            translator.vcpu.setNarrow(narrow);
            for (int n = Math.max(0, ONLY_CASE); n < (ONLY_CASE < 0 ? CASES : ONLY_CASE + 1); n++) {
                run(interpreter, translator, mode, n, narrow);
            }
            if (ONLY_CASE < 0) {
                assertThat(translator.vcpu.regionsTranslated()).isPositive();
            }
            assertThat(translator.vcpu.regionsFailed()).isZero();
        }
    }

    private static SplittableRandom prepare(FuzzMachine machine, FuzzMode mode, int n) {
        SplittableRandom random = new SplittableRandom(SEED * 1_000_003 + mode.ordinal() * 7_919L + n);
        machine.prepare(random);
        new Program(mode, random).load(machine);
        return random;
    }

    private static void run(FuzzMachine interpreter, FuzzMachine translator, FuzzMode mode, int n, boolean narrow) {
        SplittableRandom a = prepare(interpreter, mode, n);
        SplittableRandom b = prepare(translator, mode, n);
        SplittableRandom random = new SplittableRandom(SEED + n);
        // A few long runs, or many short ones: a region is entered only where it cannot pass the limit.
        long[] steps = Lockstep.steps(random, 1L << 1 + random.nextInt(12), INSTRUCTIONS_A_CASE);
        Lockstep.Difference d = Lockstep.compare(interpreter, a, translator, b, Lockstep.Engines.real(narrow), steps);
        if (d != null) {
            LockstepShrinker.Result shrunk = new LockstepShrinker(
                            mode, machine -> prepare(machine, mode, n), () -> Lockstep.Engines.real(narrow))
                    .shrink(steps);
            String again = "-Dtest=FloatLockstepTest -Dsoftkvm.lockstep.seed=" + SEED
                    + (shrunk == null ? " -Dsoftkvm.lockstep.float=" + (n + 1) : " -Dsoftkvm.lockstep.case=" + n);
            fail("%s, seed %d, case %d; %s", mode, SEED, n, Lockstep.report(again, steps, d, shrunk));
        }
    }

    /** A loop of random instructions over a small table of numbers. */
    private static final class Program {
        private final FuzzMode mode;
        private final SplittableRandom random;
        private final ByteArrayOutputStream code = new ByteArrayOutputStream();
        /** One case in four: nothing but ordinary numbers. */
        private final boolean plain;
        /** One case in three is about the x87. */
        private final boolean x87;

        Program(FuzzMode mode, SplittableRandom random) {
            this.mode = mode;
            this.random = random;
            plain = random.nextInt(4) == 0;
            x87 = random.nextInt(3) == 0;
        }

        private boolean long64() {
            return mode.codeBits == 64;
        }

        private void bytes(int... values) {
            for (int v : values) {
                code.write(v);
            }
        }

        void load(FuzzMachine machine) {
            int count = 4 + random.nextInt(30);
            for (int k = 0; k < count; k++) {
                if (x87 && random.nextInt(4) != 0) {
                    x87();
                } else {
                    sse();
                }
            }
            // dec ecx; jnz: back to the begin
            bytes(0xFF & (mode.codeBits == 16 ? 0x49 : 0xFF));
            if (mode.codeBits != 16) {
                bytes(0xC9);
            }
            int back = -(code.size() + (mode.codeBits == 16 ? 4 : 6));
            bytes(0x0F, 0x85, back, back >> 8);
            if (mode.codeBits != 16) {
                bytes(back >> 16, back >> 24);
            }
            bytes(0xF4);
            byte[] program = code.toByteArray();
            machine.write(FuzzImage.CODE, program);
            byte[] data = new byte[DATA_BYTES];
            for (int at = 0; at < DATA_BYTES; at += 8) {
                long v = random.nextInt(3) == 0
                        ? single() & 0xFFFFFFFFL | (long) single() << 32
                        : Double.doubleToRawLongBits(number());
                for (int k = 0; k < 8; k++) {
                    data[at + k] = (byte) (v >>> 8 * k);
                }
            }
            machine.write(FuzzImage.DATA, data);
            VirtualCpu v = machine.vcpu;
            boolean paragraphs = mode.codeBits == 16;
            v.setRip(paragraphs ? 0 : FuzzImage.CODE);
            if (paragraphs) {
                v.setSegment(Cpu.DS, FuzzImage.DATA >> 4, FuzzImage.DATA, 0xFFFF, 0x93);
            }
            v.setRegister(Cpu.RSI, paragraphs ? 0 : FuzzImage.DATA);
            v.setRegister(Cpu.RCX, 1 + random.nextInt(100));
            v.setRflags(v.rflags() & ~0x100L);
            for (int n = 0; n < 16; n++) {
                v.setVector(n, 0, Double.doubleToRawLongBits(number()));
                v.setVector(n, 1, Double.doubleToRawLongBits(number()));
            }
            int mxcsr = random.nextInt(3) != 0 ? 0x1F80 : 0x1F80 | random.nextInt(4) << 13 | random.nextInt(2) << 15;
            if (random.nextInt(4) == 0) {
                mxcsr |= random.nextInt(0x80);
            }
            if (random.nextInt(8) == 0) {
                mxcsr &= ~(random.nextInt(0x40) << 7);
            }
            v.setMxcsr(random.nextInt(3) == 0 ? mxcsr | 0x20 : mxcsr);
            if (random.nextInt(8) != 0) {
                v.setControl(v.cr0() & ~(Cpu.CR0_EM | Cpu.CR0_TS), v.cr2(), v.cr3(), v.cr4() | 0x600, v.efer());
            }
            int control = random.nextInt(3) != 0 ? 0x37F : 0x3F | random.nextInt(16) << 8;
            v.setFpuControlWord(random.nextInt(12) == 0 ? control & ~random.nextInt(0x40) : control);
        }

        private double number() {
            if (!plain && random.nextInt(6) == 0) {
                return switch (random.nextInt(10)) {
                    case 0 -> Double.NaN;
                    case 1 -> Double.longBitsToDouble(0x7FF0000000000001L | random.nextLong(1L << 51));
                    case 2 -> Double.POSITIVE_INFINITY;
                    case 3 -> Double.NEGATIVE_INFINITY;
                    case 4 -> Double.MIN_VALUE * random.nextInt(1000);
                    case 5 -> Double.MIN_NORMAL * (1 + random.nextInt(3));
                    case 6 -> Double.MAX_VALUE;
                    case 7 -> -0.0;
                    case 8 -> Double.longBitsToDouble(random.nextLong());
                    default -> (random.nextDouble() - 0.5) * 0x1p64;
                };
            }
            return switch (random.nextInt(5)) {
                case 0 -> 0;
                case 1, 2 -> random.nextInt(41) - 20;
                case 3 -> (random.nextDouble() - 0.5) * (1L << random.nextInt(40));
                default -> Math.scalb(random.nextDouble() - 0.5, random.nextInt(60) - 30);
            };
        }

        private int single() {
            return plain || random.nextInt(8) != 0 ? Float.floatToRawIntBits((float) number()) : random.nextInt();
        }

        /** ModRM of a register or of an aligned place in the table. */
        private void operand(int reg, boolean memory, int alignment) {
            if (!memory) {
                bytes(0xC0 | reg << 3 | random.nextInt(8));
                return;
            }
            // [rsi + disp8], [si + disp8]
            bytes(0x40 | reg << 3 | (mode.codeBits == 16 ? 4 : 6));
            bytes(random.nextInt(DATA_BYTES / alignment) * alignment);
        }

        private void op(int prefix, int opcode, boolean mayBeMemory, boolean mayBeRegister, int alignment) {
            if (prefix != 0) {
                bytes(prefix);
            }
            if (long64() && random.nextInt(5) == 0) {
                // REX: high registers, 64-bit integers.
                bytes(0x40 | random.nextInt(16) & 0xD);
            }
            bytes(0x0F, opcode);
            boolean memory = mayBeMemory && (!mayBeRegister || random.nextInt(3) == 0);
            operand(random.nextInt(8) & (opcode == 0x2C || opcode == 0x2D ? 3 : 7) & ~avoid(opcode), memory, alignment);
        }

        /** Integers go to RAX and RDX. */
        private static int avoid(int opcode) {
            return switch (opcode) {
                case 0x2C, 0x2D, 0xD7, 0x50 -> 5;
                default -> 0;
            };
        }

        private void sse() {
            int[] arithmetic = {0x51, 0x58, 0x59, 0x5C, 0x5D, 0x5E, 0x5F, 0x58, 0x59, 0x5C};
            int[] lanes = {
                0xEF, 0xDB, 0xEB, 0xDF, 0xD4, 0xFE, 0xFB, 0x74, 0x76, 0x54, 0x55, 0x57, 0x62, 0x6A, 0x6C, 0x6D
            };
            boolean coin = random.nextBoolean();
            switch (random.nextInt(20)) {
                case 0, 1, 2, 3 -> op(0xF2, arithmetic[random.nextInt(arithmetic.length)], true, true, 8);
                case 4, 5 -> op(0xF3, arithmetic[random.nextInt(arithmetic.length)], true, true, 4);
                case 6 -> op(coin ? 0x66 : 0, arithmetic[random.nextInt(arithmetic.length)], true, true, 16);
                case 7 -> {
                    op(coin ? 0x66 : 0, random.nextBoolean() ? 0x2E : 0x2F, true, true, coin ? 8 : 4);
                    // A jump over an instruction of two bytes: movq2dq and the like are longer, inc eax is not.
                    bytes(0x70 | random.nextInt(16), 2, 0x89, 0xC2);
                }
                case 8, 9 -> op(coin ? 0xF2 : 0xF3, coin ? 0x10 : 0x10 + random.nextInt(2), true, true, coin ? 8 : 4);
                case 10 -> op(coin ? 0xF2 : 0xF3, 0x11, true, true, coin ? 8 : 4);
                case 11 -> op(coin ? 0xF2 : 0xF3, 0x2A, true, true, 8);
                case 12 -> op(coin ? 0xF2 : 0xF3, random.nextBoolean() ? 0x2C : 0x2D, true, true, 8);
                case 13 -> op(coin ? 0xF2 : 0xF3, 0x5A, true, true, 8);
                case 14 -> op(0x66, lanes[random.nextInt(lanes.length)], true, true, 16);
                case 15 -> {
                    op(coin ? 0x66 : 0, random.nextBoolean() ? 0x28 : 0x10 + random.nextInt(2), true, true, 16);
                }
                case 16 -> {
                    int[] halves = {0x12, 0x16, 0x13, 0x17};
                    op(coin ? 0x66 : 0, halves[random.nextInt(4)], true, false, 8);
                    op(coin ? 0xF3 : 0x66, coin ? 0x7E : 0xD6, true, true, 8);
                }
                case 17 -> {
                    op(0x66, coin ? 0x70 : 0xC6, true, true, 16);
                    bytes(random.nextInt(256));
                    op(coin ? 0x66 : 0, 0x14 + random.nextInt(2), true, true, 16);
                    op(0, 0xC6, true, true, 16);
                    bytes(random.nextInt(256));
                }
                case 18 -> {
                    op(0x66, coin ? 0x7E : 0x6E, coin, true, 8);
                    op(0x66, random.nextBoolean() ? 0xD7 : 0x50, false, true, 8);
                }
                default -> {
                    bytes(0x66, 0x0F, 0x71 + random.nextInt(3));
                    int[] groups = {2, 4, 6, 3, 7};
                    bytes(0xC0 | groups[random.nextInt(5)] << 3 | random.nextInt(8), random.nextInt(70));
                }
            }
        }

        private void x87() {
            int st = random.nextInt(8);
            switch (random.nextInt(12)) {
                case 0, 1, 2 -> bytes(0xD8, 0xC0 | random.nextInt(8) << 3 | random.nextInt(4));
                case 3, 4 ->
                    bytes(random.nextBoolean() ? 0xDC : 0xDE, 0xC0 | random.nextInt(8) << 3 | random.nextInt(4));
                case 5 -> bytes(0xD9, 0xC0 | random.nextInt(2) << 3 | random.nextInt(4));
                case 6 -> bytes(0xD9, 0xE8 + random.nextInt(7));
                case 7 -> {
                    bytes(random.nextBoolean() ? 0xDD : 0xD9);
                    operand(random.nextInt(4) & ~1 | (random.nextInt(3) == 0 ? 2 : 0), true, 8);
                }
                case 8 -> {
                    bytes(0xDB);
                    operand(random.nextBoolean() ? 5 : 7, true, 8);
                }
                case 9 -> {
                    int[] integers = {0xDB, 0xDF, 0xDA, 0xDE};
                    bytes(integers[random.nextInt(4)]);
                    operand(random.nextInt(4), true, 8);
                }
                case 10 -> bytes(random.nextBoolean() ? 0xDB : 0xDF, (random.nextBoolean() ? 0xE8 : 0xF0) | st & 3);
                default -> {
                    int[] singles = {0xE0, 0xE1, 0xFA, 0xFC, 0xE4, 0xF6, 0xF7};
                    bytes(0xD9, singles[random.nextInt(singles.length)]);
                }
            }
        }
    }
}
