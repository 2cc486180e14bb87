package org.softkvm.benchmarks;

import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.softkvm.kvm.ExitReason;
import org.softkvm.kvm.Regs;
import org.softkvm.kvm.VcpuRun;

/**
 * Exits and register calls through /dev/kvm, in Java and in a C program that does the same, in pairs: C, Java, C, Java.
 * Medians, and the median of the ratios of the pairs.
 */
final class ExitCost {
    private static final String OUT = """
            BA 10 00  mov dx, 10h
            EE        out dx, al
            EB FD     jmp $-1
            """;
    private static final String IN = """
            BA 10 00  mov dx, 10h
            EC        in al, dx
            EB FD     jmp $-1
            """;
    // Address 100000h, behind the memory of the guest.
    private static final String STORE = """
            B8 FF FF  mov ax, 0FFFFh
            8E D8     mov ds, ax
            BB 10 00  mov bx, 10h
            88 07     mov [bx], al
            EB FC     jmp $-2
            """;
    private static final String LOAD = """
            B8 FF FF  mov ax, 0FFFFh
            8E D8     mov ds, ax
            BB 10 00  mov bx, 10h
            8A 07     mov al, [bx]
            EB FC     jmp $-2
            """;
    private static final int ROUND = 16;
    private static final List<String> CASES =
            List.of("port-write", "port-read", "mmio-write", "mmio-read", "get-regs", "set-regs");

    /**
     * What one case came to.
     *
     * @param name what was measured
     * @param c nanoseconds an operation in C, the median of the pairs
     * @param java the same in Java
     * @param ratio the median of Java / C
     */
    record Result(String name, double c, double java, double ratio) {}

    private volatile int latch;
    private final Regs regs = new Regs();

    private ExitCost() {}

    /** Why it cannot be measured here, or null. */
    static String unavailable() {
        String reason = Selection.unavailable("kvm");
        if (reason != null) {
            return reason;
        }
        for (String folder : System.getenv().getOrDefault("PATH", "").split(":")) {
            if (Files.isExecutable(Path.of(folder, "gcc"))) {
                return null;
            }
        }
        return "no gcc";
    }

    /**
     * Measures.
     *
     * @param source the C program
     * @param work a folder for it
     * @param pairs how many pairs
     * @param millis how long each case takes in each half of a pair
     */
    static List<Result> measure(Path source, Path work, int pairs, long millis)
            throws IOException, InterruptedException {
        Path program = Files.createDirectories(work).resolve("exit-cost");
        String said = command("gcc", "-O2", "-Wall", "-Werror", "-o", program.toString(), source.toString());
        if (!said.isBlank()) {
            throw new IOException("gcc: " + said);
        }
        Map<String, double[]> c = new LinkedHashMap<>();
        Map<String, double[]> java = new LinkedHashMap<>();
        CASES.forEach(name -> {
            c.put(name, new double[pairs]);
            java.put(name, new double[pairs]);
        });
        ExitCost own = new ExitCost();
        own.half(millis); // HotSpot compiles
        for (int pair = 0; pair < pairs; pair++) {
            for (String line :
                    command(program.toString(), Long.toString(millis)).lines().toList()) {
                String[] words = line.split(" ");
                c.get(words[0])[pair] = Double.parseDouble(words[1]);
            }
            for (Map.Entry<String, Double> one : own.half(millis).entrySet()) {
                java.get(one.getKey())[pair] = one.getValue();
            }
        }
        List<Result> results = new ArrayList<>();
        for (String name : CASES) {
            double[] ratios = new double[pairs];
            for (int i = 0; i < pairs; i++) {
                ratios[i] = java.get(name)[i] / c.get(name)[i];
            }
            results.add(new Result(name, median(c.get(name)), median(java.get(name)), median(ratios)));
        }
        return results;
    }

    static void print(List<Result> results, PrintStream out) {
        out.printf(Locale.ROOT, "%-12s %12s %12s %8s%n", "/dev/kvm", "C ns", "Java ns", "ratio");
        for (Result result : results) {
            out.printf(Locale.ROOT, "%-12s %12.1f %12.1f %8.3f%n", result.name, result.c, result.java, result.ratio);
        }
    }

    private static double median(double[] values) {
        double[] sorted = values.clone();
        Arrays.sort(sorted);
        int middle = sorted.length / 2;
        return sorted.length % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
    }

    private static String command(String... words) throws IOException, InterruptedException {
        Process process = new ProcessBuilder(words).redirectErrorStream(true).start();
        String output = new String(process.getInputStream().readAllBytes(), java.nio.charset.StandardCharsets.UTF_8);
        int status = process.waitFor();
        if (status != 0) {
            throw new IOException(words[0] + " ended with status " + status + ": " + output);
        }
        return output;
    }

    /** An operation that is repeated. */
    private interface Operation {
        void run(BenchmarkGuest guest);
    }

    private Map<String, Double> half(long millis) {
        Map<String, Double> nanos = new LinkedHashMap<>();
        try (BenchmarkGuest out = BenchmarkGuest.real("kvm", Irqchip.NONE, OUT);
                BenchmarkGuest in = BenchmarkGuest.real("kvm", Irqchip.NONE, IN);
                BenchmarkGuest store = BenchmarkGuest.real("kvm", Irqchip.NONE, STORE);
                BenchmarkGuest load = BenchmarkGuest.real("kvm", Irqchip.NONE, LOAD)) {
            nanos.put(CASES.get(0), time(out, this::port, millis));
            nanos.put(CASES.get(1), time(in, this::port, millis));
            nanos.put(CASES.get(2), time(store, this::mmio, millis));
            nanos.put(CASES.get(3), time(load, this::mmio, millis));
            out.vcpu.getRegs(regs);
            nanos.put(CASES.get(4), time(out, this::getRegs, millis));
            nanos.put(CASES.get(5), time(out, this::setRegs, millis));
        }
        return nanos;
    }

    private static double time(BenchmarkGuest guest, Operation operation, long millis) {
        long begin = System.nanoTime();
        long end = begin;
        long count = 0;
        while (end - begin < millis * 1_000_000) {
            for (int i = 0; i < ROUND; i++) {
                operation.run(guest);
            }
            count += ROUND;
            end = System.nanoTime();
        }
        return (double) (end - begin) / count;
    }

    private void port(BenchmarkGuest guest) {
        guest.runTo(ExitReason.IO);
        VcpuRun run = guest.run;
        if (run.ioDirection() == VcpuRun.IO_OUT) {
            latch = run.ioValue(0);
        } else {
            run.setIoValue(0, latch + run.ioPort());
        }
    }

    private void mmio(BenchmarkGuest guest) {
        guest.runTo(ExitReason.MMIO);
        VcpuRun run = guest.run;
        if (run.mmioIsWrite()) {
            latch = (int) run.mmioData();
        } else {
            run.setMmioData(latch + run.mmioAddress());
        }
    }

    private void getRegs(BenchmarkGuest guest) {
        guest.vcpu.getRegs(regs);
        latch = (int) regs.rax;
    }

    private void setRegs(BenchmarkGuest guest) {
        regs.rax++;
        guest.vcpu.setRegs(regs);
    }
}
