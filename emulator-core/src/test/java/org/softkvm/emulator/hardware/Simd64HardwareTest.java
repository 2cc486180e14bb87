package org.softkvm.emulator.hardware;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.softkvm.emulator.cpu.Cpu;

/**
 * Random MMX and SSE to SSE4.2 instructions against what an Intel CPU did in user mode: vector and general registers,
 * memory, flags and MXCSR; cases captured once, and cases that this host makes now. The data and the state before each
 * case come from {@code src/test/native/simd64-hardware.c}, which says what a line holds.
 */
class Simd64HardwareTest {
    private static final int ARITHMETIC = 0x8d5;

    private final long[] registers = new long[16];
    private final long[] vectors = new long[32];
    private final long[] mmx = new long[8];
    private final byte[] data = new byte[UserMachine.PAGE];
    private final byte[] stack = new byte[UserMachine.PAGE];
    private int flags;
    private int mxcsr;
    private HardwareCases random;

    @TempDir
    private Path folder;

    @Test
    void instructionsDoWhatTheHardwareDid() throws IOException {
        List<String> lines = HardwareCases.lines("simd64-hardware.txt.gz");
        assertThat(lines.size()).isEqualTo(20_000);
        check(lines);
    }

    @Test
    void instructionsDoWhatThisHostDoes() throws IOException, InterruptedException {
        List<String> lines = HostGenerator.lines(folder, "simd64-hardware.c", "5000", "2");
        System.out.println("HOST simd64: " + lines.size() + " cases");
        check(lines);
    }

    private void check(List<String> lines) {
        List<String> wrong = new ArrayList<>();
        try (UserMachine machine = new UserMachine()) {
            for (String line : lines) {
                String difference = run(machine, line.split(" "));
                if (!difference.isEmpty()) {
                    wrong.add(line + System.lineSeparator() + difference);
                }
            }
        }
        assertThat(wrong.size())
                .as("wrong cases, of which: " + String.join("", wrong.subList(0, Math.min(20, wrong.size()))))
                .isZero();
    }

    private String run(UserMachine machine, String[] t) {
        prepare(Integer.parseInt(t[0]));
        long[] wantedRegisters = registers.clone();
        long[] wantedVectors = vectors.clone();
        long[] wantedMmx = mmx.clone();
        byte[] wantedData = data.clone();
        int wantedFlags = flags & ARITHMETIC;
        int wantedMxcsr = mxcsr;
        for (String change : Arrays.asList(t).subList(3, t.length)) {
            String[] sides = change.split("=");
            String where = sides[0].substring(1);
            switch (change.charAt(0)) {
                case 'f' -> wantedFlags = Integer.parseInt(sides[1], 16);
                case 'c' -> wantedMxcsr = Integer.parseInt(sides[1], 16);
                case 'd' -> wantedData[Integer.parseInt(where, 16)] = (byte) Integer.parseInt(sides[1], 16);
                case 'm' -> wantedMmx[Integer.parseInt(where)] = Long.parseUnsignedLong(sides[1], 16);
                case 'x' -> {
                    String[] halves = sides[1].split(":");
                    wantedVectors[2 * Integer.parseInt(where) + 1] = Long.parseUnsignedLong(halves[0], 16);
                    wantedVectors[2 * Integer.parseInt(where)] = Long.parseUnsignedLong(halves[1], 16);
                }
                default -> wantedRegisters[Integer.parseInt(sides[0])] = Long.parseUnsignedLong(sides[1], 16);
            }
        }
        for (int n = 0; n < 16; n++) {
            machine.vcpu.setVector(n, 0, vectors[2 * n]);
            machine.vcpu.setVector(n, 1, vectors[2 * n + 1]);
        }
        Cpu cpu = machine.vcpu.cpu();
        cpu.fpu.init();
        cpu.fpu.setTagWord(0);
        for (int n = 0; n < 8; n++) {
            cpu.fpu.setStack(n, 0xffff, mmx[n]);
        }
        machine.vcpu.setMxcsr(mxcsr);
        int vector = machine.run(HexFormat.of().parseHex(t[1]), registers, flags, data, stack);
        StringBuilder diff = new StringBuilder();
        if (vector >= 0) {
            diff.append(String.format("  vector %d%n", vector));
            return diff.toString();
        }
        for (int n = 0; n < 16; n++) {
            differ(diff, "r" + n, registers[n], wantedRegisters[n], machine.vcpu.register(n));
        }
        for (int n = 0; n < 32; n++) {
            String name = "xmm" + n / 2 + (n % 2 == 0 ? " low" : " high");
            differ(diff, name, vectors[n], wantedVectors[n], machine.vcpu.vector(n / 2, n % 2));
        }
        for (int n = 0; n < 8; n++) {
            differ(diff, "mm" + n, mmx[n], wantedMmx[n], cpu.fpu.mmx(n));
        }
        differ(diff, "flags", flags & ARITHMETIC, wantedFlags, machine.vcpu.rflags() & ARITHMETIC);
        differ(diff, "mxcsr", mxcsr, wantedMxcsr, machine.vcpu.mxcsr());
        int at = Arrays.mismatch(wantedData, machine.data());
        if (at >= 0) {
            differ(diff, "data at " + Integer.toHexString(at), data[at], wantedData[at], machine.data()[at]);
        }
        return diff.toString();
    }

    private static void differ(StringBuilder diff, String name, long before, long wanted, long got) {
        if (wanted != got) {
            diff.append(String.format("  %s: before %x expected %x got %x%n", name, before, wanted, got));
        }
    }

    /** The state of a case, as the generator makes it. */
    private void prepare(int number) {
        random = new HardwareCases(number * 1_000_033L + 7);
        for (int r = 0; r < 16; r++) {
            registers[r] = random.value();
        }
        registers[Cpu.RBX] = UserMachine.DATA + 1024;
        registers[Cpu.RSI] = UserMachine.DATA + 512;
        registers[Cpu.RDI] = UserMachine.DATA + 1536;
        registers[Cpu.RSP] = UserMachine.STACK + 2048;
        registers[Cpu.RBP] = UserMachine.STACK + 1024;
        long v = random.next();
        if ((v & 1) != 0) {
            registers[Cpu.RAX] = (v >>> 1 & 63) - 24;
            registers[Cpu.RDX] = (v >>> 7 & 63) - 24;
        }
        flags = 0x202 | (int) random.next() & ARITHMETIC;
        for (int i = 0; i < 32; i++) {
            vectors[i] = random.lane();
        }
        for (int i = 0; i < 8; i++) {
            mmx[i] = random.lane();
        }
        v = random.next();
        mxcsr = 0x1f80
                | ((v & 1) != 0 ? (int) (v >>> 1 & 3) << 13 : 0)
                | ((v & 0x70) != 0 ? 0 : (int) (v >>> 8 & 0x8040));
        for (int i = 0; i < UserMachine.PAGE; i += 8) {
            UserMachine.LONG.set(data, i, random.lane());
        }
    }
}
