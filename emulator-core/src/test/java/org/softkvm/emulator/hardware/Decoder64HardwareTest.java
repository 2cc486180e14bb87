package org.softkvm.emulator.hardware;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.softkvm.emulator.cpu.Cpu;
import org.softkvm.emulator.decode.Decoder;
import org.softkvm.emulator.decode.Insn;

/**
 * The maps 0F, 0F38 and 0F3A in 64-bit code with every mandatory prefix and pair of prefixes: what an Intel CPU takes for
 * an instruction, and how long it is. The data come from {@code src/test/native/decoder64-hardware.c}. Extensions that
 * this CPU model does not claim must be refused.
 */
class Decoder64HardwareTest {
    private static final String[] PREFIXES = {
        "", "66", "f3", "f2", "66f3", "f366", "66f2", "f266", "f2f3", "f3f2", "48", "6648", "f348", "f248"
    };
    /** Among them RSM, which is #UD outside of system-management mode. */
    private static final Set<Integer> LEFT_OUT =
            Set.of(0xaa, 0x00, 0x05, 0x07, 0x34, 0x35, 0x01, 0x38, 0x3a, 0xa1, 0xa9, 0xb2, 0xb4, 0xb5);

    private static final Set<Integer> PLAIN = Set.of(
            0x06, 0x08, 0x09, 0x0b, 0x0e, 0x30, 0x31, 0x32, 0x33, 0x37, 0x77, 0xa0, 0xa2, 0xa8, 0xaa, 0xc8, 0xc9, 0xca,
            0xcb, 0xcc, 0xcd, 0xce, 0xcf);
    private static final Set<Integer> GROUPS = Set.of(0x71, 0x72, 0x73, 0xae, 0xba, 0xc7, 0x18);
    private static final int OFFSET = 0x800;

    private final Map<String, Integer> lengths = new HashMap<>();
    private final List<String> wrong = new ArrayList<>();
    private int cases;

    @Test
    void encodingsAreThoseOfTheHardware() throws IOException {
        for (String line : HardwareCases.lines("decoder64-hardware.txt.gz")) {
            String[] t = line.split(" ");
            lengths.put(t[0], Integer.parseInt(t[1]));
        }
        try (UserMachine machine = new UserMachine()) {
            // A run brings the machine into 64-bit code.
            machine.run(
                    new byte[] {(byte) 0x90},
                    new long[16],
                    0x202,
                    new byte[UserMachine.PAGE],
                    new byte[UserMachine.PAGE]);
            Cpu c = machine.vcpu.cpu();
            Decoder decoder = new Decoder(c);
            for (int map = 1; map <= 3; map++) {
                for (int opcode = 0; opcode < 256; opcode++) {
                    if (map > 1 || opcode >> 4 != 8 && !LEFT_OUT.contains(opcode)) {
                        opcode(c, decoder, map, opcode);
                    }
                }
            }
        }
        assertThat(wrong).isEmpty();
        assertThat(cases).isGreaterThan(20_000);
        assertThat(lengths).as("lines of the data that no case used").isEmpty();
    }

    private void opcode(Cpu c, Decoder decoder, int map, int opcode) {
        boolean modrm = map > 1 || !PLAIN.contains(opcode);
        boolean group = map == 1 && GROUPS.contains(opcode);
        for (String prefix : PREFIXES) {
            for (int mem = 0; mem < (modrm ? 2 : 1); mem++) {
                for (int reg = group ? 0 : 1; reg < (group ? 8 : 2); reg++) {
                    if (map == 1 && opcode == 0xae && mem == 0 && prefix.contains("f3")) {
                        continue;
                    }
                    String code = prefix + "0f" + (map == 1 ? "" : map == 2 ? "38" : "3a")
                            + "%02x".formatted(opcode)
                            + (modrm ? "%02x".formatted(reg << 3 | (mem != 0 ? 6 : 0xc2)) : "");
                    check(c, decoder, code, unclaimed(map, opcode, mem != 0, reg, prefix));
                }
            }
        }
    }

    private void check(Cpu c, Decoder decoder, String code, boolean unclaimed) {
        cases++;
        byte[] bytes = HexFormat.of().parseHex(code + "cc".repeat(20));
        for (int k = 0; k < bytes.length; k++) {
            c.write8(UserMachine.CODE + OFFSET + k, bytes[k]);
        }
        Insn i = decoder.decode(UserMachine.CODE + OFFSET);
        Integer length = lengths.remove(code);
        boolean wanted = length != null && !unclaimed;
        if (wanted != (i.op != Decoder.INVALID)) {
            wrong.add(code + (wanted ? " refused" : " is " + i.op));
        } else if (wanted && length > 0 && length != i.length) {
            wrong.add(code + " length " + i.length + ", not " + length);
        }
    }

    /** What the CPU that made the data has, and this model has not. */
    private static boolean unclaimed(int map, int opcode, boolean mem, int reg, String prefix) {
        return switch (map) {
            case 1 ->
                switch (opcode) {
                    // PTWRITE, TPAUSE, UMWAIT
                    case 0xae ->
                        mem
                                ? reg == 4 && prefix.contains("f3")
                                : reg == 6 && (prefix.contains("66") || prefix.contains("f2"));
                    // XRSTORS, XSAVES
                    case 0xc7 -> mem && (reg == 3 || reg == 5);
                    default -> false;
                };
            // VMX, GFNI, KL, CET, MOVDIRI and MOVDIR64B
            case 2 ->
                opcode >= 0x80 && opcode <= 0x81
                        || opcode == 0xcf
                        || opcode >= 0xd8 && opcode <= 0xdf && prefix.contains("f3")
                        || opcode == 0xf5
                        || opcode == 0xf6 && !prefix.contains("66") && !prefix.contains("f3")
                        || opcode > 0xf6;
            // GFNI, KL, HRESET
            default -> opcode >= 0xcd && opcode != 0xdf;
        };
    }
}
