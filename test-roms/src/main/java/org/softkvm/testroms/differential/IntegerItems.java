package org.softkvm.testroms.differential;

import static org.softkvm.testroms.differential.Generator.hex;
import static org.softkvm.testroms.differential.Insn.AF;
import static org.softkvm.testroms.differential.Insn.ALL;
import static org.softkvm.testroms.differential.Insn.CF;
import static org.softkvm.testroms.differential.Insn.OF;
import static org.softkvm.testroms.differential.Insn.PF;
import static org.softkvm.testroms.differential.Insn.SF;
import static org.softkvm.testroms.differential.Insn.ZF;

import java.util.SplittableRandom;
import org.softkvm.testroms.differential.Encoder.Operand;

/** Items of integer instructions. Undefined flags are those of the Intel SDM, volume 2. */
final class IntegerItems {
    private static final String[] ARITHMETIC = {"add", "or", "adc", "sbb", "and", "sub", "xor", "cmp"};
    private static final String[] SHIFTS = {"rol", "ror", "rcl", "rcr", "shl", "shr", "sal", "sar"};
    private static final String[] CONDITIONS = {
        "o", "no", "b", "ae", "e", "ne", "be", "a", "s", "ns", "p", "np", "l", "ge", "le", "g"
    };

    private final Generator g;
    private final Encoder encoder;
    private final SplittableRandom random;

    IntegerItems(Generator g) {
        this.g = g;
        encoder = g.encoder;
        random = g.random;
    }

    Item.Plain arithmetic() {
        int operation = random.nextInt(8);
        int size = g.size();
        Operand rm = g.operand(size);
        String name = ARITHMETIC[operation];
        boolean logic = operation == 1 || operation == 4 || operation == 6;
        int reads = operation == 2 || operation == 3 ? CF : 0;
        byte[] code;
        String text;
        if (random.nextInt(3) == 0) {
            boolean small = size != 8 && random.nextBoolean();
            int bytes = small ? 1 : g.immediateBytes(size);
            long value = g.value();
            code = small
                    ? encoder.encode(size, 0, 0x83, operation, rm, 1, value)
                    : g.code(size, 0x81, operation, rm, bytes, value);
            text = name + " " + encoder.text(rm, size) + "," + g.number(value, bytes);
        } else if (random.nextBoolean()) {
            int reg = g.register(size);
            code = g.code(size, operation * 8 + 1, reg, rm, 0, 0);
            text = name + " " + encoder.text(rm, size) + "," + encoder.name(reg, size);
            if (rm.memory() && operation != 7 && random.nextInt(4) == 0) {
                byte[] locked = new byte[code.length + 1];
                locked[0] = (byte) 0xF0;
                System.arraycopy(code, 0, locked, 1, code.length);
                code = locked;
                text = "lock " + text;
                name = "lock " + name;
            }
        } else {
            int reg = g.register(size);
            code = g.code(size, operation * 8 + 3, reg, rm, 0, 0);
            text = name + " " + encoder.name(reg, size) + "," + encoder.text(rm, size);
        }
        Insn insn = Insn.of(code, text)
                .flags(logic ? ALL & ~AF : ALL, logic ? AF : 0)
                .reading(reads);
        return g.item(g.form(name, size, rm), insn);
    }

    Item.Plain oneOperand() {
        int size = g.size();
        Operand rm = g.operand(size);
        int n = random.nextInt(4);
        String name = new String[] {"inc", "dec", "not", "neg"}[n];
        byte[] code = g.code(size, n < 2 ? 0xFF : 0xF7, n, rm, 0, 0);
        int defined = n < 2 ? ALL & ~CF : n == 2 ? 0 : ALL;
        return g.item(
                g.form(name, size, rm),
                Insn.of(code, name + " " + encoder.text(rm, size)).flags(defined, 0));
    }

    Item.Plain shift() {
        int operation = random.nextInt(8);
        int size = g.size();
        Operand rm = g.operand(size);
        boolean rotate = operation < 4;
        String name = SHIFTS[operation];
        int reads = operation == 2 || operation == 3 ? CF : 0;
        int form = random.nextInt(3);
        String text = name + " " + encoder.text(rm, size) + ",";
        if (form == 0) {
            int defined = rotate ? CF | OF : ALL & ~AF;
            Insn insn = Insn.of(g.code(size, 0xD1, operation, rm, 0, 0), text + "1")
                    .flags(defined, rotate ? 0 : AF)
                    .reading(reads);
            return g.item(g.form(name, size, rm), insn);
        }
        if (form == 1) {
            // The count may be 0: then no flag changes.
            int lost = size < 32 && (operation == 4 || operation == 5 || operation == 6) ? CF : 0;
            Insn insn = Insn.of(g.code(size, 0xD3, operation, rm, 0, 0), text + "cl")
                    .flags(0, rotate ? OF : OF | AF | lost)
                    .reading(reads);
            return g.item(g.form(name, size, rm), insn);
        }
        int count = random.nextInt(256);
        int masked = count & (size == 64 ? 63 : 31);
        int defined = 0;
        int undefined = 0;
        if (masked != 0) {
            boolean all = masked == 1;
            defined = rotate ? CF : ZF | SF | PF | CF;
            undefined = rotate ? 0 : AF;
            if (all) {
                defined |= OF;
            } else {
                undefined |= OF;
            }
            if (!rotate && operation != 7 && masked >= size) {
                defined &= ~CF;
                undefined |= CF;
            }
            if ((operation == 2 || operation == 3) && size < 32) {
                // The count is taken modulo 9 or 17 once more, and may be 0.
                defined = 0;
                undefined = OF;
            }
        }
        Insn insn = Insn.of(g.code(size, 0xC1, operation, rm, 1, count), text + g.number(count, 1))
                .flags(defined, undefined)
                .reading(reads);
        return g.item(g.form(name, size, rm), insn);
    }

    Item.Plain doubleShift() {
        int size = Math.max(16, g.size());
        Operand rm = g.operand(size);
        int reg = g.register(size);
        boolean left = random.nextBoolean();
        String name = left ? "shld" : "shrd";
        String text = name + " " + encoder.text(rm, size) + "," + encoder.name(reg, size) + ",";
        if (size > 16 && random.nextBoolean()) {
            byte[] code = encoder.encode(size, 0, left ? 0x0FA5 : 0x0FAD, reg, rm, 0, 0);
            return g.item(g.form(name, size, rm), Insn.of(code, text + "cl").flags(0, OF | AF));
        }
        int count = 1 + random.nextInt(size - 1);
        byte[] code = encoder.encode(size, 0, left ? 0x0FA4 : 0x0FAC, reg, rm, 1, count);
        int defined = ALL & ~AF & ~(count == 1 ? 0 : OF);
        return g.item(
                g.form(name, size, rm), Insn.of(code, text + g.number(count, 1)).flags(defined, ALL & ~defined));
    }

    Item.Plain multiply() {
        int size = g.size();
        Operand rm = g.operand(size);
        int kind = random.nextInt(6);
        if (kind < 2 && size != 8) {
            int reg = g.register(size);
            String text = "imul " + encoder.name(reg, size) + "," + encoder.text(rm, size);
            if (kind == 0) {
                byte[] code = encoder.encode(size, 0, 0x0FAF, reg, rm, 0, 0);
                return g.item(g.form("imul2", size, rm), Insn.of(code, text).flags(CF | OF, ALL & ~(CF | OF)));
            }
            long value = g.value();
            int bytes = g.immediateBytes(size);
            byte[] code = encoder.encode(size, 0, 0x69, reg, rm, bytes, value);
            return g.item(
                    g.form("imul3", size, rm),
                    Insn.of(code, text + "," + g.number(value, bytes)).flags(CF | OF, ALL & ~(CF | OF)));
        }
        int n = 4 + random.nextInt(4);
        String name = new String[] {"mul", "imul", "div", "idiv"}[n - 4];
        Insn insn = Insn.of(g.code(size, 0xF7, n, rm, 0, 0), name + " " + encoder.text(rm, size));
        if (n < 6) {
            return g.item(g.form(name, size, rm), insn.flags(CF | OF, ALL & ~(CF | OF)));
        }
        Insn divide = insn.flags(0, ALL).faulting();
        if (random.nextInt(3) == 0) {
            return g.item(g.form(name, size, rm), divide);
        }
        // Mostly without overflow: the high half is the sign of the low one.
        Insn widen = switch (size) {
            case 8 -> Insn.of(encoder.encode(16, 0, 0x0FBE, 0, Operand.reg(0), 0, 0), "movsx ax,al");
            case 16 -> Insn.of(g.mode.bits == 16 ? hex("99") : hex("66 99"), "cwd");
            case 32 -> Insn.of(g.mode.bits == 16 ? hex("66 99") : hex("99"), "cdq");
            default -> Insn.of(hex("48 99"), "cqo");
        };
        return g.item(g.form(name, size, rm), widen, divide);
    }

    Item.Plain bits() {
        int size = Math.max(16, g.size());
        int kind = random.nextInt(8);
        if (kind < 4) {
            Operand rm = g.operand(size);
            String name = new String[] {"bt", "bts", "btr", "btc"}[kind];
            int bit = random.nextInt(256);
            if (!rm.memory() && random.nextBoolean()) {
                int reg = g.register(size);
                byte[] code = encoder.encode(size, 0, 0x0FA3 + 8 * kind, reg, rm, 0, 0);
                String text = name + " " + encoder.text(rm, size) + "," + encoder.name(reg, size);
                return g.item(g.form(name, size, rm), Insn.of(code, text).flags(CF, ALL & ~CF & ~ZF));
            }
            byte[] code = encoder.encode(size, 0, 0x0FBA, 4 + kind, rm, 1, bit);
            String text = name + " " + encoder.text(rm, size) + "," + g.number(bit, 1);
            return g.item(g.form(name, size, rm), Insn.of(code, text).flags(CF, ALL & ~CF & ~ZF));
        }
        if (kind < 6) {
            // The result for 0 is not defined: a bit is set before.
            int reg = g.register(size);
            Operand from = Operand.reg(g.register(size));
            String name = kind == 4 ? "bsf" : "bsr";
            Insn set = Insn.of(
                            encoder.encode(size, 0, 0x83, 1, from, 1, 0x40), "or " + encoder.text(from, size) + ",0x40")
                    .flags(ALL & ~AF, AF);
            byte[] code = encoder.encode(size, 0, kind == 4 ? 0x0FBC : 0x0FBD, reg, from, 0, 0);
            String text = name + " " + encoder.name(reg, size) + "," + encoder.text(from, size);
            return g.item(g.form(name, size, from), set, Insn.of(code, text).flags(ZF, ALL & ~ZF));
        }
        if (kind == 6) {
            Operand from = g.operand(size);
            int reg = g.register(size);
            byte[] code = encoder.encode(size, 0xF3, 0x0FB8, reg, from, 0, 0);
            String text = "popcnt " + encoder.name(reg, size) + "," + encoder.text(from, size);
            return g.item(g.form("popcnt", size, from), Insn.of(code, text).flags(ALL, 0));
        }
        int wide = g.mode.bits == 64 && random.nextBoolean() ? 64 : 32;
        int reg = g.register(wide);
        byte[] code = encoder.encode(wide, 0, 0x0FC8 + (reg & 7), 0, Operand.reg(0), 0, 0);
        byte[] swap = new byte[code.length - 1];
        System.arraycopy(code, 0, swap, 0, swap.length);
        if (reg >= 8) {
            // The register is in the opcode: REX.B.
            swap = wide == 64 ? hex("49 0F " + hexByte(0xC8 + reg - 8)) : hex("41 0F " + hexByte(0xC8 + reg - 8));
        }
        return g.item(g.form("bswap", wide, Operand.reg(reg)), Insn.of(swap, "bswap " + encoder.name(reg, wide)));
    }

    private static String hexByte(int value) {
        return String.format("%02x", value);
    }

    Item.Plain flags() {
        return switch (random.nextInt(8)) {
            case 0 -> g.item("lahf", Insn.of(hex("9F"), "lahf").reading(ALL & ~OF));
            case 1 -> g.item("sahf", Insn.of(hex("9E"), "sahf").flags(ALL & ~OF, 0));
            case 2 -> g.item("clc", Insn.of(hex("F8"), "clc").flags(CF, 0));
            case 3 -> g.item("stc", Insn.of(hex("F9"), "stc").flags(CF, 0));
            case 4 -> g.item("cmc", Insn.of(hex("F5"), "cmc").flags(CF, 0).reading(CF));
            case 5 -> g.item("cld", Insn.of(hex("FC"), "cld"));
            case 6 -> g.item("std", Insn.of(hex("FD"), "std"), Insn.of(hex("FC"), "cld"));
            default ->
                switch (random.nextInt(3)) {
                    case 0 -> g.item("cbw", Insn.of(g.mode.bits == 16 ? hex("98") : hex("66 98"), "cbw"));
                    case 1 -> g.item("cwde", Insn.of(g.mode.bits == 16 ? hex("66 98") : hex("98"), "cwde"));
                    default -> g.item("cwd", Insn.of(g.mode.bits == 16 ? hex("99") : hex("66 99"), "cwd"));
                };
        };
    }

    Item.Plain move() {
        int size = g.size();
        Operand rm = g.operand(size);
        int reg = g.register(size);
        switch (random.nextInt(7)) {
            case 0 -> {
                byte[] code = g.code(size, 0x89, reg, rm, 0, 0);
                return g.item(
                        g.form("mov to", size, rm),
                        Insn.of(code, "mov " + encoder.text(rm, size) + "," + encoder.name(reg, size)));
            }
            case 1 -> {
                byte[] code = g.code(size, 0x8B, reg, rm, 0, 0);
                return g.item(
                        g.form("mov from", size, rm),
                        Insn.of(code, "mov " + encoder.name(reg, size) + "," + encoder.text(rm, size)));
            }
            case 2 -> {
                long value = g.value();
                int bytes = g.immediateBytes(size);
                byte[] code = g.code(size, 0xC7, 0, rm, bytes, value);
                return g.item(
                        g.form("mov imm", size, rm),
                        Insn.of(code, "mov " + encoder.text(rm, size) + "," + g.number(value, bytes)));
            }
            case 3 -> {
                int to = Math.max(16, g.size());
                boolean wide = to > 16 && random.nextBoolean();
                boolean signed = random.nextBoolean();
                int target = g.register(to);
                Operand from =
                        wide ? g.operand(16) : random.nextBoolean() ? g.place(8) : Operand.reg(random.nextInt(3));
                String name = signed ? "movsx" : "movzx";
                byte[] code = encoder.encode(to, 0, 0x0FB6 + (wide ? 1 : 0) + (signed ? 8 : 0), target, from, 0, 0);
                return g.item(
                        g.form(name, wide ? 16 : 8, from),
                        Insn.of(code, name + " " + encoder.name(target, to) + "," + encoder.text(from, wide ? 16 : 8)));
            }
            case 4 -> {
                int to = Math.max(16, g.size());
                int target = g.register(to);
                Operand place = new Operand(-1, true, 6 + random.nextInt(2), random.nextInt(0x400));
                byte[] code = encoder.encode(to, 0, 0x8D, target, place, 0, 0);
                return g.item("lea", Insn.of(code, "lea " + encoder.name(target, to) + "," + encoder.text(place, 0)));
            }
            case 5 -> {
                // An index below 256, and memory at it.
                int index = 6 + random.nextInt(2);
                int bits = g.mode.bits;
                Operand place = new Operand(-1, true, index, random.nextInt(0x600));
                Insn mask = Insn.of(
                                encoder.encode(bits, 0, 0x81, 4, Operand.reg(index), bits == 16 ? 2 : 4, 0xFF),
                                "and " + encoder.name(index, bits) + ",0xff")
                        .flags(ALL & ~AF, AF);
                boolean store = random.nextBoolean();
                byte[] code = g.code(size, store ? 0x89 : 0x8B, reg, place, 0, 0);
                String text = store
                        ? "mov " + encoder.text(place, size) + "," + encoder.name(reg, size)
                        : "mov " + encoder.name(reg, size) + "," + encoder.text(place, size);
                return g.item(g.form("mov indexed", size, place), mask, Insn.of(code, text));
            }
            default -> {
                if (g.mode.bits != 64) {
                    return conditional();
                }
                Operand from = g.operand(32);
                int target = g.register(64);
                byte[] code = encoder.encode(64, 0, 0x63, target, from, 0, 0);
                return g.item(
                        g.form("movsxd", 32, from),
                        Insn.of(code, "movsxd " + encoder.name(target, 64) + "," + encoder.text(from, 32)));
            }
        }
    }

    Item.Plain conditional() {
        int condition = random.nextInt(16);
        if (random.nextBoolean()) {
            Operand rm = g.operand(8);
            byte[] code = encoder.encode(8, 0, 0x0F90 + condition, 0, rm, 0, 0);
            String text = "set" + CONDITIONS[condition] + " " + encoder.text(rm, 8);
            return g.item(g.form("setcc", 8, rm), Insn.of(code, text).reading(ALL));
        }
        int size = Math.max(16, g.size());
        Operand rm = g.operand(size);
        int reg = g.register(size);
        byte[] code = encoder.encode(size, 0, 0x0F40 + condition, reg, rm, 0, 0);
        String text = "cmov" + CONDITIONS[condition] + " " + encoder.name(reg, size) + "," + encoder.text(rm, size);
        return g.item(g.form("cmovcc", size, rm), Insn.of(code, text).reading(ALL));
    }

    Item.Plain exchange() {
        int size = g.size();
        Operand rm = g.operand(size);
        int reg = g.register(size);
        switch (random.nextInt(4)) {
            case 0 -> {
                byte[] code = g.code(size, 0x87, reg, rm, 0, 0);
                return g.item(
                        g.form("xchg", size, rm),
                        Insn.of(code, "xchg " + encoder.text(rm, size) + "," + encoder.name(reg, size)));
            }
            case 1 -> {
                byte[] code = g.code(size, 0x0FC1, reg, rm, 0, 0);
                String text = "xadd " + encoder.text(rm, size) + "," + encoder.name(reg, size);
                return g.item(g.form("xadd", size, rm), Insn.of(code, text).flags(ALL, 0));
            }
            case 2 -> {
                byte[] code = g.code(size, 0x0FB1, reg, rm, 0, 0);
                String text = "cmpxchg " + encoder.text(rm, size) + "," + encoder.name(reg, size);
                return g.item(g.form("cmpxchg", size, rm), Insn.of(code, text).flags(ALL, 0));
            }
            default -> {
                Operand place = Operand.at(false, 0x3000 + (random.nextInt(0x1F00) & -8));
                byte[] code = encoder.encode(0, 0, 0x0FC7, 1, place, 0, 0);
                String text = "cmpxchg8b " + encoder.text(place, 64);
                return g.item("cmpxchg8b", Insn.of(code, text).flags(ZF, 0));
            }
        }
    }

    Item.Plain decimal() {
        return switch (random.nextInt(7)) {
            case 0 ->
                g.item("daa", Insn.of(hex("27"), "daa").flags(ALL & ~OF, OF).reading(CF | AF));
            case 1 ->
                g.item("das", Insn.of(hex("2F"), "das").flags(ALL & ~OF, OF).reading(CF | AF));
            case 2 ->
                g.item(
                        "aaa",
                        Insn.of(hex("37"), "aaa")
                                .flags(CF | AF, OF | SF | ZF | PF)
                                .reading(AF));
            case 3 ->
                g.item(
                        "aas",
                        Insn.of(hex("3F"), "aas")
                                .flags(CF | AF, OF | SF | ZF | PF)
                                .reading(AF));
            case 4 -> g.item("aad", Insn.of(hex("D5 0A"), "aad").flags(SF | ZF | PF, OF | AF | CF));
            case 5 -> {
                int divisor = random.nextInt(12);
                Insn insn = Insn.of(new byte[] {(byte) 0xD4, (byte) divisor}, "aam " + divisor);
                yield g.item("aam", divisor == 0 ? insn.faulting() : insn.flags(SF | ZF | PF, OF | AF | CF));
            }
            default -> g.item("xlat", Insn.of(hex("D7"), "xlatb"));
        };
    }
}
