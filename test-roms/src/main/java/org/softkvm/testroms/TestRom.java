package org.softkvm.testroms;

import java.util.ArrayList;
import java.util.List;
import java.util.Objects;

/**
 * A test ROM, as the index of the images describes it.
 *
 * @param name name of its source without the ending
 * @param file name of its image
 * @param status exit status of a good run
 * @param assertions how many named assertions a good run passes; 0 for a ROM that does not report them
 * @param cpus how many CPUs the machine must have
 * @param emulatorOnly whether it needs what no backend on the host's own CPU has
 * @param debugConsoles ports at which the machine must have debug consoles
 * @param sha256 digest of the image in hexadecimal
 */
public record TestRom(
        String name,
        String file,
        int status,
        int assertions,
        int cpus,
        boolean emulatorOnly,
        List<Integer> debugConsoles,
        String sha256) {
    /** Checks the components. */
    public TestRom {
        Objects.requireNonNull(name, "name");
        Objects.requireNonNull(file, "file");
        debugConsoles = List.copyOf(debugConsoles);
        Objects.requireNonNull(sha256, "sha256");
        if (status < 0 || status > 255 || assertions < 0 || cpus < 1) {
            throw new IllegalArgumentException(
                    name + ": status " + status + ", assertions " + assertions + ", cpus " + cpus);
        }
    }

    /**
     * Reads a line of the index: name, file, status, assertions, needs and digest, separated by tabs. Needs are words
     * like {@code cpus=2}, {@code debugcon=402} (a port in hexadecimal) and {@code emulator}.
     *
     * @param line the line
     * @return the ROM
     * @throws IllegalArgumentException if the line is not of that form
     */
    static TestRom parse(String line) {
        String[] fields = line.split("\t", -1);
        if (fields.length != 6) {
            throw new IllegalArgumentException("index line with " + fields.length + " fields: " + line);
        }
        int cpus = 1;
        boolean emulatorOnly = false;
        List<Integer> consoles = new ArrayList<>();
        for (String need : fields[4].split(" ")) {
            int equals = need.indexOf('=');
            String key = equals < 0 ? need : need.substring(0, equals);
            String value = equals < 0 ? "" : need.substring(equals + 1);
            switch (key) {
                case "emulator" -> emulatorOnly = true;
                case "cpus" -> cpus = Integer.parseInt(value);
                case "debugcon" -> consoles.add(Integer.parseInt(value, 16));
                default -> throw new IllegalArgumentException("unknown need '" + need + "': " + line);
            }
        }
        return new TestRom(
                fields[0],
                fields[1],
                Integer.parseInt(fields[2]),
                Integer.parseInt(fields[3]),
                cpus,
                emulatorOnly,
                consoles,
                fields[5]);
    }

    /**
     * Reads the image.
     *
     * @return its bytes
     */
    public byte[] image() {
        return RomCatalogue.read(file);
    }

    @Override
    public String toString() {
        return name;
    }
}
