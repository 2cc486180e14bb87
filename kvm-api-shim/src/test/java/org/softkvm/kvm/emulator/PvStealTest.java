package org.softkvm.kvm.emulator;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.softkvm.emulator.GuestMemory;
import org.softkvm.emulator.HostMemory;
import org.softkvm.emulator.MemorySlot;

class PvStealTest {
    private static final long MILLI = 1_000_000;
    private static final int RECORD = 0x1040;

    private final GuestMemory memory = new GuestMemory();
    private final java.lang.foreign.MemorySegment host = HostMemory.allocate(0x2000);
    private long now = 5 * MILLI;
    private long charged = MILLI;
    private final PvSteal steal = new PvSteal(memory, () -> now, () -> charged);

    PvStealTest() {
        memory.setSlots(List.of(new MemorySlot(0, 0, 0, host, false, false)));
        host.fill((byte) 0);
    }

    @AfterEach
    void free() {
        memory.setSlots(List.of());
        HostMemory.free(host);
    }

    private long word(int offset, int size) {
        byte[] bytes = new byte[8];
        memory.read(RECORD + offset, bytes, 0, size);
        long value = 0;
        for (int i = size - 1; i >= 0; i--) {
            value = value << 8 | bytes[i] & 0xFF;
        }
        return value;
    }

    private void pass(long nanos, long ofThem) {
        now += nanos;
        charged += ofThem;
    }

    @Test
    void whatTheThreadWasNotChargedWithIsStolen() {
        steal.resume();
        assertThat(steal.write(RECORD | 1)).isTrue();
        assertThat(steal.read()).isEqualTo(RECORD | 1);
        assertThat(word(8, 4)).as("an even version").isEqualTo(2);
        pass(10 * MILLI, 7 * MILLI);
        steal.refresh();
        assertThat(word(0, 8)).isEqualTo(3 * MILLI);
        assertThat(word(8, 4)).isEqualTo(4);
        pass(MILLI / 2, 0);
        steal.refresh();
        assertThat(word(8, 4)).as("not more often than once in a millisecond").isEqualTo(4);
        pass(MILLI / 2, 0);
        steal.refresh();
        assertThat(word(0, 8)).isEqualTo(4 * MILLI);
        assertThat(word(12, 4)).as("flags").isZero();
        assertThat(word(16, 4)).as("preempted").isZero();
    }

    @Test
    void waitingIsNotStolen() {
        steal.resume();
        steal.write(RECORD | 1);
        pass(2 * MILLI, MILLI);
        steal.stop();
        pass(50 * MILLI, 0);
        steal.resume();
        assertThat(word(0, 8)).isEqualTo(MILLI);
        pass(3 * MILLI, 4 * MILLI);
        steal.refresh();
        assertThat(word(0, 8)).as("clocks differ a little: it never goes back").isEqualTo(MILLI);
    }

    @Test
    void setWhileTheVcpuStands() {
        steal.write(RECORD | 1);
        pass(50 * MILLI, 0);
        steal.resume();
        assertThat(word(0, 8)).isZero();
    }

    @Test
    void reservedBitsAndOff() {
        assertThat(steal.write(RECORD | 3)).isFalse();
        assertThat(steal.write(RECORD)).isTrue();
        steal.resume();
        pass(10 * MILLI, 0);
        steal.refresh();
        assertThat(word(0, 8)).isZero();
        assertThat(word(8, 4)).isZero();
    }

    @Test
    void aHostThatDoesNotTell() {
        charged = Long.MIN_VALUE;
        PvSteal unknown = new PvSteal(memory, () -> now, () -> -1);
        unknown.resume();
        unknown.write(RECORD | 1);
        now += 10 * MILLI;
        unknown.refresh();
        assertThat(word(0, 8)).isZero();
        assertThat(word(8, 4)).as("nothing new is not written").isEqualTo(2);
    }
}
