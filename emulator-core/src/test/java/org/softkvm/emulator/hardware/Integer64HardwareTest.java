package org.softkvm.emulator.hardware;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.softkvm.emulator.cpu.Cpu;

/**
 * Random 64-bit integer instructions against what an Intel CPU did in user mode: registers, memory and defined flags.
 * The data and the state before each case come from {@code src/test/native/integer64-hardware.c}, which says what a line
 * holds.
 */
class Integer64HardwareTest {
    private static final int SMALL_RCX = 1;
    private static final int COUNT_RCX = 2;
    private static final int DIVIDE = 4;
    private static final int DOWN = 8;
    private static final int EQUAL = 16;
    private static final int ARITHMETIC = 0x8d5;
    private static final int DIRECTION = 0x400;

    private final long[] registers = new long[16];
    private final byte[] data = new byte[UserMachine.PAGE];
    private final byte[] stack = new byte[UserMachine.PAGE];
    private int flags;
    private HardwareCases random;

    @Test
    void instructionsDoWhatTheHardwareDoes() throws IOException {
        List<String> wrong = new ArrayList<>();
        int cases = 0;
        try (UserMachine machine = new UserMachine()) {
            for (String line : HardwareCases.lines("integer64-hardware.txt.gz")) {
                cases++;
                String difference = run(machine, line.split(" "));
                if (!difference.isEmpty()) {
                    wrong.add(line + System.lineSeparator() + difference);
                }
            }
        }
        assertThat(wrong.size())
                .as("wrong cases, of which: " + String.join("", wrong.subList(0, Math.min(20, wrong.size()))))
                .isZero();
        assertThat(cases).isEqualTo(20_000);
    }

    private String run(UserMachine machine, String[] t) {
        int number = Integer.parseInt(t[0]);
        prepare(number, Integer.parseInt(t[1]));
        byte[] code = HexFormat.of().parseHex(t[2]);
        int mask = Integer.parseInt(t[3], 16) | DIRECTION;
        int vector = t[4].equals("-") ? -1 : Integer.parseInt(t[4]);
        long[] wantedRegisters = registers.clone();
        byte[] wantedData = data.clone();
        byte[] wantedStack = stack.clone();
        int wantedFlags = flags;
        Map<Character, byte[]> memory = new HashMap<>(Map.of('d', wantedData, 's', wantedStack));
        for (String change : Arrays.asList(t).subList(5, t.length)) {
            String[] sides = change.split("=");
            char where = change.charAt(0);
            if (where == 'f') {
                wantedFlags = wantedFlags & ~mask | Integer.parseInt(sides[1], 16);
            } else if (where == 'd' || where == 's') {
                memory.get(where)[Integer.parseInt(sides[0].substring(1), 16)] = (byte) Integer.parseInt(sides[1], 16);
            } else {
                wantedRegisters[Integer.parseInt(sides[0])] = Long.parseUnsignedLong(sides[1], 16);
            }
        }
        int got = machine.run(code, registers, flags, data, stack);
        StringBuilder diff = new StringBuilder();
        if (got != vector) {
            diff.append(String.format("  vector: expected %d got %d%n", vector, got));
        }
        for (int r = 0; r < 16; r++) {
            // A fault went to a handler on another stack.
            if (machine.vcpu.register(r) != wantedRegisters[r] && !(vector >= 0 && r == Cpu.RSP)) {
                diff.append(String.format(
                        "  r%d: before %x expected %x got %x%n",
                        r, registers[r], wantedRegisters[r], machine.vcpu.register(r)));
            }
        }
        int gotFlags = vector >= 0 ? wantedFlags : (int) machine.vcpu.rflags();
        if (((gotFlags ^ wantedFlags) & mask & (ARITHMETIC | DIRECTION)) != 0) {
            diff.append(String.format("  flags: before %x expected %x got %x%n", flags, wantedFlags, gotFlags));
        }
        compare(diff, "data", data, wantedData, machine.data());
        compare(diff, "stack", stack, wantedStack, machine.stack());
        return diff.toString();
    }

    private static void compare(StringBuilder diff, String name, byte[] before, byte[] wanted, byte[] got) {
        int at = Arrays.mismatch(wanted, got);
        if (at >= 0) {
            diff.append(String.format(
                    "  %s at %x: before %02x expected %02x got %02x%n", name, at, before[at], wanted[at], got[at]));
        }
    }

    /** The state of a case, as the generator makes it. */
    private void prepare(int number, int variant) {
        random = new HardwareCases(number * 1_000_003L);
        for (int r = 0; r < 16; r++) {
            registers[r] = random.value();
        }
        registers[Cpu.RBX] = UserMachine.DATA + 1024;
        registers[Cpu.RSI] = UserMachine.DATA + 512;
        registers[Cpu.RDI] = UserMachine.DATA + 1536;
        registers[Cpu.RSP] = UserMachine.STACK + 2048;
        registers[Cpu.RBP] = UserMachine.STACK + 1024;
        flags = 0x202 | (int) random.next() & ARITHMETIC | ((variant & DOWN) != 0 ? DIRECTION : 0);
        long v = random.next();
        if ((variant & SMALL_RCX) != 0) {
            registers[Cpu.RCX] = (v & 0x1ff) - 0x100;
        }
        if ((variant & COUNT_RCX) != 0) {
            registers[Cpu.RCX] = v & 15;
        }
        if ((variant & DIVIDE) != 0) {
            registers[Cpu.RDX] = (v & 1) != 0 ? registers[Cpu.RAX] >> 63 : v >> 1 & 0xf;
        }
        for (int i = 0; i < UserMachine.PAGE; i += 8) {
            UserMachine.LONG.set(data, i, random.value());
            UserMachine.LONG.set(stack, i, random.value());
        }
        if ((variant & EQUAL) != 0) {
            registers[Cpu.RAX] = (long) UserMachine.LONG.get(data, 1024);
            registers[Cpu.RDX] = (long) UserMachine.LONG.get(data, 1032);
            Arrays.fill(data, 512 - 64, 512 + 64, (byte) v);
            Arrays.fill(data, 1536 - 64, 1536 + 64, (byte) v);
            data[512 + (int) (v >> 8 & 7)] ^= 1;
            if ((v >> 16 & 1) == 0) {
                registers[Cpu.RAX] = (v & 0xff) * 0x0101010101010101L;
            }
        }
    }
}
