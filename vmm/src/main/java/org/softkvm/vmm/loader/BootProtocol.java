package org.softkvm.vmm.loader;

import java.util.Arrays;
import java.util.List;

/** How a kernel is entered. */
public enum BootProtocol {
    /** As the image says by itself. */
    AUTO("auto"),
    /** The 32-bit entry that a PVH note names. */
    PVH("pvh"),
    /** The 32-bit Linux boot protocol. */
    LINUX32("linux32"),
    /** The 64-bit Linux boot protocol. */
    LINUX64("linux64");

    private final String title;

    BootProtocol(String title) {
        this.title = title;
    }

    /**
     * The name on the command line.
     *
     * @return lower case
     */
    public String title() {
        return title;
    }

    /**
     * All names.
     *
     * @return in the order of this enumeration
     */
    public static List<String> titles() {
        return Arrays.stream(values()).map(BootProtocol::title).toList();
    }

    /**
     * The protocol of a name.
     *
     * @param title one of {@link #titles()}
     * @return the protocol
     * @throws IllegalArgumentException for another name
     */
    public static BootProtocol of(String title) {
        return Arrays.stream(values())
                .filter(protocol -> protocol.title.equals(title))
                .findFirst()
                .orElseThrow(() -> new IllegalArgumentException(title));
    }
}
