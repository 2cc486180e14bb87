package org.softkvm.devices.isa;

import java.util.Arrays;
import org.softkvm.devices.BusDevice;
import org.softkvm.devices.InterruptLine;
import org.softkvm.devices.StatefulDevice;

/**
 * An 8042 keyboard controller with a keyboard and no auxiliary device: data at port 60h, command and status at 64h.
 *
 * <p>The keyboard knows its commands and sends what {@link #offer} gives it; there is no translation of scan codes,
 * the bytes go to software as they are. A test of the auxiliary port fails, so that drivers do not wait for a mouse.
 */
public final class I8042 implements StatefulDevice<I8042.State> {
    /** The number of bytes that can wait to be read. */
    public static final int QUEUE_SIZE = 16;

    private static final int STATUS_OBF = 1 << 0;
    private static final int STATUS_SYS = 1 << 2;
    private static final int STATUS_COMMAND = 1 << 3;
    private static final int STATUS_UNLOCKED = 1 << 4;
    private static final int STATUS_AUX_OBF = 1 << 5;

    private static final int MODE_IRQ1 = 1 << 0;
    private static final int MODE_SYS = 1 << 2;
    private static final int MODE_KEYBOARD_OFF = 1 << 4;
    private static final int MODE_AUX_OFF = 1 << 5;
    private static final int MODE_TRANSLATE = 1 << 6;

    private static final int OUTPUT_RUN = 1 << 0;
    private static final int OUTPUT_A20 = 1 << 1;
    private static final int OUTPUT_OBF = 1 << 4;

    private static final int INPUT_UNLOCKED = 1 << 7;

    private static final int READ_RAM = 0x20;
    private static final int WRITE_RAM = 0x60;
    private static final int DISABLE_AUX = 0xA7;
    private static final int ENABLE_AUX = 0xA8;
    private static final int TEST_AUX = 0xA9;
    private static final int SELF_TEST = 0xAA;
    private static final int TEST_KEYBOARD = 0xAB;
    private static final int DISABLE_KEYBOARD = 0xAD;
    private static final int ENABLE_KEYBOARD = 0xAE;
    private static final int READ_INPUT = 0xC0;
    private static final int READ_OUTPUT = 0xD0;
    private static final int WRITE_OUTPUT = 0xD1;
    private static final int WRITE_KEYBOARD_BUFFER = 0xD2;
    private static final int WRITE_AUX_BUFFER = 0xD3;
    private static final int WRITE_AUX = 0xD4;
    private static final int DISABLE_A20 = 0xDD;
    private static final int ENABLE_A20 = 0xDF;
    private static final int READ_TEST = 0xE0;
    private static final int PULSE = 0xF0;

    private static final int ACK = 0xFA;
    private static final int RESEND = 0xFE;
    private static final int SELF_TEST_PASSED = 0xAA;

    /** Above a byte of the queue: it looks as if it came from the auxiliary port. */
    private static final int FROM_AUX = 0x100;

    private static final int RAM_SIZE = 32;

    private final InterruptLine irq;
    private final InterruptLine a20;
    private final Runnable reset;
    private final BusDevice dataPort = new Port("i8042-data", true);
    private final BusDevice commandPort = new Port("i8042-command", false);

    private final int[] queue = new int[QUEUE_SIZE];
    private int queueStart;
    private int queueCount;

    /** What port 60h reads when nothing waits. */
    private int lastData;

    /** The controller's RAM; byte 0 is the command byte. */
    private final byte[] ram = new byte[RAM_SIZE];

    private int outputPort;
    private boolean systemFlag;
    private boolean lastWasCommand;

    /** The command of the controller that waits for its data byte, or 0. */
    private int pendingCommand;

    /** The command of the keyboard that waits for its argument, or 0. */
    private int pendingKeyboard;

    private boolean scanning;
    private int scanSet;
    private boolean asserted;

    /**
     * The state of the controller and its keyboard.
     *
     * @param queue the bytes that wait to be read, oldest first; bit 8 marks the auxiliary port
     * @param lastData what port 60h reads when nothing waits
     * @param ram the controller's 32 bytes
     * @param outputPort the output port
     * @param systemFlag the self test was passed
     * @param lastWasCommand the last write was to port 64h
     * @param pendingCommand the controller command that waits for data, or 0
     * @param pendingKeyboard the keyboard command that waits for its argument, or 0
     * @param scanning whether the keyboard sends keys
     * @param scanSet the scan code set it was told, 1..3
     */
    public record State(
            int[] queue,
            int lastData,
            byte[] ram,
            int outputPort,
            boolean systemFlag,
            boolean lastWasCommand,
            int pendingCommand,
            int pendingKeyboard,
            boolean scanning,
            int scanSet) {}

    private final class Port implements BusDevice {
        private final String name;
        private final boolean data;

        Port(String name, boolean data) {
            this.name = name;
            this.data = data;
        }

        @Override
        public String name() {
            return name;
        }

        @Override
        public long read(int offset, int size) {
            return data ? readData() : status();
        }

        @Override
        public void write(int offset, int size, long value) {
            int written = (int) value & 0xFF;
            lastWasCommand = !data;
            if (data) {
                writeData(written);
            } else {
                command(written);
            }
            update();
        }
    }

    /**
     * Creates a controller in its state after power-up: keyboard enabled, interrupts off, A20 open.
     *
     * @param irq the interrupt line of the keyboard, IRQ1
     * @param a20 driven when software sets bit 1 of the output port
     * @param reset what a processor reset calls, from within the guest's access
     */
    public I8042(InterruptLine irq, InterruptLine a20, Runnable reset) {
        this.irq = irq;
        this.a20 = a20;
        this.reset = reset;
        reset();
    }

    /** The state after power-up; A20 is left to the board. */
    public void reset() {
        queueStart = 0;
        queueCount = 0;
        lastData = 0;
        Arrays.fill(ram, (byte) 0);
        ram[0] = MODE_TRANSLATE | MODE_AUX_OFF;
        outputPort = OUTPUT_RUN | OUTPUT_A20;
        systemFlag = false;
        lastWasCommand = false;
        pendingCommand = 0;
        pendingKeyboard = 0;
        scanning = true;
        scanSet = 2;
        update();
    }

    /**
     * Port 60h.
     *
     * @return a device of 1 port
     */
    public BusDevice dataPort() {
        return dataPort;
    }

    /**
     * Port 64h.
     *
     * @return a device of 1 port
     */
    public BusDevice commandPort() {
        return commandPort;
    }

    /**
     * A byte of a scan code as software is to read it at port 60h.
     *
     * @param value the byte
     * @return false when the keyboard is disabled or the queue is full
     */
    public boolean offer(byte value) {
        if (!scanning || (ram[0] & MODE_KEYBOARD_OFF) != 0 || queueCount == QUEUE_SIZE) {
            return false;
        }
        push(value & 0xFF);
        update();
        return true;
    }

    private int status() {
        return (queueCount > 0 ? STATUS_OBF : 0)
                | (queueCount > 0 && queue[queueStart] >= FROM_AUX ? STATUS_AUX_OBF : 0)
                | (systemFlag ? STATUS_SYS : 0)
                | (lastWasCommand ? STATUS_COMMAND : 0)
                | STATUS_UNLOCKED;
    }

    private int readData() {
        if (queueCount > 0) {
            lastData = queue[queueStart] & 0xFF;
            queueStart = queueStart + 1 & QUEUE_SIZE - 1;
            queueCount--;
            // Each byte makes an edge of its own.
            drive(false);
            update();
        }
        return lastData;
    }

    private void command(int command) {
        pendingCommand = 0;
        if (command >= READ_RAM && command < READ_RAM + RAM_SIZE) {
            push(ram[command - READ_RAM] & 0xFF);
            return;
        }
        if (command >= WRITE_RAM && command < WRITE_RAM + RAM_SIZE) {
            pendingCommand = command;
            return;
        }
        if (command >= PULSE) {
            // Bits 3-0 select lines of the output port; a pulse on line 0 resets the processor.
            if ((command & OUTPUT_RUN) == 0) {
                reset.run();
            }
            return;
        }
        switch (command) {
            case DISABLE_AUX -> ram[0] |= MODE_AUX_OFF;
            case ENABLE_AUX -> ram[0] &= ~MODE_AUX_OFF;
            // Clock line stuck low: there is nothing at the port.
            case TEST_AUX -> push(0x01);
            case SELF_TEST -> {
                systemFlag = true;
                ram[0] |= MODE_SYS;
                queueCount = 0;
                push(0x55);
            }
            case TEST_KEYBOARD, READ_TEST -> push(0x00);
            case DISABLE_KEYBOARD -> ram[0] |= MODE_KEYBOARD_OFF;
            case ENABLE_KEYBOARD -> ram[0] &= ~MODE_KEYBOARD_OFF;
            case READ_INPUT -> push(INPUT_UNLOCKED);
            case READ_OUTPUT -> push(outputPort | (queueCount > 0 ? OUTPUT_OBF : 0));
            case DISABLE_A20 -> setOutputPort(outputPort & ~OUTPUT_A20);
            case ENABLE_A20 -> setOutputPort(outputPort | OUTPUT_A20);
            case WRITE_OUTPUT, WRITE_KEYBOARD_BUFFER, WRITE_AUX_BUFFER, WRITE_AUX -> pendingCommand = command;
            default -> {
                // Others do nothing.
            }
        }
    }

    private void writeData(int data) {
        int command = pendingCommand;
        pendingCommand = 0;
        switch (command) {
            case 0 -> keyboardCommand(data);
            case WRITE_OUTPUT -> setOutputPort(data);
            // Without an auxiliary port its loopback comes back as the keyboard's.
            case WRITE_KEYBOARD_BUFFER, WRITE_AUX_BUFFER -> push(data);
            case WRITE_AUX -> push(FROM_AUX | RESEND);
            default -> {
                ram[command - WRITE_RAM] = (byte) data;
                if (command == WRITE_RAM) {
                    systemFlag = (data & MODE_SYS) != 0;
                }
            }
        }
    }

    private void setOutputPort(int value) {
        outputPort = value & 0xFF & ~OUTPUT_OBF;
        a20.set((outputPort & OUTPUT_A20) != 0);
        if ((outputPort & OUTPUT_RUN) == 0) {
            outputPort |= OUTPUT_RUN;
            reset.run();
        }
    }

    /** A byte to the keyboard; sending one opens its interface. */
    private void keyboardCommand(int data) {
        ram[0] &= ~MODE_KEYBOARD_OFF;
        int pending = pendingKeyboard;
        pendingKeyboard = 0;
        if (pending != 0 && data < 0xED) {
            push(ACK);
            if (pending == 0xF0) {
                if (data == 0) {
                    push(scanSet);
                } else if (data <= 3) {
                    scanSet = data;
                }
            }
            return;
        }
        switch (data) {
            case 0xED, 0xF0, 0xF3, 0xFB, 0xFC, 0xFD -> {
                pendingKeyboard = data;
                push(ACK);
            }
            case 0xEE -> push(0xEE);
            case 0xF2 -> {
                push(ACK);
                push(0xAB);
                // The translation of the controller works on this byte too.
                push((ram[0] & MODE_TRANSLATE) != 0 ? 0x41 : 0x83);
            }
            case 0xF4 -> {
                scanning = true;
                push(ACK);
            }
            case 0xF5 -> {
                scanning = false;
                scanSet = 2;
                push(ACK);
            }
            case 0xF6 -> {
                scanning = true;
                scanSet = 2;
                push(ACK);
            }
            case 0xF7, 0xF8, 0xF9, 0xFA -> push(ACK);
            case 0xFE -> push(lastData);
            case 0xFF -> {
                scanning = true;
                scanSet = 2;
                push(ACK);
                push(SELF_TEST_PASSED);
            }
            default -> push(RESEND);
        }
    }

    /** Queues a byte for software; what does not fit is lost, as software that does not read would lose it. */
    private void push(int entry) {
        if (queueCount < QUEUE_SIZE) {
            queue[queueStart + queueCount++ & QUEUE_SIZE - 1] = entry;
        }
    }

    private void update() {
        drive(queueCount > 0 && queue[queueStart] < FROM_AUX && (ram[0] & MODE_IRQ1) != 0);
    }

    private void drive(boolean level) {
        if (level != asserted) {
            asserted = level;
            irq.set(level);
        }
    }

    @Override
    public State save() {
        int[] waiting = new int[queueCount];
        for (int i = 0; i < queueCount; i++) {
            waiting[i] = queue[queueStart + i & QUEUE_SIZE - 1];
        }
        return new State(
                waiting,
                lastData,
                ram.clone(),
                outputPort,
                systemFlag,
                lastWasCommand,
                pendingCommand,
                pendingKeyboard,
                scanning,
                scanSet);
    }

    @Override
    public void restore(State state) {
        if (state.queue.length > QUEUE_SIZE || state.ram.length != RAM_SIZE) {
            throw new IllegalArgumentException("an 8042 has 32 bytes of RAM and at most 16 bytes waiting");
        }
        int command = state.pendingCommand;
        boolean takesData = command == 0
                || command >= WRITE_RAM && command < WRITE_RAM + RAM_SIZE
                || command >= WRITE_OUTPUT && command <= WRITE_AUX;
        if (!takesData) {
            throw new IllegalArgumentException("8042 command 0x%x takes no data".formatted(command));
        }
        queueStart = 0;
        queueCount = state.queue.length;
        for (int i = 0; i < queueCount; i++) {
            queue[i] = state.queue[i] & 0x1FF;
        }
        lastData = state.lastData & 0xFF;
        System.arraycopy(state.ram, 0, ram, 0, RAM_SIZE);
        outputPort = state.outputPort & 0xFF | OUTPUT_RUN;
        systemFlag = state.systemFlag;
        lastWasCommand = state.lastWasCommand;
        pendingCommand = command;
        pendingKeyboard = state.pendingKeyboard & 0xFF;
        scanning = state.scanning;
        scanSet = state.scanSet >= 1 && state.scanSet <= 3 ? state.scanSet : 2;
        a20.set((outputPort & OUTPUT_A20) != 0);
        asserted = queueCount > 0 && queue[0] < FROM_AUX && (ram[0] & MODE_IRQ1) != 0;
        irq.set(asserted);
    }
}
