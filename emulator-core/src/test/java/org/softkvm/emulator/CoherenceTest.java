package org.softkvm.emulator;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.concurrent.FutureTask;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What one vcpu or the host changes takes effect on the others when it has to. */
@Timeout(120)
class CoherenceTest {
    private static final int FLAG = 0x8000;
    private static final int ANSWER = 0x8040;
    private static final int FUNCTION = 0x5000;

    private final MemorySegment ram = HostMemory.allocate(1 << 20);
    private final GuestMemory memory = new GuestMemory();
    private final List<VirtualCpu> cpus = new ArrayList<>();

    private static final TimeSource CLOCK = new TimeSource() {
        @Override
        public long tsc() {
            return 0;
        }

        @Override
        public long tscKhz() {
            return 1_000_000;
        }
    };

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
        VirtualCpu cpu = new VirtualCpu(cpus.size(), memory, CpuModel.MAX, LocalInterruptController.NONE, CLOCK);
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
     * One vcpu changes a function, then says so; the other one calls it and must find the new one. The function is alone in
     * its page, so the page stops being code at each change and is marked anew at each call.
     */
    @Test
    void codeThatAnotherVcpuWroteIsSeenOnceItSaysSo() throws Exception {
        int rounds = 8_000;
        load(FUNCTION, "b8 00 00 00 00 c3"); // mov eax, 0; ret
        load(0x1000, """
                39 3d 00 80 00 00   cmp [8000h], edi
                75 f8               jne -8
                b8 00 50 00 00      mov eax, 5000h
                ff d0               call eax
                39 f8               cmp eax, edi
                75 10               jne +16
                89 3d 40 80 00 00   mov [8040h], edi
                47                  inc edi
                81 ff 40 1f 00 00   cmp edi, 8000
                75 de               jne -34
                f4                  hlt
                """.replaceAll("(?m)   [a-z].*$", ""));
        load(0x3000, """
                89 3d 01 50 00 00   mov [5001h], edi
                89 3d 00 80 00 00   mov [8000h], edi
                39 3d 40 80 00 00   cmp [8040h], edi
                75 f8               jne -8
                47                  inc edi
                81 ff 40 1f 00 00   cmp edi, 8000
                75 e3               jne -29
                f4                  hlt
                """.replaceAll("(?m)   [a-z].*$", ""));
        VirtualCpu reader = cpu(0x1000);
        VirtualCpu writer = cpu(0x3000);
        reader.setRegister(7, 1);
        writer.setRegister(7, 1);
        FutureTask<Integer> first = start(reader);
        FutureTask<Integer> second = start(writer);
        assertThat(first.get()).isEqualTo(VirtualCpu.EXIT_HLT);
        assertThat(reader.register(7)).as("round in which old code ran").isEqualTo(rounds);
        assertThat(second.get()).isEqualTo(VirtualCpu.EXIT_HLT);
        assertThat(word(ram, ANSWER)).isEqualTo(rounds - 1);
        assertThat(word(ram, FLAG)).isEqualTo(rounds - 1);
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
