package org.softkvm.vmm.cli;

import java.io.Console;
import java.io.IOException;
import java.lang.ProcessBuilder.Redirect;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;

/**
 * The terminal at standard input in raw mode: each key goes to the guest at once, Ctrl-C as well, and the host echoes
 * nothing. It gets its settings back when this is closed and, by a shutdown hook, however else the process ends in order:
 * exit, exception, SIGINT, SIGTERM, SIGHUP.
 *
 * <p>The program {@code stty} does the work. Where there is none (Windows), or it is not allowed to (a job in the
 * background), the terminal stays as it is.
 */
final class HostTerminal implements AutoCloseable {
    /** Every key by itself; output as ever, so a line feed alone still begins a new line. */
    private static final List<String> RAW = List.of(
            "-icanon", "-echo", "-echonl", "-isig", "-iexten", "-icrnl", "-inlcr", "-igncr", "-ixon", "-brkint",
            "-istrip", "min", "1", "time", "0");

    private static final long WAIT_SECONDS = 5;

    /** Runs stty on standard input. */
    interface Stty {
        /**
         * Runs it.
         *
         * @return what it printed, or empty if it failed
         */
        Optional<String> run(List<String> arguments);
    }

    private final Stty stty;
    private final String saved;
    private Thread hook;
    private boolean open = true;

    private HostTerminal(Stty stty, String saved) {
        this.stty = stty;
        this.saved = saved;
    }

    /** Makes standard input raw, if it is a terminal that can be. */
    static Optional<HostTerminal> open() {
        return isTerminal() ? open(HostTerminal::stty) : Optional.empty();
    }

    /** The same with another program; what {@code stty -g} prints is what restores. */
    static Optional<HostTerminal> open(Stty stty) {
        Optional<String> saved = stty.run(List.of("-g")).map(String::strip).filter(text -> !text.isEmpty());
        if (saved.isEmpty()) {
            return Optional.empty();
        }
        HostTerminal terminal = new HostTerminal(stty, saved.get());
        // First the hook: a signal may arrive while the mode changes.
        terminal.hook = new Thread(terminal::restore, "softkvm-terminal");
        try {
            Runtime.getRuntime().addShutdownHook(terminal.hook);
        } catch (IllegalStateException e) {
            return Optional.empty();
        }
        if (stty.run(RAW).isEmpty()) {
            terminal.close();
            return Optional.empty();
        }
        return Optional.of(terminal);
    }

    private synchronized void restore() {
        if (open) {
            open = false;
            stty.run(List.of(saved));
        }
    }

    /** Restores the terminal. */
    @Override
    public void close() {
        restore();
        try {
            Runtime.getRuntime().removeShutdownHook(hook);
        } catch (IllegalStateException e) {
            // The process ends already; the hook finds nothing to do.
        }
    }

    /**
     * Whether standard input is a terminal: asked of Linux, and where that does not tell, of the JDK, which wants output to be
     * one too and looks for 15 ms for implementations of a console.
     */
    private static boolean isTerminal() {
        return isTerminal(Path.of("/proc/self/fd/0")).orElseGet(() -> {
            Console console = System.console();
            return console != null && console.isTerminal();
        });
    }

    /** Whether what a link of Linux leads to is a terminal; empty if that does not tell. */
    static Optional<Boolean> isTerminal(Path link) {
        try {
            String target = Files.readSymbolicLink(link).toString();
            if (target.startsWith("/dev/pts/") || target.startsWith("/dev/tty") || target.equals("/dev/console")) {
                return Optional.of(true);
            }
            // Pipes and sockets have names that are no paths.
            boolean other = !target.startsWith("/") || target.equals("/dev/null") || Files.isRegularFile(link);
            return other ? Optional.of(false) : Optional.empty();
        } catch (IOException | RuntimeException e) {
            return Optional.empty();
        }
    }

    private static Optional<String> stty(List<String> arguments) {
        List<String> command = new ArrayList<>(List.of("stty"));
        command.addAll(arguments);
        Process process;
        try {
            process = new ProcessBuilder(command)
                    .redirectInput(Redirect.INHERIT)
                    .redirectError(Redirect.DISCARD)
                    .start();
        } catch (IOException e) {
            return Optional.empty();
        }
        boolean interrupted = false;
        try {
            if (!process.waitFor(WAIT_SECONDS, TimeUnit.SECONDS)) {
                return Optional.empty();
            }
            String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.US_ASCII);
            return process.exitValue() == 0 ? Optional.of(output) : Optional.empty();
        } catch (InterruptedException e) {
            interrupted = true;
            return Optional.empty();
        } catch (IOException e) {
            return Optional.empty();
        } finally {
            // In the background the terminal's driver stops it.
            process.destroyForcibly();
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }
}
