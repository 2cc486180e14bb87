package org.softkvm.emulator.fuzz;

import java.io.ByteArrayOutputStream;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.function.Supplier;
import org.softkvm.emulator.cpu.Cpu;

/**
 * Makes a case in which the engines differ small (delta debugging): the instructions that run are replaced by NOPs, in
 * halves, quarters and so on down to single ones, as long as the engines differ still. So are the number of
 * instructions that run and the place where they begin, and branches go where the rest does it without them. Every try
 * is on new machines, so that nothing depends on what ran before.
 */
final class LockstepShrinker {
    private static final int MOST_TRIES = 3_000;

    /** Prepares a machine for the case and gives the random numbers that answer its exits. */
    @FunctionalInterface
    interface Setup {
        SplittableRandom prepare(FuzzMachine machine);
    }

    /**
     * What is varied.
     *
     * @param patches bytes that stand in the place of the case's, by physical address
     * @param steps instructions between two comparisons
     * @param rip where it begins; null for where the case begins
     * @param untrapped whether it begins without TF
     */
    private record Variant(Map<Integer, byte[]> patches, long[] steps, Long rip, boolean untrapped) {
        Variant withSteps(long... others) {
            return new Variant(patches, others, rip, untrapped);
        }

        long instructions() {
            return Arrays.stream(steps).sum();
        }

        /** Without the steps behind the one after which the engines differ. */
        Variant upTo(Lockstep.Difference d) {
            return withSteps(Arrays.copyOf(steps, d.index() + 1));
        }
    }

    /**
     * What came out.
     *
     * @param program the instructions that run in the smallest variant, without NOPs
     * @param before distinct instructions that ran in the case, NOPs not counted
     * @param steps instructions between two comparisons in the smallest variant
     * @param begin the state at its begin
     * @param difference where the engines differ in it
     * @param tries variants that were run
     */
    record Result(
            List<LockstepTrace.Line> program,
            int before,
            long[] steps,
            String begin,
            Lockstep.Difference difference,
            int tries) {
        @Override
        public String toString() {
            StringBuilder out = new StringBuilder(String.format(
                    "%s%n%d of %d instructions are left (%d tries), the others are NOPs; comparisons after %s:%n",
                    difference.first(), program.size(), before, tries, Arrays.toString(steps)));
            program.forEach(line -> out.append("    ").append(line).append('\n'));
            return out.append("from ")
                    .append(begin)
                    .append('\n')
                    .append(difference.all())
                    .toString();
        }
    }

    private final FuzzMode mode;
    private final Setup setup;
    private final Supplier<Lockstep.Engines> engines;
    private int tries;

    /**
     * A shrinker for one case.
     *
     * @param mode the mode
     * @param setup makes the case, always the same
     * @param engines makes what runs the two machines
     */
    LockstepShrinker(FuzzMode mode, Setup setup, Supplier<Lockstep.Engines> engines) {
        this.mode = mode;
        this.setup = setup;
        this.engines = engines;
    }

    /** Whether new machines differ, too. */
    boolean fails(long... steps) {
        return run(new Variant(Map.of(), steps, null, false)) != null;
    }

    /**
     * Shrinks the case.
     *
     * @param steps instructions between two comparisons
     * @return the smallest variant found; null where new machines agree about the case
     */
    Result shrink(long[] steps) {
        Variant v = new Variant(Map.of(), steps, null, false);
        Lockstep.Difference d = run(v);
        if (d == null) {
            return null;
        }
        v = v.upTo(d);
        int before = program(v).size();
        Variant last;
        do {
            last = v;
            v = untrapped(v);
            v = joined(v);
            v = shortened(v);
            v = begunLater(v);
            v = straight(v);
            v = silenced(v);
            v = withoutNops(v);
        } while (v != last && tries < MOST_TRIES);
        return new Result(program(v), before, v.steps, begin(v), run(v), tries);
    }

    private SplittableRandom prepare(FuzzMachine machine, Variant v) {
        SplittableRandom random = setup.prepare(machine);
        v.patches.forEach(machine::write);
        if (v.untrapped) {
            machine.vcpu.setRflags(machine.vcpu.rflags() & ~0x100L);
        }
        if (v.rip != null) {
            machine.vcpu.setRip(v.rip);
        }
        return random;
    }

    /** One NOP of so many bytes: with prefixes that every CPU has and that mean nothing. */
    private static byte[] nop(int length) {
        byte[] bytes = new byte[length];
        Arrays.fill(bytes, (byte) 0x3e);
        bytes[length - 1] = (byte) 0x90;
        return bytes;
    }

    private Lockstep.Difference run(Variant v) {
        tries++;
        try (FuzzMachine a = new FuzzMachine(mode);
                FuzzMachine b = new FuzzMachine(mode)) {
            Lockstep.Engines e = engines.get();
            b.vcpu.setTranslation(e.threshold(), true);
            b.vcpu.setNarrow(e.narrow());
            return Lockstep.compare(a, prepare(a, v), b, prepare(b, v), e, v.steps);
        }
    }

    /** A variant cut behind its first difference; null where there is none. */
    private Variant tried(Variant v) {
        if (tries >= MOST_TRIES) {
            return null;
        }
        Lockstep.Difference d = run(v);
        return d == null ? null : d.index() + 1 == v.steps.length ? v : v.upTo(d);
    }

    /** With fewer comparisons: where instructions run in one go, more of them are translated code. */
    private Variant joined(Variant from) {
        Variant v = from;
        if (v.steps.length > 1) {
            Variant smaller = tried(v.withSteps(v.instructions()));
            v = smaller == null ? v : smaller;
        }
        for (int k = v.steps.length - 2; k >= 0; k--) {
            if (k + 1 < v.steps.length) {
                long[] steps = new long[v.steps.length - 1];
                System.arraycopy(v.steps, 0, steps, 0, k + 1);
                System.arraycopy(v.steps, k + 2, steps, k + 1, steps.length - k - 1);
                steps[k] += v.steps[k + 1];
                Variant smaller = tried(v.withSteps(steps));
                v = smaller == null ? v : smaller;
            }
        }
        return v;
    }

    /** With fewer instructions in the last step. */
    private Variant shortened(Variant from) {
        Variant v = from;
        for (long less = v.steps[v.steps.length - 1] / 2; less > 0; less /= 2) {
            while (v.steps[v.steps.length - 1] > less) {
                long[] steps = v.steps.clone();
                steps[steps.length - 1] -= less;
                Variant smaller = tried(v.withSteps(steps));
                if (smaller == null) {
                    break;
                }
                v = smaller;
            }
        }
        return v;
    }

    /** With more NOPs. */
    private Variant silenced(Variant from) {
        Variant v = from;
        List<LockstepTrace.Line> left = program(v);
        for (int size = left.size(); size > 0; size = size == 1 ? 0 : (size + 1) / 2) {
            List<LockstepTrace.Line> needed = new ArrayList<>();
            for (int at = 0; at < left.size(); at += size) {
                List<LockstepTrace.Line> part = left.subList(at, Math.min(left.size(), at + size));
                Map<Integer, byte[]> patches = new LinkedHashMap<>(v.patches);
                part.forEach(line -> put(patches, line.at(), nop(line.bytes().length)));
                Variant smaller = tried(new Variant(patches, v.steps, v.rip, v.untrapped));
                if (smaller == null) {
                    needed.addAll(part);
                } else {
                    v = smaller;
                }
            }
            left = needed;
        }
        return v;
    }

    /** The last patch of a place counts. */
    private static void put(Map<Integer, byte[]> patches, int at, byte[] bytes) {
        patches.remove(at);
        patches.put(at, bytes);
    }

    /** Without the NOPs at its begin. */
    private Variant withoutNops(Variant v) {
        if (v.steps.length > 1) {
            return v;
        }
        LockstepTrace trace = trace(v);
        int n = trace.nopsAtBegin();
        if (n == 0 || n >= v.steps[0]) {
            return v;
        }
        Variant smaller = tried(new Variant(v.patches, new long[] {v.steps[0] - n}, trace.ripAfterNops(), v.untrapped));
        return smaller == null ? v : smaller;
    }

    /** Begun at one of its later instructions, the last that will do. */
    private Variant begunLater(Variant v) {
        List<LockstepTrace.Line> lines = program(v);
        for (int k = lines.size() - 1; k > 0; k--) {
            Variant smaller = tried(new Variant(v.patches, v.steps, lines.get(k).at() - codeBase(), v.untrapped));
            if (smaller != null) {
                smaller = shortened(smaller);
                if (program(smaller).size() < lines.size()) {
                    return smaller;
                }
            }
        }
        return v;
    }

    /** With its instructions one behind the other, without branches; else without those that fault; else two. */
    private Variant straight(Variant v) {
        List<LockstepTrace.Line> lines = program(v);
        List<LockstepTrace.Line> plain =
                lines.stream().filter(line -> !line.branches()).toList();
        Variant smaller = straight(v, plain, lines.size());
        if (smaller == v) {
            smaller = straight(
                    v, plain.stream().filter(line -> line.faults() == 0).toList(), lines.size());
        }
        // The last one alone, or with one other.
        for (int k = plain.size() - 1; k >= 0 && smaller == v && lines.size() > 2; k--) {
            List<LockstepTrace.Line> two =
                    k == plain.size() - 1 ? plain.subList(k, k + 1) : List.of(plain.get(k), plain.getLast());
            smaller = straight(v, two, lines.size());
        }
        return smaller;
    }

    private Variant straight(Variant v, List<LockstepTrace.Line> lines, int most) {
        ByteArrayOutputStream code = new ByteArrayOutputStream();
        lines.forEach(line -> code.writeBytes(line.bytes()));
        Map<Integer, byte[]> patches = new LinkedHashMap<>(v.patches);
        put(patches, FuzzImage.CODE, code.toByteArray());
        Variant smaller = tried(new Variant(patches, v.steps, FuzzImage.CODE - codeBase(), v.untrapped));
        if (smaller == null) {
            return v;
        }
        // What follows the copies would run as well.
        smaller = shortened(smaller);
        return program(smaller).size() < most ? smaller : v;
    }

    /** Without TF, whose handler runs behind each instruction. */
    private Variant untrapped(Variant v) {
        Variant smaller = v.untrapped ? null : tried(new Variant(v.patches, v.steps, v.rip, true));
        return smaller == null ? v : smaller;
    }

    /** The base of the code segment in which the case begins. */
    private long codeBase() {
        try (FuzzMachine machine = new FuzzMachine(mode)) {
            setup.prepare(machine);
            return machine.vcpu.segmentBase(Cpu.CS);
        }
    }

    private LockstepTrace trace(Variant v) {
        try (FuzzMachine machine = new FuzzMachine(mode)) {
            SplittableRandom random = prepare(machine, v);
            return new LockstepTrace(machine, random, v.instructions());
        }
    }

    private List<LockstepTrace.Line> program(Variant v) {
        return trace(v).lines();
    }

    private String begin(Variant v) {
        try (FuzzMachine machine = new FuzzMachine(mode)) {
            prepare(machine, v);
            return machine.describe();
        }
    }
}
