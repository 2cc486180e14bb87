package org.softkvm.benchmarks;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.Map;

/** What each benchmark measures and why, from catalogue.tsv. */
final class Catalogue {
    /**
     * A benchmark in words.
     *
     * @param cost what it costs
     * @param why why it matters
     */
    record Entry(String cost, String why) {}

    private Catalogue() {}

    /** All benchmarks by class and method, in the order of the table. */
    static Map<String, Entry> entries() {
        Map<String, Entry> entries = new LinkedHashMap<>();
        try (InputStream in = Catalogue.class.getResourceAsStream("catalogue.tsv")) {
            String text = new String(in.readAllBytes(), StandardCharsets.UTF_8);
            text.lines().filter(line -> !line.startsWith("#")).forEach(line -> {
                String[] words = line.split("\t");
                entries.put(words[0], new Entry(words[1], words[2]));
            });
        } catch (IOException e) {
            throw new java.io.UncheckedIOException(e);
        }
        return entries;
    }
}
