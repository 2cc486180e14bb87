package org.softkvm.emulator.translate;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.reflect.Proxy;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.softkvm.emulator.LocalInterruptController;

/**
 * CALL and RET in narrow regions that call each other. Each case is a loop, {@code mov r15d, 40; top: ...; dec r15d; jnz top;
 * hlt}, which is executed in single steps and in every other way; all have to end in the same state, with the same memory and
 * the same exits on the way.
 */
class GuestCallTest {
    /** Regions come into being early, when not all of what stands behind a CALL has been decoded. */
    private static final int EARLY = 3;
    /** Regions come into being when all of it has, and belongs to them. */
    private static final int LATE = 60;

    private static final long STACK = 0x20800;

    @ParameterizedTest(name = "{0}")
    @CsvSource({
        // Calls in calls, by a constant and by a register.
        // call f; mov eax, g; call rax; f: add rax, 1; call h; sub rbx, rax; ret; g: push rbx; call h; pop rcx; ret; h:
        // lea rbx, [rbx + 2 rax + 3]; ret
        "nested, 41 BF 28 00 00 00 E8 0D 00 00 00 B8 25 00 01 00 FF D0 41 FF CF 75 EF F4 48 83 C0 01 E8 0C 00 00 00 48 29 C3 C3 53 E8 02 00 00 00 59 C3 48 8D 5C 43 03 C3",
        // Two functions that call each other, deeper than Java calls may be.
        // f: push rcx; add rax, rcx; dec ecx; jz out; call g; out: pop rdx; ret; g: push rcx; sub rbx, rax; dec ecx; jz
        // out2; call f; out2: pop rdx; ret
        "recursion, 41 BF 09 00 00 00 B9 64 00 00 00 E8 06 00 00 00 41 FF CF 75 F1 F4 51 48 01 C8 FF C9 74 05 E8 02 00 00 00 5A C3 51 48 29 C3 FF C9 74 05 E8 E4 FF FF FF 5A C3",
        // The return address is changed at times.
        // call f; inc rbx; back: inc rcx; f: test r15b, 7; jnz same; mov qword [rsp], back; same: ret
        "returns, 41 BF 28 00 00 00 E8 0C 00 00 00 48 FF C3 48 FF C1 41 FF CF 75 F0 F4 41 F6 C7 07 75 08 48 C7 04 24 0E 00 01 00 C3",
        // Two frames are given up at once at times.
        // mov rbp, rsp; call f; inc rbx; back: inc rcx; f: call g; inc rdx; ret; g: test r15b, 3; jnz same; mov rsp,
        // rbp; jmp back; same: ret
        "longjmp, 41 BF 28 00 00 00 48 89 E5 E8 0C 00 00 00 48 FF C3 48 FF C1 41 FF CF 75 ED F4 E8 04 00 00 00 48 FF C2 C3 41 F6 C7 03 75 05 48 89 EC EB E3 C3",
        // Two stacks: what is called returns elsewhere, always.
        // call switch; inc rbx; other: call switch; inc rcx; jmp other; switch: xchg rsp, rsi; ret
        "stacks, 41 BF 28 00 00 00 48 8D 34 25 00 28 02 00 48 C7 46 F8 28 00 01 00 48 83 EE 08 E8 13 00 00 00 48 FF C3 41 FF CF 75 F3 F4 E8 05 00 00 00 48 FF C1 EB F6 48 87 E6 C3",
        // What is called changes the code behind the CALL once.
        // call f; next: inc rbx; inc rcx; f: cmp r15b, 20; jne same; mov byte [next + 2], CBh; same: ret
        "overwritten, 41 BF 28 00 00 00 E8 0C 00 00 00 48 FF C3 48 FF C1 41 FF CF 75 F0 F4 41 80 FF 14 75 08 C6 04 25 0D 00 01 00 CB C3",
        // What is called faults once.
        // f: mov rax, [20000h]; cmp r15b, 9; jne same; mov rax, [30000h]; same: inc rcx; ret
        "fault, 41 BF 28 00 00 00 E8 09 00 00 00 48 FF C3 41 FF CF 75 F3 F4 48 8B 04 25 00 00 02 00 41 80 FF 09 75 08 48 8B 04 25 00 00 03 00 48 FF C1 C3",
        // What is called changes the mapping at times.
        // f: test r15b, 3; jnz same; mov rax, cr3; mov cr3, rax; same: inc rcx; ret
        "cr3, 41 BF 28 00 00 00 E8 09 00 00 00 48 FF C3 41 FF CF 75 F3 F4 41 F6 C7 03 75 06 0F 20 D8 0F 22 D8 48 FF C1 C3",
        // A jump at the end of what is called, and a return without RET.
        // call f; inc rbx; call p; inc rdx; f: inc rcx; jmp g; p: pop rax; jmp rax; g: dec rsi; ret
        "tail, 41 BF 28 00 00 00 E8 11 00 00 00 48 FF C3 E8 0E 00 00 00 48 FF C2 41 FF CF 75 EB F4 48 FF C1 EB 0F 58 FF E0 90 90 90 90 90 90 90 90 90 90 90 90 48 FF CE C3",
        // A target that is not an address.
        // call rax; inc rbx; cmp r15b, 5; jne same; shl rax, 40; same: ...; f: inc rcx; ret
        "noncanonical, 41 BF 28 00 00 00 48 B8 25 00 01 00 00 00 00 00 FF D0 48 FF C3 41 80 FF 05 75 04 48 C1 E0 28 41 FF CF 75 EC F4 48 FF C1 C3",
        // The target is in memory, and changes.
        // call [20000h]; inc rbx; f: mov qword [20000h], g; inc rcx; ret; g: mov qword [20000h], f; inc rdx; ret
        "memory, 41 BF 28 00 00 00 48 C7 04 25 00 00 02 00 22 00 01 00 FF 14 25 00 00 02 00 48 FF C3 41 FF CF 75 F1 F4 48 C7 04 25 00 00 02 00 32 00 01 00 48 FF C1 C3 48 C7 04 25 00 00 02 00 22 00 01 00 48 FF C2 C3",
        // Flags that what is called has left.
        // call f; jc one; inc rbx; one: adc rcx, 0; f: bt r15d, 1; ret
        "flags, 41 BF 28 00 00 00 E8 0F 00 00 00 72 03 48 FF C3 48 83 D1 00 41 FF CF 75 ED F4 41 0F BA E7 01 C3",
        // What is called writes to a device, and reads from one.
        // f: mov [40010h], r15d; mov eax, [40020h]; inc rcx; ret
        "device, 41 BF 28 00 00 00 E8 09 00 00 00 48 FF C3 41 FF CF 75 F3 F4 44 89 3C 25 10 00 04 00 8B 04 25 20 00 04 00 48 FF C1 C3",
        // The stack is absent once, at the CALL.
        // call f; inc rbx; dec r15d; cmp r15d, 12; jne same; mov rsp, 31000h; same: ...; f: inc rcx; ret
        "absent, 41 BF 28 00 00 00 E8 17 00 00 00 48 FF C3 41 FF CF 41 83 FF 0C 75 05 BC 00 10 03 00 45 85 FF 75 E5 F4 48 FF C1 C3",
    })
    void callsDoWhatTheInterpreterDoes(String name, String code) {
        for (GuestMachine.Way way : GuestMachine.Way.values()) {
            agrees(way, EARLY, code);
            agrees(way, LATE, code);
        }
    }

    private static void agrees(GuestMachine.Way way, int threshold, String code) {
        try (GuestMachine one = new GuestMachine(GuestMachine.Way.SINGLE_STEPS);
                GuestMachine m = new GuestMachine(way)) {
            if (way.translated) {
                m.vcpu.setTranslation(threshold, true);
            }
            one.prepare(code, STACK);
            m.prepare(code, STACK);
            for (int run = 0; run < 3; run++) {
                long begin = one.vcpu.instructions() - m.vcpu.instructions();
                assertThat(m.run()).as(way.name()).isEqualTo(one.run());
                GuestMachine.sameMemory(m, one);
                if (way.counted()) {
                    assertThat(one.vcpu.instructions() - m.vcpu.instructions()).isEqualTo(begin);
                }
                one.again(STACK);
                m.again(STACK);
            }
            assertThat(m.vcpu.regionsTranslated() > 0).isEqualTo(way.translated);
        }
    }

    /** Wherever a limit stops it, the guest is where single steps take it, and goes on from there. */
    @ParameterizedTest
    @CsvSource({
        "41 BF 28 00 00 00 E8 0D 00 00 00 B8 25 00 01 00 FF D0 41 FF CF 75 EF F4 48 83 C0 01 E8 0C 00 00 00 48 29 C3 C3 53 E8 02 00 00 00 59 C3 48 8D 5C 43 03 C3",
        "41 BF 09 00 00 00 B9 64 00 00 00 E8 06 00 00 00 41 FF CF 75 F1 F4 51 48 01 C8 FF C9 74 05 E8 02 00 00 00 5A C3 51 48 29 C3 FF C9 74 05 E8 E4 FF FF FF 5A C3",
    })
    void aLimitStopsInsideOfCalls(String code) {
        try (GuestMachine one = new GuestMachine(GuestMachine.Way.COUNTED_INTERPRETER);
                GuestMachine m = new GuestMachine(GuestMachine.Way.COUNTED_REGION)) {
            m.vcpu.setTranslation(LATE, true);
            one.prepare(code, STACK);
            m.prepare(code, STACK);
            for (int run = 0; run < 3; run++) {
                for (int limit = 1; !one.vcpu.halted(); limit = limit % 37 + 1) {
                    for (GuestMachine x : new GuestMachine[] {one, m}) {
                        x.vcpu.setInstructionLimit(x.vcpu.instructions() + limit);
                        x.vcpu.run();
                    }
                    assertThat(m.vcpu.rip()).isEqualTo(one.vcpu.rip());
                    assertThat(m.vcpu.instructions()).isEqualTo(one.vcpu.instructions());
                    for (int n = 0; n < 16; n++) {
                        assertThat(m.vcpu.register(n)).isEqualTo(one.vcpu.register(n));
                    }
                }
                assertThat(m.vcpu.halted()).isTrue();
                one.again(STACK);
                m.again(STACK);
            }
            assertThat(m.vcpu.regionsTranslated()).isGreaterThan(1);
            GuestMachine.sameMemory(m, one);
        }
    }

    /**
     * As the recursion above, and at each level a device is read, which counts the calls that are under way in Java.
     */
    @Test
    void callsAreCallsOfJavaUpToADepth() {
        TreeSet<Long> depths = new TreeSet<>();
        LocalInterruptController device = (LocalInterruptController) Proxy.newProxyInstance(
                getClass().getClassLoader(),
                new Class<?>[] {LocalInterruptController.class},
                (proxy, method, arguments) -> switch (method.getName()) {
                    case "mmioPage" -> 0x20000L;
                    case "readMmio" -> {
                        depths.add(StackWalker.getInstance()
                                .walk(frames -> frames.filter(
                                                f -> f.getClassName().equals(GuestCall.class.getName())
                                                        && f.getMethodName().equals("follow"))
                                        .count()));
                        yield 0L;
                    }
                    default -> method.invoke(LocalInterruptController.NONE, arguments);
                });
        try (GuestMachine m = new GuestMachine(GuestMachine.Way.REGION, device)) {
            m.vcpu.setTranslation(LATE, true);
            m.prepare(
                    "41 BF 09 00 00 00 B9 64 00 00 00 E8 06 00 00 00 41 FF CF 75 F1 F4 51 8B 04 25 10 00 02 00 FF C9 74 05 E8 02 00 00 00 5A C3 51 FF C9 74 05 E8 E3 FF FF FF 5A C3",
                    0x21800);
            m.run();
            assertThat(depths).contains(0L, 1L, (long) GuestCall.MAX_DEPTH);
            assertThat(depths.last()).isEqualTo(GuestCall.MAX_DEPTH);
        }
    }
}
