package org.softkvm.devices.apic;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Semaphore;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.ReentrantLock;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.softkvm.devices.time.ManualClock;
import org.softkvm.devices.time.TscSource;

class InProcessApicBusTest {
    private static final TscSource NO_TSC = new TscSource() {
        @Override
        public long tsc() {
            return 0;
        }

        @Override
        public long nanoTimeAt(long tsc) {
            return Long.MAX_VALUE;
        }
    };

    private final ReentrantLock lock = new ReentrantLock();
    private final InProcessApicBus bus = new InProcessApicBus(lock);
    private final ManualClock clock = new ManualClock();

    private LocalApic newApic(int id) {
        LocalApic apic = new LocalApic(new LocalApic.Config(id, id == 0), clock, NO_TSC, bus, new RecordingSignals());
        bus.attach(apic);
        apic.write(0x0F0, 4, 0x1FF);
        return apic;
    }

    private static long fixed(int destination) {
        return ApicMessage.of(ApicMessage.FIXED, 0x41, destination, false, false);
    }

    @Test
    void deliversToAllThatMatch() {
        LocalApic[] apics = {newApic(0), newApic(1), newApic(2)};
        assertThat(bus.send(fixed(1))).isEqualTo(1);
        assertThat(apics[0].pendingVector()).isEqualTo(-1);
        assertThat(apics[1].pendingVector()).isEqualTo(0x41);
        assertThat(bus.send(fixed(ApicMessage.BROADCAST))).isEqualTo(3);
        assertThat(apics[2].pendingVector()).isEqualTo(0x41);
    }

    @Test
    void sayWhatBecameOfAMessage() {
        assertThat(bus.send(fixed(0))).isEqualTo(ApicBus.NO_DESTINATION);
        LocalApic apic = newApic(0);
        assertThat(bus.send(fixed(7))).isEqualTo(ApicBus.NO_DESTINATION);
        apic.write(0x0F0, 4, 0xFF);
        assertThat(bus.send(fixed(0))).isZero();
        assertThat(bus.send(ApicMessage.of(ApicMessage.LOWEST_PRIORITY, 0x41, 0, false, false)))
                .isZero();
        assertThat(bus.send(ApicMessage.of(ApicMessage.LOWEST_PRIORITY, 0x41, 7, false, false)))
                .isEqualTo(ApicBus.NO_DESTINATION);
        bus.detach(apic);
        assertThat(bus.send(fixed(0))).isEqualTo(ApicBus.NO_DESTINATION);
    }

    @Test
    void allExcludingSelf() {
        LocalApic[] apics = {newApic(0), newApic(1), newApic(2)};
        apics[1].write(0x300, 4, 0xC4041);
        assertThat(apics[0].pendingVector()).isEqualTo(0x41);
        assertThat(apics[1].pendingVector()).isEqualTo(-1);
        assertThat(apics[2].pendingVector()).isEqualTo(0x41);
        apics[1].write(0x300, 4, 0x84055);
        assertThat(apics[1].pendingVector()).isEqualTo(0x55);
    }

    @Test
    void lowestPriorityTakesTheOneAtTheLowestPriority() {
        LocalApic[] apics = {newApic(0), newApic(1), newApic(2)};
        long message = ApicMessage.of(ApicMessage.LOWEST_PRIORITY, 0x81, ApicMessage.BROADCAST, true, false);
        apics[0].setTpr(0x30);
        apics[1].setTpr(0x10);
        apics[2].setTpr(0x20);
        assertThat(bus.send(message)).isEqualTo(1);
        assertThat(apics[1].pendingVector()).isEqualTo(0x81);
        assertThat(apics[0].pendingVector()).isEqualTo(-1);
        apics[1].acknowledge(0x81);
        bus.send(message);
        assertThat(apics[2].pendingVector()).isEqualTo(0x81);
        // One that is disabled by software takes no part, whatever its priority.
        apics[2].acknowledge(0x81);
        apics[1].write(0x0F0, 4, 0xFF);
        apics[2].write(0x0F0, 4, 0xFF);
        bus.send(message);
        assertThat(apics[0].pendingVector()).isEqualTo(0x81);
    }

    @Test
    void endOfInterruptReachesTheIoApicsUnderTheBoardsLock() {
        List<String> log = new ArrayList<>();
        bus.attach((ApicBus.EoiListener) vector -> log.add(vector + " " + lock.isHeldByCurrentThread()));
        bus.attach((ApicBus.EoiListener) vector -> log.add("second"));
        LocalApic apic = newApic(0);
        bus.send(ApicMessage.of(ApicMessage.FIXED, 0x51, 0, false, true));
        apic.acknowledge(0x51);
        apic.write(0x0B0, 4, 0);
        assertThat(log).containsExactly("81 true", "second");
        assertThat(lock.isLocked()).isFalse();
    }

    /**
     * One thread ends level-triggered interrupts while another changes lines with the board's lock held: every
     * assertion of the line leads to an interrupt and nobody waits for ever.
     */
    @Test
    @Timeout(60)
    void endsAndLineChangesDoNotDeadlock() throws InterruptedException {
        IoApic ioApic = new IoApic(IoApic.VERSION_EOI_REGISTER, clock, bus);
        bus.attach(ioApic);
        LocalApic apic = newApic(0);
        for (int pin = 0; pin < 8; pin++) {
            ioApic.write(0x00, 4, 0x11 + 2 * pin);
            ioApic.write(0x10, 4, 0);
            ioApic.write(0x00, 4, 0x10 + 2 * pin);
            ioApic.write(0x10, 4, 0x8030 + 0x10 * pin);
        }
        AtomicBoolean running = new AtomicBoolean(true);
        Semaphore deasserted = new Semaphore(0);
        Thread processor = new Thread(() -> {
            while (running.get()) {
                int vector = apic.pendingVector();
                if (vector >= 0) {
                    apic.acknowledge(vector);
                    lock.lock();
                    try {
                        ioApic.pin((vector >>> 4) - 3).set(false);
                    } finally {
                        lock.unlock();
                    }
                    deasserted.release();
                    apic.write(0x0B0, 4, 0);
                } else {
                    Thread.yield();
                }
            }
        });
        processor.start();
        for (int i = 0; i < 1_000; i++) {
            int pin = i & 7;
            lock.lock();
            try {
                ioApic.pin(pin).set(true);
            } finally {
                lock.unlock();
            }
            deasserted.acquire();
        }
        running.set(false);
        processor.join();
        assertThat(apic.pendingVector()).isEqualTo(-1);
        assertThat(ioApic.save().asserted()).isZero();
    }

    /** Two threads send, each vector again only once it was taken: the processor takes exactly what was sent. */
    @Test
    @Timeout(60)
    void noInterruptIsLostBetweenThreads() throws InterruptedException {
        int rounds = 500;
        LocalApic apic = newApic(0);
        Semaphore[] taken = {new Semaphore(0), new Semaphore(0)};
        Thread[] senders = new Thread[2];
        for (int i = 0; i < 2; i++) {
            int vector = 0x41 + i;
            Semaphore mine = taken[i];
            senders[i] = new Thread(() -> {
                for (int round = 0; round < rounds; round++) {
                    bus.send(ApicMessage.of(ApicMessage.FIXED, vector, 0, false, false));
                    mine.acquireUninterruptibly();
                }
            });
            senders[i].start();
        }
        for (int count = 0; count < 2 * rounds; ) {
            int vector = apic.pendingVector();
            if (vector >= 0) {
                apic.acknowledge(vector);
                apic.write(0x0B0, 4, 0);
                taken[vector - 0x41].release();
                count++;
            } else {
                Thread.yield();
            }
        }
        senders[0].join();
        senders[1].join();
        assertThat(apic.pendingVector()).isEqualTo(-1);
    }
}
