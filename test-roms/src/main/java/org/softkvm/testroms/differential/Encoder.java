package org.softkvm.testroms.differential;

import java.io.ByteArrayOutputStream;
import java.util.Locale;

/** Encodes instructions with a ModRM byte for one mode, with their text. */
final class Encoder {
    static final String[] REGISTERS = {
        "ax", "cx", "dx", "bx", "sp", "bp", "si", "di", "r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15"
    };
    private static final String[] BYTES = {"al", "cl", "dl", "bl", "ah", "ch", "dh", "bh"};

    /**
     * A register or a place in memory.
     *
     * @param register the register, or -1
     * @param base whether the base register counts
     * @param index register added, or -1
     * @param displacement number added
     */
    record Operand(int register, boolean base, int index, int displacement) {
        static Operand reg(int register) {
            return new Operand(register, false, -1, 0);
        }

        /** A place in memory, by the base register or by its number. */
        static Operand at(boolean base, int address) {
            return new Operand(-1, base, -1, base ? address - Layout.BASE : address);
        }

        boolean memory() {
            return register < 0;
        }
    }

    private final Mode mode;

    Encoder(Mode mode) {
        this.mode = mode;
    }

    /** The name of a register of so many bits. */
    String name(int register, int size) {
        return switch (size) {
            case 8 -> register < 8 ? BYTES[register] : REGISTERS[register] + "b";
            case 16 -> register < 8 ? REGISTERS[register] : REGISTERS[register] + "w";
            case 32 -> register < 8 ? "e" + REGISTERS[register] : REGISTERS[register] + "d";
            case 128 -> "xmm" + register;
            case 64 -> register < 8 ? "r" + REGISTERS[register] : REGISTERS[register];
            default -> throw new IllegalArgumentException("size " + size);
        };
    }

    String text(Operand operand, int size) {
        if (!operand.memory()) {
            return name(operand.register, size);
        }
        String keyword = switch (size) {
            case 8 -> "byte ";
            case 16 -> "word ";
            case 32 -> "dword ";
            case 64 -> "qword ";
            case 80 -> "tword ";
            case 128 -> "oword ";
            default -> "";
        };
        StringBuilder out = new StringBuilder(keyword).append('[');
        if (operand.base) {
            out.append(name(3, mode.bits));
        }
        if (operand.index >= 0) {
            out.append('+').append(name(operand.index, mode.bits));
        }
        if (operand.displacement != 0 || !operand.base) {
            out.append(operand.displacement < 0 ? "-" : operand.base ? "+" : "")
                    .append(String.format(Locale.ROOT, "0x%x", Math.abs(operand.displacement)));
        }
        return out.append(']').toString();
    }

    /**
     * An instruction.
     *
     * @param size of the operands: 66h and REX.W follow from it; 8 needs neither, 0 and 128 mean neither
     * @param prefix a mandatory prefix, 0 for none
     * @param opcode 1 to 3 bytes, the first one highest
     * @param reg the register field
     * @param rm the other operand
     * @param immediateBytes length of the immediate
     * @param immediate the immediate
     */
    byte[] encode(int size, int prefix, int opcode, int reg, Operand rm, int immediateBytes, long immediate) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        if (size == 16 && mode.bits != 16 || size == 32 && mode.bits == 16) {
            out.write(0x66);
        }
        if (prefix != 0) {
            out.write(prefix);
        }
        int rex = (size == 64 ? 8 : 0) | (reg >= 8 ? 4 : 0) | (rm.index >= 8 ? 2 : 0) | (rm.register >= 8 ? 1 : 0);
        if (rex != 0) {
            out.write(0x40 | rex);
        }
        for (int shift = 16; shift >= 0; shift -= 8) {
            if (opcode >>> shift != 0 || shift == 0) {
                out.write(opcode >>> shift);
            }
        }
        modRm(out, reg & 7, rm);
        number(out, immediateBytes, immediate);
        return out.toByteArray();
    }

    private void modRm(ByteArrayOutputStream out, int reg, Operand rm) {
        if (!rm.memory()) {
            out.write(0xC0 | reg << 3 | rm.register & 7);
        } else if (mode.bits == 16) {
            // [disp16], [bx+disp16], [bx+si+disp16], [bx+di+disp16]
            int form = !rm.base ? 6 : rm.index < 0 ? 0x87 : rm.index == 6 ? 0x80 : 0x81;
            out.write(form | reg << 3);
            number(out, 2, rm.displacement);
        } else if (rm.index >= 0) {
            out.write(0x84 | reg << 3);
            out.write((rm.index & 7) << 3 | 3);
            number(out, 4, rm.displacement);
        } else if (rm.base) {
            boolean small = rm.displacement == (byte) rm.displacement;
            out.write((small ? 0x43 : 0x83) | reg << 3);
            number(out, small ? 1 : 4, rm.displacement);
        } else if (mode.bits == 32) {
            out.write(0x05 | reg << 3);
            number(out, 4, rm.displacement);
        } else {
            // Without a SIB byte it would count from RIP.
            out.write(0x04 | reg << 3);
            out.write(0x25);
            number(out, 4, rm.displacement);
        }
    }

    private static void number(ByteArrayOutputStream out, int bytes, long value) {
        for (int n = 0; n < bytes; n++) {
            out.write((int) (value >>> 8 * n));
        }
    }
}
