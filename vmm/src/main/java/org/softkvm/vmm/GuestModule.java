package org.softkvm.vmm;

import java.util.Objects;

/**
 * A boot module of a directly booted kernel.
 *
 * @param file its content
 * @param arguments what follows the file's name in its command line; empty if nothing does
 */
public record GuestModule(GuestFile file, String arguments) {
    /** Checks that nothing is null. */
    public GuestModule {
        Objects.requireNonNull(file, "file");
        Objects.requireNonNull(arguments, "arguments");
    }
}
