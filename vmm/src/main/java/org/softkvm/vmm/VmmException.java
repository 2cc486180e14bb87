package org.softkvm.vmm;

/**
 * An error of SoftKVM itself or of what it was given: a bad image, a bad option, a host limit. The message is one line
 * that says what and where; the command line prints it and exits with status 125. A guest's own misbehaviour is never
 * reported this way.
 */
public final class VmmException extends Exception {
    private static final long serialVersionUID = 1L;

    /**
     * Makes an error.
     *
     * @param message one line for the user: what is wrong, with the name of the file or option
     */
    public VmmException(String message) {
        super(message);
    }

    /**
     * Makes an error that another one led to.
     *
     * @param message one line for the user
     * @param cause what happened underneath
     */
    public VmmException(String message, Throwable cause) {
        super(message, cause);
    }
}
