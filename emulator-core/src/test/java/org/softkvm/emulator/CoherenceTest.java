package org.softkvm.emulator;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.VarHandle;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.concurrent.FutureTask;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What one vcpu or the host changes takes effect on the others when it has to. */
@Timeout(120)
class CoherenceTest {
    private static final int FLAG = 0x8000;
    private static final int ANSWER = 0x8040;
    private static final int ENTERED = 0x8080;
    private static final int FUNCTION = 0x5000;

    private static final VarHandle WORD = ValueLayout.JAVA_INT.varHandle();

    private final MemorySegment ram = HostMemory.allocate(1 << 20);
    private final GuestMemory memory = new GuestMemory();
    private final List<VirtualCpu> cpus = new ArrayList<>();

    private static final TimeSource CLOCK = StoppedClock.INSTANCE;

    private volatile boolean readerIsGone;

    /**
     * RDTSC in every second round waits until the other vcpu has run the function: between two instructions of a block,
     * and thus where this vcpu serves nobody.
     */
    private final class Meeting implements TimeSource {
        @Override
        public long tsc() {
            int value = word(ram, FLAG);
            while ((value & 4) != 0 && !readerIsGone && (int) WORD.getVolatile(ram, (long) ENTERED) != value) {
                Thread.yield();
            }
            return 0;
        }

        @Override
        public long tscKhz() {
            return 1_000_000;
        }
    }

    CoherenceTest() {
        memory.setSlots(List.of(new MemorySlot(0, 0, 0, ram, false, false)));
    }

    @AfterEach
    void free() {
        cpus.forEach(VirtualCpu::close);
        HostMemory.free(ram);
    }

    /** A vcpu in flat 32-bit protected mode without paging. */
    private VirtualCpu cpu(int rip) {
        return cpu(rip, CLOCK);
    }

    private VirtualCpu cpu(int rip, TimeSource clock) {
        VirtualCpu cpu = new VirtualCpu(cpus.size(), memory, CpuModel.MAX, LocalInterruptController.NONE, clock);
        cpu.setControl(0x11, 0, 0, 0, 0);
        cpu.setSegment(1, 8, 0, 0xFFFFFFFFL, 0xC09B);
        for (int seg : new int[] {0, 2, 3, 4, 5}) {
            cpu.setSegment(seg, 16, 0, 0xFFFFFFFFL, 0xC093);
        }
        cpu.setRip(rip);
        cpu.setRegister(4, 0xF000 - 0x400L * cpus.size());
        cpus.add(cpu);
        return cpu;
    }

    private void load(int address, String code) {
        byte[] bytes = HexFormat.of().parseHex(code.replaceAll("\\s", ""));
        MemorySegment.copy(bytes, 0, ram, ValueLayout.JAVA_BYTE, address, bytes.length);
    }

    private int word(MemorySegment from, int address) {
        return from.get(ValueLayout.JAVA_INT, address);
    }

    private static FutureTask<Integer> start(VirtualCpu cpu) {
        FutureTask<Integer> task = new FutureTask<>(cpu::run);
        Thread.ofPlatform().daemon().start(task);
        return task;
    }

    /**
     * Cross-modifying code (Intel SDM volume 3, 10.1.3): one vcpu writes a function that another one calls. Each
     * round has three parts; the function is alone in its page.
     *
     * <ol>
     *   <li>Store, then signal: the other vcpu, which has decoded the function, must find the new one at the
     *       signal. That is lost where a store is not reported to the vcpus that have code from the page.
     *   <li>The same without a call behind it: the page is not code any more. The next store therefore leaves a
     *       TLB entry behind that later stores use without a look at whether the page is code.
     *   <li>Store while the other vcpu enters: it decodes the function while this one is in the middle of a block
     *       of slow instructions at whose end it stores through that entry and signals. Decoding marks the page as
     *       code, but the writer cannot drop its entry before its block ends. After the signal the new function must
     *       run. That is lost where TLB entries are not dropped, and also where a vcpu that decodes does not find out
     *       whether the others have dropped theirs ({@link org.softkvm.emulator.cpu.CodeFence}).
     * </ol>
     *
     * <p>Architecture promises the new code only behind a serializing instruction. Translated code needs it, as it
     * looks for notes where it leaves a region or loops, so CPUID stands behind each signal; the interpreter looks
     * between any two blocks and has to do without.
     *
     * <p>In every second round the store waits for the call, so that it surely comes just behind it. In the others
     * the delay before the call changes, so that the store comes before, in and after it. What this proves is that
     * none of these can be missing: the report of a store, the notice to drop TLB entries, the fence, the
     * comparison of a block with memory until the fence has passed. With any one of them switched off old code
     * ran, in both engines and on a busy machine too: within 70 rounds without the first, within two without
     * another one. A fence that passes only a few instructions too early would be found by luck.
     */
    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void codeThatAnotherVcpuWroteIsSeenOnceItSaysSo(boolean translated) throws Exception {
        int rounds = 400;
        load(FUNCTION, "b8 00 00 00 00 c3"); // mov eax, 0; ret
        load(0x1000, """
                39 3d 00 80 00 00   r1: cmp [8000h], edi
                75 f8               jne r1
                e8 58 00 00 00      call check
                89 3d 40 80 00 00   mov [8040h], edi
                47                  inc edi
                39 3d 00 80 00 00   r2: cmp [8000h], edi
                75 f8               jne r2
                e8 5a 00 00 00      call delay
                89 3d 40 80 00 00   mov [8040h], edi
                47                  inc edi
                39 3d 00 80 00 00   r3: cmp [8000h], edi
                72 f8               jb r3
                e8 46 00 00 00      call delay
                b8 00 50 00 00      mov eax, 5000h
                ff d0               call eax
                89 3d 80 80 00 00   mov [8080h], edi
                89 fa               mov edx, edi
                28 d0               sub al, dl
                3c 01               cmp al, 1
                77 1a               ja wrong
                47                  inc edi
                39 3d 00 80 00 00   r4: cmp [8000h], edi
                75 f8               jne r4
                e8 0d 00 00 00      call check
                89 3d 40 80 00 00   mov [8040h], edi
                47                  inc edi
                39 f7               cmp edi, esi
                72 9d               jb round
                f4                  hlt
                f4                  wrong: hlt
                0f a2               check: cpuid
                b9 03 00 00 00      mov ecx, 3
                b8 00 50 00 00      c1: mov eax, 5000h
                ff d0               call eax
                39 f8               cmp eax, edi
                75 ed               jne wrong
                49                  dec ecx
                75 f2               jnz c1
                c3                  ret
                89 f9               delay: mov ecx, edi
                81 e1 ff 00 00 00   and ecx, 0xff
                41                  inc ecx
                49                  d1: dec ecx
                75 fd               jnz d1
                c3                  ret
                """.replaceAll("(?m)   [a-z].*$", "").replace("0f a2", translated ? "0f a2" : "90 90"));
        load(
                0x3000,
                """
                89 3d 01 50 00 00   mov [5001h], edi
                89 3d 00 80 00 00   mov [8000h], edi
                39 3d 40 80 00 00   w1: cmp [8040h], edi
                75 f8               jne w1
                47                  inc edi
                89 3d 01 50 00 00   mov [5001h], edi
                89 3d 00 80 00 00   mov [8000h], edi
                39 3d 40 80 00 00   w2: cmp [8040h], edi
                75 f8               jne w2
                47                  inc edi
                89 3d 01 50 00 00   mov [5001h], edi
                db e3               fninit
                d9 e8               fld1
                89 3d 00 80 00 00   mov [8000h], edi
                47                  inc edi
                """.replaceAll("(?m)   [a-z].*$", "")
                        + "d9 fe".repeat(32) // fsin
                        + """
                0f 31               rdtsc
                89 3d 01 50 00 00   mov [5001h], edi
                89 3d 00 80 00 00   mov [8000h], edi
                39 3d 40 80 00 00   w3: cmp [8040h], edi
                75 f8               jne w3
                47                  inc edi
                39 f7               cmp edi, esi
                0f 82 66 ff ff ff   jb round
                f4                  hlt
                """.replaceAll("(?m)   [a-z].*$", ""));
        VirtualCpu reader = cpu(0x1000);
        VirtualCpu writer = cpu(0x3000, new Meeting());
        for (VirtualCpu cpu : cpus) {
            cpu.setTranslation(translated ? 2 : Integer.MAX_VALUE, true);
            cpu.setRegister(7, 1);
            cpu.setRegister(6, 4 * rounds);
        }
        FutureTask<Integer> first = start(reader);
        FutureTask<Integer> second = start(writer);
        assertThat(first.get()).isEqualTo(VirtualCpu.EXIT_HLT);
        readerIsGone = true;
        if (reader.register(7) <= 4 * rounds) {
            // The writer waits for an answer that will not come.
            writer.kick();
            second.get();
        }
        assertThat(reader.register(7))
                .as("change of the function at which old code ran, or one more than all")
                .isEqualTo(4 * rounds + 1);
        assertThat(second.get()).isEqualTo(VirtualCpu.EXIT_HLT);
        assertThat(word(ram, ANSWER)).isEqualTo(4 * rounds);
        assertThat(word(ram, FLAG)).isEqualTo(4 * rounds);
        if (translated) {
            assertThat(reader.regionsTranslated())
                    .as("regions, since each change drops some")
                    .isGreaterThan(rounds / 10);
        } else {
            assertThat(reader.regionsTranslated()).isZero();
        }
    }

    @Test
    void noVcpuUsesOldMemoryOnceTheSlotsHaveChanged() throws Exception {
        MemorySegment[] data = {HostMemory.allocate(4096), HostMemory.allocate(4096)};
        load(0x1000, "ff 05 00 00 10 00 eb f8"); // inc dword [100000h]; jmp -8
        load(0x3000, "83 05 04 00 10 00 01 eb f7"); // add dword [100004h], 1; jmp -9
        VirtualCpu one = cpu(0x1000);
        VirtualCpu two = cpu(0x3000);
        MemorySlot low = new MemorySlot(0, 0, 0, ram, false, false);
        memory.setSlots(List.of(low, new MemorySlot(1, 0, 0x100000, data[0], false, false)));
        FutureTask<Integer> first = start(one);
        FutureTask<Integer> second = start(two);
        for (int k = 1; k <= 100; k++) {
            while (data[1 - k & 1].get(ValueLayout.JAVA_LONG, 0) == 0) {
                Thread.onSpinWait();
            }
            memory.setSlots(List.of(low, new MemorySlot(1, 0, 0x100000, data[k & 1], false, false)));
            data[1 - k & 1].fill((byte) 0);
            Thread.yield();
            assertThat(data[1 - k & 1].get(ValueLayout.JAVA_LONG, 0)).isZero();
        }
        one.kick();
        two.kick();
        assertThat(first.get()).isEqualTo(VirtualCpu.EXIT_INTR);
        assertThat(second.get()).isEqualTo(VirtualCpu.EXIT_INTR);
        memory.setSlots(List.of(low));
        HostMemory.free(data[0]);
        HostMemory.free(data[1]);
    }

    /** A counter that lies across two cache lines; some vcpus count by LOCK INC, one by LOCK CMPXCHG8B of another place. */
    @Test
    void splitLocksOfFourVcpusLoseNothing() throws Exception {
        int rounds = 3_000;
        String loop = "f0 ff 05 3e 80 00 00 f0 0f c1 15 7f 80 00 00 49 75 ee f4";
        // lock inc dword [803eh]; lock xadd [807fh], edx; dec ecx; jnz; hlt
        List<FutureTask<Integer>> tasks = new ArrayList<>();
        for (int n = 0; n < 4; n++) {
            load(0x1000 + 0x1000 * n, loop);
            cpu(0x1000 + 0x1000 * n).setRegister(1, rounds);
        }
        for (VirtualCpu cpu : cpus) {
            tasks.add(start(cpu));
        }
        for (FutureTask<Integer> task : tasks) {
            assertThat(task.get()).isEqualTo(VirtualCpu.EXIT_HLT);
        }
        MemorySegment counter = ram.asSlice(0x803E, 4);
        assertThat(counter.get(ValueLayout.JAVA_INT_UNALIGNED, 0)).isEqualTo(4 * rounds);
    }

    /** Vcpus that do not run have their notes waiting for them; a page they wrote before is decoded correctly. */
    @Test
    void aVcpuThatDoesNotRunIsNotWaitedFor() {
        load(0x1000, "c7 05 01 50 00 00 2a 00 00 00 f4"); // mov dword [5001h], 42; hlt
        load(0x2000, "b8 00 50 00 00 ff d0 f4"); // mov eax, 5000h; call eax; hlt
        load(FUNCTION, "b8 00 00 00 00 c3");
        VirtualCpu writer = cpu(0x1000);
        VirtualCpu caller = cpu(0x2000);
        assertThat(writer.run()).isEqualTo(VirtualCpu.EXIT_HLT);
        assertThat(caller.run()).isEqualTo(VirtualCpu.EXIT_HLT);
        assertThat(caller.register(0)).isEqualTo(42);
        // The writer's TLB still has the page; its next store has to be noticed all the same.
        load(0x1000, "c7 05 01 50 00 00 2b 00 00 00 f4");
        memory.notifyHostWrite(0x1000, 11);
        writer.setHalted(false);
        writer.setRip(0x1000);
        assertThat(writer.run()).isEqualTo(VirtualCpu.EXIT_HLT);
        caller.setHalted(false);
        caller.setRip(0x2000);
        assertThat(caller.run()).isEqualTo(VirtualCpu.EXIT_HLT);
        assertThat(caller.register(0)).isEqualTo(43);
    }
}
