package org.softkvm.testroms.differential;

import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.SplittableRandom;
import org.softkvm.testroms.differential.Encoder.Operand;

/** Makes random programs. The same seed and number give the same program. */
final class Generator {
    /** Weights of the kinds of items, in the order of {@link #plain}. */
    private static final int[] WEIGHTS = {30, 6, 10, 3, 6, 6, 5, 16, 8, 4, 6, 6, 6, 8, 8, 6, 6};

    final SplittableRandom random;
    final Mode mode;
    final Encoder encoder;

    private Generator(SplittableRandom random, Mode mode) {
        this.random = random;
        this.mode = mode;
        encoder = new Encoder(mode);
    }

    /** The program of a number; modes take turns. */
    static Program program(long seed, int number) {
        Mode mode = Mode.values()[number % Mode.values().length];
        SplittableRandom random = new SplittableRandom(seed * 1_000_003 + number * 0x9E3779B97F4A7C15L);
        return new Generator(random, mode).program();
    }

    /** Random items of one mode, for tests. */
    static Generator of(long seed, Mode mode) {
        return new Generator(new SplittableRandom(seed), mode);
    }

    private Program program() {
        List<Item> items = new ArrayList<>();
        int count = 4 + random.nextInt(12);
        for (int n = 0; n < count; n++) {
            int kind = random.nextInt(20);
            if (kind == 0) {
                items.add(new Item.Loop(1 + random.nextInt(4), some(1 + random.nextInt(4))));
            } else if (kind == 1) {
                items.add(new Item.Call(some(1 + random.nextInt(3)), random.nextBoolean()));
            } else if (kind <= 3) {
                items.add(new Item.Skip(random.nextInt(18) - 2, 1 + random.nextInt(3)));
            } else {
                items.add(plain());
            }
        }
        // All once more: what was executed once is translated the second time.
        List<Item> program = random.nextInt(3) == 0 ? List.of(new Item.Loop(2, List.copyOf(flat(items)))) : items;
        long[] registers = new long[16];
        long[] xmm = new long[32];
        for (int n = 0; n < 16; n++) {
            registers[n] = value();
        }
        for (int n = 0; n < 32; n++) {
            xmm[n] = random.nextInt(3) == 0 ? Double.doubleToRawLongBits(random.nextInt(1000) / 8.0) : value();
        }
        int flags = random.nextInt() & Insn.ALL | 2 | (random.nextInt(4) == 0 ? 0 : 0x3000);
        return new Program(mode, program, registers, flags, xmm, random.nextLong() | 1);
    }

    private static List<Item> flat(List<Item> items) {
        List<Item> out = new ArrayList<>();
        for (Item item : items) {
            if (item instanceof Item.Loop loop) {
                out.addAll(loop.body());
            } else {
                out.add(item);
            }
        }
        return out;
    }

    private List<Item> some(int count) {
        List<Item> items = new ArrayList<>();
        for (int n = 0; n < count; n++) {
            items.add(random.nextInt(6) == 0 ? new Item.Skip(random.nextInt(18) - 2, 1) : plain());
        }
        return items;
    }

    Item.Plain plain() {
        int at = 0;
        for (int weight : WEIGHTS) {
            at += weight;
        }
        at = random.nextInt(at);
        int kind = 0;
        while (at >= WEIGHTS[kind]) {
            at -= WEIGHTS[kind++];
        }
        IntegerItems integer = new IntegerItems(this);
        MemoryItems memory = new MemoryItems(this);
        return switch (kind) {
            case 0 -> integer.arithmetic();
            case 1 -> integer.oneOperand();
            case 2 -> integer.shift();
            case 3 -> integer.doubleShift();
            case 4 -> integer.multiply();
            case 5 -> integer.bits();
            case 6 -> integer.flags();
            case 7 -> integer.move();
            case 8 -> integer.conditional();
            case 9 -> mode.bits == 64 ? integer.exchange() : integer.decimal();
            case 10 -> integer.exchange();
            case 11 -> memory.stack();
            case 12 -> memory.string();
            case 13 -> memory.port();
            case 14 -> memory.fault();
            case 15 -> new FloatItems(this).sse();
            default -> new FloatItems(this).x87();
        };
    }

    // ---- What the items are made of

    long value() {
        return switch (random.nextInt(6)) {
            case 0 -> random.nextInt(4) - 1;
            case 1 -> 1L << random.nextInt(64);
            case 2 -> (1L << random.nextInt(64)) - 1;
            case 3 -> random.nextInt(256);
            default -> random.nextLong();
        };
    }

    int size() {
        int n = random.nextInt(mode.bits == 64 ? 6 : 5);
        return n == 0
                ? 8
                : n == 1 ? 16 : n == 5 || n == 4 && mode.bits == 64 ? 64 : n == 2 && mode.bits == 16 ? 16 : 32;
    }

    /** Two registers that one instruction can name; BX is the base, SP and BP have their meaning. */
    int[] registers(int size) {
        return new int[] {register(size), register(size)};
    }

    int register(int size) {
        int n = random.nextInt(mode.bits == 64 && size != 8 ? 12 : size == 8 ? 6 : 5);
        return switch (n) {
            case 0, 1, 2 -> n;
            case 3, 4 -> size == 8 ? n + 1 : n + 3;
            default -> size == 8 ? 6 : n + 3;
        };
    }

    /** A place in data memory where so many bytes fit; now and then across a page. */
    Operand place(int size) {
        int address = random.nextInt(12) == 0 ? 0x3FF9 + random.nextInt(7) : 0x3000 + random.nextInt(0x1F00);
        if (random.nextBoolean()) {
            address &= -8;
        }
        return Operand.at(random.nextInt(4) != 0, address);
    }

    /** A register three times of four, else memory. */
    Operand operand(int size) {
        return random.nextInt(4) == 0 ? place(size) : Operand.reg(register(size));
    }

    /** {@link Encoder#encode} for operations whose opcode is one less for bytes. */
    byte[] code(int size, int opcode, int reg, Operand rm, int immediateBytes, long immediate) {
        return encoder.encode(size, 0, size == 8 ? opcode - 1 : opcode, reg, rm, immediateBytes, immediate);
    }

    int immediateBytes(int size) {
        return Math.min(4, size / 8);
    }

    String number(long value, int bytes) {
        return bytes == 0 ? "" : "0x" + Long.toHexString(bytes == 8 ? value : value & (1L << 8 * bytes) - 1);
    }

    Item.Plain item(String form, Insn... insns) {
        return new Item.Plain(form, List.of(insns));
    }

    /** Names a form: what it does, and with what. */
    String form(String name, int size, Operand... operands) {
        StringBuilder out = new StringBuilder(name);
        for (Operand operand : operands) {
            out.append(operand.memory() ? " m" : " r").append(size);
        }
        return out.toString();
    }

    static byte[] hex(String digits) {
        return HexFormat.of().parseHex(digits.replace(" ", ""));
    }
}
