package org.softkvm.devices.isa;

import java.util.function.IntConsumer;
import org.softkvm.devices.BusDevice;
import org.softkvm.devices.InterruptLine;
import org.softkvm.devices.StatefulDevice;

/**
 * The two 8259A interrupt controllers of a PC, the slave at input 2 of the master, with the edge/level control
 * registers of the EISA and PCI chipsets.
 *
 * <p>Ports: {@link #master()} at 20h-21h, {@link #slave()} at A0h-A1h, {@link #elcr()} at 4D0h-4D1h. The processor
 * runs an INTA cycle with {@link #acknowledge()}.
 */
public final class Pic8259Pair implements StatefulDevice<Pic8259Pair.State> {
    /** The number of inputs, of which number 2 is taken by the cascade. */
    public static final int INPUTS = 16;

    private static final int CASCADE = 2;

    /** IRQ 0, 1, 2, 8 and 13 are edge-triggered on every PC. */
    public static final int ELCR_WRITABLE = 0xDEF8;

    private final Pic8259 master;
    private final Pic8259 slave;
    private final InterruptLine intr;
    private final InterruptLine[] inputs = new InterruptLine[INPUTS];
    private boolean requesting;

    private final BusDevice masterPorts;
    private final BusDevice slavePorts;
    private final BusDevice elcrPorts = new ElcrPorts();

    /**
     * The state of one chip.
     *
     * @param irr interrupt request register
     * @param isr in-service register
     * @param imr interrupt mask register
     * @param inputs the levels of the inputs
     * @param elcr the inputs that are level-triggered
     * @param vectorBase bits 7-3 of its vectors
     * @param lowest the input of lowest priority
     * @param expectedIcw the initialisation word expected next, 2 to 4, or 0
     * @param singleChip ICW1: no ICW3
     * @param icw4Needed ICW1: ICW4 will come
     * @param autoEoi automatic end of interrupt
     * @param rotateOnAutoEoi rotation in automatic EOI mode
     * @param specialFullyNested special fully nested mode
     * @param specialMask special mask mode
     * @param readIsr whether the lower port reads the ISR and not the IRR
     * @param poll whether the next read is a poll
     */
    public record ChipState(
            int irr,
            int isr,
            int imr,
            int inputs,
            int elcr,
            int vectorBase,
            int lowest,
            int expectedIcw,
            boolean singleChip,
            boolean icw4Needed,
            boolean autoEoi,
            boolean rotateOnAutoEoi,
            boolean specialFullyNested,
            boolean specialMask,
            boolean readIsr,
            boolean poll) {}

    /**
     * The state of both chips.
     *
     * @param master the first
     * @param slave the second
     */
    public record State(ChipState master, ChipState slave) {}

    private final class ChipPorts implements BusDevice {
        private final String name;
        private final Pic8259 chip;

        ChipPorts(String name, Pic8259 chip) {
            this.name = name;
            this.chip = chip;
        }

        @Override
        public String name() {
            return name;
        }

        @Override
        public long read(int offset, int size) {
            int value = chip.read(offset & 1);
            update();
            return value;
        }

        @Override
        public void write(int offset, int size, long value) {
            chip.write(offset & 1, (int) value & 0xFF);
            update();
        }
    }

    private final class ElcrPorts implements BusDevice {
        @Override
        public String name() {
            return "pic-elcr";
        }

        @Override
        public long read(int offset, int size) {
            return ((offset & 1) == 0 ? master : slave).elcr();
        }

        @Override
        public void write(int offset, int size, long value) {
            ((offset & 1) == 0 ? master : slave).setElcr((int) value & 0xFF);
            update();
        }
    }

    /**
     * Creates the pair as after power-up.
     *
     * @param intr the INTR line to the processor or to LINT0 of its local APIC
     */
    public Pic8259Pair(InterruptLine intr) {
        this(intr, irq -> {});
    }

    /**
     * Creates the pair as after power-up, and somebody who wants to know of ends of interrupts.
     *
     * @param intr the INTR line to the processor or to LINT0 of its local APIC
     * @param ended called with 0..15 when an interrupt has left service, before the next one is requested
     */
    public Pic8259Pair(InterruptLine intr, IntConsumer ended) {
        this.intr = intr;
        master = new Pic8259(ELCR_WRITABLE & 0xFF, CASCADE, ended);
        slave = new Pic8259(ELCR_WRITABLE >>> 8, -1, input -> ended.accept(8 + input));
        masterPorts = new ChipPorts("pic-master", master);
        slavePorts = new ChipPorts("pic-slave", slave);
        for (int i = 0; i < INPUTS; i++) {
            int number = i;
            inputs[i] = level -> drive(number, level);
        }
    }

    /** The state after power-up; the inputs keep their levels. */
    public void reset() {
        master.reset();
        slave.reset();
        update();
    }

    /**
     * The ports 20h and 21h.
     *
     * @return a device of 2 ports
     */
    public BusDevice master() {
        return masterPorts;
    }

    /**
     * The ports A0h and A1h.
     *
     * @return a device of 2 ports
     */
    public BusDevice slave() {
        return slavePorts;
    }

    /**
     * The edge/level control registers at 4D0h and 4D1h: a set bit makes an input level-triggered.
     *
     * @return a device of 2 ports
     */
    public BusDevice elcr() {
        return elcrPorts;
    }

    /**
     * An interrupt input.
     *
     * @param irq 0..15; 2 leads nowhere, as the slave is there
     * @return the input
     */
    public InterruptLine irq(int irq) {
        return inputs[irq];
    }

    /**
     * Drives an interrupt input and says what came of it, as {@code KVM_IRQ_LINE_STATUS} does for one chip.
     *
     * @param irq 0..15; 2 leads nowhere
     * @param level true to assert
     * @return -1 where the input is masked, 0 where it asked already for what has not been acknowledged yet, else 1
     */
    public int drive(int irq, boolean level) {
        int status = irq >= 8 ? slave.setInput(irq - 8, level) : irq == CASCADE ? -1 : master.setInput(irq, level);
        update();
        return status;
    }

    /**
     * The interrupt mask registers of both chips.
     *
     * @return one bit an input, 0 to 15; a set bit is masked
     */
    public int masks() {
        return master.imr() | slave.imr() << 8;
    }

    /**
     * Whether INTR is asserted.
     *
     * @return true when {@link #acknowledge()} has something to return
     */
    public boolean interruptPending() {
        return requesting;
    }

    /**
     * Runs an INTA cycle. When the request has gone by then, the result is the vector of input 7 of the chip that was
     * asked (IRQ7 or IRQ15), and that chip has nothing in service.
     *
     * @return the vector, 0..255
     */
    public int acknowledge() {
        // INT of a chip falls with the cycle; if there is more to serve, it makes a new edge.
        driveIntr(false);
        int input = master.acknowledge();
        int vector;
        if (input == CASCADE) {
            int second = slave.acknowledge();
            vector = slave.vector(second < 0 ? Pic8259.SPURIOUS : second);
            master.setInput(CASCADE, false);
        } else {
            vector = master.vector(input < 0 ? Pic8259.SPURIOUS : input);
        }
        update();
        return vector;
    }

    private void update() {
        master.setInput(CASCADE, slave.isRequesting());
        driveIntr(master.isRequesting());
    }

    private void driveIntr(boolean level) {
        if (level != requesting) {
            requesting = level;
            intr.set(level);
        }
    }

    @Override
    public State save() {
        return new State(master.save(), slave.save());
    }

    @Override
    public void restore(State state) {
        master.restore(state.master);
        slave.restore(state.slave);
        requesting = master.isRequesting();
        intr.set(requesting);
    }
}
