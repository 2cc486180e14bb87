package org.softkvm.testroms.differential;

import static org.softkvm.testroms.differential.Generator.hex;
import static org.softkvm.testroms.differential.Insn.ALL;

import java.io.ByteArrayOutputStream;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import org.softkvm.testroms.differential.Encoder.Operand;

/** Items around memory: the stack, strings, ports, memory-mapped I/O, and what faults. */
final class MemoryItems {
    private final Generator g;
    private final Encoder encoder;
    private final SplittableRandom random;
    private final int bits;

    MemoryItems(Generator g) {
        this.g = g;
        encoder = g.encoder;
        random = g.random;
        bits = g.mode.bits;
    }

    Item.Plain stack() {
        int reg = g.register(16);
        int other = g.register(16);
        switch (random.nextInt(7)) {
            case 0, 1 -> {
                return g.item("push r, pop r", push(reg), pop(other));
            }
            case 2 -> {
                Operand place = Operand.at(true, 0x3000 + random.nextInt(0x1F00));
                byte[] code = encoder.encode(bits == 64 ? 0 : bits, 0, 0xFF, 6, place, 0, 0);
                return g.item("push m, pop r", Insn.of(code, "push " + encoder.text(place, bits)), pop(other));
            }
            case 3 -> {
                Insn get = Insn.of(hex("9C"), "pushf").reading(ALL);
                return g.item("pushf", get, pop(other));
            }
            case 4 -> {
                // Arithmetic flags, and DF for a moment.
                int value = random.nextInt() & (ALL | 0x400) | 2 | 0x3000;
                Insn load = bits == 16
                        ? Insn.of(new byte[] {0x68, (byte) value, (byte) (value >> 8)}, "push " + g.number(value, 2))
                        : Insn.of(
                                new byte[] {0x68, (byte) value, (byte) (value >> 8), 0, 0},
                                "push " + g.number(value, 4));
                Insn set = Insn.of(hex("9D"), "popf").flags(ALL, 0);
                return g.item("popf", load, set, Insn.of(hex("FC"), "cld"));
            }
            case 5 -> {
                if (bits == 64) {
                    return g.item("push r, pop r", push(reg), pop(other));
                }
                // BX comes back with the value that it had.
                return g.item("pusha, popa", Insn.of(hex("60"), "pusha"), Insn.of(hex("61"), "popa"));
            }
            default -> {
                int level = random.nextInt(3);
                // BP counts loops.
                Insn save = Insn.of(hex("55"), "push " + encoder.name(5, bits));
                Insn restore = Insn.of(hex("5D"), "pop " + encoder.name(5, bits));
                Insn frame = Insn.of(new byte[] {(byte) 0xC8, 0x10, 0, (byte) level}, "enter 0x10," + level);
                // Level 2 reads memory by BP.
                return g.item(
                        "enter, leave",
                        save,
                        level == 2 ? frame.faulting() : frame,
                        Insn.of(hex("C9"), "leave"),
                        restore);
            }
        }
    }

    private Insn push(int reg) {
        return Insn.of(short1(0x50, reg), "push " + encoder.name(reg, bits));
    }

    private Insn pop(int reg) {
        return Insn.of(short1(0x58, reg), "pop " + encoder.name(reg, bits));
    }

    private static byte[] short1(int opcode, int reg) {
        return reg < 8 ? new byte[] {(byte) (opcode + reg)} : new byte[] {0x41, (byte) (opcode + reg - 8)};
    }

    /** Loads a register with a constant of the size of an address. */
    private Insn load(int reg, int value) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        if (reg >= 8) {
            out.write(0x41);
        }
        out.write(0xB8 + (reg & 7));
        for (int n = 0; n < (bits == 16 ? 2 : 4); n++) {
            out.write(value >>> 8 * n);
        }
        return Insn.of(
                out.toByteArray(),
                "mov " + encoder.name(reg, bits == 16 ? 16 : 32) + ",0x" + Integer.toHexString(value));
    }

    private byte[] prefixed(int size, int... code) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        if (size == 16 && bits != 16 || size == 32 && bits == 16) {
            out.write(0x66);
        }
        for (int n = 0; n < code.length; n++) {
            if (n == code.length - 1 && size == 64) {
                // REX.W stands right before the opcode, behind REP.
                out.write(0x48);
            }
            out.write(code[n]);
        }
        return out.toByteArray();
    }

    Item.Plain string() {
        int size = g.size();
        int kind = random.nextInt(5);
        int opcode = new int[] {0xA4, 0xA6, 0xAA, 0xAC, 0xAE}[kind] + (size == 8 ? 0 : 1);
        String name = new String[] {"movs", "cmps", "stos", "lods", "scas"}[kind]
                + switch (size) {
                    case 8 -> "b";
                    case 16 -> "w";
                    case 32 -> "d";
                    default -> "q";
                };
        boolean backwards = random.nextInt(4) == 0;
        List<Insn> insns = new ArrayList<>();
        insns.add(load(6, 0x3200 + random.nextInt(0x1C00)));
        insns.add(load(7, 0x3200 + random.nextInt(0x1C00)));
        if (random.nextInt(6) == 0) {
            // Overlapping.
            int at = 0x3200 + random.nextInt(0x1C00);
            insns.set(0, load(6, at));
            insns.set(1, load(7, at + random.nextInt(9) - 4));
        }
        int rep = random.nextInt(3);
        if (rep != 0) {
            insns.add(load(1, random.nextInt(4) == 0 ? random.nextInt(3) : random.nextInt(48)));
        }
        if (backwards) {
            insns.add(Insn.of(hex("FD"), "std"));
        }
        boolean compares = kind == 1 || kind == 4;
        // A count of 0 leaves the flags alone.
        int defined = compares && rep == 0 ? ALL : 0;
        String prefix = rep == 0 ? "" : rep == 1 ? compares ? "repe " : "rep " : "repne ";
        if (!compares && rep == 2) {
            rep = 1;
            prefix = "rep ";
        }
        byte[] code = rep == 0 ? prefixed(size, opcode) : prefixed(size, rep == 1 ? 0xF3 : 0xF2, opcode);
        insns.add(Insn.of(code, prefix + name).flags(defined, 0));
        if (backwards) {
            insns.add(Insn.of(hex("FC"), "cld"));
        }
        return new Item.Plain(prefix + name, insns);
    }

    Item.Plain port() {
        int size = new int[] {8, 16, 32}[random.nextInt(3)];
        int kind = random.nextInt(9);
        if (kind < 3) {
            int port = 0x60 + random.nextInt(4);
            boolean in = kind == 0;
            String register = encoder.name(0, size);
            byte[] code = prefixed(size, (in ? 0xE4 : 0xE6) + (size == 8 ? 0 : 1));
            byte[] all = java.util.Arrays.copyOf(code, code.length + 1);
            all[code.length] = (byte) port;
            String number = "0x" + Integer.toHexString(port);
            return g.item(
                    (in ? "in" : "out") + size,
                    Insn.of(all, in ? "in " + register + "," + number : "out " + number + "," + register)
                            .faulting());
        }
        if (kind < 5) {
            boolean in = kind == 3;
            int opcode = (in ? 0xEC : 0xEE) + (size == 8 ? 0 : 1);
            String register = encoder.name(0, size);
            return g.item(
                    (in ? "in" : "out") + size + " dx",
                    load(2, 0x300 + random.nextInt(0x100)),
                    Insn.of(prefixed(size, opcode), in ? "in " + register + ",dx" : "out dx," + register)
                            .faulting());
        }
        if (kind == 5) {
            boolean in = random.nextBoolean();
            int opcode = (in ? 0x6C : 0x6E) + (size == 8 ? 0 : 1);
            String name = (in ? "ins" : "outs") + new String[] {"", "b", "w", "", "d"}[size / 8];
            List<Insn> insns = new ArrayList<>();
            insns.add(load(2, 0x300));
            insns.add(load(6, 0x3200 + random.nextInt(0x1C00)));
            insns.add(load(7, 0x3200 + random.nextInt(0x1C00)));
            boolean rep = random.nextBoolean();
            if (rep) {
                insns.add(load(1, random.nextInt(12)));
            }
            insns.add(Insn.of(rep ? prefixed(size, 0xF3, opcode) : prefixed(size, opcode), (rep ? "rep " : "") + name)
                    .faulting());
            return new Item.Plain((rep ? "rep " : "") + name, insns);
        }
        return mmio();
    }

    private Item.Plain mmio() {
        int size = g.size();
        int reg = g.register(size);
        int address = Layout.MMIO + 8 * random.nextInt(64) + (random.nextInt(8) == 0 ? random.nextInt(8) : 0);
        Operand place = Operand.at(random.nextBoolean(), address);
        String where = encoder.text(place, size);
        String register = encoder.name(reg, size);
        switch (random.nextInt(6)) {
            case 0, 1 -> {
                byte[] code = g.code(size, 0x8B, reg, place, 0, 0);
                return g.item(
                        "mov from mmio" + size,
                        Insn.of(code, "mov " + register + "," + where).faulting());
            }
            case 2, 3 -> {
                byte[] code = g.code(size, 0x89, reg, place, 0, 0);
                return g.item(
                        "mov to mmio" + size,
                        Insn.of(code, "mov " + where + "," + register).faulting());
            }
            case 4 -> {
                byte[] code = g.code(size, 0x01, reg, place, 0, 0);
                return g.item(
                        "add mmio" + size,
                        Insn.of(code, "add " + where + "," + register)
                                .flags(ALL, 0)
                                .faulting());
            }
            default -> {
                byte[] code = g.code(size, 0x3B, reg, place, 0, 0);
                return g.item(
                        "cmp mmio" + size,
                        Insn.of(code, "cmp " + register + "," + where)
                                .flags(ALL, 0)
                                .faulting());
            }
        }
    }

    Item.Plain fault() {
        switch (random.nextInt(9)) {
            case 0 -> {
                return g.item("ud2", Insn.of(hex("0F 0B"), "ud2").faulting());
            }
            case 1 -> {
                return g.item("int3", Insn.of(hex("CC"), "int3").faulting());
            }
            case 2 -> {
                return g.item("int", Insn.of(hex("CD 21"), "int 0x21").faulting());
            }
            case 3 -> {
                if (bits == 64) {
                    return g.item(
                            "invalid opcode", Insn.of(hex("06"), "db 0x06").faulting());
                }
                return g.item(
                        "into", Insn.of(hex("CE"), "into").reading(Insn.OF).faulting());
            }
            case 4 -> {
                Insn zero = Insn.of(encoder.encode(32, 0, 0x31, 1, Operand.reg(1), 0, 0), "xor ecx,ecx")
                        .flags(ALL & ~Insn.AF, Insn.AF);
                byte[] code = encoder.encode(32, 0, 0xF7, 6, Operand.reg(1), 0, 0);
                return g.item("div by zero", zero, Insn.of(code, "div ecx").faulting());
            }
            case 5 -> {
                // A selector beyond the table; in real mode any value is one.
                boolean fs = random.nextBoolean();
                Insn load = load(0, 0x1230);
                byte[] code = new byte[] {(byte) 0x8E, (byte) (fs ? 0xE0 : 0xE8)};
                return g.item(
                        "mov seg",
                        load,
                        Insn.of(code, fs ? "mov fs,ax" : "mov gs,ax").faulting());
            }
            case 6 -> {
                if (!g.mode.user) {
                    return pageFault();
                }
                String[][] privileged = {
                    {"F4", "hlt"}, {"0F 06", "clts"}, {"0F 20 C0", "mov eax,cr0"}, {"0F 08", "invd"}, {"0F 30", "wrmsr"}
                };
                String[] one = privileged[random.nextInt(privileged.length)];
                return g.item(
                        "privileged " + one[1], Insn.of(hex(one[0]), one[1]).faulting());
            }
            case 7 -> {
                if (bits == 64) {
                    Insn move = Insn.of(hex("48 B8 00 00 00 00 00 00 00 80"), "mov rax,0x8000000000000000");
                    return g.item(
                            "not canonical",
                            move,
                            Insn.of(hex("8B 00"), "mov eax,[rax]").faulting());
                }
                if (bits == 16) {
                    // Across the limit of the segment.
                    return g.item(
                            "limit", Insn.of(hex("A1 FF FF"), "mov ax,[0xffff]").faulting());
                }
                return pageFault();
            }
            default -> {
                return pageFault();
            }
        }
    }

    /** An access to a page that may be absent, read-only or the supervisor's; without paging just memory. */
    private Item.Plain pageFault() {
        int size = g.size();
        int reg = g.register(size);
        int page = new int[] {Layout.NOT_PRESENT, Layout.READ_ONLY, Layout.READ_ONLY, Layout.SUPERVISOR}
                [random.nextInt(4)];
        if (!g.mode.paging) {
            page = Layout.NOT_PRESENT;
        }
        boolean across = random.nextInt(4) == 0 && size > 16;
        int address = page + (across ? -2 : random.nextInt(0xE00));
        if (page == Layout.SUPERVISOR && !g.mode.user) {
            page = Layout.NOT_PRESENT;
        }
        Operand place = Operand.at(across || random.nextBoolean(), address);
        boolean store = random.nextBoolean();
        int opcode = new int[] {0x89, 0x01, 0x87}[random.nextInt(3)];
        if (!store) {
            opcode = 0x8B;
        }
        byte[] code = g.code(size, opcode, reg, place, 0, 0);
        String name = opcode == 0x01 ? "add" : opcode == 0x87 ? "xchg" : "mov";
        String text = store
                ? name + " " + encoder.text(place, size) + "," + encoder.name(reg, size)
                : "mov " + encoder.name(reg, size) + "," + encoder.text(place, size);
        Insn insn = Insn.of(code, text).faulting();
        return g.item(
                g.form(name + (store ? " to" : " from") + (across ? " the end of a page" : " protected"), size, place),
                opcode == 0x01 ? insn.flags(ALL, 0) : insn);
    }
}
