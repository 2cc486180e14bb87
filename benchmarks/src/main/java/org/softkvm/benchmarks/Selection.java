package org.softkvm.benchmarks;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Consumer;
import java.util.regex.Pattern;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.results.RunResult;
import org.openjdk.jmh.runner.BenchmarkList;
import org.openjdk.jmh.runner.BenchmarkListEntry;
import org.openjdk.jmh.runner.Runner;
import org.openjdk.jmh.runner.RunnerException;
import org.openjdk.jmh.runner.format.OutputFormat;
import org.openjdk.jmh.runner.format.OutputFormatFactory;
import org.openjdk.jmh.runner.options.CommandLineOptions;
import org.openjdk.jmh.runner.options.Options;
import org.openjdk.jmh.runner.options.OptionsBuilder;
import org.openjdk.jmh.runner.options.TimeValue;
import org.openjdk.jmh.runner.options.VerboseMode;
import org.softkvm.kvm.Kvm;
import org.softkvm.kvm.KvmProvider;

/**
 * Which benchmarks are run on which backends. A backend that is not here is left out by name, and so is a single benchmark
 * that does not work on a backend: each is tried once before anything is measured.
 */
final class Selection {
    /** The parameter of benchmarks that run on several backends. */
    static final String BACKEND = "backend";

    private static final String KERNEL = "kvm";
    private static final Pattern REASON = Pattern.compile("(?m)^\\S*(?:Exception|Error): (.*)$");

    private final CommandLineOptions options;
    private final PrintStream out;

    /** Benchmarks by the backends they run on; those that have no such parameter with an empty list. */
    private final Map<List<String>, List<String>> groups = new LinkedHashMap<>();

    /** What the trial found to be broken where everything has to work, by name and reason. */
    private final List<String> failures = new ArrayList<>();

    private int tried;

    /**
     * Takes benchmarks.
     *
     * @param options what JMH was asked for: patterns of names, parameters
     * @param out where to say what is left out
     */
    Selection(CommandLineOptions options, PrintStream out) {
        this.options = options;
        this.out = out;
    }

    /** The selected benchmarks. */
    Set<BenchmarkListEntry> entries() {
        OutputFormat silent = OutputFormatFactory.createFormatInstance(out, VerboseMode.SILENT);
        return BenchmarkList.defaultList().find(silent, options.getIncludes(), options.getExcludes());
    }

    private List<String> backends() {
        List<String> here = new ArrayList<>();
        Collection<String> wanted = options.getParameter(BACKEND).orElse(List.of("emulator", "abi", KERNEL));
        for (String name : wanted) {
            String reason = unavailable(name);
            if (reason == null) {
                here.add(name);
            } else {
                out.println("left out: backend " + name + ": " + reason);
            }
        }
        return here;
    }

    /** Why a backend is not here, or null. */
    static String unavailable(String backend) {
        for (KvmProvider provider : Kvm.providers()) {
            if (provider.name().equals(backend)) {
                return provider.unavailableBecause();
            }
        }
        return "there is none of that name";
    }

    /**
     * Sorts the benchmarks by backends.
     *
     * @param everything true to try each benchmark on each backend, false to try those on /dev/kvm alone
     */
    void choose(boolean everything) {
        List<String> backends = backends();
        for (BenchmarkListEntry entry : entries()) {
            List<String> working = new ArrayList<>();
            if (hasParameter(entry, BACKEND)) {
                for (String backend : backends) {
                    if (!everything && !backend.equals(KERNEL) || works(entry, backend)) {
                        working.add(backend);
                    }
                }
                if (working.isEmpty()) {
                    continue;
                }
            } else if (everything && !works(entry, null)) {
                continue;
            }
            groups.computeIfAbsent(working, key -> new ArrayList<>()).add(entry.getUsername());
        }
    }

    /** One shot in this JVM. */
    private boolean works(BenchmarkListEntry entry, String backend) {
        ByteArrayOutputStream text = new ByteArrayOutputStream();
        PrintStream stream = new PrintStream(text, true, StandardCharsets.UTF_8);
        OptionsBuilder builder = new OptionsBuilder();
        builder.include(exactly(entry.getUsername()))
                .mode(Mode.SingleShotTime)
                .forks(0)
                .warmupIterations(0)
                .measurementIterations(1)
                .timeout(TimeValue.seconds(60));
        if (backend != null) {
            builder.param(BACKEND, backend);
        }
        if (hasParameter(entry, "watched")) {
            builder.param("watched", "50");
        }
        OutputFormat format = OutputFormatFactory.createFormatInstance(stream, VerboseMode.NORMAL);
        String reason;
        try {
            Collection<RunResult> results = new Runner(builder.build(), format).run();
            tried += results.size();
            var failed = REASON.matcher(text.toString(StandardCharsets.UTF_8));
            reason = failed.find() ? failed.group(1) : results.isEmpty() ? "it gave no result" : null;
        } catch (RunnerException e) {
            reason = e.toString();
        }
        if (reason == null) {
            return true;
        }
        String where = backend == null ? "" : " on " + backend;
        out.println("left out: " + entry.getUsername() + where + ": " + reason);
        if (!KERNEL.equals(backend)) {
            failures.add(entry.getUsername() + where + ": " + reason);
        }
        return false;
    }

    private static boolean hasParameter(BenchmarkListEntry entry, String name) {
        return entry.getParams().hasValue() && entry.getParams().get().containsKey(name);
    }

    private static String exactly(String name) {
        return "^" + Pattern.quote(name) + "$";
    }

    /** What did not work although it has to everywhere. */
    List<String> failures() {
        return failures;
    }

    /** How many benchmarks gave a result when they were tried, those with parameters once for each value. */
    int tried() {
        return tried;
    }

    /**
     * Measures.
     *
     * @param parent what JMH was asked for, without patterns
     * @param settings what holds beside that
     * @return the results
     */
    Collection<RunResult> run(Options parent, Consumer<OptionsBuilder> settings) throws RunnerException {
        List<RunResult> results = new ArrayList<>();
        for (Map.Entry<List<String>, List<String>> group : groups.entrySet()) {
            OptionsBuilder builder = new OptionsBuilder();
            builder.parent(parent);
            group.getValue().forEach(name -> builder.include(exactly(name)));
            if (!group.getKey().isEmpty()) {
                builder.param(BACKEND, group.getKey().toArray(String[]::new));
            }
            settings.accept(builder);
            results.addAll(new Runner(builder.build()).run());
        }
        return results;
    }

    /** The names of the selected benchmarks without their package. */
    Set<String> names() {
        Set<String> names = new TreeSet<>();
        entries().forEach(entry -> names.add(entry.getUsername().replace("org.softkvm.benchmarks.", "")));
        return names;
    }
}
