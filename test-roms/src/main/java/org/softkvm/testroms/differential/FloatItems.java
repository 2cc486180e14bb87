package org.softkvm.testroms.differential;

import static org.softkvm.testroms.differential.Generator.hex;
import static org.softkvm.testroms.differential.Insn.ALL;

import java.util.SplittableRandom;
import org.softkvm.testroms.differential.Encoder.Operand;

/** Items of SSE and x87 instructions. */
final class FloatItems {
    /** Name, mandatory prefix, opcode; xmm, xmm/m128. */
    private static final Object[][] SSE = {
        {"addps", 0, 0x0F58},
        {"addpd", 0x66, 0x0F58},
        {"addss", 0xF3, 0x0F58},
        {"addsd", 0xF2, 0x0F58},
        {"mulps", 0, 0x0F59},
        {"mulsd", 0xF2, 0x0F59},
        {"subpd", 0x66, 0x0F5C},
        {"divsd", 0xF2, 0x0F5E},
        {"divps", 0, 0x0F5E},
        {"sqrtsd", 0xF2, 0x0F51},
        {"minps", 0, 0x0F5D},
        {"maxsd", 0xF2, 0x0F5F},
        {"andps", 0, 0x0F54},
        {"xorps", 0, 0x0F57},
        {"unpcklps", 0, 0x0F14},
        {"cvtss2sd", 0xF3, 0x0F5A},
        {"cvtsd2ss", 0xF2, 0x0F5A},
        {"cvtdq2ps", 0, 0x0F5B},
        {"cvttps2dq", 0xF3, 0x0F5B},
        {"paddb", 0x66, 0x0FFC},
        {"paddw", 0x66, 0x0FFD},
        {"paddd", 0x66, 0x0FFE},
        {"paddq", 0x66, 0x0FD4},
        {"psubsb", 0x66, 0x0FE8},
        {"psubd", 0x66, 0x0FFA},
        {"pmuludq", 0x66, 0x0FF4},
        {"pmaddwd", 0x66, 0x0FF5},
        {"pmullw", 0x66, 0x0FD5},
        {"pand", 0x66, 0x0FDB},
        {"pandn", 0x66, 0x0FDF},
        {"por", 0x66, 0x0FEB},
        {"pxor", 0x66, 0x0FEF},
        {"pcmpeqb", 0x66, 0x0F74},
        {"pcmpgtd", 0x66, 0x0F66},
        {"pmaxub", 0x66, 0x0FDE},
        {"pminsw", 0x66, 0x0FEA},
        {"pavgb", 0x66, 0x0FE0},
        {"psadbw", 0x66, 0x0FF6},
        {"packuswb", 0x66, 0x0F67},
        {"punpckldq", 0x66, 0x0F62},
        {"punpckhqdq", 0x66, 0x0F6D},
        {"psllw", 0x66, 0x0FF1},
        {"psrlq", 0x66, 0x0FD3},
        {"psrad", 0x66, 0x0FE2},
        {"pshufb", 0x66, 0x0F3800},
        {"pmulld", 0x66, 0x0F3840},
        {"phaddd", 0x66, 0x0F3802},
    };

    private final Generator g;
    private final Encoder encoder;
    private final SplittableRandom random;

    FloatItems(Generator g) {
        this.g = g;
        encoder = g.encoder;
        random = g.random;
    }

    private int xmm() {
        return random.nextInt(g.mode.bits == 64 ? 12 : 8);
    }

    private Operand place() {
        return Operand.at(random.nextBoolean(), 0x3000 + (random.nextInt(0x1F00) & -16));
    }

    Item.Plain sse() {
        int reg = xmm();
        String register = "xmm" + reg;
        Operand rm = random.nextInt(3) == 0 ? place() : Operand.reg(xmm());
        switch (random.nextInt(10)) {
            case 0 -> {
                Operand place = g.place(128);
                boolean store = random.nextBoolean();
                byte[] code = encoder.encode(0, 0, store ? 0x0F11 : 0x0F10, reg, place, 0, 0);
                String text = store
                        ? "movups " + encoder.text(place, 128) + "," + register
                        : "movups " + register + "," + encoder.text(place, 128);
                return g.item("movups", Insn.of(code, text));
            }
            case 1 -> {
                boolean gp = random.nextInt(4) == 0;
                Operand place = gp ? Operand.at(true, 0x3000 + random.nextInt(0x1F00) | 1) : place();
                byte[] code = encoder.encode(0, 0x66, 0x0F6F, reg, place, 0, 0);
                Insn insn = Insn.of(code, "movdqa " + register + "," + encoder.text(place, 128));
                return g.item(gp ? "movdqa misaligned" : "movdqa", gp ? insn.faulting() : insn);
            }
            case 2 -> {
                boolean to = random.nextBoolean();
                int gpr = g.register(32);
                byte[] code = encoder.encode(0, 0x66, to ? 0x0F7E : 0x0F6E, reg, Operand.reg(gpr), 0, 0);
                String name = encoder.name(gpr, 32);
                return g.item(
                        "movd", Insn.of(code, to ? "movd " + name + "," + register : "movd " + register + "," + name));
            }
            case 3 -> {
                int shuffle = random.nextInt(256);
                byte[] code = encoder.encode(0, 0x66, 0x0F70, reg, rm, 1, shuffle);
                return g.item(
                        "pshufd",
                        Insn.of(code, "pshufd " + register + "," + encoder.text(rm, 128) + "," + g.number(shuffle, 1)));
            }
            case 4 -> {
                boolean wide = random.nextBoolean();
                byte[] code = encoder.encode(0, wide ? 0x66 : 0, 0x0F2E, reg, rm, 0, 0);
                String name = wide ? "ucomisd" : "ucomiss";
                return g.item(
                        name,
                        Insn.of(code, name + " " + register + "," + encoder.text(rm, wide ? 64 : 32))
                                .flags(ALL, 0));
            }
            case 5 -> {
                int gpr = g.register(32);
                byte[] code = encoder.encode(0, 0xF2, 0x0F2C, gpr, rm, 0, 0);
                return g.item(
                        "cvttsd2si", Insn.of(code, "cvttsd2si " + encoder.name(gpr, 32) + "," + encoder.text(rm, 64)));
            }
            default -> {
                Object[] row = SSE[random.nextInt(SSE.length)];
                String name = (String) row[0];
                byte[] code = encoder.encode(0, (int) row[1], (int) row[2], reg, rm, 0, 0);
                return g.item(
                        g.form(name, 128, rm), Insn.of(code, name + " " + register + "," + encoder.text(rm, 128)));
            }
        }
    }

    Item.Plain x87() {
        switch (random.nextInt(8)) {
            case 0, 1 -> {
                int kind = random.nextInt(5);
                String name = new String[] {"fld", "fld", "fild", "fild", "fild"}[kind];
                int size = new int[] {32, 64, 16, 32, 64}[kind];
                int opcode = new int[] {0xD9, 0xDD, 0xDF, 0xDB, 0xDF}[kind];
                int field = kind == 4 ? 5 : 0;
                Operand place = place();
                byte[] code = encoder.encode(0, 0, opcode, field, place, 0, 0);
                return g.item(name + size, Insn.of(code, name + " " + encoder.text(place, size)));
            }
            case 2 -> {
                int kind = random.nextInt(4);
                String name = new String[] {"fstp", "fstp", "fistp", "fistp"}[kind];
                int size = new int[] {32, 64, 32, 64}[kind];
                int opcode = new int[] {0xD9, 0xDD, 0xDB, 0xDF}[kind];
                int field = kind == 3 ? 7 : 3;
                Operand place = place();
                byte[] code = encoder.encode(0, 0, opcode, field, place, 0, 0);
                return g.item(name + size, Insn.of(code, name + " " + encoder.text(place, size)));
            }
            case 3 -> {
                String[][] constants = {
                    {"D9 E8", "fld1"},
                    {"D9 EB", "fldpi"},
                    {"D9 EE", "fldz"},
                    {"D9 E0", "fchs"},
                    {"D9 E1", "fabs"},
                    {"D9 FA", "fsqrt"},
                    {"D9 FC", "frndint"},
                    {"D9 E4", "ftst"},
                    {"D9 E5", "fxam"}
                };
                String[] one = constants[random.nextInt(constants.length)];
                return g.item(one[1], Insn.of(hex(one[0]), one[1]));
            }
            case 4 -> {
                int n = random.nextInt(8);
                return g.item("fxch", Insn.of(new byte[] {(byte) 0xD9, (byte) (0xC8 + n)}, "fxch st" + n));
            }
            case 5 -> {
                if (random.nextBoolean()) {
                    int n = random.nextInt(8);
                    Insn insn = Insn.of(new byte[] {(byte) 0xDB, (byte) (0xF0 + n)}, "fcomi st" + n);
                    return g.item("fcomi", insn.flags(Insn.CF | Insn.PF | Insn.ZF, 0));
                }
                return g.item("fnstsw", Insn.of(hex("DF E0"), "fnstsw ax"));
            }
            default -> {
                int n = new int[] {0, 1, 4, 5, 6, 7}[random.nextInt(6)];
                String name = new String[] {"fadd", "fmul", "", "", "fsub", "fsubr", "fdiv", "fdivr"}[n];
                int st = random.nextInt(8);
                return g.item(
                        name, Insn.of(new byte[] {(byte) 0xD8, (byte) (0xC0 + 8 * n + st)}, name + " st0,st" + st));
            }
        }
    }
}
