package org.softkvm.devices.isa;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Random;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.softkvm.devices.RecordingLine;
import org.softkvm.devices.time.ManualClock;

class Uart16550ATest {
    private static final int DATA = 0;
    private static final int IER = 1;
    private static final int IIR = 2;
    private static final int FCR = 2;
    private static final int LCR = 3;
    private static final int MCR = 4;
    private static final int LSR = 5;
    private static final int MSR = 6;
    private static final int SCR = 7;

    private static final int OUT2 = 0x08;
    private static final int LOOP = 0x10;

    private final ManualClock clock = new ManualClock();
    private final RecordingLine irq = new RecordingLine();
    private final StringBuilder output = new StringBuilder();
    private final Uart16550A uart = new Uart16550A("com1", clock, irq, value -> output.append((char) value));

    private int read(int offset) {
        return (int) uart.read(offset, 1);
    }

    private void write(int offset, int value) {
        uart.write(offset, 1, value);
    }

    private boolean offer(int value) {
        return uart.offer((byte) value);
    }

    /** 8 bits, no parity, 115,200 baud, interrupts at the pin. */
    private void open(int interrupts, int fifoControl) {
        write(LCR, 0x80);
        write(DATA, 1);
        write(IER, 0);
        write(LCR, 0x03);
        write(FCR, fifoControl);
        write(MCR, OUT2 | 3);
        write(IER, interrupts);
    }

    @Test
    void stateAfterReset() {
        assertThat(read(IER)).isZero();
        assertThat(read(IIR)).isEqualTo(0x01);
        assertThat(read(LCR)).isZero();
        assertThat(read(MCR)).isZero();
        assertThat(read(LSR)).isEqualTo(0x60);
        assertThat(read(MSR)).isEqualTo(0xB0);
        assertThat(read(SCR)).isZero();
    }

    @Test
    void registersAndTheirBits() {
        write(SCR, 0xA5);
        assertThat(read(SCR)).isEqualTo(0xA5);
        write(IER, 0xFF);
        assertThat(read(IER)).isEqualTo(0x0F);
        write(MCR, 0xFF);
        assertThat(read(MCR)).isEqualTo(0x1F);
        write(LCR, 0x80);
        write(DATA, 0x34);
        write(IER, 0x12);
        assertThat(read(DATA)).isEqualTo(0x34);
        assertThat(read(IER)).isEqualTo(0x12);
        assertThat(uart.divisor()).isEqualTo(0x1234);
        write(LCR, 0x03);
        assertThat(read(IER)).isEqualTo(0x0F);
        write(LSR, 0xFF);
        assertThat(read(LSR)).isEqualTo(0x60);
    }

    @Test
    void fifosShowInTheIir() {
        write(FCR, 0x06);
        assertThat(read(IIR) & 0xC0).as("the other bits need the enable bit").isZero();
        write(FCR, 0x01);
        assertThat(read(IIR) & 0xC0).isEqualTo(0xC0);
        write(FCR, 0x00);
        assertThat(read(IIR) & 0xC0).isZero();
    }

    @Test
    void transmitsAtOnce() {
        open(0, 0x01);
        for (char c : "hello".toCharArray()) {
            write(DATA, c);
            assertThat(read(LSR) & 0x60).isEqualTo(0x60);
        }
        assertThat(output).hasToString("hello");
        write(LCR, 0x02);
        write(DATA, 0xFF);
        assertThat(output).as("seven bits").endsWith("\u007f");
    }

    @Nested
    class TransmitterInterrupt {
        @Test
        void comesWhenEnabledAndAfterEachByte() {
            open(0, 0x01);
            assertThat(irq.isHigh()).isFalse();
            write(IER, 0x02);
            assertThat(irq.isHigh()).isTrue();
            assertThat(read(IIR)).isEqualTo(0xC2);
            assertThat(irq.isHigh()).as("reading the IIR ends it").isFalse();
            assertThat(read(IIR)).isEqualTo(0xC1);
            irq.takeRises();
            write(DATA, 'x');
            assertThat(irq.takeRises()).isEqualTo(1);
            write(DATA, 'y');
            assertThat(irq.takeRises()).as("an edge for each").isEqualTo(1);
            write(IER, 0x00);
            assertThat(irq.isHigh()).isFalse();
            write(IER, 0x02);
            assertThat(irq.isHigh()).isTrue();
        }

        @Test
        void readingTheIirForAnotherCauseDoesNotEndIt() {
            open(0x03, 0x01);
            offer('a');
            assertThat(read(IIR)).isEqualTo(0xC4);
            read(DATA);
            assertThat(read(IIR)).isEqualTo(0xC2);
            assertThat(read(IIR)).isEqualTo(0xC1);
        }

        @Test
        void writingIerAgainDoesNotRaiseIt() {
            open(0x02, 0x01);
            read(IIR);
            write(IER, 0x03);
            assertThat(irq.isHigh()).isFalse();
        }
    }

    @Nested
    class Receiver {
        @Test
        void oneByteWithoutFifo() {
            open(0x01, 0);
            assertThat(uart.receiveSpace()).isEqualTo(1);
            assertThat(offer('a')).isTrue();
            assertThat(offer('b')).isFalse();
            assertThat(read(LSR)).isEqualTo(0x61);
            assertThat(read(IIR)).isEqualTo(0x04);
            assertThat(irq.isHigh()).isTrue();
            assertThat(read(DATA)).isEqualTo('a');
            assertThat(irq.isHigh()).isFalse();
            assertThat(read(LSR)).isEqualTo(0x60);
            assertThat(read(DATA)).isZero();
        }

        @Test
        void sixteenBytesWithFifo() {
            open(0, 0x01);
            for (int i = 0; i < 16; i++) {
                assertThat(offer(i)).isTrue();
            }
            assertThat(offer(16)).isFalse();
            assertThat(uart.receiveSpace()).isZero();
            for (int i = 0; i < 16; i++) {
                assertThat(read(DATA)).isEqualTo(i);
            }
            assertThat(read(LSR) & 1).isZero();
        }

        @Test
        void triggerLevels() {
            int[] levels = {1, 4, 8, 14};
            for (int i = 0; i < 4; i++) {
                open(0x01, 0x07 | i << 6);
                for (int count = 1; count <= 16; count++) {
                    offer(count);
                    assertThat(irq.isHigh())
                            .as("level %d, %d bytes", levels[i], count)
                            .isEqualTo(count >= levels[i]);
                }
                while ((read(LSR) & 1) != 0) {
                    read(DATA);
                }
                assertThat(irq.isHigh()).isFalse();
            }
        }

        @Test
        void characterTimeout() {
            open(0x01, 0xC1);
            offer('a');
            offer('b');
            // 4 characters of 10 bits at 115,200 baud: 347 us.
            clock.advance(347_000);
            assertThat(irq.isHigh()).isFalse();
            offer('c');
            clock.advance(347_000);
            assertThat(irq.isHigh()).as("a byte starts it anew").isFalse();
            clock.advance(1_000);
            assertThat(irq.isHigh()).isTrue();
            assertThat(read(IIR)).isEqualTo(0xCC);
            assertThat(read(DATA)).isEqualTo('a');
            assertThat(irq.isHigh()).as("reading a byte ends it").isFalse();
            clock.advance(348_000);
            assertThat(read(IIR)).isEqualTo(0xCC);
            read(DATA);
            read(DATA);
            clock.advance(1_000_000);
            assertThat(read(IIR)).isEqualTo(0xC1);
            assertThat(clock.nextDeadline()).isEqualTo(Long.MAX_VALUE);
        }

        @Test
        void timeoutFollowsTheDivisor() {
            open(0x01, 0xC1);
            write(LCR, 0x8F);
            write(DATA, 12);
            write(LCR, 0x0F);
            offer('a');
            // 12 bits (8, parity, 2 stop, start) at 9600 baud, four times: 5 ms.
            clock.advance(4_999_000);
            assertThat(irq.isHigh()).isFalse();
            clock.advance(1_001);
            assertThat(irq.isHigh()).isTrue();
        }

        @Test
        void resetOfTheFifo() {
            open(0x01, 0x01);
            offer('a');
            write(FCR, 0x03);
            assertThat(irq.isHigh()).isFalse();
            assertThat(read(LSR)).isEqualTo(0x60);
            offer('b');
            write(FCR, 0x00);
            assertThat(read(LSR)).as("switching modes clears").isEqualTo(0x60);
        }

        @Test
        void spaceIsTold() {
            int[] told = {0};
            open(0x01, 0);
            uart.setSpaceListener(() -> {
                told[0]++;
                offer('b');
            });
            offer('a');
            assertThat(read(DATA)).isEqualTo('a');
            assertThat(told[0]).isEqualTo(1);
            assertThat(irq.isHigh()).isTrue();
            assertThat(read(DATA)).isEqualTo('b');
        }

        @Test
        void breakIsAZeroWithItsIndicator() {
            open(0x04, 0x01);
            offer('a');
            uart.offerBreak();
            assertThat(irq.isHigh()).as("not at the front yet").isFalse();
            assertThat(read(LSR)).as("an error in the FIFO").isEqualTo(0xE1);
            read(DATA);
            assertThat(irq.isHigh()).isTrue();
            assertThat(read(IIR)).isEqualTo(0xC6);
            assertThat(read(LSR)).isEqualTo(0xF1);
            assertThat(irq.isHigh()).as("reading the LSR ends it").isFalse();
            assertThat(read(LSR)).isEqualTo(0x61);
            assertThat(read(DATA)).isZero();
        }
    }

    @Nested
    class Loopback {
        @Test
        void bytesComeBack() {
            open(0x01, 0x01);
            write(MCR, LOOP | OUT2);
            write(DATA, 'x');
            assertThat(output).isEmpty();
            assertThat(offer('y')).as("the line is cut").isFalse();
            assertThat(uart.receiveSpace()).isZero();
            assertThat(irq.isHigh()).isTrue();
            assertThat(read(DATA)).isEqualTo('x');
        }

        @Test
        void overrun() {
            open(0x04, 0x01);
            write(MCR, LOOP | OUT2);
            for (int i = 0; i < 17; i++) {
                write(DATA, i);
            }
            assertThat(read(IIR)).isEqualTo(0xC6);
            assertThat(read(LSR)).isEqualTo(0x63);
            assertThat(read(LSR)).isEqualTo(0x61);
            for (int i = 0; i < 16; i++) {
                assertThat(read(DATA)).isEqualTo(i);
            }
            write(FCR, 0);
            write(DATA, 1);
            write(DATA, 2);
            assertThat(read(LSR) & 2).isEqualTo(2);
            assertThat(read(DATA)).as("without FIFO the old byte is lost").isEqualTo(2);
        }

        @Test
        void modemControlIsModemStatus() {
            write(MCR, LOOP);
            assertThat(read(MSR) & 0xF0).isZero();
            int[][] rows = {{0x01, 0x20}, {0x02, 0x10}, {0x04, 0x40}, {0x08, 0x80}};
            for (int[] row : rows) {
                write(MCR, LOOP | row[0]);
                assertThat(read(MSR) & 0xF0).isEqualTo(row[1]);
            }
            assertThat(uart.modemControl()).isZero();
            write(MCR, 0x03);
            assertThat(read(MSR) & 0xF0).isEqualTo(0xB0);
            assertThat(uart.modemControl()).isEqualTo(3);
        }

        @Test
        void leavingItTellsOfSpace() {
            boolean[] told = {false};
            write(MCR, LOOP);
            uart.setSpaceListener(() -> told[0] = true);
            write(MCR, 0);
            assertThat(told[0]).isTrue();
        }
    }

    @Nested
    class Modem {
        @Test
        void changesInterruptAndAreReadOnce() {
            open(0x08, 0);
            read(MSR);
            uart.setModemLines(Uart16550A.MSR_CTS);
            assertThat(irq.isHigh()).isTrue();
            assertThat(read(IIR)).isZero();
            assertThat(read(MSR)).isEqualTo(0x1A);
            assertThat(irq.isHigh()).isFalse();
            assertThat(read(MSR)).isEqualTo(0x10);
        }

        @Test
        void ringCountsWhenItEnds() {
            open(0x08, 0);
            uart.setModemLines(0xF0);
            assertThat(read(MSR)).isEqualTo(0xF0);
            uart.setModemLines(0xB0);
            assertThat(read(MSR)).isEqualTo(0xB4);
        }
    }

    @Test
    void priorities() {
        open(0x0F, 0x01);
        uart.setModemLines(0);
        uart.offerBreak();
        assertThat(read(IIR)).isEqualTo(0xC6);
        read(LSR);
        assertThat(read(IIR)).isEqualTo(0xC4);
        read(DATA);
        assertThat(read(IIR)).isEqualTo(0xC2);
        assertThat(read(IIR)).isEqualTo(0xC0);
        read(MSR);
        assertThat(read(IIR)).isEqualTo(0xC1);
        assertThat(irq.isHigh()).isFalse();
    }

    @Test
    void out2GatesTheLine() {
        open(0x01, 0x01);
        write(MCR, 0x03);
        offer('a');
        assertThat(read(IIR)).isEqualTo(0xC4);
        assertThat(irq.isHigh()).isFalse();
        write(MCR, 0x0B);
        assertThat(irq.isHigh()).isTrue();
    }

    @Test
    void savedStateComesBack() {
        open(0x0F, 0xC1);
        write(SCR, 0x77);
        offer('a');
        uart.offerBreak();
        offer('c');
        uart.setModemLines(Uart16550A.MSR_CTS);
        clock.advance(100_000);
        Uart16550A.State state = uart.save();
        RecordingLine otherIrq = new RecordingLine();
        ManualClock otherClock = new ManualClock(999);
        Uart16550A other = new Uart16550A("com1", otherClock, otherIrq, value -> {});
        other.restore(state);
        assertThat(other.save()).usingRecursiveComparison().isEqualTo(state);
        assertThat(otherIrq.isHigh()).isTrue();
        while (other.read(IIR, 1) != 0xC1) {
            other.read(MSR, 1);
        }
        otherClock.advance(248_000);
        assertThat(other.read(IIR, 1)).isEqualTo(0xCC);
        assertThat(other.read(DATA, 1)).isEqualTo('a');
        assertThat(other.read(LSR, 1) & 0x10).isEqualTo(0x10);
        assertThatThrownBy(() -> other.restore(
                        new Uart16550A.State(0, 0, 0, 0, 0, 0, new int[17], 0, false, false, Long.MAX_VALUE, 0, 0)))
                .isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void survivesAnything() {
        Random random = new Random(4);
        for (int i = 0; i < 300_000; i++) {
            switch (random.nextInt(5)) {
                case 0 -> write(random.nextInt(8), random.nextInt(256));
                case 1 -> assertThat(read(random.nextInt(8))).isBetween(0, 255);
                case 2 -> offer(random.nextInt());
                case 3 -> uart.setModemLines(random.nextInt());
                default -> clock.advance(random.nextInt(1_000_000));
            }
            if (i % 1000 == 0) {
                uart.restore(uart.save());
                output.setLength(0);
            }
        }
    }
}
