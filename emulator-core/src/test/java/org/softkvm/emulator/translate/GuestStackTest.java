package org.softkvm.emulator.translate;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.softkvm.emulator.cpu.Cpu;

/**
 * Runs of PUSH and POP in narrow regions and in the interpreter at the edges: each case is executed in single steps, and
 * otherwise twice, without and with the TLB's entries, and again where instructions are counted and where there is a second
 * vcpu. All have to end in the same state, with the same memory and the same exits on the way.
 */
class GuestStackTest {
    @ParameterizedTest
    @CsvSource({
        // Within a page; between the accesses others, on registers that are pushed before and on none.
        "20800, 41 57 48 89 C7 41 56 4D 31 FF 55 53 F4",
        // A register is written before it is pushed: two runs.
        "20800, 50 48 89 C3 51 53 F4",
        // Eight are two runs.
        "20800, 50 51 52 53 55 56 57 41 50 41 51 F4",
        "20800, 58 59 5A 5B 5D 5E 5F 41 58 41 59 F4",
        // Across pages, aligned and not.
        "21010, 50 51 52 53 55 F4",
        "2100C, 50 51 52 53 55 F4",
        "20FF0, 58 59 5A 5B 5D F4",
        "20FF4, 58 59 5A 5B 5D F4",
        // A page that is absent: at the first access, in the middle, inside one.
        "31000, 50 51 52 53 F4",
        "31010, 50 51 52 53 F4",
        "30FF0, 58 59 5A F4",
        "2FFF0, 58 59 5A 5B F4",
        "2FFF4, 58 59 5A 5B F4",
        "30004, 50 48 FF C0 51 52 F4",
        // A page that is read-only.
        "31800, 50 51 F4",
        "32010, 50 48 FF C0 51 48 FF C0 52 48 FF C0 53 F4",
        "32004, 50 51 52 53 F4",
        // RSP itself: pushed, popped; a register that is popped twice; one that is looked at before it is popped.
        "20800, 50 54 51 54 54 F4",
        "1000, 58 5C 59 5A F4",
        "20800, 58 59 58 F4",
        "20800, 58 48 01 C3 5B 59 F4",
        // The stack lies in the code: what is pushed is executed next.
        "10010, 48 B8 F4 F4 F4 F4 F4 F4 F4 F4 50 50 90 90 90 90 90 90 90 90 F4",
        "10020, 48 B8 90 F4 90 90 90 90 90 90 50 50 90 90 90 90 90 90 90 90 90 90 90 90 90 90 90 90 90 90 90 90 F4",
        // The end of the address space, and addresses that are not canonical.
        "10, 50 51 52 53 F4",
        "FFFFFFFFFFFFFFF8, 58 59 5A F4",
        "8000000000000, 50 51 F4",
        "8000000000000, 58 59 F4",
        "800000000010, 50 51 52 53 F4",
        "7FFFFFFFFFF0, 58 59 5A F4",
        // Behind the RAM lies MMIO.
        "40010, 50 51 52 53 F4",
        "50010, 50 51 52 53 F4",
        "3FFF0, 58 59 5A 5B F4",
        // 16 bits, immediate, memory.
        "20800, 66 50 66 58 50 6A 85 68 78 56 34 92 FF 34 24 FF 74 24 08 58 59 F4",
        // CALL and RET: call +1; hlt; push; push; pop; pop; ret
        "20800, E8 01 00 00 00 F4 53 55 5D 5B C3",
        "21008, E8 01 00 00 00 F4 53 55 5D 5B C3",
        "30000, E8 01 00 00 00 F4 53 55 5D 5B C3",
        "10000000000000, E8 01 00 00 00 F4 C3",
        // RET to where no address is; the POPs before it are done.
        "20800, 5B 5D C3",
        "2FFF0, 5B 5D C3",
        "2FFE8, 5B 5D C3",
        "30000, C3",
        // ret 16; a RET of 16 bits
        "20800, B8 20 00 01 00 50 5B 50 48 83 C4 08 48 89 44 24 F8 48 83 EC 08 C2 10 00",
        "20800, 66 C3",
        // call rax to the HLT behind
        "20800, B8 07 00 01 00 FF D0 F4",
        "30000, B8 07 00 01 00 FF D0 F4",
        // A fault behind a run, and a device that is written between two.
        "20800, 50 48 89 C2 51 52 48 8B 04 25 00 00 03 00 53 F4",
        "20800, 50 48 89 C2 51 52 89 04 25 00 00 04 00 53 50 58 5B F4",
        // Flags that are pending at the run: sub eax, ebx; push; mov; push; setc al
        "20800, 29 D8 50 89 C2 51 0F 92 C0 F4",
        "30008, 29 D8 50 89 C2 51 0F 92 C0 F4",
    })
    void aRunDoesWhatItsInstructionsDo(String rsp, String code) {
        long stack = Long.parseUnsignedLong(rsp, 16);
        try (GuestMachine one = new GuestMachine(GuestMachine.Way.SINGLE_STEPS)) {
            for (GuestMachine.Way way : GuestMachine.Way.values()) {
                try (GuestMachine m = new GuestMachine(way)) {
                    one.prepare(code, stack);
                    m.prepare(code, stack);
                    long begin = one.vcpu.instructions() - m.vcpu.instructions();
                    assertThat(m.run()).as(way.name()).isEqualTo(one.run());
                    GuestMachine.sameMemory(m, one);
                    one.again(stack);
                    m.again(stack);
                    assertThat(m.run()).as(way.name()).isEqualTo(one.run());
                    GuestMachine.sameMemory(m, one);
                    if (way.counted()) {
                        assertThat(one.vcpu.instructions() - m.vcpu.instructions())
                                .isEqualTo(begin);
                    }
                    assertThat(m.vcpu.regionsTranslated() > 0).isEqualTo(way.translated);
                }
            }
        }
    }

    @Test
    void theFaultOfAPushInTheMiddleIsItsOwn() {
        for (GuestMachine.Way way : GuestMachine.Way.values()) {
            try (GuestMachine m = new GuestMachine(way)) {
                // push rax; mov rax, rbx; push rcx; push rdx; push rbp
                m.prepare("50 48 89 D8 51 52 55 F4", GuestMachine.ABSENT + 0x1010);
                // The upper page is writable for once.
                m.put(
                        GuestMachine.TABLES + 0x3000 + 8 * (GuestMachine.ABSENT + 0x1000 >> 12),
                        GuestMachine.ABSENT + 0x1000 | 3);
                m.run();
                assertThat(m.vcpu.rip()).isEqualTo(GuestMachine.HANDLERS + 16 * 14 + 1);
                assertThat(m.vcpu.cr2()).isEqualTo(GuestMachine.ABSENT + 0xFF8);
                assertThat(m.get(GuestMachine.FRAMES + 0x100 - 48))
                        .as("error code")
                        .isEqualTo(2);
                assertThat(m.get(GuestMachine.FRAMES + 0x100 - 40)).as("rip").isEqualTo(GuestMachine.CODE + 5);
                assertThat(m.get(GuestMachine.FRAMES + 0x100 - 16)).as("rsp").isEqualTo(GuestMachine.ABSENT + 0x1000);
                assertThat(m.get(GuestMachine.ABSENT + 0x1008)).isZero();
                assertThat(m.get(GuestMachine.ABSENT + 0x1000)).isEqualTo(0x1111_1111_1111_1111L);
                assertThat(m.vcpu.register(Cpu.RAX)).isEqualTo(0x3333_3333_3333_3333L);
            }
        }
    }

    /** Whatever the limit is, the guest stops there, with the state between two instructions. */
    @Test
    void aLimitStopsInTheMiddleOfARun() {
        String code = "41 57 48 89 C7 41 56 4D 31 FF 55 53 5B 5D 58 59 E8 01 00 00 00 F4 53 55 5D 5B C3";
        try (GuestMachine one = new GuestMachine(GuestMachine.Way.COUNTED_INTERPRETER);
                GuestMachine m = new GuestMachine(GuestMachine.Way.COUNTED_REGION);
                GuestMachine steps = new GuestMachine(GuestMachine.Way.SINGLE_STEPS)) {
            for (int limit = 1; limit < 18; limit++) {
                for (GuestMachine x : List.of(one, m, steps)) {
                    x.prepare(code, 0x20800);
                }
                for (int k = 0; k < limit; k++) {
                    steps.vcpu.setInstructionLimit(steps.vcpu.instructions() + 1);
                    steps.vcpu.run();
                }
                for (GuestMachine x : List.of(one, m)) {
                    x.vcpu.setInstructionLimit(x.vcpu.instructions() + limit);
                    x.vcpu.run();
                    assertThat(x.vcpu.rip()).isEqualTo(steps.vcpu.rip());
                    for (int n = 0; n < 16; n++) {
                        assertThat(x.vcpu.register(n)).isEqualTo(steps.vcpu.register(n));
                    }
                    GuestMachine.sameMemory(x, steps);
                }
            }
            assertThat(m.vcpu.halted()).isTrue();
        }
    }

    /** A watchpoint on what the second PUSH writes and the second POP reads: the trap is theirs. */
    @ParameterizedTest
    @CsvSource({"50 51 52 53 F4, 20800, 207F0", "58 59 5A 5B F4, 20800, 20808", "5B C3, 20800, 20808"})
    void aWatchpointIsHitByItsInstruction(String code, String rsp, String watched) {
        for (GuestMachine.Way way : GuestMachine.Way.values()) {
            try (GuestMachine m = new GuestMachine(way)) {
                m.prepare(code, Long.parseLong(rsp, 16));
                m.put(0x20808, GuestMachine.CODE + 4);
                m.run();
                m.again(Long.parseLong(rsp, 16));
                m.vcpu.setDebugRegister(0, Long.parseLong(watched, 16));
                m.vcpu.setDebugRegister(7, 0xB0001);
                m.run();
                assertThat(m.vcpu.rip()).as(way.name()).isEqualTo(GuestMachine.HANDLERS + 16 + 1);
                assertThat(m.get(GuestMachine.FRAMES + 0x100 - 40))
                        .as(way.name())
                        .isEqualTo(code.startsWith("5B") ? GuestMachine.CODE + 4 : GuestMachine.CODE + 2);
            }
        }
    }

    @Test
    void othersSeeThatARunMadeTheEntryOfTheTlb() {
        try (GuestMachine m = new GuestMachine(GuestMachine.Way.REGION)) {
            m.prepare("50 51 52 F4", 0x20800);
            m.run();
            assertThat(m.vcpu.sideExits())
                    .as("no instruction was left to the interpreter")
                    .isZero();
            assertThat(m.get(0x207F8)).isZero();
            assertThat(m.get(0x207F0)).isEqualTo(0x1111_1111_1111_1111L);
            assertThat(m.get(0x207E8)).isEqualTo(0x2222_2222_2222_2222L);
        }
    }
}
