package org.softkvm.vmm.pc;

import java.io.OutputStream;
import java.util.Objects;

/**
 * A debug console: a port whose written bytes go to the host as they are.
 *
 * @param port the I/O port, 0 to FFFFh; 402h (SeaBIOS, OVMF) and E9h (Bochs) are customary
 * @param output where the bytes go
 */
public record DebugPort(int port, OutputStream output) {
    /** Checks the port. */
    public DebugPort {
        Objects.requireNonNull(output, "output");
        if (port < 0 || port > 0xFFFF) {
            throw new IllegalArgumentException("port 0x" + Integer.toHexString(port));
        }
    }
}
