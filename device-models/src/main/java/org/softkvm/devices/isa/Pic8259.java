package org.softkvm.devices.isa;

import java.util.function.IntConsumer;

/**
 * One Intel 8259A as a PC has it, with the trigger mode of each input in an edge/level control register instead of
 * ICW1. {@link Pic8259Pair} wires two of them; the owner looks at {@link #isRequesting()} after each call.
 *
 * <p>An edge-triggered request stays latched when its input falls before it is acknowledged, as in the chipsets that
 * succeeded the 8259A; a level-triggered one vanishes with its input.
 */
final class Pic8259 {
    /** Nothing to serve: the input whose vector an INTA cycle then returns. */
    static final int SPURIOUS = 7;

    private static final int ICW1 = 0x10;
    private static final int ICW1_IC4 = 0x01;
    private static final int ICW1_SNGL = 0x02;
    private static final int ICW4_AEOI = 0x02;
    private static final int ICW4_SFNM = 0x10;
    private static final int OCW3 = 0x08;
    private static final int OCW3_RIS = 0x01;
    private static final int OCW3_RR = 0x02;
    private static final int OCW3_POLL = 0x04;
    private static final int OCW3_SMM = 0x20;
    private static final int OCW3_ESMM = 0x40;

    /** The inputs whose trigger mode can be set to level. */
    private final int elcrWritable;

    /** The input that leads to a slave, one bit; 0 on a slave. */
    private final int cascade;

    /** Told of the inputs whose service has ended. */
    private final IntConsumer ended;

    private int irr;
    private int isr;
    private int imr;
    private int inputs;
    private int elcr;
    private int vectorBase;

    /** The input of lowest priority; the next one has the highest. */
    private int lowest = 7;

    /** The initialisation word that is expected next, 2 to 4, or 0 in operation. */
    private int expectedIcw;

    private boolean singleChip;
    private boolean icw4Needed;
    private boolean autoEoi;
    private boolean rotateOnAutoEoi;
    private boolean specialFullyNested;
    private boolean specialMask;
    private boolean readIsr;
    private boolean poll;

    Pic8259(int elcrWritable, int cascadeInput, IntConsumer ended) {
        this.elcrWritable = elcrWritable;
        this.ended = ended;
        this.cascade = cascadeInput < 0 ? 0 : 1 << cascadeInput;
    }

    /** Power-up; the inputs keep their levels. */
    void reset() {
        initialise();
        elcr = 0;
        irr = 0;
        vectorBase = 0;
        expectedIcw = 0;
        singleChip = false;
        icw4Needed = false;
    }

    /** What ICW1 resets. A level-triggered input that is asserted requests again at once. */
    private void initialise() {
        int served = isr;
        irr = inputs & elcr;
        isr = 0;
        imr = 0;
        lowest = 7;
        autoEoi = false;
        rotateOnAutoEoi = false;
        specialFullyNested = false;
        specialMask = false;
        readIsr = false;
        poll = false;
        for (int left = served; left != 0; left &= left - 1) {
            ended.accept(Integer.numberOfTrailingZeros(left));
        }
    }

    /** Drives an input; returns 1 where that is a new request or none, 0 where it waits already, -1 where it is masked. */
    int setInput(int input, boolean level) {
        int bit = 1 << input;
        int before = irr;
        boolean request = level;
        if ((elcr & bit) != 0) {
            irr = level ? irr | bit : irr & ~bit;
        } else if (level && (inputs & bit) == 0) {
            irr |= bit;
        } else {
            request = false;
        }
        inputs = level ? inputs | bit : inputs & ~bit;
        if ((imr & bit) != 0) {
            return -1;
        }
        return request && (before & bit) != 0 ? 0 : 1;
    }

    /** Whether the INT output is asserted. */
    boolean isRequesting() {
        return highestRequest() >= 0;
    }

    /** Runs an INTA cycle; returns the input that is served, or -1 for a spurious interrupt. */
    int acknowledge() {
        int input = highestRequest();
        if (input >= 0) {
            serve(input);
        }
        return input;
    }

    /** The vector of an input. */
    int vector(int input) {
        return vectorBase | input;
    }

    /** The input to be served next, or -1: the highest request above what is in service. */
    private int highestRequest() {
        int request = highest(irr & ~imr);
        if (request < 0) {
            return -1;
        }
        int blocking = isr;
        if (specialMask) {
            blocking &= ~imr;
        }
        int served = highest(blocking);
        if (served < 0 || rank(request) < rank(served)) {
            return request;
        }
        // The slave may have something of higher priority than what it has in service.
        return specialFullyNested && request == served && 1 << request == cascade ? request : -1;
    }

    private void serve(int input) {
        int bit = 1 << input;
        if ((elcr & bit) == 0) {
            irr &= ~bit;
        }
        if (!autoEoi) {
            isr |= bit;
            return;
        }
        if (rotateOnAutoEoi) {
            lowest = input;
        }
        ended.accept(input);
    }

    /** The input of highest priority in a set, or -1. */
    private int highest(int set) {
        if (set == 0) {
            return -1;
        }
        int first = lowest + 1 & 7;
        int rotated = (set >>> first | set << 8 - first) & 0xFF;
        return Integer.numberOfTrailingZeros(rotated) + first & 7;
    }

    /** 0 for the highest priority. */
    private int rank(int input) {
        return input - lowest - 1 & 7;
    }

    /** Reads the chip's lower (a0 = 0) or upper port. In polled mode this is the INTA cycle. */
    int read(int a0) {
        if (poll) {
            poll = false;
            int input = acknowledge();
            return input < 0 ? SPURIOUS : 0x80 | input;
        }
        if (a0 != 0) {
            return imr;
        }
        return readIsr ? isr : irr;
    }

    void write(int a0, int value) {
        if (a0 != 0) {
            writeUpper(value);
        } else if ((value & ICW1) != 0) {
            initialise();
            icw4Needed = (value & ICW1_IC4) != 0;
            singleChip = (value & ICW1_SNGL) != 0;
            expectedIcw = 2;
        } else if ((value & OCW3) != 0) {
            writeOcw3(value);
        } else {
            writeOcw2(value >>> 5, value & 7);
        }
    }

    private void writeUpper(int value) {
        switch (expectedIcw) {
            case 2 -> {
                vectorBase = value & 0xF8;
                expectedIcw = singleChip ? afterIcw3() : 3;
            }
            // The wiring of a PC is fixed: ICW3 only takes its turn.
            case 3 -> expectedIcw = afterIcw3();
            case 4 -> {
                autoEoi = (value & ICW4_AEOI) != 0;
                specialFullyNested = (value & ICW4_SFNM) != 0;
                expectedIcw = 0;
            }
            default -> imr = value;
        }
    }

    private int afterIcw3() {
        return icw4Needed ? 4 : 0;
    }

    private void writeOcw2(int command, int level) {
        switch (command) {
            case 0 -> rotateOnAutoEoi = false;
            case 1 -> endNonSpecific();
            case 3 -> end(level);
            case 4 -> rotateOnAutoEoi = true;
            case 5 -> {
                int input = endNonSpecific();
                if (input >= 0) {
                    lowest = input;
                }
            }
            case 6 -> lowest = level;
            case 7 -> {
                end(level);
                lowest = level;
            }
            default -> {
                // 2 is no operation.
            }
        }
    }

    /** Ends what is in service at the highest priority; masked inputs do not count in special mask mode. */
    private int endNonSpecific() {
        int input = highest(specialMask ? isr & ~imr : isr);
        if (input >= 0) {
            end(input);
        }
        return input;
    }

    private void end(int input) {
        int bit = 1 << input;
        if ((isr & bit) != 0) {
            isr &= ~bit;
            ended.accept(input);
        }
    }

    private void writeOcw3(int value) {
        if ((value & OCW3_ESMM) != 0) {
            specialMask = (value & OCW3_SMM) != 0;
        }
        if ((value & OCW3_POLL) != 0) {
            poll = true;
        } else if ((value & OCW3_RR) != 0) {
            readIsr = (value & OCW3_RIS) != 0;
        }
    }

    int imr() {
        return imr;
    }

    int elcr() {
        return elcr;
    }

    void setElcr(int value) {
        elcr = value & elcrWritable;
        irr = irr & ~elcr | inputs & elcr;
    }

    Pic8259Pair.ChipState save() {
        return new Pic8259Pair.ChipState(
                irr,
                isr,
                imr,
                inputs,
                elcr,
                vectorBase,
                lowest,
                expectedIcw,
                singleChip,
                icw4Needed,
                autoEoi,
                rotateOnAutoEoi,
                specialFullyNested,
                specialMask,
                readIsr,
                poll);
    }

    void restore(Pic8259Pair.ChipState state) {
        irr = state.irr() & 0xFF;
        isr = state.isr() & 0xFF;
        imr = state.imr() & 0xFF;
        inputs = state.inputs() & 0xFF;
        elcr = state.elcr() & elcrWritable;
        vectorBase = state.vectorBase() & 0xF8;
        lowest = state.lowest() & 7;
        expectedIcw = state.expectedIcw() >= 2 && state.expectedIcw() <= 4 ? state.expectedIcw() : 0;
        singleChip = state.singleChip();
        icw4Needed = state.icw4Needed();
        autoEoi = state.autoEoi();
        rotateOnAutoEoi = state.rotateOnAutoEoi();
        specialFullyNested = state.specialFullyNested();
        specialMask = state.specialMask();
        readIsr = state.readIsr();
        poll = state.poll();
    }
}
