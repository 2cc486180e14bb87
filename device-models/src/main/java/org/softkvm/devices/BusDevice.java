package org.softkvm.devices;

/**
 * A chip's registers as seen from an I/O port or MMIO range.
 *
 * <p>A device is registered on a {@link DeviceBus} with a range; every access it gets lies wholly within that range
 * and is at most {@link #maxAccessSize()} bytes wide, because the bus splits wider ones. Accesses are not necessarily
 * aligned. No access may throw, whatever a guest does: a register that does not exist reads as the data sheet says
 * (all ones or zero) and drops writes. Accesses must not allocate.
 *
 * <p>Unless a device says otherwise it is not thread-safe: the board serialises accesses, line changes and timer
 * callbacks with one lock.
 */
public interface BusDevice {
    /**
     * The device's name, for messages and listings.
     *
     * @return a short name such as {@code "pit"}
     */
    String name();

    /**
     * The widest access the device decodes at once. The bus splits a wider access into several at ascending
     * addresses, as an ISA bus does for 8-bit cards.
     *
     * @return 1, 2, 4 or 8; 1 unless the device says otherwise
     */
    default int maxAccessSize() {
        return 1;
    }

    /**
     * Reads from the device.
     *
     * @param offset byte offset from the start of the registered range, 0 or more
     * @param size number of bytes: 1, 2, 4 or 8, at most {@link #maxAccessSize()}
     * @return the value in the low {@code size} bytes; the bus ignores what is above
     */
    long read(int offset, int size);

    /**
     * Writes to the device.
     *
     * @param offset byte offset from the start of the registered range, 0 or more
     * @param size number of bytes: 1, 2, 4 or 8, at most {@link #maxAccessSize()}
     * @param value the value, zero-extended
     */
    void write(int offset, int size, long value);
}
