package org.softkvm.emulator.fpu;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/**
 * The helpers for SSE against what an Intel CPU did: all rounding modes, masks, FTZ and DAZ, sticky flags. A line:
 * operation, MXCSR, two operands; result, MXCSR afterwards, whether the instruction trapped (then the result is none).
 */
class SseHelpersHardwareTest {
    @Test
    void helpersDoWhatTheHardwareDoes() throws IOException {
        List<String> wrong = new ArrayList<>();
        List<String> lines = Resource.lines("sse-hardware.txt.gz");
        FpEnv e = new FpEnv();
        for (String line : lines) {
            String[] t = line.split(" ");
            e.setMxcsr(Integer.parseInt(t[1], 16));
            boolean unmasked = !e.allMasked();
            if (unmasked) {
                e.beginUnmasked();
            }
            long got = compute(
                    e, Integer.parseInt(t[0]), Long.parseUnsignedLong(t[2], 16), Long.parseUnsignedLong(t[3], 16));
            boolean trapped = unmasked && e.endUnmasked();
            boolean same = trapped == t[6].equals("1")
                    && e.mxcsr() == Integer.parseInt(t[5], 16)
                    && (trapped || got == Long.parseUnsignedLong(t[4], 16));
            if (!same && wrong.size() < 20) {
                wrong.add(line + " got " + Long.toHexString(got) + " " + Integer.toHexString(e.mxcsr()));
            }
        }
        assertThat(wrong).isEmpty();
        assertThat(lines).hasSizeGreaterThan(5000);
    }

    private static long compute(FpEnv e, int operation, long a, long b) {
        return operation < 11 || operation == 22 ? twice(e, operation, a, b) : single(e, operation, (int) a, b);
    }

    private static long twice(FpEnv e, int operation, long a, long b) {
        return switch (operation) {
            case 0 -> SoftDouble.add(e, a, b);
            case 1 -> SoftDouble.multiply(e, a, b);
            case 2 -> SoftDouble.divide(e, a, b);
            case 3 -> SoftDouble.subtract(e, a, b);
            case 4 -> SoftDouble.squareRoot(e, b);
            case 5 -> unsigned(SoftDouble.toFloat(e, b));
            case 6 -> unsigned(SoftDouble.toInt32(e, b, false));
            case 7 -> SoftDouble.toInt64(e, b, false);
            case 8 -> SoftDouble.toInt64(e, b, true);
            case 9 -> SoftDouble.fromInt64(e, b);
            case 10 -> SoftDouble.roundToInt(e, b, e.rounding, false);
            default -> flags(SoftDouble.compare(e, a, b, true));
        };
    }

    private static long single(FpEnv e, int operation, int a, long wide) {
        int b = (int) wide;
        return switch (operation) {
            case 11 -> unsigned(SoftFloat.add(e, a, b));
            case 12 -> unsigned(SoftFloat.multiply(e, a, b));
            case 13 -> unsigned(SoftFloat.divide(e, a, b));
            case 14 -> unsigned(SoftFloat.subtract(e, a, b));
            case 15 -> unsigned(SoftFloat.squareRoot(e, b));
            case 16 -> SoftFloat.toDouble(e, b);
            case 17 -> unsigned(SoftFloat.toInt32(e, b, false));
            case 18 -> SoftFloat.toInt64(e, b, true);
            case 19 -> unsigned(SoftFloat.fromInt64(e, wide));
            case 20 -> unsigned(SoftFloat.fromInt32(e, b));
            case 21 -> unsigned(SoftFloat.roundToInt(e, b, e.rounding, false));
            default -> flags(SoftFloat.compare(e, a, b, false));
        };
    }

    private static long unsigned(int v) {
        return v & 0xFFFF_FFFFL;
    }

    /** The flags that COMIS and UCOMIS leave. */
    private static long flags(int c) {
        return c == SoftDouble.UNORDERED ? 0x45 : c < 0 ? 1 : c == 0 ? 0x40 : 0;
    }
}
