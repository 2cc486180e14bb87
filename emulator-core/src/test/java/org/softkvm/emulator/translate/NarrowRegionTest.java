package org.softkvm.emulator.translate;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.foreign.MemorySegment;
import java.lang.reflect.Proxy;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.softkvm.emulator.CpuModel;
import org.softkvm.emulator.GuestMemory;
import org.softkvm.emulator.HostMemory;
import org.softkvm.emulator.LocalInterruptController;
import org.softkvm.emulator.MemorySlot;
import org.softkvm.emulator.StoppedClock;
import org.softkvm.emulator.VirtualCpu;
import org.softkvm.emulator.cpu.Cpu;

/**
 * Accesses of narrow regions that miss the TLB: a write leaves in front of the instruction, and nothing of it has been done; a
 * read is done by the slow way, in the state before the instruction.
 */
class NarrowRegionTest {
    private static final int CODE = 0x1000;
    private static final int DATA = 0x1080;

    private final MemorySegment ram = HostMemory.allocate(0x10000);
    private final GuestMemory memory = new GuestMemory();
    private VirtualCpu vcpu;

    @AfterEach
    void close() {
        vcpu.close();
        HostMemory.free(ram);
    }

    /** Memory in the page of the code, which is never written through the TLB. */
    @ParameterizedTest
    @CsvSource({
        // stc or clc; the instruction on [1080h]; hlt
        "F9 D0 16 80 10 F4, 00, 01", // rcl byte [1080h], 1
        "F8 D0 16 80 10 F4, 80, 00",
        "F9 D0 1E 80 10 F4, 00, 80", // rcr byte [1080h], 1
        "F8 D0 1E 80 10 F4, 01, 00",
        "F9 C0 16 80 10 03 F4, 00, 04", // rcl byte [1080h], 3
        "F9 80 16 80 10 05 F4, 01, 07", // adc byte [1080h], 5
        "F9 80 1E 80 10 01 F4, 05, 03", // sbb byte [1080h], 1
        "F9 D0 06 80 10 F4, 81, 03", // rol byte [1080h], 1
        "F9 FE 06 80 10 F4, 41, 42", // inc byte [1080h]
        "F9 F6 1E 80 10 F4, 01, FF", // neg byte [1080h]
    })
    void aWriteIntoThePageOfTheCode(String code, String before, String after) {
        begin(code, LocalInterruptController.NONE);
        for (int run = 0; run < 3; run++) {
            byte[] value = HexFormat.of().parseHex(before);
            memory.write(DATA, value, 0, 1);
            memory.notifyHostWrite(DATA, 1);
            runToHalt();
            memory.read(DATA, value, 0, 1);
            assertThat(HexFormat.of().withUpperCase().formatHex(value)).isEqualTo(after);
        }
        assertThat(vcpu.regionsTranslated()).isPositive();
    }

    /** Under the virtual clock time is the number of instructions, which a device must find exact. */
    @Test
    void aDeviceFindsAllInstructionsCounted() {
        List<Long> seen = new ArrayList<>();
        // nop; nop; nop; mov al, [5010h]; hlt
        begin("90 90 90 A0 10 50 F4", device(seen));
        vcpu.setVirtualTime(true);
        for (int run = 0; run < 3; run++) {
            long before = vcpu.instructions();
            runToHalt();
            assertThat(seen.removeLast() - before).isEqualTo(3);
            assertThat(seen).isEmpty();
        }
        assertThat(vcpu.regionsTranslated()).isPositive();
    }

    /** A local APIC with its page at 5000h, whose registers note the number of instructions when they are read. */
    private LocalInterruptController device(List<Long> seen) {
        return (LocalInterruptController) Proxy.newProxyInstance(
                getClass().getClassLoader(),
                new Class<?>[] {LocalInterruptController.class},
                (proxy, method, arguments) -> switch (method.getName()) {
                    case "mmioPage" -> 0x5000L;
                    case "readMmio" -> {
                        seen.add(vcpu.instructions());
                        yield 0L;
                    }
                    default -> method.invoke(LocalInterruptController.NONE, arguments);
                });
    }

    private void begin(String code, LocalInterruptController lapic) {
        memory.setSlots(List.of(new MemorySlot(0, 0, 0, ram, false, false)));
        vcpu = new VirtualCpu(0, memory, CpuModel.MAX, lapic, StoppedClock.INSTANCE);
        vcpu.setTranslation(0, true);
        vcpu.setNarrow(true);
        byte[] bytes = HexFormat.of().parseHex(code.replace(" ", ""));
        memory.write(CODE, bytes, 0, bytes.length);
    }

    private void runToHalt() {
        vcpu.setHalted(false);
        vcpu.setSegment(Cpu.CS, 0, 0, 0xFFFF, 0x9B);
        vcpu.setSegment(Cpu.DS, 0, 0, 0xFFFF, 0x93);
        vcpu.setRip(CODE);
        assertThat(vcpu.run()).isEqualTo(VirtualCpu.EXIT_HLT);
    }
}
