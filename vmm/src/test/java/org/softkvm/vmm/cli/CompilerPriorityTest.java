package org.softkvm.vmm.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class CompilerPriorityTest {
    @Test
    void findsTheOptimizingCompilersThreads(@TempDir Path tasks) throws IOException {
        task(tasks, "100", "java\n");
        task(tasks, "104", "C1 CompilerThre\n");
        task(tasks, "105", "C2 CompilerThre\n");
        task(tasks, "106", "C2 CompilerThre\n");
        task(tasks, "107", "softkvm-vcpu-0\n");
        assertThat(CompilerPriority.threads(tasks)).containsExactlyInAnyOrder("105", "106");
    }

    private static void task(Path tasks, String id, String name) throws IOException {
        Files.writeString(Files.createDirectory(tasks.resolve(id)).resolve("comm"), name);
    }
}
