package org.softkvm.emulator.run;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.foreign.MemorySegment;
import java.util.HexFormat;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.softkvm.emulator.CpuModel;
import org.softkvm.emulator.GuestMemory;
import org.softkvm.emulator.HostMemory;
import org.softkvm.emulator.LocalInterruptController;
import org.softkvm.emulator.MemorySlot;
import org.softkvm.emulator.StoppedClock;
import org.softkvm.emulator.VirtualCpu;
import org.softkvm.emulator.cpu.Cpu;
import org.softkvm.emulator.cpu.ExitCode;

/** When blocks become regions, and how control goes from region to region. */
class RegionsTest {
    private static final int CODE = 0x1000;
    private static final int FUNCTION = 0x1020;
    private static final int THRESHOLD = 10;

    private final MemorySegment ram = HostMemory.allocate(0x10000);
    private final GuestMemory memory = new GuestMemory();
    private final VirtualCpu vcpu;

    RegionsTest() {
        memory.setSlots(List.of(new MemorySlot(0, 0, 0, ram, false, false)));
        vcpu = new VirtualCpu(0, memory, CpuModel.MAX, LocalInterruptController.NONE, StoppedClock.INSTANCE);
        vcpu.setControl(Cpu.CR0_PE, 0, 0, 0, 0);
        vcpu.setSegment(Cpu.CS, 8, 0, 0xFFFFFFFFL, 0xC09B);
        for (int seg : new int[] {Cpu.DS, Cpu.ES, Cpu.SS, Cpu.FS, Cpu.GS}) {
            vcpu.setSegment(seg, 16, 0, 0xFFFFFFFFL, 0xC093);
        }
        vcpu.setTranslation(THRESHOLD, true);
    }

    @AfterEach
    void free() {
        vcpu.close();
        HostMemory.free(ram);
    }

    private void write(int address, String hex) {
        byte[] bytes = HexFormat.of().parseHex(hex.replace(" ", ""));
        memory.write(address, bytes, 0, bytes.length);
    }

    private void run() {
        vcpu.setHalted(false);
        vcpu.setRip(CODE);
        vcpu.setRegister(Cpu.RAX, 0);
        vcpu.setRegister(Cpu.RBX, 0);
        vcpu.setRegister(Cpu.RSP, 0x10000);
        assertThat(vcpu.run()).isEqualTo(ExitCode.HLT);
    }

    /** A hundred calls of a function of three blocks, whose last two add a constant to EAX. */
    private void writeCalls() {
        // mov ecx, 100; L: call F; dec ecx; jnz L; hlt
        write(CODE, "b9 64 00 00 00 e8 16 00 00 00 49 75 f8 f4");
        // F: test cl, 1; jz M; inc ebx; M: add eax, 5; ret
        write(FUNCTION, "f6 c1 01 74 01 43 83 c0 05 c3");
    }

    @Test
    void whatHasLostItsRegionBecomesHotAgain() {
        writeCalls();
        run();
        assertThat(vcpu.register(Cpu.RAX)).isEqualTo(500);
        long before = vcpu.interpreted();
        run();
        long translated = vcpu.interpreted() - before;
        // The constant: in blocks that the function's first one leads to.
        write(FUNCTION + 8, "07");
        run();
        assertThat(vcpu.register(Cpu.RAX)).isEqualTo(700);
        before = vcpu.interpreted();
        run();
        assertThat(vcpu.register(Cpu.RAX)).isEqualTo(700);
        assertThat(vcpu.interpreted() - before).isLessThanOrEqualTo(translated);
    }

    /** Eight functions, more pages than one region has, add one byte each; calls and returns go from region to region. */
    private void writeFunctions(String last) {
        // mov ecx, 800; L: mov edx, ecx; and edx, 7; shl edx, 12; add edx, 2000h; call edx; dec ecx; jnz L; hlt
        write(CODE, "b9 20 03 00 00 89 ca 83 e2 07 c1 e2 0c 81 c2 00 20 00 00 ff d2 49 75 ed f4");
        for (int k = 0; k < 8; k++) {
            // add ebx, 1 << k; nothing or more; ret
            write(
                    0x2000 + 0x1000 * k,
                    "81 c3" + HexFormat.of().toHexDigits((byte) (1 << k)) + "000000" + (k < 7 ? "" : last) + "c3");
        }
    }

    @Test
    void regionsAreFoundThroughTheTable() {
        writeFunctions("");
        run();
        assertThat(vcpu.register(Cpu.RBX)).isEqualTo(100 * 255);
        long before = vcpu.interpreted();
        run();
        assertThat(vcpu.register(Cpu.RBX)).isEqualTo(100 * 255);
        assertThat(vcpu.interpreted() - before).as("instructions interpreted").isLessThan(50);
    }

    @Test
    void aDeadRegionInTheTableIsNotEntered() {
        writeFunctions("");
        run();
        write(0x3002, "00");
        run();
        assertThat(vcpu.register(Cpu.RBX)).isEqualTo(100 * (255 - 2));
        write(0x3002, "02");
        vcpu.setTranslation(Integer.MAX_VALUE, true);
        run();
        assertThat(vcpu.register(Cpu.RBX)).as("with all regions given up").isEqualTo(100 * 255);
    }

    @Test
    void aRegionThatTheGuestWritesToIsNotEntered() {
        // The last function also increments the constant of the first: inc byte [2002h].
        writeFunctions("fe 05 02 20 00 00");
        run();
        // ECX counts down from 800: the first function comes before the last one in each round of eight.
        long sum = 0;
        for (int round = 0; round < 100; round++) {
            sum += 254 + (1 + round & 0xFF);
        }
        assertThat(vcpu.register(Cpu.RBX)).isEqualTo(sum);
    }

    /** One linear address leads to two pages, and one page is seen at two linear addresses. */
    @Test
    void regionsOfTwoMappings() {
        // mov ecx, 50; L: mov eax, 8000h; mov cr3, eax; mov edx, 400000h; call edx; mov edx, 500000h; call edx;
        // mov eax, 9000h; mov cr3, eax; mov edx, 400000h; call edx; dec ecx; jnz L; hlt
        write(CODE, "b9 32 00 00 00 b8 00 80 00 00 0f 22 d8 ba 00 00 40 00 ff d2 ba 00 00 50 00 ff d2");
        write(CODE + 27, "b8 00 90 00 00 0f 22 d8 ba 00 00 40 00 ff d2 49 75 d8 f4");
        // call N; N: pop eax; add ebx, eax; ret
        write(0xD000, "e8 00 00 00 00 58 01 c3 c3");
        // add ebx, 7; ret
        write(0xE000, "83 c3 07 c3");
        for (int directory : new int[] {0x8000, 0x9000}) {
            write(directory, "03 a0 00 00" + (directory == 0x8000 ? "03 b0 00 00" : "03 c0 00 00"));
        }
        for (int k = 0; k < 16; k++) {
            write(0xA000 + 4 * k, "03" + HexFormat.of().toHexDigits((byte) (k << 4)) + "00 00");
        }
        write(0xB000, "03 d0 00 00");
        write(0xB400, "03 d0 00 00");
        write(0xC000, "03 e0 00 00");
        vcpu.setControl(0x80000000L | Cpu.CR0_PE, 0, 0x8000, 0, 0);
        for (int k = 0; k < 3; k++) {
            run();
            assertThat(vcpu.register(Cpu.RBX)).isEqualTo(50 * (0x400005 + 0x500005 + 7));
        }
    }
}
