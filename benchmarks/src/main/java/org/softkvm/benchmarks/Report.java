package org.softkvm.benchmarks;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Writes figures as Markdown tables, between two markers of a file. */
final class Report {
    private static final List<String> BACKENDS = List.of("emulator", "abi", "kvm");

    /** What the table in the project's README shows. */
    private static final Map<String, String> IN_SHORT = new LinkedHashMap<>();

    static {
        IN_SHORT.put("PortExitBenchmark.write", "port write to a Java handler");
        IN_SHORT.put("PortExitBenchmark.read", "port read");
        IN_SHORT.put("MmioExitBenchmark.write", "MMIO write");
        IN_SHORT.put("MmioExitBenchmark.read", "MMIO read");
        IN_SHORT.put("InBackendBenchmark.portEvent", "ioeventfd, no exit");
        IN_SHORT.put("InBackendBenchmark.pit", "PIT in the backend, no exit");
        IN_SHORT.put("RegisterBenchmark.getRegs", "KVM_GET_REGS");
        IN_SHORT.put("InterruptBenchmark.messaged", "MSI to its handler, EOI and back, with two exits");
        IN_SHORT.put("KickBenchmark.kick", "kick of a running vcpu");
    }

    private final List<Figures.Figure> figures;

    Report(List<Figures.Figure> figures) {
        this.figures = figures;
    }

    /** The whole table. */
    String table() {
        StringBuilder text = new StringBuilder();
        text.append("| benchmark | what it costs | why it matters | emulator | abi | /dev/kvm | B/op |\n");
        text.append("| --- | --- | --- | ---: | ---: | ---: | ---: |\n");
        Catalogue.entries().forEach((name, entry) -> {
            String cost = entry.cost();
            String why = entry.why();
            for (Map.Entry<Map<String, String>, Map<String, Figures.Figure>> row :
                    rows(name).entrySet()) {
                Map<String, Figures.Figure> by = row.getValue();
                Figures.Figure own = by.getOrDefault("emulator", by.get(""));
                text.append("| `").append(name.replace("Benchmark", "")).append('`');
                row.getKey().forEach((key, value) -> {
                    if (!key.equals("watched")) {
                        text.append(' ').append(key).append(' ').append(value);
                    }
                });
                text.append(" | ").append(cost).append(" | ").append(why).append(" | ");
                text.append(own == null ? "" : time(own)).append(" | ");
                text.append(by.containsKey("abi") ? time(by.get("abi")) : "").append(" | ");
                text.append(by.containsKey("kvm") ? time(by.get("kvm")) : "").append(" | ");
                text.append(own == null ? "" : bytes(own)).append(" |\n");
                cost = "";
                why = "";
            }
        });
        return text.toString();
    }

    private Map<Map<String, String>, Map<String, Figures.Figure>> rows(String name) {
        Map<Map<String, String>, Map<String, Figures.Figure>> rows = new LinkedHashMap<>();
        for (Figures.Figure figure : figures) {
            if (figure.name().equals(name)) {
                rows.computeIfAbsent(figure.parameters(), key -> new LinkedHashMap<>())
                        .put(figure.backend(), figure);
            }
        }
        return rows;
    }

    /** The exit paths in short. */
    String shortTable() {
        StringBuilder text = new StringBuilder();
        text.append("| exit path | emulator | binary ABI over it | /dev/kvm |\n| --- | ---: | ---: | ---: |\n");
        IN_SHORT.forEach((name, label) -> {
            for (Map<String, Figures.Figure> by : rows(name).values()) {
                text.append("| ").append(label);
                for (String backend : BACKENDS) {
                    text.append(" | ").append(by.containsKey(backend) ? time(by.get(backend)) : "");
                }
                text.append(" |\n");
            }
        });
        return text.toString();
    }

    private static String time(Figures.Figure figure) {
        Double micros = figure.more().get("microsToFullSpeed");
        return format(micros != null ? micros * 1000 : figure.nanos());
    }

    /** Three digits, with a unit. */
    static String format(double nanos) {
        if (nanos < 1000) {
            return digits(nanos) + " ns";
        }
        return nanos < 1e6 ? digits(nanos / 1e3) + " us" : digits(nanos / 1e6) + " ms";
    }

    private static String digits(double value) {
        return String.format(Locale.ROOT, value < 10 ? "%.2f" : value < 100 ? "%.1f" : "%.0f", value);
    }

    /** Less than half a byte is what the JVM and JMH do beside it. */
    private static String bytes(Figures.Figure figure) {
        return Double.isNaN(figure.bytes()) ? "" : String.format(Locale.ROOT, "%.0f", figure.bytes());
    }

    /** A table of the comparison with C. */
    static String comparison(List<ExitCost.Result> results) {
        StringBuilder text = new StringBuilder();
        text.append("| through /dev/kvm | C | Java | Java / C |\n| --- | ---: | ---: | ---: |\n");
        for (ExitCost.Result result : results) {
            text.append("| ")
                    .append(result.name())
                    .append(" | ")
                    .append(format(result.c()))
                    .append(" | ")
                    .append(format(result.java()))
                    .append(" | ")
                    .append(String.format(Locale.ROOT, "%.3f", result.ratio()))
                    .append(" |\n");
        }
        return text.toString();
    }

    /** This machine in words. */
    static String machine() {
        int processors = Runtime.getRuntime().availableProcessors();
        String processor = "an unknown processor";
        double load = 0;
        try {
            Matcher model =
                    Pattern.compile("model name\\s*:\\s*(.*)").matcher(Files.readString(Path.of("/proc/cpuinfo")));
            processor = model.find() ? model.group(1) : processor;
            load = Double.parseDouble(Files.readString(Path.of("/proc/loadavg")).split(" ")[0]);
        } catch (IOException e) {
            // Not Linux: the rest has to do.
        }
        String text = processors + " processors (" + processor + "), " + System.getProperty("os.name") + " "
                + System.getProperty("os.arch") + ", JDK " + Runtime.version();
        // Benchmarks have two threads at most.
        return load <= processors + 1
                ? text
                : text + ". **The machine was busy with other things (load average " + load
                        + "): these figures are far too high**";
    }

    /**
     * Replaces what stands between two lines of a file.
     *
     * @param file the file
     * @param name what the markers are called: {@code <!-- name -->} and {@code <!-- end of name -->}
     * @param text what is to stand there
     * @throws IOException where the file has no such markers
     */
    static void replace(Path file, String name, String text) throws IOException {
        String old = Files.readString(file);
        String begin = "<!-- " + name + " -->\n";
        int from = old.indexOf(begin);
        int to = old.indexOf("<!-- end of " + name + " -->");
        if (from < 0 || to < from) {
            throw new IOException(file + " has no place for " + name);
        }
        Files.writeString(file, old.substring(0, from + begin.length()) + text + old.substring(to));
    }
}
