package org.softkvm.vmm.cli;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * Gives HotSpot's optimizing compiler what processor time is left. While a kernel boots, the guest waits for the translator
 * and the fast compiler, and the optimizing one, which nobody waits for, takes half of the second processor. Java and
 * HotSpot's flags know one priority for both compilers; {@code renice} of Linux lowers that of a single thread. Where there is
 * no such thing, all stays as it is.
 */
final class CompilerPriority {
    /** The nice value: 15 has 3.5% of the weight of 0. */
    private static final String NICE = "15";
    /** Milliseconds before it is done: a short run is over by then. */
    private static final int DELAY = 300;
    /** What the threads' names begin with; Linux keeps 15 bytes of a name. */
    private static final String NAME = "C2 CompilerThre";

    private CompilerPriority() {}

    /**
     * Lowers it soon, on a thread of its own, if the guest leaves the host a processor: else a compiler of low priority
     * would hardly ever run.
     *
     * @param cpus the guest's CPUs
     */
    static void lower(int cpus) {
        Path tasks = Path.of("/proc/self/task");
        if (cpus >= Runtime.getRuntime().availableProcessors() || !Files.isDirectory(tasks)) {
            return;
        }
        Thread thread = new Thread(
                () -> {
                    try {
                        Thread.sleep(DELAY);
                        renice(threads(tasks));
                    } catch (IOException | InterruptedException e) {
                        // No renice, or no right to look: the priority stays.
                    }
                },
                "softkvm-priority");
        thread.setDaemon(true);
        thread.start();
    }

    /** The ids of the optimizing compiler's threads. */
    static List<String> threads(Path tasks) throws IOException {
        List<String> ids = new ArrayList<>();
        try (DirectoryStream<Path> all = Files.newDirectoryStream(tasks)) {
            for (Path task : all) {
                if (Files.readString(task.resolve("comm")).startsWith(NAME)) {
                    ids.add(task.getFileName().toString());
                }
            }
        }
        return ids;
    }

    private static void renice(List<String> threads) throws IOException, InterruptedException {
        if (threads.isEmpty()) {
            return;
        }
        List<String> command = new ArrayList<>(List.of("renice", "-n", NICE, "-p"));
        command.addAll(threads);
        new ProcessBuilder(command)
                .redirectErrorStream(true)
                .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                .start()
                .waitFor();
    }
}
