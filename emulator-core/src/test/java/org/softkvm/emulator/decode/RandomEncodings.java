package org.softkvm.emulator.decode;

import java.util.List;
import java.util.Random;
import org.softkvm.emulator.CpuModel;

/** Random encodings for 64-bit code, made from the rows of the instruction table that a CPU model has. */
final class RandomEncodings {
    private static final int[] SEGMENTS = {0x26, 0x2E, 0x36, 0x3E, 0x64, 0x65};

    private final Random random;
    private final List<Op> rows;
    private final byte[] code = new byte[32];
    private int length;
    private boolean memory;
    /** The row of the last encoding. */
    Op row;

    RandomEncodings(CpuModel model, long seed) {
        random = new Random(seed);
        rows = OpTable.INSTANCE.all().stream()
                .filter(op -> op.existsOn(model) && op.modes != Op.Modes.NOT64)
                // Objdump takes it and the x87 instruction behind it for one.
                .filter(op -> !op.mnemonic().equals("wait"))
                .toList();
    }

    private boolean chance(int of) {
        return random.nextInt(of) == 0;
    }

    private void put(int b) {
        code[length++] = (byte) b;
    }

    /**
     * The next encoding: prefixes that the row demands or allows, its opcode, a random ModRM byte with SIB and
     * displacement, and random bytes where an immediate may be.
     */
    byte[] next() {
        row = rows.get(random.nextInt(rows.size()));
        length = 0;
        if (chance(8)) {
            put(SEGMENTS[random.nextInt(6)]);
        }
        if (chance(10)) {
            put(0x67);
        }
        memory = row.isLockable() && row.operands().getFirst().mayBeMemory() && chance(6);
        if (memory) {
            put(0xF0);
        }
        int rex = random.nextInt(16);
        if (row.vex) {
            vex();
        } else {
            legacy(chance(2) ? 0x40 | rex : 0);
        }
        if (row.modrm) {
            modrm();
        }
        // Immediates, and what comes behind the instruction.
        byte[] bytes = new byte[length + 8];
        random.nextBytes(bytes);
        System.arraycopy(code, 0, bytes, 0, length);
        return bytes;
    }

    /** Any opcode of any map, whether there is a row or not, with at most one mandatory prefix, REX or VEX. */
    byte[] anyOpcode() {
        length = 0;
        switch (random.nextInt(8)) {
            case 0 -> put(0x66);
            case 1 -> put(0xF2);
            case 2 -> put(0xF3);
            default -> {}
        }
        int map = random.nextInt(5);
        if (map == 4) {
            length = 0;
            put(0xC4);
            put(random.nextInt(8) << 5 | 1 + random.nextInt(3));
            put((chance(2) ? 0x78 : random.nextInt(16) << 3) | random.nextInt(2) << 7 | random.nextInt(8));
            put(random.nextInt(256));
        } else {
            if (chance(3)) {
                put(0x40 | random.nextInt(16));
            }
            if (map > 0) {
                put(0x0F);
            }
            if (map > 1) {
                put(map == 2 ? 0x38 : 0x3A);
            }
            int opcode;
            do {
                opcode = random.nextInt(256);
            } while (map == 0 && isPrefixOrMap(opcode) || map == 1 && (opcode == 0x38 || opcode == 0x3A));
            put(opcode);
        }
        byte[] bytes = new byte[15];
        random.nextBytes(bytes);
        System.arraycopy(code, 0, bytes, 0, length);
        return bytes;
    }

    /** Also VEX, EVEX and XOP, and WAIT, which objdump joins with what follows. */
    private static boolean isPrefixOrMap(int b) {
        return switch (b) {
            case 0x0F, 0x26, 0x2E, 0x36, 0x3E, 0x62, 0x64, 0x65, 0x66, 0x67, 0x8F, 0x9B, 0xC4, 0xC5, 0xF0, 0xF2, 0xF3 ->
                true;
            default -> b >> 4 == 4;
        };
    }

    private void legacy(int rex) {
        switch (row.prefix) {
            case P66 -> put(0x66);
            case PF2, PF3 -> {
                if (chance(8)) {
                    put(0x66);
                }
                put(row.prefix == Op.Prefix.PF2 ? 0xF2 : 0xF3);
            }
            case NFX, ANY -> {
                if (chance(4)) {
                    put(0x66);
                }
                if (row.prefix == Op.Prefix.ANY && chance(16)) {
                    put(chance(2) ? 0xF2 : 0xF3);
                }
            }
            default -> {}
        }
        if (rex != 0) {
            put(row.requiredW < 0 ? rex : rex & ~8 | row.requiredW << 3);
        }
        if (row.map > 0) {
            put(0x0F);
        }
        if (row.map > 1) {
            put(row.map == 2 ? 0x38 : 0x3A);
        }
        put(row.plusR ? row.opcode | random.nextInt(8) : row.opcode);
    }

    private void vex() {
        int w = row.requiredW < 0 ? random.nextInt(2) : row.requiredW;
        int l = row.vexL < 0 ? random.nextInt(2) : row.vexL;
        int vvvv = row.usesVvvv || chance(50) ? random.nextInt(16) : 15;
        int pp = switch (row.prefix) {
            case P66 -> 1;
            case PF3 -> 2;
            case PF2 -> 3;
            default -> 0;
        };
        int rest = vvvv << 3 | l << 2 | pp;
        if (row.map == 1 && w == 0 && chance(2)) {
            put(0xC5);
            put(random.nextInt(2) << 7 | rest);
        } else {
            put(0xC4);
            put(random.nextInt(8) << 5 | row.map);
            put(w << 7 | rest);
        }
        put(row.opcode);
    }

    private void modrm() {
        int modrm = random.nextInt(256);
        if (row.modrmFixed >= 0) {
            modrm = row.modrmFixed;
        } else {
            if ((memory || row.isMemoryOnly()) && modrm >= 0xC0) {
                modrm &= 0xBF;
            }
            if (row.isRegisterOnly()) {
                modrm |= 0xC0;
            }
            if (row.group >= 0) {
                modrm = modrm & 0xC7 | row.group << 3;
            }
        }
        put(modrm);
        if (modrm < 0xC0) {
            int sib = random.nextInt(256);
            boolean hasSib = (modrm & 7) == 4;
            if (hasSib) {
                put(sib);
            }
            boolean four = modrm >= 0x80 || modrm < 0x40 && (hasSib ? (sib & 7) == 5 : (modrm & 7) == 5);
            int bytes = four ? 4 : modrm >= 0x40 ? 1 : 0;
            for (int k = 0; k < bytes; k++) {
                put(random.nextInt(256));
            }
        }
    }
}
