package org.softkvm.emulator.translate;

import java.util.List;
import org.softkvm.emulator.decode.Insn;
import org.softkvm.emulator.decode.Op;
import org.softkvm.emulator.simd.Arithmetic;
import org.softkvm.emulator.simd.Conversions;

/**
 * Which halves of XMM registers the instructions of a region use, and how they are kept: bit 2 n stands for the low half
 * of XMMn, bit 2 n + 1 for its high half.
 *
 * @param any whether an SSE instruction is emitted in place at all
 * @param locals halves that have a local; the others stay in their array
 * @param doubles those of them that are kept as a double, because arithmetic is what is mostly done with them
 * @param x87 whether an x87 instruction is emitted in place
 */
record VectorUse(boolean any, int locals, int doubles, boolean x87) {
    /**
     * Looks through the blocks of a region. Straight code loads and stores each register once: its array will do. A
     * narrow region leaves floating point to its methods.
     */
    static VectorUse of(List<Plan.Piece> pieces, boolean loops, boolean narrow) {
        boolean any = false;
        boolean x87 = false;
        int touched = 0;
        int[] asDouble = new int[32];
        int[] asLong = new int[32];
        for (Plan.Piece p : pieces) {
            for (Insn i : p.insns()) {
                x87 |= !narrow && X87Emitter.inlined(i);
                if (!VectorEmitter.inlined(i) && (narrow || !FloatEmitter.inlined(i))) {
                    continue;
                }
                any = true;
                int halves = read(i) | written(i);
                touched |= halves;
                int[] uses = doubles(i) ? asDouble : moves(i) ? null : asLong;
                for (int h = 0; uses != null && h < 32; h++) {
                    uses[h] += halves >> h & 1;
                }
            }
        }
        int doubles = 0;
        for (int h = 0; h < 32; h++) {
            if (asDouble[h] > 0 && asDouble[h] >= asLong[h]) {
                doubles |= 1 << h;
            }
        }
        return new VectorUse(any, loops && !narrow ? touched : 0, doubles, x87);
    }

    private static int low(int n) {
        return 1 << 2 * n;
    }

    private static int both(int n) {
        return 3 << 2 * n;
    }

    private static boolean doubles(Insn i) {
        return (i.op.owner() == Arithmetic.class || i.op.owner() == Conversions.class)
                && i.op.mnemonic().contains("d")
                && !i.op.method().equals("ss")
                && !i.op.method().equals("ps");
    }

    private static boolean moves(Insn i) {
        return i.op.kind() == Op.Kind.STATE
                && (i.op.method().startsWith("load") || i.op.method().startsWith("store"));
    }

    /** Halves that the inlined form of an instruction reads. */
    static int read(Insn i) {
        int source = i.mem ? 0 : both(i.rm);
        if (i.op.kind() == Op.Kind.LANES) {
            return both(i.reg) | source;
        }
        int sourceLow = i.mem ? 0 : low(i.rm);
        return switch (i.op.method()) {
            case "loadAligned", "loadUnaligned" -> source;
            case "storeAligned", "storeUnaligned" -> both(i.reg);
            case "loadSd", "loadQ", "loadSs", "loadHigh" -> sourceLow;
            case "loadLow" -> sourceLow << 1;
            case "storeHigh" -> low(i.reg) << 1;
            case "storeSd", "storeQ", "storeLow", "storeSs", "toGeneral" -> low(i.reg);
            case "fromGeneral", "cvtsi2sd" -> 0;
            case "cvtsi2ss" -> low(i.reg);
            case "cvtsd2si", "cvttsd2si", "cvtss2si", "cvttss2si", "cvtss2sd" -> sourceLow;
            case "sd", "ss", "ucomisd", "comisd", "ucomiss", "comiss", "cvtsd2ss" -> low(i.reg) | sourceLow;
            case "pmovmskb", "movmskps", "movmskpd" -> source;
            default -> both(i.reg) | source;
        };
    }

    /** Halves that the inlined form of an instruction writes. */
    static int written(Insn i) {
        if (i.op.kind() == Op.Kind.LANES) {
            return VectorEmitter.inlined(i) ? both(i.reg) : 0;
        }
        if (!VectorEmitter.inlined(i) && !FloatEmitter.inlined(i)) {
            return 0;
        }
        return switch (i.op.method()) {
            case "loadSd", "loadSs" -> i.mem ? both(i.reg) : low(i.reg);
            case "loadLow", "sd", "ss", "cvtsi2sd", "cvtsi2ss", "cvtss2sd", "cvtsd2ss" -> low(i.reg);
            case "loadHigh", "punpcklqdq" -> low(i.reg) << 1;
            case "storeAligned", "storeUnaligned", "storeQ" -> i.mem ? 0 : both(i.rm);
            case "storeSd", "storeSs" -> i.mem ? 0 : low(i.rm);
            case "storeLow", "storeHigh", "toGeneral", "pmovmskb", "movmskps", "movmskpd" -> 0;
            case "cvtsd2si", "cvttsd2si", "cvtss2si", "cvttss2si" -> 0;
            case "ucomisd", "comisd", "ucomiss", "comiss" -> 0;
            case "shiftImmediate", "pslldq", "psrldq" -> both(i.rm);
            default -> both(i.reg);
        };
    }
}
