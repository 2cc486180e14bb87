package org.softkvm.emulator.fpu;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.HexFormat;

/** TestFloat's 80-bit cases through x87 instructions: operands and results go through memory. */
final class X87InstructionTarget implements TestFloatTarget {
    private final X87Machine m = new X87Machine();

    @Override
    public boolean supports(String operation) {
        return operation.contains("extF80");
    }

    @Override
    public String run(String operation, int rounding, String[] operands) {
        m.fpu.init();
        m.fpu.setControlWord(0x37F | rounding << 10);
        if (operation.endsWith("_to_extF80")) {
            store(operands[0]);
            m.run(operation.startsWith("f32") ? "D9 07" : operation.startsWith("f64") ? "DD 07" : "DF 2F");
            return finish(10);
        }
        if (operands.length == 2) {
            load(operands[1]);
        }
        load(operands[0]);
        switch (operation.substring(7)) {
            case "add" -> m.run("D8 C1");
            case "sub" -> m.run("D8 E1");
            case "mul" -> m.run("D8 C9");
            case "div" -> m.run("D8 F1");
            case "sqrt" -> m.run("D9 FA");
            case "roundToInt" -> m.run("D9 FC");
            case "rem" -> {
                do {
                    m.run("D9 F5");
                } while ((m.fpu.statusWord() & FpuState.C2) != 0);
            }
            case "to_f32" -> {
                m.run("D9 1F");
                return memory(4);
            }
            case "to_f64" -> {
                m.run("DD 1F");
                return memory(8);
            }
            case "to_i32" -> {
                m.run("DB 1F");
                return memory(4);
            }
            case "to_i64" -> {
                m.run("DF 3F");
                return memory(8);
            }
            default -> throw new AssertionError("unknown operation " + operation);
        }
        return finish(10);
    }

    private void store(String digits) {
        byte[] big = HexFormat.of().parseHex(digits);
        byte[] little = new byte[big.length];
        for (int n = 0; n < big.length; n++) {
            little[n] = big[big.length - 1 - n];
        }
        m.store(little);
    }

    private void load(String digits) {
        store(digits);
        m.run("DB 2F");
    }

    private String finish(int size) {
        m.run("DB 3F");
        return memory(size);
    }

    private String memory(int size) {
        ByteBuffer b = ByteBuffer.wrap(m.load(size)).order(ByteOrder.LITTLE_ENDIAN);
        String digits = switch (size) {
            case 4 -> "%08X".formatted(b.getInt());
            case 8 -> "%016X".formatted(b.getLong());
            default -> {
                long low = b.getLong();
                yield "%04X%016X".formatted(b.getShort(), low);
            }
        };
        return digits + " " + TestFloatTarget.flags(m.fpu.statusWord());
    }
}
