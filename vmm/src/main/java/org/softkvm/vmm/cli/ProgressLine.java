package org.softkvm.vmm.cli;

import java.io.Console;
import java.io.PrintStream;
import org.softkvm.vmm.pc.SaveProgress;

/** Shows at a terminal how far a snapshot is, where that takes a while. */
final class ProgressLine implements SaveProgress {
    private static final long PATIENCE_NANOS = 500_000_000;
    private static final long STEP_NANOS = 100_000_000;

    private final PrintStream err;
    private final boolean terminal;
    private long next;
    private long start = -1;
    private long end = -1;
    private boolean shown;

    /** For standard error, if there is somebody who looks. */
    ProgressLine(PrintStream err) {
        this(err, err == System.err && isTerminal());
    }

    ProgressLine(PrintStream err, boolean terminal) {
        this.err = err;
        this.terminal = terminal;
    }

    private static boolean isTerminal() {
        Console console = System.console();
        return console != null && console.isTerminal();
    }

    @Override
    public void at(long done, long total) {
        at(done, total, System.nanoTime());
    }

    /** The same at a moment. */
    void at(long done, long total, long now) {
        if (start < 0) {
            start = now;
            next = now + PATIENCE_NANOS;
        }
        end = now;
        if (!terminal) {
            return;
        }
        if (done < total && now - next >= 0) {
            err.print("\rsoftkvm: saving, " + (int) (100.0 * done / total) + "% ");
            err.flush();
            shown = true;
            next = now + STEP_NANOS;
        } else if (done == total && shown) {
            err.print("\r\033[K");
            err.flush();
        }
    }

    /** How long the writing took, in seconds. */
    double seconds() {
        return (end - start) / 1e9;
    }
}
