package org.softkvm.benchmarks;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIOException;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.TreeSet;
import javax.xml.XMLConstants;
import javax.xml.parsers.DocumentBuilderFactory;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.openjdk.jmh.runner.options.CommandLineOptionException;
import org.openjdk.jmh.runner.options.CommandLineOptions;
import org.w3c.dom.Document;

/** Tables and plot from a small result of JMH. */
class ReportTest {
    @TempDir
    Path folder;

    @BeforeAll
    static void headless() {
        System.setProperty("java.awt.headless", "true");
    }

    private List<Figures.Figure> small() throws IOException {
        Path file = folder.resolve("small.json");
        try (InputStream in = ReportTest.class.getResourceAsStream("small.json")) {
            Files.write(file, in.readAllBytes());
        }
        return Figures.read(file);
    }

    @Test
    void readsWhatJmhWrites() throws IOException {
        List<Figures.Figure> figures = small();
        assertThat(figures).hasSize(5);
        Figures.Figure write = figures.getFirst();
        assertThat(write.name()).isEqualTo("PortExitBenchmark.write");
        assertThat(write.backend()).isEqualTo("emulator");
        assertThat(write.nanos()).isEqualTo(61.25);
        assertThat(write.bytes()).isLessThan(0.01);
        assertThat(figures.get(3).parameters()).containsEntry("receiver", "running");
        assertThat(figures.get(3).nanos()).isEqualTo(1500);
        assertThat(figures.get(4).more()).containsEntry("microsToFullSpeed", 250_000.0);
    }

    @Test
    void tablesHoldTheFiguresWithTheirUnits() throws IOException {
        Report report = new Report(small());
        assertThat(report.table())
                .contains("| `PortExit.write` | OUT of a byte to a handler in Java, exit to exit |")
                .contains("| 61.3 ns | 145 ns | 13.1 us | 0 |")
                .contains("| `Ipi.send` receiver running |")
                .contains("| 1.50 us |  |  |  |")
                .contains("| 250 ms |");
        assertThat(report.shortTable()).contains("| port write to a Java handler | 61.3 ns | 145 ns | 13.1 us |");
    }

    @Test
    void replacesWhatIsBetweenTheMarkers() throws IOException {
        Path file = folder.resolve("page.md");
        Files.writeString(file, "a\n<!-- figures -->\nold\n<!-- end of figures -->\nb\n");
        Report.replace(file, "figures", "new\n");
        assertThat(file).hasContent("a\n<!-- figures -->\nnew\n<!-- end of figures -->\nb\n");
        assertThatIOException()
                .isThrownBy(() -> Report.replace(file, "something", "new"))
                .withMessageContaining("no place for something");
    }

    @Test
    void plotIsAnSvgWithTheBackendsThatWereMeasured() throws Exception {
        Path file = folder.resolve("plots/exit-paths.svg");
        ExitPlot.draw(small(), file);
        Document document = parse(file);
        assertThat(document.getDocumentElement().getLocalName()).isEqualTo("svg");
        // Text is drawn as outlines, so that every viewer shows the same; the bars are known by their colours.
        assertThat(Files.readString(file)).contains("rgb(31,119,180)", "rgb(154,200,232)", "rgb(224,123,57)");
        ExitPlot.draw(small().subList(0, 1), file);
        assertThat(Files.readString(file))
                .contains("rgb(31,119,180)")
                .doesNotContain("rgb(154,200,232)", "rgb(224,123,57)");
    }

    private static Document parse(Path file) throws Exception {
        DocumentBuilderFactory factory = DocumentBuilderFactory.newDefaultNSInstance();
        factory.setFeature("http://apache.org/xml/features/nonvalidating/load-external-dtd", false);
        factory.setAttribute(XMLConstants.ACCESS_EXTERNAL_DTD, "");
        return factory.newDocumentBuilder().parse(file.toFile());
    }

    @Test
    void nothingToDrawAndOtherFilesAreErrors() throws IOException {
        Path file = folder.resolve("other.json");
        Files.writeString(file, "{\"a\": 1}");
        assertThatIOException().isThrownBy(() -> Figures.read(file)).withMessageContaining("not a result of JMH");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> ExitPlot.draw(List.of(), folder.resolve("x.svg")))
                .withMessageContaining("none of the figures");
    }

    @Test
    void theCatalogueHasExactlyTheBenchmarksThereAre() throws CommandLineOptionException {
        Selection all = new Selection(new CommandLineOptions(), System.out);
        assertThat(all.names()).isEqualTo(new TreeSet<>(Catalogue.entries().keySet()));
    }
}
