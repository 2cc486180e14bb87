package org.softkvm.testroms.differential;

import java.util.ArrayList;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/** Runs programs on all targets and compares what each shows with what the first does. */
final class Differ {
    /** What is left when an instruction that is missing was taken out, at most so many times a program. */
    private static final int MOST_MISSING = 60;

    private static final Item NOP = new Item.Plain("nop", List.of(Insn.of(new byte[] {(byte) 0x90}, "nop")));

    private static final List<Insn> DECIMAL =
            List.of(Insn.of(new byte[] {(byte) 0xD4, 1}, "aam 1"), Insn.of(new byte[] {(byte) 0xD5, 0x0A}, "aad 10"));

    private static final String INVALID = "exception 6 at ";

    /** A difference that is in no category. */
    record Finding(int number, String target, Program shrunk, String text) {}

    private final List<Target> targets;
    /** The category and the proof of a target's mode that cannot be compared. */
    private final Map<String, Map<Mode, String>> absent = new HashMap<>();
    /** The same where programs can run, but without IOPL. */
    private final Map<String, Map<Mode, String>> noIopl = new HashMap<>();
    /** PUSHF in the modes of {@link #noIopl} where it pushes the host's flags. */
    private final Set<String> pushf = new HashSet<>();
    /** Forms that a target's host does not emulate, proved. */
    private final Map<String, Set<String>> missing = new HashMap<>();

    /** Those that it emulates otherwise than its CPU executes them, proved. */
    private final Set<String> otherwise = new HashSet<>();

    private final Map<Category, Map<String, Integer>> counts = new EnumMap<>(Category.class);
    private final Map<String, Integer> compared = new TreeMap<>();
    private final Map<String, Integer> stepped = new TreeMap<>();
    /** Whether single steps are reported, by target and mode. */
    private final Map<String, Boolean> stepping = new HashMap<>();

    /** Whether the flags of AAM or AAD contradict the manual, by target and mode. */
    private final Map<String, Boolean> contradictions = new HashMap<>();

    private long foreignNanos = Long.MAX_VALUE;

    final List<Finding> findings = new ArrayList<>();

    Differ(List<Target> targets) {
        this.targets = targets;
        for (Target target : targets) {
            missing.put(target.name(), new HashSet<>());
            absent.put(target.name(), new EnumMap<>(Mode.class));
            noIopl.put(target.name(), new EnumMap<>(Mode.class));
            if (target.foreign()) {
                probe(target);
            }
        }
    }

    /** A program of one NOP: a mode in which that does not come to its end cannot be compared. */
    private void probe(Target target) {
        for (Mode mode : Mode.values()) {
            String difference = probe(target, mode, 0x3002);
            if (difference == null) {
                continue;
            }
            if (probe(target, mode, 2) == null) {
                noIopl.get(target.name())
                        .put(mode, "IOPL of a program of one NOP in " + mode + ": " + difference.strip());
                if (probe(target, mode, new byte[] {(byte) 0x9C}, "pushf", 2) != null) {
                    pushf.add(key(mode, "pushf"));
                }
            } else {
                absent.get(target.name()).put(mode, "a program of one NOP in " + mode + ": " + difference.strip());
            }
        }
    }

    private String probe(Target target, Mode mode, int flags) {
        return probe(target, mode, new byte[] {(byte) 0x90}, "nop", flags);
    }

    private String probe(Target target, Mode mode, byte[] code, String name, int flags) {
        Item one = new Item.Plain(name, List.of(Insn.of(code, name)));
        Program program = new Program(mode, List.of(one), new long[16], flags, new long[32], 0);
        Image image = new Image(program);
        Trace expected = targets.getFirst().run(program, image, 0, false);
        return expected.difference(
                target.run(program, image, 0, false), targets.getFirst().name(), target.name());
    }

    /** Gives foreign targets so much time in all; what they did not get to is counted. */
    void limitForeign(long nanos) {
        foreignNanos = nanos;
    }

    /** Runs one program everywhere. */
    void compare(int number, Program program) {
        Image image = new Image(program);
        Target first = targets.getFirst();
        Trace expected = first.run(program, image, 0, false);
        for (Target target : targets.subList(1, targets.size())) {
            String reason = absent.get(target.name()).get(program.mode());
            if (reason != null) {
                count(Category.CAPABILITY_ABSENT, target.name() + ": " + reason);
            } else if (target.foreign()) {
                if (foreignNanos <= 0) {
                    count(Category.TIME, target.name() + ": the time that it was given is used up");
                    continue;
                }
                long begin = System.nanoTime();
                compareForeign(number, program, target);
                foreignNanos -= System.nanoTime() - begin;
            } else {
                String difference = difference(target, program, image, expected);
                if (difference != null) {
                    found(number, target, program, difference);
                } else {
                    compared.merge(target.name(), 1, Integer::sum);
                    if (expected.entries.size() == 1 && number % 2 == 0) {
                        compareSteps(number, program, target);
                    }
                }
            }
        }
    }

    private void compareForeign(int number, Program whole, Target target) {
        Set<String> known = missing.get(target.name());
        Program program = without(target, whole, known);
        String reason = noIopl.get(target.name()).get(program.mode());
        if (reason != null && (program.flags() & 0x3000) != 0) {
            count(Category.CAPABILITY_ABSENT, target.name() + ": " + reason);
            program = new Program(
                    program.mode(),
                    program.items(),
                    program.registers(),
                    program.flags() & ~0x3000,
                    program.xmm(),
                    program.memory());
        }
        for (int n = 0; n < MOST_MISSING; n++) {
            Image image = new Image(program);
            Trace expected = targets.getFirst().run(program, image, 0, false);
            Trace trace = target.run(program, image, 0, false);
            String form = missing(target, program, image, expected, trace);
            if (form != null && known.add(key(program.mode(), form))) {
                program = without(target, program, known);
                continue;
            }
            String difference = expected.difference(trace, targets.getFirst().name(), target.name());
            if (difference == null) {
                compared.merge(target.name(), 1, Integer::sum);
                if (expected.entries.size() == 1 && number % 2 == 0) {
                    compareSteps(number, program, target);
                }
                return;
            }
            Program small = Shrinker.shrink(program, candidate -> difference(target, candidate) != null);
            String other = otherwise(target, small);
            if (other != null && known.add(key(program.mode(), other))) {
                otherwise.add(key(program.mode(), other));
                program = without(target, program, known);
                continue;
            }
            found(number, target, program, difference);
            return;
        }
        throw new IllegalStateException("instructions that are missing, without end");
    }

    /**
     * Compares the states behind each instruction of a program that has no exits and no exceptions on its way: those are
     * compared where they happen.
     */
    private void compareSteps(int number, Program program, Target target) {
        String where = target.name() + ": " + program.mode();
        Boolean works = stepping.get(where);
        if (works == null) {
            works = differenceOfSteps(
                            target, new Program(program.mode(), List.of(NOP, NOP), new long[16], 2, new long[32], 0))
                    == null;
            stepping.put(where, works);
        }
        if (!works && target.foreign()) {
            count(Category.BREAKPOINT_UNSUPPORTED, where + ": single steps through two NOPs are not reported");
            return;
        }
        for (Insn decimal : DECIMAL) {
            if (target.foreign()
                    && mentions(program.items(), name(decimal))
                    && contradictsItself(target, program.mode(), decimal)) {
                count(
                        Category.OTHERWISE,
                        where + ": the flags behind " + name(decimal)
                                + " are not those of a TEST of its result on the same host");
                return;
            }
        }
        String difference = differenceOfSteps(target, program);
        if (difference == null) {
            stepped.merge(target.name(), 1, Integer::sum);
            return;
        }
        Program small = Shrinker.shrink(program, candidate -> differenceOfSteps(target, candidate) != null);
        findings.add(new Finding(
                number, target.name(), small, text(small, "by single steps: " + differenceOfSteps(target, small))));
    }

    private static boolean mentions(List<Item> items, String form) {
        return items.stream().anyMatch(item -> switch (item) {
            case Item.Plain plain -> plain.form().equals(form);
            case Item.Loop loop -> mentions(loop.body(), form);
            case Item.Call call -> mentions(call.body(), form);
            case Item.Skip skip -> false;
        });
    }

    private static String name(Insn insn) {
        return insn.text().split(" ")[0];
    }

    /**
     * Linux's emulator sets SF, ZF and PF behind AAM and AAD by AX; the manual says by AL. They do not exist in 64-bit
     * mode, where the host's CPU could tell, but the host can be asked to test AL.
     */
    private boolean contradictsItself(Target target, Mode mode, Insn decimal) {
        return contradictions.computeIfAbsent(target.name() + mode + decimal.text(), key -> {
            Item first = new Item.Plain(name(decimal), List.of(decimal));
            Item test = new Item.Plain("test", List.of(Insn.of(new byte[] {(byte) 0x84, (byte) 0xC0}, "test al,al")));
            long[] registers = new long[16];
            registers[0] = 0xA0;
            Program program = new Program(mode, List.of(first, test), registers, 2, new long[32], 0);
            List<Trace.Entry> steps = target.run(program, new Image(program), 0, true).entries;
            int defined = Insn.SF | Insn.ZF | Insn.PF;
            return steps.size() == 2
                    && ((steps.get(0).state()[State.RFLAGS] ^ steps.get(1).state()[State.RFLAGS]) & defined) != 0;
        });
    }

    private String differenceOfSteps(Target target, Program program) {
        Image image = new Image(program);
        Trace expected = targets.getFirst().run(program, image, 0, true);
        return expected.difference(
                target.run(program, image, 0, true), targets.getFirst().name(), target.name());
    }

    private static String key(Mode mode, String form) {
        return mode + ": " + form;
    }

    /**
     * The form of the instruction that the host's emulator does not know, where it does not know it in a program of its
     * own either; else null. For code of ring 3 KVM says so by #UD (handle_emulation_failure), and to the monitor by an
     * internal error otherwise. Programs hold no instruction that a CPU with these CPUID bits does not have, but for those
     * that raise #UD here too.
     */
    private String missing(Target target, Program program, Image image, Trace expected, Trace trace) {
        long rip = 0;
        if (trace.end == Trace.End.NOT_EMULATED) {
            rip = trace.endRip;
        } else if (program.mode().user) {
            rip = invalid(expected, trace);
        }
        Image.Line line = image.line(rip);
        if (line == null || line.item() == null) {
            return null;
        }
        Program alone = program.with(List.of(line.item()));
        Image small = new Image(alone);
        Trace proof = target.run(alone, small, 0, false);
        if (proof.end == Trace.End.NOT_EMULATED) {
            return line.item().form();
        }
        long at = program.mode().user ? invalid(targets.getFirst().run(alone, small, 0, false), proof) : 0;
        return at != 0 && small.line(at).item() != null ? line.item().form() : null;
    }

    /**
     * The form of the one instruction that is left of a program, where the host's CPU itself agrees with us: in ring 3 of
     * long mode, which no host has to emulate, the same instruction makes no difference. Else null.
     */
    private String otherwise(Target target, Program small) {
        if (small.mode() == Mode.LONG_USER
                || absent.get(target.name()).containsKey(Mode.LONG_USER)
                || small.items().size() != 1
                || !(small.items().getFirst() instanceof Item.Plain plain)) {
            return null;
        }
        Program native64 = new Program(
                Mode.LONG_USER, small.items(), small.registers(), small.flags() & ~0x3000, small.xmm(), small.memory());
        return difference(target, small) != null && difference(target, native64) == null ? plain.form() : null;
    }

    /** Where a trace has a #UD and what is expected is another event; else 0. */
    private static long invalid(Trace expected, Trace trace) {
        int n = expected.common(trace);
        String what = n < trace.entries.size() ? trace.entries.get(n).what() : "";
        if (!what.startsWith(INVALID)
                || n < expected.entries.size() && expected.entries.get(n).what().equals(what)) {
            return 0;
        }
        return Long.parseLong(what.substring(INVALID.length()), 16);
    }

    private Program without(Target target, Program program, Set<String> forms) {
        List<Item> kept = kept(target, program.mode(), program.items(), forms);
        return kept.equals(program.items()) ? program : program.with(kept);
    }

    private List<Item> kept(Target target, Mode mode, List<Item> items, Set<String> forms) {
        List<Item> kept = new ArrayList<>();
        for (Item item : items) {
            switch (item) {
                case Item.Plain plain -> {
                    if (forms.contains(key(mode, plain.form()))) {
                        String key = key(mode, plain.form());
                        boolean differs = otherwise.contains(key);
                        count(differs ? Category.OTHERWISE : Category.INSTRUCTION_MISSING, target.name() + ": " + key);
                    } else if (pushf.contains(key(mode, plain.form()))) {
                        count(
                                Category.CAPABILITY_ABSENT,
                                target.name() + ": the guest's own IF and IOPL in " + mode + ": PUSHF alone differs");
                    } else {
                        kept.add(item);
                    }
                }
                case Item.Loop loop -> kept.add(new Item.Loop(loop.count(), kept(target, mode, loop.body(), forms)));
                case Item.Call call ->
                    kept.add(new Item.Call(kept(target, mode, call.body(), forms), call.byRegister()));
                case Item.Skip skip -> kept.add(skip);
            }
        }
        return kept;
    }

    void count(Category category, String what) {
        counts.computeIfAbsent(category, c -> new TreeMap<>()).merge(what, 1, Integer::sum);
    }

    /** What one target shows and the first does not, or null. */
    private String difference(Target target, Program program, Image image, Trace expected) {
        for (int pass = 0; pass < target.passes(); pass++) {
            Trace trace = target.run(program, image, pass, false);
            String difference = expected.difference(trace, targets.getFirst().name(), target.name());
            if (difference != null) {
                return pass == 0 ? difference : "run " + pass + ": " + difference;
            }
            if (trace.end != Trace.End.DONE) {
                return null;
            }
        }
        return null;
    }

    private String difference(Target target, Program program) {
        Image image = new Image(program);
        return difference(target, program, image, targets.getFirst().run(program, image, 0, false));
    }

    private void found(int number, Target target, Program program, String first) {
        String whole = difference(target, program);
        if (whole == null) {
            findings.add(new Finding(number, target.name(), program, text(program, "not seen again: " + first)));
            return;
        }
        Program shrunk = Shrinker.shrink(program, candidate -> difference(target, candidate) != null);
        String difference = difference(target, shrunk);
        findings.add(new Finding(number, target.name(), shrunk, text(shrunk, difference)));
    }

    private static String text(Program program, String difference) {
        StringBuilder out = new StringBuilder();
        out.append(program.mode()).append(", from");
        for (int n = 0; n < 16; n++) {
            if (program.registers()[n] != 0 && n != 3 && n != 4 && n != 5) {
                out.append(String.format(" %s=%x", Encoder.REGISTERS[n], program.registers()[n]));
            }
        }
        out.append(String.format(" flags=%x", program.flags()));
        for (int n = 0; n < 16; n++) {
            if (program.xmm()[2 * n] != 0 || program.xmm()[2 * n + 1] != 0) {
                out.append(String.format(" xmm%d=%x:%x", n, program.xmm()[2 * n + 1], program.xmm()[2 * n]));
            }
        }
        out.append(program.memory() == 0 ? ", memory of zeros\n" : ", random memory\n");
        return out.append(new Image(program).listing()).append(difference).toString();
    }

    /** How many programs of a target were equal to those of the first. */
    int compared(String target) {
        return compared.getOrDefault(target, 0);
    }

    /** The table: what was compared, and what not, by category. */
    String table() {
        StringBuilder out = new StringBuilder();
        compared.forEach((target, n) -> out.append(String.format(
                "%-12s %6d programs equal to %s%n",
                target, n, targets.getFirst().name())));
        stepped.forEach((target, n) -> out.append(String.format("%-12s %6d of them by single steps too%n", target, n)));
        for (Category category : Category.values()) {
            Map<String, Integer> of = counts.getOrDefault(category, Map.of());
            out.append(String.format(
                    "%s: %d%n",
                    category.text, of.values().stream().mapToInt(n -> n).sum()));
            of.forEach((what, n) -> out.append(String.format("  %6d  %s%n", n, what.replace("\n", " "))));
        }
        out.append(String.format("in no category: %d%n", findings.size()));
        return out.toString();
    }
}
