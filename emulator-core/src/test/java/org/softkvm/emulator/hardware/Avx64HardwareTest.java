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
 * Random AVX, AVX2, FMA, F16C, VAES and VPCLMULQDQ instructions against what an Intel CPU did in user mode: YMM and general
 * registers, memory, flags, MXCSR and faults; cases captured once, and cases that this host makes now. The data and the state before each case come from
 * {@code src/test/native/avx64-hardware.c}, which says what a line holds.
 */
class Avx64HardwareTest {
    private static final int ARITHMETIC = 0x8d5;

    private final long[] registers = new long[16];
    private final long[] vectors = new long[64];
    private final byte[] data = new byte[UserMachine.PAGE];
    private final byte[] stack = new byte[UserMachine.PAGE];
    private int flags;
    private int mxcsr;

    @TempDir
    private Path folder;

    @Test
    void instructionsDoWhatTheHardwareDid() throws IOException {
        List<String> lines = HardwareCases.lines("avx64-hardware.txt.gz");
        assertThat(lines.size()).isEqualTo(12_000);
        check(lines);
    }

    @Test
    void instructionsDoWhatThisHostDoes() throws IOException, InterruptedException {
        List<String> lines = HostGenerator.lines(folder, "avx64-hardware.c", "5000", "2");
        System.out.println("HOST avx64: " + lines.size() + " cases");
        check(lines);
    }

    private void check(List<String> lines) {
        List<String> wrong = differences(lines);
        assertThat(wrong.size())
                .as("wrong cases, of which: " + String.join("", wrong.subList(0, Math.min(20, wrong.size()))))
                .isZero();
    }

    /** Runs cases; the wrong ones with what differs. */
    List<String> differences(List<String> lines) {
        List<String> wrong = new ArrayList<>();
        try (UserMachine machine = new UserMachine()) {
            machine.vcpu.cpu().cr4 |= Cpu.CR4_OSXSAVE;
            machine.vcpu.setXcr0(7);
            for (String line : lines) {
                String difference = run(machine, line.split(" "));
                if (!difference.isEmpty()) {
                    wrong.add(line + System.lineSeparator() + difference);
                }
            }
        }
        return wrong;
    }

    private String run(UserMachine machine, String[] t) {
        byte[] code = HexFormat.of().parseHex(t[1]);
        prepare(Integer.parseInt(t[0]), code);
        long[] wantedRegisters = registers.clone();
        long[] wantedVectors = vectors.clone();
        byte[] wantedData = data.clone();
        int wantedFlags = flags & ARITHMETIC;
        int wantedMxcsr = mxcsr;
        int wantedVector = t[2].equals("-") ? -1 : Integer.parseInt(t[2]);
        for (String change : Arrays.asList(t).subList(3, t.length)) {
            String[] sides = change.split("=");
            String where = sides[0].substring(1);
            switch (change.charAt(0)) {
                case 'f' -> wantedFlags = Integer.parseInt(sides[1], 16);
                case 'c' -> wantedMxcsr = Integer.parseInt(sides[1], 16);
                case 'd' -> wantedData[Integer.parseInt(where, 16)] = (byte) Integer.parseInt(sides[1], 16);
                case 'y' -> {
                    String[] quarters = sides[1].split(":");
                    for (int k = 0; k < 4; k++) {
                        wantedVectors[4 * Integer.parseInt(where) + 3 - k] = Long.parseUnsignedLong(quarters[k], 16);
                    }
                }
                default -> wantedRegisters[Integer.parseInt(sides[0])] = Long.parseUnsignedLong(sides[1], 16);
            }
        }
        for (int n = 0; n < 64; n++) {
            machine.vcpu.setVector(n / 4, n % 4, vectors[n]);
        }
        machine.vcpu.setMxcsr(mxcsr);
        int vector = machine.run(code, registers, flags, data, stack);
        StringBuilder diff = new StringBuilder();
        if (vector != wantedVector) {
            return diff.append(String.format("  vector %d%n", vector)).toString();
        }
        for (int n = 0; n < 16 && vector < 0; n++) {
            differ(diff, "r" + n, registers[n], wantedRegisters[n], machine.vcpu.register(n));
        }
        for (int n = 0; n < 64; n++) {
            String name = "ymm" + n / 4 + " quarter " + n % 4;
            differ(diff, name, vectors[n], wantedVectors[n], machine.vcpu.vector(n / 4, n % 4));
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
    private void prepare(int number, byte[] code) {
        HardwareCases random = new HardwareCases(number * 1_000_033L + 11);
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
        // The indexes of a gather (opcodes 90h to 93h of map 0F38) are small.
        boolean gather = (code[0] & 0xff) == 0xc4 && (code[1] & 31) == 2 && (code[3] & 0xfc) == 0x90;
        int index = gather ? code[5] >> 3 & 7 | (~code[1] & 0x40) >> 3 : -1;
        long mask = gather && (code[3] & 1) != 0 ? 0xff : 0xff_0000_00ffL;
        for (int n = 0; n < 64; n++) {
            vectors[n] = random.lane() & (n / 4 == index ? mask : -1);
        }
        v = random.next();
        mxcsr = 0x1f80
                | ((v & 1) != 0 ? (int) (v >>> 1 & 3) << 13 : 0)
                | ((v & 0x70) != 0 ? 0 : (int) (v >>> 8 & 0x8040));
        v = random.next();
        if ((v & 15) == 0) {
            mxcsr &= ~(int) (v >>> 4 & 0x1f80);
        }
        for (int n = 0; n < UserMachine.PAGE; n += 8) {
            UserMachine.LONG.set(data, n, random.lane());
        }
    }
}
