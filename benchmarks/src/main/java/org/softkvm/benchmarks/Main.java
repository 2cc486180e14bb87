package org.softkvm.benchmarks;

import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.function.Consumer;
import org.openjdk.jmh.profile.GCProfiler;
import org.openjdk.jmh.results.RunResult;
import org.openjdk.jmh.results.format.ResultFormatFactory;
import org.openjdk.jmh.results.format.ResultFormatType;
import org.openjdk.jmh.runner.RunnerException;
import org.openjdk.jmh.runner.options.CommandLineOptionException;
import org.openjdk.jmh.runner.options.CommandLineOptions;
import org.openjdk.jmh.runner.options.OptionsBuilder;
import org.openjdk.jmh.runner.options.TimeValue;

/** The command {@code benchmarks/run}. */
public final class Main {
    private static final String HELP = """
            benchmarks/run [OPTIONS] [PATTERN...] [JMH OPTIONS]
              PATTERN          benchmarks whose names match, such as PortExit or 'Register.*get'; all where there is none
              --list, -l       the benchmarks, what each costs and why that matters
              --quick          a figure in a second each: for a first look
              --json FILE      the results as JMH's JSON (default benchmarks/target/results.json)
              --plot FILE      the exit paths as SVG, of the results
              --from FILE      no run: take the results from that JSON
              --exit-cost      no JMH: exits through /dev/kvm in Java and in C, in pairs (--pairs N, default 7)
              --try            each benchmark once on each backend, unmeasured: does it work?
              --publish        everything with --exit-cost, in twelve minutes, into the tables of the READMEs and the plot
            Any other option is JMH's: -p backend=emulator, -prof gc, -f 3, -h for its own help.
            A backend that is not there, and a benchmark that does not work on /dev/kvm, are left out by name.
            """;

    private final PrintStream out = System.out;
    private final List<String> rest = new ArrayList<>();
    private final Path home;
    private boolean list;
    private boolean quick;
    private boolean publish;
    private boolean exitCost;
    private boolean attempt;
    private int pairs = 7;
    private Path json;
    private Path plot;
    private Path from;

    private Main(Path home) {
        this.home = home;
        json = home.resolve("target/results.json");
    }

    /**
     * Runs the command.
     *
     * @param args see {@code --help}
     */
    public static void main(String[] args) {
        System.setProperty("java.awt.headless", "true");
        int status = 0;
        try {
            Main main = new Main(Path.of(System.getProperty("softkvm.benchmarks", "benchmarks")));
            if (main.parse(args)) {
                status = main.run();
            }
        } catch (IOException | RunnerException | CommandLineOptionException | IllegalArgumentException e) {
            System.err.println("benchmarks/run: " + e.getMessage());
            status = 125;
        } catch (InterruptedException e) {
            status = 125;
        }
        // Threads of vcpus that hang must not keep the JVM.
        System.exit(status);
    }

    /** False where help was asked for. */
    private boolean parse(String[] args) {
        for (int i = 0; i < args.length; i++) {
            switch (args[i]) {
                case "--help" -> {
                    out.print(HELP);
                    return false;
                }
                case "--list", "-l" -> list = true;
                case "--quick" -> quick = true;
                case "--publish" -> publish = true;
                case "--exit-cost" -> exitCost = true;
                case "--try" -> attempt = true;
                case "--json" -> json = Path.of(value(args, ++i));
                case "--plot" -> plot = Path.of(value(args, ++i));
                case "--from" -> from = Path.of(value(args, ++i));
                case "--pairs" -> pairs = Integer.parseInt(value(args, ++i));
                default -> {
                    if (args[i].startsWith("--")) {
                        throw new IllegalArgumentException("unknown option " + args[i] + " (--help lists all)");
                    }
                    rest.add(args[i]);
                }
            }
        }
        return true;
    }

    private static String value(String[] args, int at) {
        if (at >= args.length) {
            throw new IllegalArgumentException(args[at - 1] + " needs a value");
        }
        return args[at];
    }

    private int run() throws IOException, RunnerException, CommandLineOptionException, InterruptedException {
        CommandLineOptions options = new CommandLineOptions(rest.toArray(String[]::new));
        if (options.shouldHelp()) {
            options.showHelp();
            return 0;
        }
        Selection selection = new Selection(options, out);
        if (list) {
            var catalogue = Catalogue.entries();
            for (String name : selection.names()) {
                Catalogue.Entry entry = catalogue.get(name);
                out.println(name + ": " + entry.cost() + " (" + entry.why() + ")");
            }
            return 0;
        }
        if (attempt) {
            selection.choose(true);
            out.println(selection.tried() + " benchmarks gave a result, "
                    + selection.failures().size() + " failed");
            return selection.failures().isEmpty() ? 0 : 1;
        }
        List<ExitCost.Result> compared = exitCost || publish ? compare() : List.of();
        if (exitCost) {
            return 0;
        }
        if (from == null) {
            measure(selection);
        }
        Path results = from != null ? from : json;
        List<Figures.Figure> figures = Figures.read(results);
        if (publish) {
            publish(figures, compared);
        }
        if (plot != null) {
            ExitPlot.draw(figures, plot);
            out.println("plot: " + plot);
        }
        return 0;
    }

    private List<ExitCost.Result> compare() throws IOException, InterruptedException {
        String reason = ExitCost.unavailable();
        if (reason != null) {
            out.println("left out: the comparison with C: " + reason);
            return List.of();
        }
        List<ExitCost.Result> results = ExitCost.measure(
                home.resolve("src/main/c/exit-cost.c"), home.resolve("target"), pairs, quick ? 50 : 300);
        ExitCost.print(results, out);
        return results;
    }

    private void measure(Selection selection) throws IOException, RunnerException, CommandLineOptionException {
        List<String> without = new ArrayList<>(rest);
        without.removeAll(new CommandLineOptions(rest.toArray(String[]::new)).getIncludes());
        CommandLineOptions parent = new CommandLineOptions(without.toArray(String[]::new));
        selection.choose(false);
        Collection<RunResult> results = selection.run(parent, settings());
        if (results.isEmpty()) {
            throw new IllegalArgumentException("no benchmark was measured");
        }
        Files.createDirectories(json.toAbsolutePath().getParent());
        try (PrintStream file = new PrintStream(Files.newOutputStream(json), false, "UTF-8")) {
            ResultFormatFactory.getInstance(ResultFormatType.JSON, file).writeOut(results);
        }
        ResultFormatFactory.getInstance(ResultFormatType.TEXT, out).writeOut(results);
        out.println("results: " + json);
    }

    private Consumer<OptionsBuilder> settings() {
        return builder -> {
            if (quick) {
                builder.warmupTime(TimeValue.milliseconds(100))
                        .measurementTime(TimeValue.milliseconds(100))
                        .param("watched", "1000");
            } else if (publish) {
                builder.warmupTime(TimeValue.milliseconds(400)).measurementTime(TimeValue.milliseconds(200));
            }
            if (publish) {
                builder.addProfiler(GCProfiler.class);
            }
        };
    }

    private void publish(List<Figures.Figure> figures, List<ExitCost.Result> compared) throws IOException {
        Report report = new Report(figures);
        String when = "Measured on " + LocalDate.now(ZoneOffset.UTC) + " on " + Report.machine() + ".\n\n";
        String text = "\n" + when + report.table();
        if (!compared.isEmpty()) {
            text += "\nThe same in C and in Java, " + pairs + " pairs in turn, medians:\n\n"
                    + Report.comparison(compared);
        }
        Report.replace(home.resolve("README.md"), "figures", text + "\n");
        Report.replace(home.resolve("../README.md"), "exit paths", "\n" + when + report.shortTable() + "\n");
        ExitPlot.draw(figures, home.resolve("exit-paths.svg"));
        out.println("written: README.md, benchmarks/README.md, benchmarks/exit-paths.svg");
    }
}
