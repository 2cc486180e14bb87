package org.softkvm.vmm.cli;

import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import org.softkvm.vmm.VmmException;

/** The command {@code softkvm}. */
public final class Main {
    /** Exit status for errors of SoftKVM itself, or in what it was given. */
    static final int ERROR = 125;

    private final InputStream in;
    private final OutputStream out;
    private final PrintStream err;

    Main(InputStream in, OutputStream out, PrintStream err) {
        this.in = in;
        this.out = out;
        this.err = err;
    }

    /**
     * Runs the command and ends the process with its exit status.
     *
     * @param arguments what the user typed
     */
    public static void main(String[] arguments) {
        OutputStream out = new FileOutputStream(FileDescriptor.out);
        System.exit(new Main(System.in, out, System.err).run(arguments));
    }

    /**
     * Runs the command.
     *
     * @return the exit status
     */
    int run(String... arguments) {
        try {
            return dispatch(Arrays.asList(arguments));
        } catch (UsageException e) {
            return error(e.getMessage() + " (see softkvm --help)");
        } catch (VmmException e) {
            return error(e.getMessage());
        } catch (OutOfMemoryError e) {
            return error("the host's Java heap is too small: " + e.getMessage());
        } catch (RuntimeException | Error e) {
            StackTraceElement[] trace = e.getStackTrace();
            return error("internal error: " + e + (trace.length == 0 ? "" : " at " + trace[0]));
        }
    }

    private int dispatch(List<String> arguments) throws UsageException, VmmException {
        if (arguments.isEmpty()) {
            throw new UsageException("a command is needed: run or info");
        }
        List<String> rest = arguments.subList(1, arguments.size());
        return switch (arguments.getFirst()) {
            case "run" -> new RunCommand(in, out, err, CacheFolder.find()).run(rest);
            case "train" -> {
                // Not for people: what the launcher makes its class cache from.
                if (rest.isEmpty()) {
                    throw new UsageException("train takes images");
                }
                Training.run(in, rest);
                yield 0;
            }
            case "info" -> {
                if (!rest.isEmpty()) {
                    throw new UsageException("info takes no arguments: " + rest.getFirst());
                }
                int status = print(InfoCommand.text());
                CacheFolder.find().flatMap(KeptVerdict::in).ifPresent(KeptVerdict::update);
                yield status;
            }
            case "--help", "-h", "help" -> print(Help.TEXT);
            case "--version" -> print("softkvm " + version() + "\n");
            default ->
                throw new UsageException(
                        (arguments.getFirst().startsWith("-") ? "unknown option: " : "unknown command: ")
                                + arguments.getFirst());
        };
    }

    static String version() {
        var descriptor = Main.class.getModule().getDescriptor();
        return descriptor == null ? "(not a module)" : descriptor.rawVersion().orElse("(no version)");
    }

    private int print(String text) {
        PrintStream printer = new PrintStream(out, false, StandardCharsets.UTF_8);
        printer.print(text);
        printer.flush();
        return 0;
    }

    private int error(String message) {
        err.println("softkvm: " + message.replace('\n', ' ').replace('\r', ' '));
        err.flush();
        return ERROR;
    }
}
