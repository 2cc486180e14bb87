package org.softkvm.emulator.translate;

/** Thrown by what a region calls, where the interpreter has to execute the instruction at the site. */
public final class SideExit extends RuntimeException {
    private static final long serialVersionUID = 1;

    /** The only one: it says nothing but that it was thrown. */
    static final SideExit INSTANCE = new SideExit();

    private SideExit() {
        super(null, null, false, false);
    }
}
