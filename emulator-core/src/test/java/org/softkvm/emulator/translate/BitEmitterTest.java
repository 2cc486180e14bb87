package org.softkvm.emulator.translate;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.HexFormat;
import java.util.SplittableRandom;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Instructions that regions compute by themselves leave the registers and flags that the interpreter leaves, where
 * somebody looks at the flags and where nobody does.
 */
class BitEmitterTest {
    @ParameterizedTest
    @ValueSource(
            strings = {
                "C1 C3 07", // rol ebx, 7
                "48 C1 C3 21", // rol rbx, 33
                "D1 C3", // rol ebx, 1
                "48 D3 C3", // rol rbx, cl
                "D3 C3", // rol ebx, cl
                "C1 CB 05", // ror ebx, 5
                "48 C1 CB 3F", // ror rbx, 63
                "48 D3 CB", // ror rbx, cl
                "C1 C3 20", // rol ebx, 32: no rotate
                "48 C1 45 00 09", // rol qword [rbp], 9
                "C1 4D 00 09", // ror dword [rbp], 9
                "0F A4 F3 0B", // shld ebx, esi, 11
                "48 0F A4 F3 01", // shld rbx, rsi, 1
                "48 0F A4 F3 40", // shld rbx, rsi, 64: no shift
                "0F AC F3 1F", // shrd ebx, esi, 31
                "48 0F AC F3 13", // shrd rbx, rsi, 19
                "48 0F AC 75 00 2C", // shrd qword [rbp], rsi, 44
                "48 0F A5 F3", // shld rbx, rsi, cl
                "0F BC D8", // bsf ebx, eax
                "48 0F BC D8", // bsf rbx, rax
                "0F BD D8", // bsr ebx, eax
                "48 0F BD 5D 00", // bsr rbx, [rbp]
                "F3 0F BC D8", // tzcnt ebx, eax
                "F3 48 0F BC D8", // tzcnt rbx, rax
                "F3 0F BD D8", // lzcnt ebx, eax
                "F3 48 0F BD D8", // lzcnt rbx, rax
                "C5 F5 EF C2 C5 FD 74 CA C5 FD D7 D9", // vpxor ymm0, ymm1, ymm2; vpcmpeqb ymm1, ymm0, ymm2; vpmovmskb
                "C5 FE 6F 45 00 C5 FD 74 5D 20 C5 FD D7 DB", // vmovdqu ymm0, [rbp]; vpcmpeqb ymm3, ymm0, [rbp + 32]
                "C5 F1 DA C2 C5 FD EB CA C5 F5 DB DA", // vpminub xmm0, xmm1, xmm2; vpor ymm1, ymm0, ymm2; vpand
                "C4 E2 7D 78 C1 C5 FE 7F 45 08", // vpbroadcastb ymm0, xmm1; vmovdqu [rbp + 8], ymm0
                "C5 FA 7F 55 08 C5 FE 6F DA C5 F8 77", // vmovdqu [rbp + 8], xmm2; vmovdqu ymm3, ymm2; vzeroupper
                "C5 FD 7F 55 00 C5 FD 6F 4D 00", // vmovdqa [rbp], ymm2; vmovdqa ymm1, [rbp]
                "F7 E6", // mul esi
                "48 F7 E6", // mul rsi
                "48 F7 65 00", // mul qword [rbp]
                "F7 EE", // imul esi
                "48 F7 EE", // imul rsi
                "48 F7 EA", // imul rdx
                "F7 F3", // div ebx
                "48 F7 F3", // div rbx
                "48 F7 75 00", // div qword [rbp]
                "48 0F AF DE", // imul rbx, rsi
                "6B DE F9", // imul ebx, esi, -7
                "48 01 F3", // add rbx, rsi
                "48 11 F3", // adc rbx, rsi
                "19 F3", // sbb ebx, esi
                "FF C3", // inc ebx
                "48 F7 DB", // neg rbx
                "48 0F AB F3", // bts rbx, rsi
                "48 D3 FB", // sar rbx, cl
                "48 C1 EB 03", // shr rbx, 3
                "66 C1 FB 1F", // sar bx, 31
                "C0 E3 09", // shl bl, 9
            })
    void regionsLeaveWhatTheInterpreterLeaves(String instruction) {
        StringBuilder every = new StringBuilder();
        for (int condition = 0; condition < 16; condition++) {
            // SETcc r8b to r15b, then to AH and its like and to memory.
            every.append(
                    condition < 8
                            ? String.format("41 0F %02X %02X ", 0x90 + condition, 0xC0 + condition)
                            : String.format("0F %02X 45 %02X ", 0x90 + condition, condition - 8));
        }
        String[] behind = {
            "", // the flags are looked at after HLT
            "48 85 F6", // test rsi, rsi: nobody looks
            "89 F7 EB 00 48 39 FE", // mov edi, esi; jmp; cmp rsi, rdi: nobody looks
            "89 F7 " + every, // every condition
            "74 01 90 72 01 90 7E 01 90 78 01 90 76 01 90 70 01 90 7A 01 90", // jumps around NOPs
            "49 0F 44 FE 4D 0F 42 C6 4D 0F 4E CE", // cmove rdi, r14; cmovb r8, r14; cmovle r9, r14
            "83 D7 00 48 83 DE 00", // adc edi, 0; sbb rsi, 0
        };
        try (EmitterMachine interpreter = new EmitterMachine();
                EmitterMachine wide = new EmitterMachine();
                EmitterMachine narrow = new EmitterMachine()) {
            wide.vcpu.setTranslation(0, true);
            narrow.vcpu.setTranslation(0, true);
            narrow.vcpu.setNarrow(true);
            for (String more : behind) {
                byte[] code = HexFormat.of().parseHex((instruction + more + "F4").replace(" ", ""));
                for (int seed = 0; seed < 40; seed++) {
                    long[] expected = interpreter.run(code, new SplittableRandom(seed));
                    assertThat(wide.run(code, new SplittableRandom(seed)))
                            .as("wide, %s, seed %d", more, seed)
                            .isEqualTo(expected);
                    assertThat(narrow.run(code, new SplittableRandom(seed)))
                            .as("narrow, %s, seed %d", more, seed)
                            .isEqualTo(expected);
                }
            }
            assertThat(wide.vcpu.regionsTranslated()).isPositive();
            assertThat(narrow.vcpu.regionsTranslated()).isPositive();
            assertThat(wide.vcpu.regionsFailed()).isZero();
            assertThat(narrow.vcpu.regionsFailed()).isZero();
        }
    }
}
