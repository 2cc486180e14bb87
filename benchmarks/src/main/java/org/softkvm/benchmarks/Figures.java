package org.softkvm.benchmarks;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParseException;
import com.google.gson.JsonParser;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** The results of a run, from the JSON that JMH writes. */
final class Figures {
    private static final String PACKAGE = "org.softkvm.benchmarks.";

    /**
     * One result.
     *
     * @param name class and method of the benchmark
     * @param parameters all but the backend
     * @param backend the backend, or "" where there is no choice
     * @param score the median of the iterations of all forks, or the score where they are not there
     * @param unit its unit, such as ns/op
     * @param bytes bytes allocated an operation, or NaN where nobody looked
     * @param more other counters by name
     */
    record Figure(
            String name,
            Map<String, String> parameters,
            String backend,
            double score,
            String unit,
            double bytes,
            Map<String, Double> more) {
        /** The score in nanoseconds. */
        double nanos() {
            return score
                    * switch (unit) {
                        case "ns/op" -> 1;
                        case "us/op" -> 1e3;
                        case "ms/op" -> 1e6;
                        default -> throw new IllegalArgumentException(name + " is measured in " + unit);
                    };
        }
    }

    private Figures() {}

    /**
     * Reads results.
     *
     * @param file what JMH wrote with {@code -rf json}
     * @throws IOException where it cannot be read, or is something else
     */
    static List<Figure> read(Path file) throws IOException {
        try {
            List<Figure> figures = new ArrayList<>();
            JsonArray results = JsonParser.parseString(Files.readString(file)).getAsJsonArray();
            for (JsonElement result : results) {
                figures.add(figure(result.getAsJsonObject()));
            }
            return figures;
        } catch (JsonParseException | IllegalStateException | NullPointerException e) {
            throw new IOException(file + " is not a result of JMH: " + e.getMessage(), e);
        }
    }

    private static Figure figure(JsonObject result) {
        Map<String, String> parameters = new LinkedHashMap<>();
        if (result.has("params")) {
            result.getAsJsonObject("params")
                    .entrySet()
                    .forEach(p -> parameters.put(p.getKey(), p.getValue().getAsString()));
        }
        String backend = parameters.remove(Selection.BACKEND);
        JsonObject primary = result.getAsJsonObject("primaryMetric");
        Map<String, Double> more = new LinkedHashMap<>();
        double bytes = Double.NaN;
        if (result.has("secondaryMetrics")) {
            for (Map.Entry<String, JsonElement> metric :
                    result.getAsJsonObject("secondaryMetrics").entrySet()) {
                double score = metric.getValue().getAsJsonObject().get("score").getAsDouble();
                if (metric.getKey().endsWith("gc.alloc.rate.norm")) {
                    bytes = score;
                } else if (!metric.getKey().contains("gc.")) {
                    more.put(metric.getKey(), score);
                }
            }
        }
        return new Figure(
                result.get("benchmark").getAsString().replace(PACKAGE, ""),
                parameters,
                backend == null ? "" : backend,
                score(primary),
                primary.get("scoreUnit").getAsString(),
                bytes,
                more);
    }

    /** A mean would let one iteration in which the host did something else decide. */
    private static double score(JsonObject primary) {
        List<Double> all = new ArrayList<>();
        if (primary.has("rawData")) {
            for (JsonElement fork : primary.getAsJsonArray("rawData")) {
                fork.getAsJsonArray().forEach(iteration -> all.add(iteration.getAsDouble()));
            }
        }
        if (all.isEmpty()) {
            return primary.get("score").getAsDouble();
        }
        double[] sorted = all.stream().mapToDouble(Double::doubleValue).sorted().toArray();
        int middle = sorted.length / 2;
        return sorted.length % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
    }
}
