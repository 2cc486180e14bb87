package org.softkvm.emulator.sst;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/**
 * Runs the cases of one folder of captured single instructions and compares registers, memory and defined flags.
 *
 * <p>Undefined flags are those outside the opcode's {@code flags-mask}; they are not compared in the register nor in a
 * flags image that an exception pushed.
 *
 * <p>Through the translator a sample of the cases runs, each twice: the first time translated code finds nothing in the
 * TLB and leaves accesses of memory to the interpreter. System property {@code softkvm.translated.every}: which part
 * of the cases, 1 for all (default 16).
 */
final class SstSuite {
    /** Bits of the flags register that exist on these CPUs; the rest is fixed (and compared). */
    private static final int ALL_FLAGS = 0xffff;

    private static final int SHOWN_FAILURES = 3;

    /** One case in so many goes through the translator. */
    private static final int EVERY = Integer.getInteger("softkvm.translated.every", 16);

    /** How much of a sample may be interpreted: HLT, exceptions, code and data in one page. */
    private static final double MOST_INTERPRETED = 0.1;

    private final String name;
    private final Path folder;
    private final SstMachine machine;
    private final int flagsAtStart;
    private final Map<?, ?> metadata;
    private final Map<String, String> exclusions;
    private final Map<String, List<String>> failures = new LinkedHashMap<>();
    private final List<String> staleExclusions = new ArrayList<>();
    private final List<String> wholeOpcodesExcluded = new ArrayList<>();
    private int cases;
    private int failed;
    private int excluded;
    private int leftOut;
    private long executed;
    private long interpreted;

    private SstSuite(String name, Path folder, SstMachine machine, int flagsAtStart) throws IOException {
        this.name = name;
        this.folder = folder;
        this.machine = machine;
        this.flagsAtStart = flagsAtStart;
        Map<?, ?> all = (Map<?, ?>) Json.parse(Files.readString(folder.resolve("metadata.json")));
        this.metadata = (Map<?, ?>) all.get("opcodes");
        this.exclusions = exclusions(name + "-exclusions.txt");
    }

    /**
     * Runs a suite and fails the test where a case fails; skips it where the data is absent and not required.
     *
     * @param name folder of the suite
     * @param machine the CPU under test with its memory
     * @param flagsAtStart bits of the initial flags that the CPU can hold; the others are masked
     */
    static void run(String name, SstMachine machine, int flagsAtStart) throws IOException {
        Path folder = Path.of(System.getProperty("softkvm.suites", "../../shared/suites"), name);
        if (!Files.isDirectory(folder)) {
            String message = "SUITE " + name + ": skipped, no folder " + folder;
            assertThat(Boolean.getBoolean("softkvm.suites.required"))
                    .as(message)
                    .isFalse();
            System.out.println(message);
            assumeTrue(false, message);
        }
        new SstSuite(name, folder, machine, flagsAtStart).runAll();
    }

    private void runAll() throws IOException {
        List<Path> files;
        String only = System.getProperty("softkvm.sst.only", "");
        try (Stream<Path> list = Files.list(folder)) {
            files = list.filter(f -> f.toString().endsWith(".MOO.gz"))
                    .filter(f -> only.isEmpty() || List.of(only.split(",")).contains(opcode(f)))
                    .sorted(Comparator.comparing(Path::toString))
                    .toList();
        }
        assertThat(files).as("files in " + folder).isNotEmpty();
        for (Path file : files) {
            runFile(file);
        }
        String title = machine.translated() ? name + " translated" : name;
        System.out.printf("SUITE %s: %d cases, %d failed, %d excluded%n", title, cases, failed, excluded);
        String report = report();
        Path target = Path.of("target");
        Files.createDirectories(target);
        Files.writeString(target.resolve(title.replace(' ', '-') + "-failures.txt"), report);
        assertThat(failed).as(report).isZero();
        assertThat(staleExclusions).as("exclusions that are not needed").isEmpty();
        assertThat(wholeOpcodesExcluded).as("opcodes of which no case is left").isEmpty();
        assertThat((double) excluded).as("excluded cases").isLessThanOrEqualTo(cases / 1000.0);
        if (machine.translated()) {
            System.out.printf(
                    "of %,d instructions %,d were interpreted; %d cases left out%n", executed, interpreted, leftOut);
            assertThat((double) interpreted / executed)
                    .as("%d of %d instructions were interpreted", interpreted, executed)
                    .isLessThanOrEqualTo(MOST_INTERPRETED);
            assertThat((double) leftOut).as("cases left out").isLessThanOrEqualTo(cases / 100.0);
            assertThat(machine.vcpu().regionsFailed()).isZero();
        } else if (only.isEmpty()) {
            assertThat(exclusions).as("exclusions of cases that do not exist").isEmpty();
        }
    }

    private static String opcode(Path file) {
        return file.getFileName().toString().replace(".MOO.gz", "");
    }

    private void runFile(Path file) throws IOException {
        String opcode = opcode(file);
        int mask = flagsMask(opcode);
        List<MooCase> all = MooFile.read(file);
        if (machine.translated()) {
            all = sample(all);
        }
        int excludedHere = 0;
        for (MooCase test : all) {
            cases++;
            String problem = runCase(opcode, test, mask);
            if (machine.translated() && problem == null) {
                problem = again(opcode, test, mask);
            }
            String key = opcode + " #" + test.ordinal();
            if (exclusions.remove(key) != null) {
                excluded++;
                excludedHere++;
                if (problem == null) {
                    staleExclusions.add(key);
                }
            } else if (problem != null) {
                fail(opcode, describe(key, test) + problem);
            }
        }
        if (excludedHere == all.size() && excludedHere > 0) {
            wholeOpcodesExcluded.add(opcode);
        }
        if (machine.findNonZero() >= 0) {
            findStrayWrites(opcode, all, mask);
        }
    }

    /** The cases that go through the translator. */
    private List<MooCase> sample(List<MooCase> all) {
        List<MooCase> sample = new ArrayList<>();
        for (MooCase test : all) {
            if (test.ordinal() % EVERY != 0) {
                continue;
            }
            if (machine.endsInItself(test)) {
                leftOut++;
            } else {
                sample.add(test);
            }
        }
        return sample;
    }

    /** Runs a case once more, now that the TLB has what it needs. */
    private String again(String opcode, MooCase test, int mask) {
        long before = machine.vcpu().instructions();
        long beforeInterpreted = machine.vcpu().interpreted();
        String problem = runCase(opcode, test, mask);
        executed += machine.vcpu().instructions() - before;
        interpreted += machine.vcpu().interpreted() - beforeInterpreted;
        return problem;
    }

    /** Some case of a file wrote where the data has no byte: runs them again, looking after each. */
    private void findStrayWrites(String opcode, List<MooCase> all, int mask) {
        machine.clear();
        for (MooCase test : all) {
            runCase(opcode, test, mask);
            long address = machine.findNonZero();
            if (address >= 0) {
                fail(
                        opcode,
                        describe(opcode + " #" + test.ordinal(), test)
                                + String.format("  wrote at %06x, where no change is expected%n", address));
                machine.clear();
            }
        }
    }

    private void fail(String opcode, String text) {
        failed++;
        failures.computeIfAbsent(opcode, k -> new ArrayList<>()).add(text);
    }

    /** Runs a case and restores memory; returns what differs, or null. */
    private String runCase(String opcode, MooCase test, int mask) {
        MooState initial = test.initial();
        for (int i = 0; i < initial.addresses().length; i++) {
            machine.poke(initial.addresses()[i], initial.values()[i]);
        }
        for (int r = 0; r < MooState.COUNT; r++) {
            int value = initial.registers()[r];
            machine.set(r, r == MooState.FLAGS ? value & flagsAtStart | 2 : value);
        }
        String problem;
        try {
            problem = machine.run(test);
        } catch (RuntimeException | Error e) {
            StackTraceElement at = e.getStackTrace().length == 0 ? null : e.getStackTrace()[0];
            problem = String.format("  Java exception %s at %s%n", e, at);
        }
        if (problem == null) {
            problem = compare(opcode, test, mask);
        }
        for (int address : initial.addresses()) {
            machine.poke(address, 0);
        }
        for (int address : test.after().addresses()) {
            machine.poke(address, 0);
        }
        return problem;
    }

    private String compare(String opcode, MooCase test, int mask) {
        StringBuilder diff = new StringBuilder();
        for (int r = 0; r < MooState.COUNT; r++) {
            int wanted = test.finalRegister(r);
            int care = 0xffff;
            if (r == MooState.FLAGS) {
                care = mask;
                if (!test.after().has(r)) {
                    wanted = wanted & flagsAtStart | 2;
                }
            }
            int got = machine.get(r);
            if (((got ^ wanted) & care) != 0) {
                diff.append(String.format(
                        "  %s: expected %04x got %04x%s%n",
                        MooState.NAMES[r],
                        wanted,
                        got,
                        r == MooState.FLAGS ? " (wrong: " + flagNames((got ^ wanted) & care) + ")" : ""));
            }
        }
        int image = pushedFlags(opcode, test);
        MooState after = test.after();
        for (int i = 0; i < after.addresses().length; i++) {
            int address = after.addresses()[i];
            int wanted = after.values()[i] & 0xff;
            int care = 0xff;
            if (image >= 0 && address == machine.stackAddress(test, image)) {
                care = mask & 0xff;
            } else if (image >= 0 && address == machine.stackAddress(test, image + 1 & 0xffff)) {
                care = mask >> 8;
            }
            int got = machine.peek(address);
            if (((got ^ wanted) & care) != 0) {
                diff.append(String.format(
                        "  memory %06x: expected %02x got %02x%s%n",
                        address, wanted, got, care == 0xff ? "" : " (flags image)"));
            }
        }
        return diff.isEmpty() ? null : diff.toString();
    }

    /** The stack offset of the flags image that the case pushed by an exception, or -1. */
    private static int pushedFlags(String opcode, MooCase test) {
        int sp = test.finalRegister(MooState.SP);
        boolean divide =
                opcode.matches("F[67]\\.[67]|D4") && sp == (test.initial().registers()[MooState.SP] - 6 & 0xffff);
        return test.exception() >= 0 || divide ? sp + 4 & 0xffff : -1;
    }

    /** The flags that are defined after an opcode; group opcodes are keyed with their reg field. */
    private int flagsMask(String opcode) {
        String[] parts = opcode.split("\\.");
        Map<?, ?> entry = (Map<?, ?>) metadata.get(parts[0]);
        if (entry != null && entry.get("reg") instanceof Map<?, ?> groups) {
            entry = (Map<?, ?>) groups.get(parts.length > 1 ? parts[1] : "0");
        }
        Object mask = entry == null ? null : entry.get("flags-mask");
        return mask == null ? ALL_FLAGS : ((Double) mask).intValue();
    }

    private static String flagNames(int bits) {
        String[] names = {"C", "1", "P", "3", "A", "5", "Z", "S", "T", "I", "D", "O", "12", "13", "14", "15"};
        StringBuilder out = new StringBuilder();
        for (int i = 0; i < 16; i++) {
            if ((bits >> i & 1) != 0) {
                out.append(out.isEmpty() ? "" : " ").append(names[i]);
            }
        }
        return out.toString();
    }

    private static String describe(String key, MooCase test) {
        StringBuilder out = new StringBuilder();
        out.append(key)
                .append(": ")
                .append(HexFormat.ofDelimiter(" ").formatHex(test.bytes()))
                .append("  ")
                .append(test.name());
        if (test.exception() >= 0) {
            out.append("  exception ").append(test.exception());
        }
        out.append(System.lineSeparator()).append(" ");
        for (int r = 0; r < MooState.COUNT; r++) {
            out.append(
                    String.format(" %s=%04x", MooState.NAMES[r], test.initial().registers()[r]));
        }
        return out.append(System.lineSeparator()).toString();
    }

    private String report() {
        StringBuilder out = new StringBuilder();
        out.append(String.format("%s: %d cases, %d failed, %d excluded%n", name, cases, failed, excluded));
        failures.forEach((opcode, list) -> out.append(String.format("%-6s %d failed%n", opcode, list.size())));
        failures.forEach((opcode, list) -> {
            out.append(String.format("%n== %s: %d failed%n", opcode, list.size()));
            list.stream().limit(SHOWN_FAILURES).forEach(out::append);
        });
        return out.toString();
    }

    /**
     * Reads the exclusions: a line is {@code opcode #case reason}.
     *
     * @param resource file beside this class
     */
    private static Map<String, String> exclusions(String resource) {
        Map<String, String> map = new HashMap<>();
        try (InputStream in = SstSuite.class.getResourceAsStream(resource)) {
            for (String line : new String(in.readAllBytes(), StandardCharsets.UTF_8)
                    .lines()
                    .toList()) {
                if (line.isBlank() || line.startsWith("//")) {
                    continue;
                }
                String[] words = line.split(" ", 3);
                if (words.length < 3 || !words[1].matches("#\\d+") || words[2].isBlank()) {
                    throw new IllegalArgumentException("exclusion without case or reason: " + line);
                }
                map.put(words[0] + " " + words[1], words[2]);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return map;
    }
}
