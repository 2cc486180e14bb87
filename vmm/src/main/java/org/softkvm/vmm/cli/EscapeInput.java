package org.softkvm.vmm.cli;

import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.util.Objects;

/**
 * The guest's keyboard at a raw terminal: everything goes to the guest but the sequences that begin with Ctrl-A, which are
 * QEMU's. One thread reads.
 */
final class EscapeInput extends FilterInputStream {
    /** What help prints; a raw terminal still begins a new line after a line feed. */
    static final String HELP = """
            Ctrl-A H       this help
            Ctrl-A X       ends SoftKVM (exit status 130)
            Ctrl-A S       saves the machine to the file of --save and ends SoftKVM
            Ctrl-A Ctrl-A  sends Ctrl-A to the guest
            """;

    private static final int CTRL_A = 1;

    private final Runnable exit;
    private final Runnable save;
    private final Runnable help;
    private final byte[] single = new byte[1];
    private boolean escaped;

    /**
     * Wraps an input.
     *
     * @param exit what Ctrl-A X does
     * @param save what Ctrl-A S does
     * @param help what Ctrl-A H does
     */
    EscapeInput(InputStream in, Runnable exit, Runnable save, Runnable help) {
        super(in);
        this.exit = exit;
        this.save = save;
        this.help = help;
    }

    @Override
    public int read() throws IOException {
        return read(single, 0, 1) < 0 ? -1 : single[0] & 0xFF;
    }

    /** Waits until there is something for the guest; what is left of a sequence at the end of the input is dropped. */
    @Override
    public int read(byte[] to, int offset, int length) throws IOException {
        Objects.checkFromIndexSize(offset, length, to.length);
        int kept = 0;
        while (kept == 0 && length > 0) {
            int count = super.read(to, offset, length);
            if (count < 0) {
                return -1;
            }
            for (int i = 0; i < count; i++) {
                byte value = to[offset + i];
                if (forGuest(value)) {
                    to[offset + kept++] = value;
                }
            }
        }
        return kept;
    }

    private boolean forGuest(byte value) {
        if (!escaped) {
            escaped = value == CTRL_A;
            return !escaped;
        }
        escaped = false;
        switch (value) {
            case 'x', 'X' -> exit.run();
            case 's', 'S' -> save.run();
            case 'h', 'H', '?' -> help.run();
            default -> {
                // Unknown ones do nothing, as in QEMU.
            }
        }
        return value == CTRL_A;
    }

    /** Looks no further: skipping and marking would get past the sequences. */
    @Override
    public long skip(long count) {
        return 0;
    }

    @Override
    public int available() {
        return 0;
    }

    @Override
    public boolean markSupported() {
        return false;
    }
}
