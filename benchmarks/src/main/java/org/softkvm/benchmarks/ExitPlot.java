package org.softkvm.benchmarks;

import java.awt.BasicStroke;
import java.awt.Color;
import java.awt.Font;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import org.knowm.xchart.CategoryChart;
import org.knowm.xchart.CategoryChartBuilder;
import org.knowm.xchart.VectorGraphicsEncoder;
import org.knowm.xchart.VectorGraphicsEncoder.VectorGraphicsFormat;
import org.knowm.xchart.style.Styler;

/** Draws the ways out of a guest side by side, one group of bars a way and one bar a backend, as SVG. */
final class ExitPlot {
    private static final Pattern LONG_FRACTION = Pattern.compile("(\\d\\.\\d\\d)\\d+");
    private static final int WIDTH = 1100;
    private static final int HEIGHT = 520;

    /** What is drawn, and its name below the bars. */
    private static final Map<String, String> PATHS = new LinkedHashMap<>();

    static {
        PATHS.put("PortExitBenchmark.writeString", "REP OUTSB, a byte");
        PATHS.put("InBackendBenchmark.localApic", "local APIC");
        PATHS.put("InBackendBenchmark.portEvent", "ioeventfd");
        PATHS.put("InBackendBenchmark.coalesced", "coalesced");
        PATHS.put("InBackendBenchmark.pit", "PIT inside");
        PATHS.put("PortExitBenchmark.write", "port write");
        PATHS.put("PortExitBenchmark.read", "port read");
        PATHS.put("MmioExitBenchmark.write", "MMIO write");
        PATHS.put("MmioExitBenchmark.read", "MMIO read");
        PATHS.put("InterruptBenchmark.queued", "KVM_INTERRUPT");
        PATHS.put("InterruptBenchmark.messaged", "MSI");
        PATHS.put("KickBenchmark.kick", "kick");
        PATHS.put("IpiBenchmark.send", "IPI");
        PATHS.put("HaltBenchmark.msi", "wake from HLT");
    }

    private static final List<String> BACKENDS = List.of("emulator", "abi", "kvm");
    private static final Color[] COLOURS = {
        new Color(0x1F, 0x77, 0xB4), new Color(0x9A, 0xC8, 0xE8), new Color(0xE0, 0x7B, 0x39)
    };

    private ExitPlot() {}

    /**
     * Draws.
     *
     * @param figures the results; what is not among them is left out
     * @param file the SVG file
     * @throws IOException where it cannot be written
     * @throws IllegalArgumentException where no figure is one of an exit
     */
    static void draw(List<Figures.Figure> figures, Path file) throws IOException {
        Map<String, Map<String, Double>> nanos = new LinkedHashMap<>();
        for (String path : PATHS.keySet()) {
            for (Figures.Figure figure : figures) {
                if (figure.name().equals(path) && !figure.parameters().containsValue("halted")) {
                    nanos.computeIfAbsent(path, p -> new LinkedHashMap<>()).put(figure.backend(), figure.nanos());
                }
            }
        }
        if (nanos.isEmpty()) {
            throw new IllegalArgumentException("none of the figures is one of an exit");
        }
        CategoryChart chart = new CategoryChartBuilder()
                .width(WIDTH)
                .height(HEIGHT)
                .title("What leaving the guest costs")
                .yAxisTitle("nanoseconds (logarithmic)")
                .build();
        style(chart);
        List<String> labels = nanos.keySet().stream().map(PATHS::get).toList();
        for (String backend : BACKENDS) {
            List<Double> values = new ArrayList<>();
            boolean any = false;
            for (Map<String, Double> each : nanos.values()) {
                Double value = each.get(backend);
                values.add(value);
                any |= value != null;
            }
            if (any) {
                chart.addSeries(backend.equals("kvm") ? "/dev/kvm" : backend, labels, values)
                        .setFillColor(COLOURS[BACKENDS.indexOf(backend)]);
            }
        }
        Path folder = file.toAbsolutePath().getParent();
        Files.createDirectories(folder);
        // The encoder wants a name and adds the suffix where it is missing.
        VectorGraphicsEncoder.saveVectorGraphic(chart, file.toAbsolutePath().toString(), VectorGraphicsFormat.SVG);
        // Hundredths of a pixel are enough, and halve the file.
        Files.writeString(file, LONG_FRACTION.matcher(Files.readString(file)).replaceAll("$1"));
    }

    private static void style(CategoryChart chart) {
        var styler = chart.getStyler();
        Font font = new Font(Font.SANS_SERIF, Font.PLAIN, 12);
        styler.setYAxisLogarithmic(true);
        styler.setYAxisMin(1.0);
        styler.setYAxisDecimalPattern("#,##0");
        styler.setLegendPosition(Styler.LegendPosition.InsideNW);
        styler.setLegendFont(font);
        styler.setAxisTickLabelsFont(font);
        styler.setAxisTitleFont(font);
        styler.setChartTitleFont(font.deriveFont(Font.BOLD, 15));
        styler.setXAxisLabelRotation(35);
        styler.setAvailableSpaceFill(0.8);
        styler.setChartBackgroundColor(Color.WHITE);
        styler.setPlotBorderVisible(false);
        styler.setPlotGridVerticalLinesVisible(false);
        styler.setPlotGridLinesColor(new Color(0xDD, 0xDD, 0xDD));
        // Dashes would become thousands of rectangles.
        styler.setPlotGridLinesStroke(new BasicStroke(1));
        styler.setAntiAlias(true);
    }
}
