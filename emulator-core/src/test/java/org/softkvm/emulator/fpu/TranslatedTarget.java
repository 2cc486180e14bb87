package org.softkvm.emulator.fpu;

import java.io.ByteArrayOutputStream;
import java.lang.foreign.MemorySegment;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import org.softkvm.emulator.CpuModel;
import org.softkvm.emulator.GuestMemory;
import org.softkvm.emulator.HostMemory;
import org.softkvm.emulator.LocalInterruptController;
import org.softkvm.emulator.MemorySlot;
import org.softkvm.emulator.StoppedClock;
import org.softkvm.emulator.VirtualCpu;
import org.softkvm.emulator.cpu.Cpu;

/**
 * TestFloat's cases through x87 and SSE instructions in translated code: each operation is a small program in real mode
 * that takes its operands and its control word from memory and leaves result and status there.
 *
 * <p>Cases of SSE run twice, with the inexact flag clear and with it set, because translated code is another then. Each
 * program stands at several addresses, which decide whether its region is a wide or a narrow one.
 */
final class TranslatedTarget implements TestFloatTarget, AutoCloseable {
    private static final int CODE = 0x4000;
    private static final int PROGRAM = 0x40;
    private static final int COPIES = 4;
    private static final int DATA = 0x2000;
    private static final int SIZE = 0x10000;

    /** Where things stand from BX on. */
    private static final int SECOND = 0x10;

    private static final int RESULT = 0x20;
    private static final int CONTROL = 0x30;
    private static final int STATUS = 0x34;

    private static final int INEXACT = 0x20;

    private final MemorySegment memory = HostMemory.allocate(SIZE);
    private final long host = HostMemory.offsetOf(memory);
    private final GuestMemory guest = new GuestMemory();
    private final VirtualCpu vcpu;
    private final Map<String, Integer> programs = new HashMap<>();
    private int next = CODE;
    private long runs;

    TranslatedTarget() {
        guest.setSlots(List.of(new MemorySlot(0, 0, 0, memory, false, false)));
        vcpu = new VirtualCpu(0, guest, CpuModel.MAX, LocalInterruptController.NONE, StoppedClock.INSTANCE);
        vcpu.setTranslation(0, true);
        vcpu.setControl(Cpu.CR0_ET | Cpu.CR0_NE | Cpu.CR0_MP, 0, 0, Cpu.CR4_OSFXSR | Cpu.CR4_OSXMMEXCPT, 0);
        vcpu.setSegment(Cpu.CS, 0, 0, 0xFFFF, 0x9B);
        vcpu.setSegment(Cpu.DS, 0, 0, 0xFFFF, 0x93);
        vcpu.setRegister(Cpu.RBX, DATA);
    }

    /** The CPU. */
    VirtualCpu vcpu() {
        return vcpu;
    }

    /** Programs run so far. */
    long runs() {
        return runs;
    }

    @Override
    public String run(String operation, int rounding, String[] operands) {
        store(DATA, operands[0]);
        if (operands.length == 2) {
            store(DATA + SECOND, operands[1]);
        }
        boolean x87 = operation.contains("extF80");
        put(DATA + CONTROL, x87 ? 0x37F | rounding << 10 : 0x1F80 | rounding << 13, 4);
        String first = once(operation, 0);
        if (!x87) {
            put(DATA + CONTROL, 0x1F80 | INEXACT | rounding << 13, 4);
            String second = once(operation, INEXACT);
            if (!second.equals(result(operation) + " " + TestFloatTarget.flags(status() | INEXACT))
                    || !second.startsWith(first.substring(0, first.indexOf(' ')))) {
                return first + ", and with the inexact flag set " + second;
            }
        }
        return first;
    }

    private String once(String operation, int flags) {
        int begin = programs.computeIfAbsent(operation, this::load) + (int) (runs++ / 2 % COPIES) * PROGRAM;
        vcpu.setHalted(false);
        vcpu.setRip(begin);
        int exit = vcpu.run();
        if (exit != VirtualCpu.EXIT_HLT) {
            return "exit " + exit;
        }
        return result(operation) + " " + TestFloatTarget.flags(status() | flags);
    }

    private int status() {
        return (int) get(DATA + STATUS, 2);
    }

    private String result(String operation) {
        return switch (operation) {
            // AH as LAHF leaves it: CF, PF and ZF.
            case "f64_eq" -> (get(DATA + RESULT, 1) & 0x45) == 0x40 ? "1" : "0";
            case "f64_lt" -> (get(DATA + RESULT, 1) & 0x45) == 0x01 ? "1" : "0";
            default ->
                switch (operation.endsWith("i32") || operation.endsWith("f32") ? 4 : size(operation)) {
                    case 4 -> "%08X".formatted((int) get(DATA + RESULT, 4));
                    case 8 -> "%016X".formatted(get(DATA + RESULT, 8));
                    default -> "%04X%016X".formatted((short) get(DATA + RESULT + 8, 2), get(DATA + RESULT, 8));
                };
        };
    }

    /** Bytes of a result that is not of 32 bits by the operation's name. */
    private static int size(String operation) {
        if (operation.endsWith("i64") || operation.endsWith("f64")) {
            return 8;
        }
        return operation.endsWith("extF80") || operation.startsWith("extF80")
                ? 10
                : operation.startsWith("f32") ? 4 : 8;
    }

    private int load(String operation) {
        ByteArrayOutputStream code = new ByteArrayOutputStream();
        if (operation.contains("extF80")) {
            // fninit; fldcw [bx+30h]; ...; fnstsw [bx+34h]; hlt
            code.writeBytes(hex("DB E3 D9 6F 30" + x87(operation) + "DD 7F 34 F4"));
        } else {
            // ldmxcsr [bx+30h]; ...; stmxcsr [bx+34h]; hlt
            code.writeBytes(hex("0F AE 57 30" + sse(operation) + "0F AE 5F 34 F4"));
        }
        int begin = next;
        next += COPIES * PROGRAM;
        for (int k = 0; k < COPIES; k++) {
            guest.write(begin + k * PROGRAM, code.toByteArray(), 0, code.size());
        }
        guest.notifyHostWrite(begin, COPIES * PROGRAM);
        return begin;
    }

    private static String x87(String operation) {
        String store = "DB 7F 20";
        return switch (operation) {
            case "f32_to_extF80" -> "D9 07" + store;
            case "f64_to_extF80" -> "DD 07" + store;
            case "i64_to_extF80" -> "DF 2F" + store;
            case "extF80_add" -> "DB 6F 10 DB 2F D8 C1" + store;
            case "extF80_sub" -> "DB 6F 10 DB 2F D8 E1" + store;
            case "extF80_mul" -> "DB 6F 10 DB 2F D8 C9" + store;
            case "extF80_div" -> "DB 6F 10 DB 2F D8 F1" + store;
            // fprem1; fnstsw ax; test ah, 4; jnz fprem1
            case "extF80_rem" -> "DB 6F 10 DB 2F D9 F5 DF E0 F6 C4 04 75 F7" + store;
            case "extF80_sqrt" -> "DB 2F D9 FA" + store;
            case "extF80_roundToInt" -> "DB 2F D9 FC" + store;
            case "extF80_to_f32" -> "DB 2F D9 5F 20";
            case "extF80_to_f64" -> "DB 2F DD 5F 20";
            case "extF80_to_i32" -> "DB 2F DB 5F 20";
            case "extF80_to_i64" -> "DB 2F DF 7F 20";
            default -> throw new AssertionError("unknown operation " + operation);
        };
    }

    private static String sse(String operation) {
        String single = "F3 0F 11 47 20";
        String twice = "F2 0F 11 47 20";
        return switch (operation) {
            case "f32_add" -> "F3 0F 10 07 F3 0F 58 47 10" + single;
            case "f32_mul" -> "F3 0F 10 07 F3 0F 59 47 10" + single;
            case "f32_div" -> "F3 0F 10 07 F3 0F 5E 47 10" + single;
            case "f32_sqrt" -> "F3 0F 51 07" + single;
            case "f32_to_f64" -> "F3 0F 5A 07" + twice;
            case "f64_add" -> "F2 0F 10 07 F2 0F 58 47 10" + twice;
            case "f64_mul" -> "F2 0F 10 07 F2 0F 59 47 10" + twice;
            case "f64_div" -> "F2 0F 10 07 F2 0F 5E 47 10" + twice;
            case "f64_sqrt" -> "F2 0F 51 07" + twice;
            case "f64_to_f32" -> "F2 0F 5A 07" + single;
            // cvtsd2si eax, [bx]; mov [bx+20h], eax
            case "f64_to_i32" -> "F2 0F 2D 07 66 89 47 20";
            case "i32_to_f64" -> "F2 0F 2A 07" + twice;
            // movsd xmm0, [bx]; ucomisd or comisd xmm0, [bx+10h]; lahf; mov [bx+20h], ah
            case "f64_eq" -> "F2 0F 10 07 66 0F 2E 47 10 9F 88 67 20";
            case "f64_lt" -> "F2 0F 10 07 66 0F 2F 47 10 9F 88 67 20";
            default -> throw new AssertionError("unknown operation " + operation);
        };
    }

    private static byte[] hex(String digits) {
        return HexFormat.of().parseHex(digits.replace(" ", ""));
    }

    private void store(int address, String digits) {
        byte[] big = HexFormat.of().parseHex(digits);
        for (int n = 0; n < big.length; n++) {
            HostMemory.putByte(host + address + n, big[big.length - 1 - n]);
        }
    }

    private void put(int address, long value, int size) {
        for (int n = 0; n < size; n++) {
            HostMemory.putByte(host + address + n, (byte) (value >>> 8 * n));
        }
    }

    private long get(int address, int size) {
        long value = 0;
        for (int n = size - 1; n >= 0; n--) {
            value = value << 8 | HostMemory.getByte(host + address + n) & 0xFF;
        }
        return value;
    }

    @Override
    public String toString() {
        return "translated";
    }

    @Override
    public void close() {
        vcpu.close();
        HostMemory.free(memory);
    }
}
