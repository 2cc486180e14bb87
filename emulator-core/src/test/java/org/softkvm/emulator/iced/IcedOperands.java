package org.softkvm.emulator.iced;

import java.util.List;
import java.util.Map;
import org.softkvm.emulator.cpu.Cpu;
import org.softkvm.emulator.decode.Insn;
import org.softkvm.emulator.decode.Operand;

/** Compares the operands of a decoded instruction with those that a line of the tables names. */
final class IcedOperands {
    private static final List<String> REGISTERS64 = List.of(
            "rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi", "r8", "r9", "r10", "r11", "r12", "r13", "r14",
            "r15");
    private static final List<String> REGISTERS32 = List.of(
            "eax", "ecx", "edx", "ebx", "esp", "ebp", "esi", "edi", "r8d", "r9d", "r10d", "r11d", "r12d", "r13d",
            "r14d", "r15d");
    private static final List<String> REGISTERS16 = List.of(
            "ax", "cx", "dx", "bx", "sp", "bp", "si", "di", "r8w", "r9w", "r10w", "r11w", "r12w", "r13w", "r14w",
            "r15w");
    private static final List<String> REGISTERS8 = List.of(
            "al", "cl", "dl", "bl", "spl", "bpl", "sil", "dil", "r8b", "r9b", "r10b", "r11b", "r12b", "r13b", "r14b",
            "r15b", "ah", "ch", "dh", "bh");
    private static final Map<String, Integer> SEGMENTS =
            Map.of("es", Cpu.ES, "cs", Cpu.CS, "ss", Cpu.SS, "ds", Cpu.DS, "fs", Cpu.FS, "gs", Cpu.GS);

    /** The address for which the 64-bit table's RIP-relative operands are made. */
    private static final long RIP64 = 0x7FFF_FFFF_FFFF_FFF0L;

    private IcedOperands() {}

    /** The number of a register of any kind, as {@link Insn} has it. */
    static int register(String name) {
        for (List<String> names : List.of(REGISTERS64, REGISTERS32, REGISTERS16, REGISTERS8)) {
            if (names.contains(name)) {
                return names.indexOf(name);
            }
        }
        if (SEGMENTS.containsKey(name)) {
            return SEGMENTS.get(name);
        }
        return Integer.parseInt(name.replaceAll("^([xy]?mm|st|cr|dr)", ""));
    }

    static int segment(String name) {
        return SEGMENTS.get(name);
    }

    static long number(String text) {
        return text.startsWith("0x")
                ? Long.parseUnsignedLong(text.substring(2), 16)
                : text.isEmpty() ? 0 : Long.parseLong(text);
    }

    /** Compares a memory operand; empty or "none" stands for a register that is not there. */
    static String memory(Insn i, int bits, String seg, String base, String index, int scale, long displacement) {
        if (!i.mem) {
            return "no memory operand";
        }
        StringBuilder difference = new StringBuilder();
        if (i.seg != SEGMENTS.get(seg)) {
            difference.append(" segment ").append(i.seg);
        }
        boolean ripRelative = base.equals("rip") || base.equals("eip");
        int wantedBase = base.isEmpty() || base.equals("none") || ripRelative ? Cpu.ZERO : register(base);
        if (index.contains("mm")) {
            // A vector of indexes has its register in another field.
            if (i.rm != register(index) || 1 << i.scale != scale) {
                difference.append(" indexes ").append(i.rm).append(" scale ").append(i.scale);
            }
            index = "";
        }
        int wantedIndex = index.isEmpty() || index.equals("none") ? Cpu.ZERO : register(index);
        if (i.base != wantedBase) {
            difference.append(" base ").append(i.base);
        }
        if (i.index != wantedIndex) {
            difference.append(" index ").append(i.index);
        }
        if (wantedIndex != Cpu.ZERO && 1 << i.scale != scale) {
            difference.append(" scale ").append(i.scale);
        }
        long wanted = ripRelative ? displacement - RIP64 + i.rip : displacement;
        if (((i.disp ^ wanted) & i.addrMask) != 0) {
            difference.append(" displacement ").append(Long.toHexString(i.disp));
        }
        return difference.toString();
    }

    /** Compares the operands of a line, "op0=... op1=... options". */
    static String compare(Insn i, int bits, String text) {
        StringBuilder difference = new StringBuilder();
        String[] words = text.split(" ");
        int count = 0;
        for (String word : words) {
            if (word.matches("op\\d=.*")) {
                count++;
            }
        }
        // XCHG is symmetric, and the tables have its register in the opcode first.
        boolean parallel = count == i.op.operands().size() && !i.op.mnemonic().equals("xchg");
        for (String word : words) {
            if (word.matches("op\\d=.*")) {
                Operand ours = parallel ? i.op.operands().get(word.charAt(2) - '0') : null;
                difference.append(operand(i, bits, ours, word.substring(4).split(";")));
            } else if (word.equals("lock") && !i.lock) {
                difference.append(" no lock");
            }
        }
        return difference.toString();
    }

    private static String operand(Insn i, int bits, Operand ours, String[] t) {
        return switch (t[0]) {
            case "r" -> ours == null ? "" : registerOperand(i, ours, t[1]);
            case "m" -> memoryOperand(i, bits, ours, t);
            case "i8", "i8to16", "i8to32", "i16", "i32" -> immediate(i, ours, t);
            case "i8_2nd" -> (byte) i.imm2 == (byte) number(t[1]) ? "" : " second immediate " + i.imm2;
            case "nb16", "nb32" -> i.target == number(t[1]) ? "" : " target " + Long.toHexString(i.target);
            case "fb16", "fb32" ->
                i.imm2 == number(t[1]) && i.imm == number(t[2]) ? "" : " far " + i.imm2 + ":" + Long.toHexString(i.imm);
            case "segsi", "segesi", "segdi", "segedi" ->
                i.seg == segment(t[1]) && i.addrSize == (t[0].startsWith("sege") ? 4 : 2)
                        ? ""
                        : " segment " + i.seg + ", address size " + i.addrSize;
            case "esdi", "esedi" -> i.addrSize == (t[0].equals("esedi") ? 4 : 2) ? "" : " address size " + i.addrSize;
            default -> throw new IllegalStateException(t[0]);
        };
    }

    private static String immediate(Insn i, Operand ours, String[] t) {
        if (ours == Operand.One) {
            return "";
        }
        int bits = t[0].endsWith("16") ? 16 : t[0].endsWith("32") ? 32 : 8;
        return ((i.imm ^ number(t[1])) & (1L << bits) - 1) == 0 ? "" : " immediate " + Long.toHexString(i.imm);
    }

    private static String registerOperand(Insn i, Operand ours, String name) {
        int wanted = name.equals("st0") ? 0 : register(name);
        int got = switch (ours) {
            case Eb, Ew, Ed, Ev, Ey, Ry, W, Wx, Wq, Wd, Ww, Wb, U, Ux, Q, Qd, N, STi -> i.mem ? -1 : i.rm;
            case Gb, Gw, Gd, Gv, Gy, Zb, Zv, Sw, Cd, Dd, V, P -> i.reg;
            case H, By -> i.vvvv;
            case L -> i.imm2;
            case AL, rAX, ST0 -> 0;
            case CL -> 1;
            case DX -> 2;
            default -> wanted;
        };
        return got == wanted ? "" : " " + ours + " is " + got + ", not " + name;
    }

    private static String memoryOperand(Insn i, int bits, Operand ours, String[] t) {
        if (t[3].equals("al")) {
            // XLAT.
            return i.seg == segment(t[1]) && i.addrSize == (t[2].equals("ebx") ? 4 : 2) ? "" : " segment " + i.seg;
        }
        String difference = memory(i, bits, t[1], t[2], t[3], Integer.parseInt(t[4]), number(t[5]));
        // Hints access nothing; M is memory of any size.
        boolean hint = i.op.mnemonic().equals("nop") || i.op.mnemonic().equals("prefetchw");
        if (ours != null && ours != Operand.M && ours != Operand.VM && !hint) {
            int got = i.vectorLength != 0 && (ours == Operand.W || ours == Operand.Mx)
                    ? i.vectorLength
                    : ours.size(i.opSize);
            int wanted = size(t[7], got);
            if (wanted != got) {
                difference += " size " + got + " of " + ours;
            }
        }
        return difference;
    }

    /** The size of a memory operand by its type's name; where the name tells none, the one given. */
    private static int size(String type, int otherwise) {
        String name = type.startsWith("Packed") ? type.substring("Packed".length(), type.indexOf('_')) : type;
        return switch (name) {
            case "UInt8", "Int8" -> 1;
            case "UInt16", "Int16", "16", "WordOffset" -> 2;
            case "UInt32", "Int32", "Float32", "32", "DwordOffset" -> 4;
            case "UInt64", "Int64", "Float64", "64" -> 8;
            case "Float80", "Bcd" -> 10;
            case "UInt128", "128" -> 16;
            case "UInt256", "256" -> 32;
            default -> otherwise;
        };
    }
}
