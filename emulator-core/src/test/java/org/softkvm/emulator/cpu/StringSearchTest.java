package org.softkvm.emulator.cpu;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.softkvm.emulator.CpuModel;

/** Repeated SCAS and CMPS, which are done in bulk, against one element after the other. */
class StringSearchTest {
    private static final long FIRST = 0x20000;
    private static final long SECOND = 0x24000;

    private final Bench b = new Bench(CpuModel.MAX);
    private final Cpu c = b.c;
    private final Random random = new Random(20);

    @BeforeEach
    void mode() {
        b.gdt(0, Bench.CODE64, Bench.DATA32);
        b.longMode(8, 16, 0);
    }

    @AfterEach
    void close() {
        b.close();
    }

    private static boolean equal(long a, long b, int size) {
        return size == 8 ? a == b : (a - b & (1L << 8 * size) - 1) == 0;
    }

    @ParameterizedTest
    @CsvSource({
        "F3 AE, 1, true",
        "F2 AE, 1, true",
        "F3 66 AF, 2, true",
        "F2 66 AF, 2, true",
        "F3 AF, 4, true",
        "F2 AF, 4, true",
        "F3 48 AF, 8, true",
        "F2 48 AF, 8, true",
        "F3 A6, 1, false",
        "F2 A6, 1, false",
        "F3 66 A7, 2, false",
        "F2 66 A7, 2, false",
        "F3 A7, 4, false",
        "F2 A7, 4, false",
        "F3 48 A7, 8, false",
        "F2 48 A7, 8, false"
    })
    void theLoopEndsWhereOneElementAfterTheOtherEndsIt(String code, int size, boolean scan) {
        boolean whileEqual = code.startsWith("F3");
        int ended = 0;
        for (int round = 0; round < 60; round++) {
            // Across pages, not aligned, of few and many elements; bytes that differ anywhere in an element.
            long from = FIRST + 4096 - random.nextInt(900);
            long to = SECOND + 4096 - random.nextInt(900);
            int count = random.nextInt(10) == 0 ? 0 : 1 + random.nextInt(200);
            long wanted = random.nextLong();
            for (int k = 0; k < count; k++) {
                long value = random.nextLong();
                long other = whileEqual ? value : value ^ 1L << random.nextInt(8 * size);
                b.put(from + (long) k * size, size, value);
                b.put(to + (long) k * size, size, scan ? wanted ^ value ^ other : other);
            }
            if (count > 0 && random.nextInt(4) != 0) {
                long at = (long) random.nextInt(count) * size;
                long value = scan ? wanted : b.get(from + at, size);
                b.put(to + at, size, whileEqual ? value ^ 1L << random.nextInt(8 * size) : value);
            }
            int done = 0;
            boolean same = false;
            while (done < count) {
                long value = scan ? wanted : b.get(from + (long) done * size, size);
                same = equal(value, b.get(to + (long) done * size, size), size);
                done++;
                if (same != whileEqual) {
                    ended++;
                    break;
                }
            }
            c.setFlags(c.flags() & ~Flags.ARITH);
            c.limit = 1; // as in the run loop: go on
            c.r[Cpu.RAX] = wanted;
            c.r[Cpu.RSI] = from;
            c.r[Cpu.RDI] = to;
            c.r[Cpu.RCX] = count;
            b.run(code);
            assertThat(c.r[Cpu.RCX]).isEqualTo(count - done);
            assertThat(c.r[Cpu.RDI]).isEqualTo(to + (long) done * size);
            assertThat(c.r[Cpu.RSI]).isEqualTo(scan ? from : from + (long) done * size);
            assertThat((c.flags() & Flags.ZF) != 0).isEqualTo(same);
            if (done > 0) {
                long a = scan ? wanted : b.get(from + (long) (done - 1) * size, size);
                long d = b.get(to + (long) (done - 1) * size, size);
                int index = Integer.numberOfTrailingZeros(size);
                assertThat(c.flags() & Flags.ARITH).isEqualTo(Flags.bits(Flags.SUB | index, a, d));
            }
        }
        assertThat(ended).isBetween(20, 59);
    }
}
