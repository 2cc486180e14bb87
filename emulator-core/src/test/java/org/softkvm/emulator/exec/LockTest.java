package org.softkvm.emulator.exec;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.foreign.MemorySegment;
import java.util.HexFormat;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
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
import org.softkvm.emulator.TimeSource;
import org.softkvm.emulator.VirtualCpu;

/** Locked instructions of two vcpus on one counter lose no update (Intel SDM volume 3, 10.1.2). */
class LockTest {
    private static final int ROUNDS = 20_000;
    private static final int CODE = 0x1000;
    private static final int COUNTER = 0x8000;

    private final MemorySegment ram = HostMemory.allocate(1 << 20);
    private final GuestMemory memory = new GuestMemory();

    private static final TimeSource CLOCK = StoppedClock.INSTANCE;

    LockTest() {
        memory.setSlots(List.of(new MemorySlot(0, 0, 0, ram, false, false)));
    }

    @AfterEach
    void free() {
        HostMemory.free(ram);
    }

    /** A vcpu in flat 32-bit protected mode without paging, EBX at the counter, ECX the number of rounds. */
    private VirtualCpu cpu(int id, int counter) {
        VirtualCpu cpu = new VirtualCpu(id, memory, CpuModel.MAX, LocalInterruptController.NONE, CLOCK);
        cpu.setControl(0x11, 0, 0, 0, 0);
        cpu.setSegment(1, 8, 0, 0xFFFFFFFFL, 0xC09B);
        for (int seg : new int[] {0, 2, 3, 4, 5}) {
            cpu.setSegment(seg, 16, 0, 0xFFFFFFFFL, 0xC093);
        }
        cpu.setRip(CODE);
        cpu.setRegister(1, ROUNDS);
        cpu.setRegister(3, counter);
        cpu.setRegister(4, 0xF000 - 0x100L * id);
        return cpu;
    }

    private static void join(FutureTask<Integer> task) throws InterruptedException, ExecutionException {
        assertThat(task.get()).isEqualTo(VirtualCpu.EXIT_HLT);
    }

    private void runBoth(String body, int counter) throws Exception {
        // The body, then: sub ecx, 1; jnz to the body; hlt.
        byte[] bytes = HexFormat.of().parseHex(body.replace(" ", ""));
        byte[] code = java.util.Arrays.copyOf(bytes, bytes.length + 10);
        byte[] tail = HexFormat.of().parseHex("83E9010F85000000" + "00F4");
        System.arraycopy(tail, 0, code, bytes.length, tail.length);
        int displacement = -(bytes.length + 9);
        for (int k = 0; k < 4; k++) {
            code[bytes.length + 5 + k] = (byte) (displacement >> 8 * k);
        }
        memory.write(CODE, code, 0, code.length);
        try (VirtualCpu first = cpu(0, counter);
                VirtualCpu second = cpu(1, counter)) {
            FutureTask<Integer> a = new FutureTask<>(first::run);
            FutureTask<Integer> b = new FutureTask<>(second::run);
            new Thread(a).start();
            new Thread(b).start();
            join(a);
            join(b);
        }
    }

    private long value(int address, int size) {
        byte[] bytes = new byte[8];
        memory.read(address, bytes, 0, size);
        long v = 0;
        for (int k = 0; k < size; k++) {
            v |= (bytes[k] & 0xFFL) << 8 * k;
        }
        return v;
    }

    @ParameterizedTest(name = "{0}")
    @CsvSource({
        "lock inc dword, F0 FF 03, 0, 4",
        "lock inc word, F0 66 FF 03, 2, 2",
        "lock inc byte, F0 FE 03, 3, 1",
        "lock add dword, F0 83 03 01, 4, 4",
        "lock add across words, F0 83 03 01, 7, 4",
        "lock add across pages, F0 83 03 01, 4094, 4",
        "lock adc with carry, F9 F0 83 13 00, 0, 4",
        "lock xadd, B8 01 00 00 00 F0 0F C1 03, 0, 4",
        "cmpxchg until it succeeds, 8B 03 8D 50 01 F0 0F B1 13 75 F5, 0, 4"
    })
    void losesNoUpdate(String name, String body, int offset, int size) throws Exception {
        runBoth(body, COUNTER + offset);
        long mask = size == 8 ? -1 : (1L << 8 * size) - 1;
        assertThat(value(COUNTER + offset, size)).as(name).isEqualTo(2L * ROUNDS & mask);
    }

    @Test
    void neighboursOfALockedByteKeepTheirPlainStores() throws Exception {
        // lock inc byte [ebx]; mov [esp], ecx: the stacks lie elsewhere, the byte beside the counter is set beforehand.
        memory.write(COUNTER + 1, new byte[] {0x5A, 0x6B, 0x7C}, 0, 3);
        runBoth("F0 FE 03 89 0C 24", COUNTER);
        assertThat(value(COUNTER + 1, 3)).isEqualTo(0x7C6B5A);
        assertThat(value(COUNTER, 1)).isEqualTo(2L * ROUNDS & 0xFF);
    }

    @ParameterizedTest(name = "at {0}")
    @CsvSource({"0x200000", "0x200003", "0x200005", "0x200006"})
    void aDeviceIsReadOnceAndWrittenOnce(String address) {
        int at = Integer.decode(address);
        // lock add dword [ebx], 1; hlt: no slot lies there, so both halves are exits.
        memory.write(CODE, HexFormat.of().parseHex("F0830301F4"), 0, 5);
        try (VirtualCpu cpu = cpu(0, at)) {
            assertThat(cpu.run()).isEqualTo(VirtualCpu.EXIT_MMIO);
            assertThat(cpu.mmioWrite()).isFalse();
            assertThat(cpu.mmioAddress()).isEqualTo(at);
            cpu.setMmioData(41);
            assertThat(cpu.run()).isEqualTo(VirtualCpu.EXIT_MMIO);
            assertThat(cpu.mmioWrite()).isTrue();
            assertThat(cpu.mmioData()).isEqualTo(42);
            assertThat(cpu.run()).isEqualTo(VirtualCpu.EXIT_HLT);
        }
    }
}
