package org.softkvm.emulator.translate;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.HexFormat;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.softkvm.emulator.CpuModel;
import org.softkvm.emulator.GuestMemory;
import org.softkvm.emulator.HostMemory;
import org.softkvm.emulator.LocalInterruptController;
import org.softkvm.emulator.MemorySlot;
import org.softkvm.emulator.TimeSource;
import org.softkvm.emulator.VirtualCpu;
import org.softkvm.emulator.cpu.Cpu;

/**
 * Instructions that regions compute by themselves leave the registers and flags that the interpreter leaves, where
 * somebody looks at the flags and where nobody does.
 */
class BitEmitterTest {
    private static final int CODE = 0x10000;
    private static final int DATA = 0x18000;
    private static final long[] EDGES = {
        0, 1, -1, 0x7FFFFFFF, 0x80000000L, 0xFFFFFFFFL, Long.MIN_VALUE, Long.MAX_VALUE, 0x8000, 3
    };

    /** A vcpu in 64-bit mode with one page of 1 GiB. */
    private static final class Machine implements AutoCloseable {
        final MemorySegment ram = HostMemory.allocate(0x20000);
        final GuestMemory memory = new GuestMemory();
        final VirtualCpu vcpu;

        Machine() {
            memory.setSlots(List.of(new MemorySlot(0, 0, 0, ram, false, false)));
            vcpu = new VirtualCpu(0, memory, CpuModel.MAX, LocalInterruptController.NONE, new TimeSource() {
                @Override
                public long tsc() {
                    return 0;
                }

                @Override
                public long tscKhz() {
                    return 1_000_000;
                }
            });
            write(0x1000, 0x2003);
            write(0x2000, 0x83);
            vcpu.setControl(0x80000011L, 0, 0x1000, Cpu.CR4_PAE, Cpu.EFER_LME | Cpu.EFER_LMA);
            for (int seg : new int[] {Cpu.ES, Cpu.SS, Cpu.DS, Cpu.FS, Cpu.GS}) {
                vcpu.setSegment(seg, 16, 0, 0xFFFFFFFFL, 0xC093);
            }
        }

        void write(long address, long value) {
            byte[] bytes = ByteBuffer.allocate(8)
                    .order(ByteOrder.LITTLE_ENDIAN)
                    .putLong(value)
                    .array();
            memory.write(address, bytes, 0, 8);
        }

        /** Runs the code to its HLT from random registers and flags; what then is there. */
        long[] run(byte[] code, SplittableRandom random) {
            memory.write(CODE, code, 0, code.length);
            memory.notifyHostWrite(CODE, code.length);
            vcpu.setHalted(false);
            vcpu.setSegment(Cpu.CS, 8, 0, 0xFFFFFFFFL, 0xA09B);
            for (int n = 0; n < 16; n++) {
                vcpu.setRegister(n, value(random));
            }
            vcpu.setRegister(Cpu.RBP, DATA);
            // Mostly a quotient that fits.
            vcpu.setRegister(Cpu.RDX, vcpu.register(Cpu.RDX) & 0xFFFF);
            vcpu.setRegister(Cpu.RBX, vcpu.register(Cpu.RBX) | 0x80100000L);
            write(DATA, vcpu.register(Cpu.RBX));
            vcpu.setRflags(2 | random.nextInt() & 0x8D5);
            vcpu.setRip(CODE);
            assertThat(vcpu.run()).isEqualTo(VirtualCpu.EXIT_HLT);
            long[] state = new long[19];
            for (int n = 0; n < 16; n++) {
                state[n] = vcpu.register(n);
            }
            state[16] = vcpu.rflags();
            state[17] = vcpu.rip();
            byte[] bytes = new byte[8];
            memory.read(DATA, bytes, 0, 8);
            state[18] = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).getLong();
            return state;
        }

        @Override
        public void close() {
            vcpu.close();
            HostMemory.free(ram);
        }
    }

    private static long value(SplittableRandom random) {
        return random.nextBoolean() ? random.nextLong() : EDGES[random.nextInt(EDGES.length)];
    }

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
        try (Machine interpreter = new Machine();
                Machine wide = new Machine();
                Machine narrow = new Machine()) {
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
