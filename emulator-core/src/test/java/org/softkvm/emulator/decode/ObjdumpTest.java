package org.softkvm.emulator.decode;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.BufferedOutputStream;
import java.io.BufferedReader;
import java.io.File;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Supplier;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.softkvm.emulator.CpuModel;
import org.softkvm.emulator.iced.DecodeMachine;

/**
 * A million random encodings of all that the model max has, in 64-bit code, against GNU objdump: length and mnemonic. Each
 * instruction follows the one before; behind an encoding that is none, NOPs bring objdump back into step.
 */
class ObjdumpTest {
    private static final int CASES = Integer.getInteger("softkvm.objdump.cases", 1_100_000);
    private static final long SEED = Long.getLong("softkvm.objdump.seed", 20261122);
    private static final int SAMPLES = 200;

    /** Objdump knows more extensions than the CPU model has. */
    private boolean othersAllowed;

    @TempDir
    private Path folder;

    private final Map<String, Integer> counts = new TreeMap<>();
    private final Map<String, String> samples = new HashMap<>();

    @Test
    void lengthsAndMnemonicsAreThoseOfObjdump() throws IOException, InterruptedException {
        RandomEncodings random = new RandomEncodings(CpuModel.MAX, SEED);
        run("encodings", CASES, random::next);
    }

    /** What objdump takes for no instruction, or for another, must not be executed. */
    @Test
    void noOtherOpcodeIsTakenForAnInstruction() throws IOException, InterruptedException {
        RandomEncodings random = new RandomEncodings(CpuModel.MAX, SEED);
        othersAllowed = true;
        run("opcodes", CASES / 4, random::anyOpcode);
    }

    private void run(String what, int cases, Supplier<byte[]> encodings) throws IOException, InterruptedException {
        assumeTrue(hasObjdump(), "there is no objdump");
        Path file = folder.resolve("code");
        int[] addresses = new int[cases + 1];
        String[] names = new String[cases];
        byte[] lengths = new byte[cases];
        byte[][] codes = new byte[cases][];
        try (OutputStream out = new BufferedOutputStream(Files.newOutputStream(file));
                DecodeMachine machine = new DecodeMachine(64)) {
            int at = 0;
            for (int n = 0; n < cases; n++) {
                byte[] code = encodings.get();
                Insn i = machine.decode(code);
                boolean valid = i != null && i.op != Decoder.INVALID;
                addresses[n] = at;
                names[n] = valid ? i.op.mnemonic() : ObjdumpNames.BAD;
                lengths[n] = (byte) (valid ? i.length : 0);
                codes[n] = Arrays.copyOf(code, valid ? i.length : Math.min(code.length, 15));
                out.write(codes[n]);
                at += codes[n].length;
                if (!valid || ObjdumpNames.isAccepted(names[n], HexFormat.of().formatHex(codes[n]))) {
                    byte[] nops = new byte[16];
                    Arrays.fill(nops, (byte) 0x90);
                    out.write(nops);
                    at += nops.length;
                }
            }
            addresses[cases] = at;
        }
        compare(file, addresses, names, lengths, codes);
        long wrong = counts.values().stream().mapToInt(Integer::intValue).sum();
        System.out.println("SUITE objdump " + what + ": " + cases + " cases, " + wrong + " failed, 0 excluded");
        StringBuilder text = new StringBuilder();
        counts.entrySet().stream()
                .sorted(Map.Entry.<String, Integer>comparingByValue().reversed())
                .limit(SAMPLES)
                .forEach(e -> text.append(e.getValue())
                        .append(" x ")
                        .append(e.getKey())
                        .append(", as ")
                        .append(samples.get(e.getKey()))
                        .append('\n'));
        assertThat(wrong).as(text.toString()).isZero();
        assertThat(Arrays.stream(names).filter(n -> !n.equals(ObjdumpNames.BAD)))
                .as("instructions among the cases")
                .hasSizeGreaterThan(cases / 5);
    }

    private static boolean hasObjdump() {
        return Arrays.stream(System.getenv("PATH").split(File.pathSeparator))
                .anyMatch(path -> Files.isExecutable(Path.of(path, "objdump")));
    }

    private void compare(Path file, int[] addresses, String[] names, byte[] lengths, byte[][] codes)
            throws IOException, InterruptedException {
        Process process = new ProcessBuilder(
                        "objdump",
                        "-D",
                        "-b",
                        "binary",
                        "-m",
                        "i386:x86-64",
                        "-M",
                        "intel,intel64",
                        "--no-show-raw-insn",
                        file.toString())
                .redirectErrorStream(true)
                .start();
        int n = 0;
        int begun = -1;
        String text = null;
        try (BufferedReader in =
                new BufferedReader(new InputStreamReader(process.getInputStream(), StandardCharsets.US_ASCII))) {
            for (String line = in.readLine(); line != null; line = in.readLine()) {
                int colon = line.indexOf(":\t");
                if (colon < 0) {
                    continue;
                }
                int address = parseHex(line, colon);
                if (begun >= 0) {
                    check(names[begun], lengths[begun], address - addresses[begun], text, codes[begun]);
                    begun = -1;
                }
                while (n < names.length && addresses[n] < address) {
                    // Objdump was out of step: it takes an instruction before for longer.
                    report("objdump has no instruction at the start of " + names[n], codes[n]);
                    n++;
                }
                if (n < names.length && addresses[n] == address) {
                    begun = n++;
                    text = line.substring(colon + 2);
                }
            }
        }
        if (begun >= 0) {
            check(names[begun], lengths[begun], addresses[names.length] - addresses[begun], text, codes[begun]);
        }
        assertThat(process.waitFor()).isZero();
        assertThat(n).isEqualTo(names.length);
    }

    private static int parseHex(String line, int end) {
        return Integer.parseInt(line.substring(0, end).strip(), 16);
    }

    private void check(String ours, int length, int theirs, String text, byte[] code) {
        String name = ObjdumpNames.mnemonic(text);
        if (ours.equals(ObjdumpNames.BAD)) {
            if (!othersAllowed && !ObjdumpNames.isBad(text)) {
                report("refused: " + name, code, text);
            }
        } else if (ObjdumpNames.isBad(text)) {
            if (!ObjdumpNames.isAccepted(ours, HexFormat.of().formatHex(code))) {
                report("not refused: " + ours, code, text);
            }
        } else if (length != theirs) {
            report("length of " + ours + " is " + length + ", not " + theirs, code, text);
        } else if (!ObjdumpNames.same(ours, name, text)) {
            report(ours + " is " + name, code, text);
        }
    }

    private void report(String what, byte[] code) {
        report(what, code, "");
    }

    private void report(String what, byte[] code, String text) {
        counts.merge(what, 1, Integer::sum);
        samples.putIfAbsent(what, HexFormat.of().formatHex(code) + " " + text);
    }
}
