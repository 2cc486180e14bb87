package org.softkvm.vmm.loader;

import java.time.Duration;

/** A write that nobody waits for, unless the JVM ends meanwhile. */
final class BackgroundWrite {
    /** How long the end of the JVM waits for it. */
    private static final Duration PATIENCE = Duration.ofSeconds(2);

    /** How long a write that was stopped has to clean up. */
    private static final Duration CLEANING = Duration.ofMillis(200);

    private final Thread writer;
    private final Thread atExit = new Thread(this::await);

    private BackgroundWrite(Runnable write) {
        writer = Thread.ofPlatform().daemon().name("softkvm-kernels").unstarted(() -> {
            try {
                write.run();
            } finally {
                forget();
            }
        });
    }

    /**
     * Starts a write on a thread of its own. When the JVM ends, it waits two seconds for it at most, then interrupts it: a
     * write takes a tenth of a second as a rule, and who has short runs only would else never get it done.
     */
    static void start(Runnable write) {
        BackgroundWrite started = new BackgroundWrite(write);
        try {
            Runtime.getRuntime().addShutdownHook(started.atExit);
        } catch (IllegalStateException e) {
            return; // The JVM is ending: nothing is begun any more.
        }
        started.writer.start();
    }

    private void await() {
        try {
            if (!writer.join(PATIENCE)) {
                writer.interrupt();
                writer.join(CLEANING);
            }
        } catch (InterruptedException e) {
            writer.interrupt();
        }
    }

    /** The JVM holds what a hook refers to: here a kernel. */
    private void forget() {
        try {
            Runtime.getRuntime().removeShutdownHook(atExit);
        } catch (IllegalStateException e) {
            // It is being run.
        }
    }
}
