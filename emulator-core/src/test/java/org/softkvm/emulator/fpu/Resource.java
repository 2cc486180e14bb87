package org.softkvm.emulator.fpu;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Objects;
import java.util.zip.GZIPInputStream;

/** Test data beside the test classes. */
final class Resource {
    private Resource() {}

    static List<String> lines(String name) throws IOException {
        try (BufferedReader in = new BufferedReader(new InputStreamReader(
                new GZIPInputStream(Objects.requireNonNull(Resource.class.getResourceAsStream(name), name)),
                StandardCharsets.US_ASCII))) {
            return in.lines().toList();
        }
    }
}
