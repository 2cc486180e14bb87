package org.softkvm.testroms;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.List;

/** The test ROMs of this module. Images and index are made from the sources by {@code test-roms/build.sh}. */
public final class RomCatalogue {
    private static final List<TestRom> ROMS = new String(read("index.tsv"), StandardCharsets.UTF_8)
            .lines()
            .filter(line -> !line.startsWith("#"))
            .map(TestRom::parse)
            .toList();

    private RomCatalogue() {}

    /**
     * All ROMs.
     *
     * @return by name
     */
    public static List<TestRom> all() {
        return ROMS;
    }

    /**
     * One ROM.
     *
     * @param name its name, such as {@code hello}
     * @return the ROM
     * @throws IllegalArgumentException if there is none of that name
     */
    public static TestRom byName(String name) {
        return ROMS.stream()
                .filter(rom -> rom.name().equals(name))
                .findFirst()
                .orElseThrow(() -> new IllegalArgumentException("no test ROM '" + name + "'"));
    }

    /** Reads a file of the images' folder. */
    static byte[] read(String file) {
        try (InputStream in = RomCatalogue.class.getResourceAsStream("images/" + file)) {
            if (in == null) {
                throw new IllegalArgumentException("no image " + file + " in the module");
            }
            return in.readAllBytes();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
