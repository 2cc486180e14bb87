package org.softkvm.emulator.hardware;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.softkvm.emulator.cpu.Cpu;

/**
 * MOVBE, ADX, LZCNT, BMI1, BMI2, AES-NI, PCLMULQDQ and SHA against what a CPU did in user mode: cases captured on an Intel
 * CPU that has them all, and cases that this host makes now. Both come from
 * {@code src/test/native/extensions64-hardware.c}, which says what a line holds.
 */
class ExtensionsHardwareTest {
    private static final int ARITHMETIC = 0x8d5;
    private static final int FRESH_CASES = 3300;
    private static final Set<String> INSTRUCTIONS =
            Set.of(("movbe adcx adox tzcnt lzcnt andn bextr blsr blsmsk blsi bzhi "
                            + "pext pdep mulx shlx sarx shrx rorx aesimc aesenc aesenclast aesdec aesdeclast aeskeygenassist "
                            + "pclmulqdq sha1rnds4 sha1nexte sha1msg1 sha1msg2 sha256rnds2 sha256msg1 sha256msg2")
                    .split(" "));

    private final long[] registers = new long[16];
    private final long[] vectors = new long[32];
    private final byte[] data = new byte[UserMachine.PAGE];
    private final byte[] stack = new byte[UserMachine.PAGE];
    private int flags;
    private HardwareCases random;

    @TempDir
    private Path folder;

    @Test
    void instructionsDoWhatTheHardwareDid() throws IOException {
        List<String> lines = HardwareCases.lines("extensions64-hardware.txt.gz");
        assertThat(lines).hasSize(6600);
        assertThat(check(lines)).containsExactlyInAnyOrderElementsOf(INSTRUCTIONS);
    }

    @Test
    void instructionsDoWhatThisHostDoes() throws IOException, InterruptedException {
        assumeTrue(
                System.getProperty("os.arch").equals("amd64")
                        && System.getProperty("os.name").equals("Linux"),
                "this host is no x86-64 Linux");
        assumeTrue(hasCompiler(), "there is no gcc");
        Path source = Path.of("src/test/native/extensions64-hardware.c").toAbsolutePath();
        run(folder.resolve("gcc.log"), "gcc", "-O1", "-no-pie", "-o", "gen", source.toString());
        Path output = folder.resolve("cases");
        run(output, folder.resolve("gen").toString(), String.valueOf(FRESH_CASES), "2");
        Set<String> seen = check(Files.readAllLines(output));
        System.out.println("HOST extensions64: " + String.join(" ", seen));
        assertThat(INSTRUCTIONS).containsAll(seen);
    }

    private static boolean hasCompiler() {
        return Arrays.stream(System.getenv("PATH").split(File.pathSeparator))
                .anyMatch(path -> Files.isExecutable(Path.of(path, "gcc")));
    }

    private void run(Path output, String... command) throws IOException, InterruptedException {
        Process process = new ProcessBuilder(command)
                .directory(folder.toFile())
                .redirectOutput(output.toFile())
                .redirectError(new File("/dev/null"))
                .start();
        assertThat(process.waitFor()).as(String.join(" ", command)).isZero();
    }

    /** Runs the cases; the mnemonics that they had. */
    private Set<String> check(List<String> lines) {
        List<String> wrong = new ArrayList<>();
        Set<String> seen = new TreeSet<>();
        try (UserMachine machine = new UserMachine()) {
            for (String line : lines) {
                String[] t = line.split(" ");
                seen.add(t[0]);
                String difference = run(machine, t);
                if (!difference.isEmpty()) {
                    wrong.add(line + System.lineSeparator() + difference);
                }
            }
        }
        assertThat(wrong.size())
                .as("wrong cases, of which: " + String.join("", wrong.subList(0, Math.min(20, wrong.size()))))
                .isZero();
        return seen;
    }

    private String run(UserMachine machine, String[] t) {
        prepare(Integer.parseInt(t[1]));
        int mask = Integer.parseInt(t[3], 16);
        long[] wantedRegisters = registers.clone();
        long[] wantedVectors = vectors.clone();
        byte[] wantedData = data.clone();
        int wantedFlags = flags & mask;
        for (String change : Arrays.asList(t).subList(4, t.length)) {
            String[] sides = change.split("=");
            String where = sides[0].substring(1);
            switch (change.charAt(0)) {
                case 'f' -> wantedFlags = Integer.parseInt(sides[1], 16);
                case 'd' -> wantedData[Integer.parseInt(where, 16)] = (byte) Integer.parseInt(sides[1], 16);
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
        int vector = machine.run(HexFormat.of().parseHex(t[2]), registers, flags, data, stack);
        StringBuilder diff = new StringBuilder();
        if (vector >= 0) {
            return String.format("  vector %d%n", vector);
        }
        for (int n = 0; n < 16; n++) {
            differ(diff, "r" + n, registers[n], wantedRegisters[n], machine.vcpu.register(n));
        }
        for (int n = 0; n < 32; n++) {
            String name = "xmm" + n / 2 + (n % 2 == 0 ? " low" : " high");
            differ(diff, name, vectors[n], wantedVectors[n], machine.vcpu.vector(n / 2, n % 2));
        }
        differ(diff, "flags", flags & mask, wantedFlags, machine.vcpu.rflags() & mask);
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

    private long vectorHalf() {
        long k = random.next();
        long v = random.next();
        return switch ((int) k & 7) {
            case 0 -> 0;
            case 1 -> -1;
            case 2 -> 1L << v;
            default -> v;
        };
    }

    /** The state of a case, as the generator makes it. */
    private void prepare(int number) {
        random = new HardwareCases(number * 1_000_081L + 11);
        for (int r = 0; r < 16; r++) {
            registers[r] = random.value();
        }
        registers[Cpu.RBX] = UserMachine.DATA + 1024;
        registers[Cpu.RSI] = UserMachine.DATA + 512;
        registers[Cpu.RDI] = UserMachine.DATA + 1536;
        registers[Cpu.RSP] = UserMachine.STACK + 2048;
        long v = random.next();
        if ((v & 1) != 0) {
            registers[Cpu.RCX] = v >>> 1 & 0x3f3f;
        }
        flags = 0x202 | (int) random.next() & ARITHMETIC;
        for (int i = 0; i < 32; i++) {
            vectors[i] = vectorHalf();
        }
        for (int i = 0; i < UserMachine.PAGE; i += 8) {
            UserMachine.LONG.set(data, i, (i & 8) != 0 ? random.value() : vectorHalf());
        }
    }
}
