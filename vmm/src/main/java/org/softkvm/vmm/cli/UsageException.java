package org.softkvm.vmm.cli;

/** A mistake in what the user typed; the message is one line that names the option. */
final class UsageException extends Exception {
    private static final long serialVersionUID = 1L;

    UsageException(String message) {
        super(message);
    }
}
