package org.softkvm.emulator.cpu;

/**
 * Memory-type range registers (Intel SDM volume 3, 12.11). They hold what software writes, with the checks of a CPU; with
 * no caches there is nothing else for them to do.
 */
final class Mtrrs {
    static final int CAP = 0xFE;
    static final int DEF_TYPE = 0x2FF;

    private static final int VARIABLE = 0x200;
    private static final int PAIRS = 8;
    private static final int[] FIXED = {0x250, 0x258, 0x259, 0x268, 0x269, 0x26A, 0x26B, 0x26C, 0x26D, 0x26E, 0x26F};

    /** Write-combining, fixed ranges, the number of variable ones. */
    private static final long CAPABILITIES = 1 << 10 | 1 << 8 | PAIRS;

    private static final int NONE = -1;
    private static final int READ_ONLY = -2;
    private static final int FIXED_AT = 2 * PAIRS;
    private static final int DEF_TYPE_AT = FIXED_AT + 11;

    private final long[] values = new long[DEF_TYPE_AT + 1];

    /** The place of an MSR among the values. */
    private static int place(int index) {
        if (index >= VARIABLE && index < VARIABLE + 2 * PAIRS) {
            return index - VARIABLE;
        }
        return switch (index) {
            case CAP -> READ_ONLY;
            case DEF_TYPE -> DEF_TYPE_AT;
            case 0x250 -> FIXED_AT;
            case 0x258, 0x259 -> FIXED_AT + 1 + (index & 1);
            default -> index >= 0x268 && index <= 0x26F ? FIXED_AT + 3 + (index & 7) : NONE;
        };
    }

    static boolean owns(int index) {
        return place(index) != NONE;
    }

    /** The numbers of all that can be written, in an order in which they can be restored. */
    static int[] numbers() {
        int[] n = new int[DEF_TYPE_AT + 1];
        for (int k = 0; k < 2 * PAIRS; k++) {
            n[k] = VARIABLE + k;
        }
        System.arraycopy(FIXED, 0, n, FIXED_AT, FIXED.length);
        n[DEF_TYPE_AT] = DEF_TYPE;
        return n;
    }

    long read(int index) {
        int at = place(index);
        return at == READ_ONLY ? CAPABILITIES : values[at];
    }

    /** Uncacheable, write-combining, write-through, write-protected, write-back. */
    private static boolean isType(long type) {
        return (0x73 >> type & 1) != 0 && type < 8;
    }

    boolean write(Cpu c, int index, long v) {
        int at = place(index);
        if (at == READ_ONLY || !valid(c, at, v)) {
            return false;
        }
        values[at] = v;
        return true;
    }

    private static boolean valid(Cpu c, int at, long v) {
        if (at == DEF_TYPE_AT) {
            return (v & ~0xCFFL) == 0 && isType(v & 0xFF);
        }
        if (at >= FIXED_AT) {
            for (int k = 0; k < 64; k += 8) {
                if (!isType(v >>> k & 0xFF)) {
                    return false;
                }
            }
            return true;
        }
        if ((v & ~c.physicalMask) != 0) {
            return false;
        }
        return (at & 1) == 0 ? (v & 0xF00) == 0 && isType(v & 0xFF) : (v & 0x7FF) == 0;
    }
}
