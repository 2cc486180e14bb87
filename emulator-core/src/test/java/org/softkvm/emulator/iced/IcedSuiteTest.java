package org.softkvm.emulator.iced;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import java.util.zip.GZIPInputStream;
import org.junit.jupiter.api.Test;
import org.softkvm.emulator.decode.Decoder;
import org.softkvm.emulator.decode.Insn;

/**
 * The decoder against the tables of iced: everything that the CPU model claims has its encodings, with equal length,
 * mnemonic, registers, memory operand, immediates and branch targets; everything else is refused. Left out are only the
 * lines that need a decoder option (encodings of other vendors and of CPUs long gone).
 */
class IcedSuiteTest {
    private final List<String> failures = new ArrayList<>();
    private int cases;
    private int failed;
    private int excluded;

    @Test
    void everyLine() throws IOException {
        Path folder = Path.of(System.getProperty("softkvm.suites", "no-suites"), "iced");
        if (!Files.isDirectory(folder)) {
            assertThat(Boolean.getBoolean("softkvm.suites.required"))
                    .as("suite iced is required, but there is no folder " + folder)
                    .isFalse();
            System.out.println("SUITE iced: skipped, no folder " + folder);
            assumeTrue(false, "no folder " + folder);
        }
        for (int bits : new int[] {16, 32}) {
            try (DecodeMachine machine = new DecodeMachine(bits)) {
                for (String line : lines(folder.resolve("DecoderTest" + bits + ".txt.gz"))) {
                    decoderLine(machine, bits, line);
                }
            }
        }
        for (int bits : new int[] {16, 32, 64}) {
            try (DecodeMachine machine = new DecodeMachine(bits)) {
                for (String line : lines(folder.resolve("MemoryTest" + bits + ".txt.gz"))) {
                    memoryLine(machine, bits, line);
                }
            }
        }
        System.out.println("SUITE iced: " + cases + " cases, " + failed + " failed, " + excluded + " excluded");
        assertThat(failures).isEmpty();
        assertThat(cases).isGreaterThan(60_000);
    }

    private static List<String> lines(Path file) throws IOException {
        try (BufferedReader in = new BufferedReader(
                new InputStreamReader(new GZIPInputStream(Files.newInputStream(file)), StandardCharsets.US_ASCII))) {
            return in.lines().filter(l -> !l.isBlank() && !l.startsWith("#")).toList();
        }
    }

    private void decoderLine(DecodeMachine machine, int bits, String line) {
        if (line.contains("decopt=")) {
            excluded++;
            return;
        }
        String[] t = line.split(", *", 5);
        byte[] code = HexFormat.of().parseHex(t[0].replace(" ", ""));
        Insn i = machine.decode(code);
        String mnemonic = t[2].toLowerCase(Locale.ROOT);
        String difference;
        if (IcedNames.undefined(t[1], mnemonic)) {
            difference = i == null || i.op == Decoder.INVALID ? "" : "not refused: " + i.op;
        } else {
            difference = length(i, code);
            if (difference.isEmpty() && !i.op.mnemonic().equals(IcedNames.ours(t[1], mnemonic))) {
                difference = "mnemonic " + i.op.mnemonic();
            }
            if (difference.isEmpty()) {
                difference = IcedOperands.compare(i, bits, t.length > 4 ? t[4] : "");
            }
        }
        count(bits, line, difference);
    }

    private static String length(Insn i, byte[] code) {
        return i == null || i.op == Decoder.INVALID
                ? "refused"
                : i.length != code.length ? "length " + i.length + " of " + i.op : "";
    }

    private void count(int bits, String line, String difference) {
        cases++;
        if (!difference.isEmpty()) {
            failed++;
            if (failures.size() < 3000) {
                failures.add(bits + " bits: " + line + " -> " + difference + System.lineSeparator());
            }
        }
    }

    private void memoryLine(DecodeMachine machine, int bits, String line) {
        String[] t = line.split(", *");
        byte[] code = HexFormat.of().parseHex(t[0].replace(" ", ""));
        Insn i = machine.decode(code);
        String difference;
        if (IcedNames.undefined(t[1], "")) {
            difference = i == null || i.op == Decoder.INVALID ? "" : "not refused: " + i.op;
        } else {
            difference = length(i, code);
            if (difference.isEmpty()) {
                difference = IcedOperands.memory(
                        i, bits, t[4], t[5], t[6], 1 << Integer.parseInt(t[7]), IcedOperands.number(t[8]));
            }
            if (difference.isEmpty() && !t[3].equals("none") && i.seg != IcedOperands.segment(t[3])) {
                difference = "segment override";
            }
            if (difference.isEmpty() && i.reg != IcedOperands.register(t[2])) {
                difference = "register " + i.reg;
            }
        }
        count(bits, line, difference);
    }
}
