package org.softkvm.emulator.decode;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * The instruction table: every instruction form that some CPU model has. Decoder, disassembler, interpreter and
 * translator are driven from it.
 *
 * <p>An encoding is written as in the manuals: mandatory prefix (NP, 66, F3, F2; NFX = neither F2 nor F3), opcode bytes,
 * then {@code /r} (a ModRM byte), {@code /0} to {@code /7} (ModRM.reg extends the opcode), {@code =XX} (the ModRM byte is
 * XX) or {@code +r} (register in the low three bits).
 *
 * <p>VEX encodings begin with a word of parts, as in the manuals: {@code VEX}, the vector length ({@code 128},
 * {@code 256}, {@code L0} = {@code LZ}, {@code L1}, {@code LIG} = any), the prefix ({@code NP} or none, {@code 66},
 * {@code F3}, {@code F2}), the map ({@code 0F}, {@code 0F38}, {@code 0F3A}) and VEX.W ({@code W0}, {@code W1}; {@code WIG}
 * or nothing = any). Operands of kinds Ey, Gy and By are 64 bits wide with VEX.W in 64-bit code, else 32, so most
 * general-register instructions are one row without W:
 *
 * <pre>{@code
 * t.op("VEX.LZ.0F38 F2 /r", "andn", Gy, By, Ey).value(Bmi.class, "andn").flags(Flags.LOGIC).overwrites().needs(Feature.BMI1);
 * t.op("VEX.LZ.0F38 F3 /1", "blsr", By, Ey).value(Bmi.class, "blsr")...      // destination in VEX.vvvv
 * t.op("VEX.LZ.66.0F38 F7 /r", "shlx", Gy, Ey, By).value(Bmi.class, "shlx").move()...
 * t.op("VEX.LZ.F2.0F3A F0 /r", "rorx", Gy, Ey, Ib).value(Bmi.class, "rorx").move()...
 * t.op("VEX.LZ.F2.0F38 F6 /r", "mulx", Gy, By, Ey).state(Bmi.class, "mulx")... // reads i.reg, i.vvvv, c.getRm
 * t.op("VEX.256.66.0F.WIG D4 /r", "vpaddq", V, H, W)...
 * }</pre>
 *
 * Which legacy prefixes are #UD before VEX, that VEX.vvvv is 1111b where no operand uses it, and that there is no VEX in
 * real and virtual-8086 mode, is the decoder's business.
 */
public final class OpTable {
    /** The table. */
    public static final OpTable INSTANCE = new OpTable();

    /** Rows by map (0 = one byte, 1 = 0F, 2 = 0F38, 3 = 0F3A) and opcode, most specific first. */
    private final Op[][][] rows = new Op[4][256][];

    /** VEX rows by map and opcode. */
    private final Op[][][] vexRows = new Op[4][256][];

    private final List<Op> all = new ArrayList<>();

    private OpTable() {
        IntegerRows.define(this);
        SegmentRows.define(this);
        SystemRows.define(this);
        X87Rows.define(this);
        MmxRows.define(this);
        SseRows.define(this);
        Sse3Rows.define(this);
        Sse4Rows.define(this);
        BitRows.define(this);
        CryptoRows.define(this);
        VexRows.define(this);
        AvxRows.define(this);
    }

    /**
     * Adds a row.
     *
     * @param encoding see above
     * @param mnemonic name, lower case
     * @param operands operands, destination first
     * @return the row, to be declared further
     */
    public Op op(String encoding, String mnemonic, Operand... operands) {
        Op.Prefix prefix = Op.Prefix.ANY;
        int map = 0;
        int opcode = -1;
        int group = -1;
        int fixed = -1;
        boolean modrm = false;
        boolean plusR = false;
        boolean vex = false;
        int vexL = -1;
        int vexW = -1;
        String[] tokens = encoding.split(" ");
        for (int t = 0; t < tokens.length; t++) {
            String token = tokens[t];
            if (token.startsWith("VEX.")) {
                vex = true;
                prefix = Op.Prefix.NP;
                for (String part : token.substring(4).split("\\.")) {
                    switch (part) {
                        case "128", "L0", "LZ" -> vexL = 0;
                        case "256", "L1" -> vexL = 1;
                        case "66" -> prefix = Op.Prefix.P66;
                        case "F3" -> prefix = Op.Prefix.PF3;
                        case "F2" -> prefix = Op.Prefix.PF2;
                        case "0F" -> map = 1;
                        case "0F38" -> map = 2;
                        case "0F3A" -> map = 3;
                        case "W0" -> vexW = 0;
                        case "W1" -> vexW = 1;
                        case "NP", "LIG", "WIG" -> {}
                        default -> throw new IllegalArgumentException(encoding);
                    }
                }
            } else if (token.equals("NP")) {
                prefix = Op.Prefix.NP;
            } else if (token.equals("NFX")) {
                prefix = Op.Prefix.NFX;
            } else if (token.equals("/r")) {
                modrm = true;
            } else if (token.startsWith("/")) {
                modrm = true;
                group = Integer.parseInt(token.substring(1));
            } else if (token.startsWith("=")) {
                modrm = true;
                fixed = Integer.parseInt(token.substring(1), 16);
            } else if (token.equals("+r")) {
                plusR = true;
            } else {
                int b = Integer.parseInt(token, 16);
                boolean more = t + 1 < tokens.length && isByte(tokens[t + 1]);
                if (more && opcode < 0 && map == 0 && (b == 0x66 || b == 0xF3 || b == 0xF2)) {
                    prefix = b == 0x66 ? Op.Prefix.P66 : b == 0xF3 ? Op.Prefix.PF3 : Op.Prefix.PF2;
                } else if (b == 0x0F && map == 0 && more) {
                    map = 1;
                } else if (map == 1 && b == 0x38 && more) {
                    map = 2;
                } else if (map == 1 && b == 0x3A && more) {
                    map = 3;
                } else {
                    opcode = b;
                }
            }
        }
        if (opcode < 0) {
            throw new IllegalArgumentException(encoding);
        }
        Op op = new Op(
                map, opcode, group, fixed, prefix, modrm, plusR, mnemonic.toLowerCase(Locale.ROOT), List.of(operands));
        op.vex = vex;
        op.vexL = vexL;
        op.requiredW = vexW;
        all.add(op);
        for (int k = 0; k < (plusR ? 8 : 1); k++) {
            insert(vex ? vexRows : rows, map, opcode + k, op);
        }
        return op;
    }

    /** Two hexadecimal digits; a regular expression for each row takes longer than all the rest of the table. */
    private static boolean isByte(String token) {
        return token.length() == 2 && isDigit(token.charAt(0)) && isDigit(token.charAt(1));
    }

    private static boolean isDigit(char c) {
        return c >= '0' && c <= '9' || c >= 'A' && c <= 'F';
    }

    private static void insert(Op[][][] rows, int map, int opcode, Op op) {
        Op[] old = rows[map][opcode];
        int n = old == null ? 0 : old.length;
        Op[] now = new Op[n + 1];
        int at = 0;
        while (at < n && score(old[at]) >= score(op)) {
            now[at] = old[at];
            at++;
        }
        now[at] = op;
        for (int k = at; k < n; k++) {
            now[k + 1] = old[k];
        }
        rows[map][opcode] = now;
    }

    private static int score(Op op) {
        int prefix = switch (op.prefix) {
            case PF2, PF3 -> 4;
            case P66 -> 3;
            case NP -> 2;
            case NFX -> 1;
            case ANY -> 0;
        };
        return (op.modrmFixed >= 0 ? 8 : 0) + prefix;
    }

    /** The candidates of an opcode, most specific first; null where there are none. */
    Op[] candidates(int map, int opcode) {
        return rows[map][opcode];
    }

    /** The SSE row of an encoding; its destination is a vector register or it has none. */
    Op sse(Op.Prefix prefix, int map, int opcode) {
        for (Op op : rows[map][opcode]) {
            if (op.prefix == prefix && op.group < 0) {
                return op;
            }
        }
        throw new IllegalArgumentException(prefix + " " + map + " " + Integer.toHexString(opcode));
    }

    /** The VEX-encoded candidates of an opcode; null where there are none. */
    Op[] vexCandidates(int map, int opcode) {
        return map > 3 ? null : vexRows[map][opcode];
    }

    /**
     * All rows.
     *
     * @return in order of definition
     */
    public List<Op> all() {
        return List.copyOf(all);
    }
}
