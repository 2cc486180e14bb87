package org.softkvm.emulator.fuzz;

import java.util.SplittableRandom;
import java.util.stream.LongStream;
import org.softkvm.emulator.VirtualCpu;

/** Runs two machines side by side and finds where they differ first. */
final class Lockstep {
    private static final String[] REGISTERS = {
        "rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi", "r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15"
    };

    private Lockstep() {}

    /** Runs a machine for a number of instructions. */
    @FunctionalInterface
    interface Engine {
        int step(FuzzMachine machine, SplittableRandom random, long instructions);
    }

    /**
     * Two machines that do not agree.
     *
     * @param index which step it was
     * @param done instructions before that step
     * @param before the state there
     * @param exitA the interpreter's exit
     * @param exitB the translator's
     * @param stateA the interpreter's state
     * @param stateB the translator's
     * @param sameMemory whether their memory is equal
     */
    record Difference(
            int index,
            long done,
            String before,
            int exitA,
            int exitB,
            String stateA,
            String stateB,
            boolean sameMemory) {
        /** The first register that differs, with both values. */
        String first() {
            String[] a = stateA.split("\\R");
            String[] b = stateB.split("\\R");
            for (int k = 0; k < Math.min(a.length, b.length); k++) {
                if (!a[k].equals(b[k]) && !a[k].startsWith("code ")) {
                    return first(
                            k > 0 ? a[k - 1] : "",
                            a[k].trim().split(" "),
                            b[k].trim().split(" "));
                }
            }
            return exitA != exitB ? String.format("exit %d, translated %d", exitA, exitB) : "memory";
        }

        private static String first(String above, String[] a, String[] b) {
            int j = 0;
            while (j < Math.min(a.length, b.length) - 1 && a[j].equals(b[j])) {
                j++;
            }
            int value = a[j].indexOf('=') + 1;
            String name;
            if (value > 0) {
                name = REGISTERS[Integer.parseInt(a[j].substring(1, value - 1))];
            } else if (above.startsWith("cr2 ")) {
                name = "vector " + j / 4 + ", quadword " + j % 4;
            } else if (a[0].matches("\\d:.*")) {
                name = "segment register " + a[0].charAt(0);
            } else if (a[0].equals("fpu")) {
                name = j == 1 ? "x87 control word" : j == 2 ? "x87 status word" : "x87 register " + (j - 3);
            } else {
                name = j > 0 ? a[j - 1] : "";
            }
            return name + ": interpreted " + a[j].substring(value) + ", translated " + b[j].substring(value);
        }

        /** All lines of the state that differ. */
        String all() {
            String[] left = stateA.split("\\R");
            String[] right = stateB.split("\\R");
            StringBuilder out = new StringBuilder(String.format("exit %d, translated %d%n", exitA, exitB));
            for (int k = 0; k < Math.min(left.length, right.length); k++) {
                if (!left[k].equals(right[k])) {
                    out.append(String.format("interpreted %s%ntranslated  %s%n", left[k], right[k]));
                }
            }
            return out.append(sameMemory ? "" : "memory differs\n").toString();
        }
    }

    /**
     * What runs the two machines.
     *
     * @param interpreter the first one
     * @param translator the second one
     * @param threshold when the second machine translates, as {@link VirtualCpu#setTranslation} has it
     */
    record Engines(Engine interpreter, Engine translator, int threshold, boolean narrow) {
        static Engines real(boolean narrow) {
            return new Engines(LockstepTest::step, LockstepTest::step, 0, narrow);
        }
    }

    /**
     * Runs two machines that were prepared alike until they differ, or one says that nothing is left to run.
     *
     * @param steps instructions between two comparisons
     * @return null where they agree
     */
    static Difference compare(
            FuzzMachine interpreter,
            SplittableRandom a,
            FuzzMachine translator,
            SplittableRandom b,
            Engines engines,
            long[] steps) {
        long done = 0;
        String before = interpreter.describe();
        for (int k = 0; k < steps.length; k++) {
            int exitA = engines.interpreter.step(interpreter, a, steps[k]);
            int exitB = engines.translator.step(translator, b, steps[k]);
            if (exitA == LockstepTest.STUCK && exitB == LockstepTest.STUCK) {
                return null;
            }
            String stateA = interpreter.state();
            String stateB = translator.state();
            boolean sameMemory = interpreter.sameMemory(translator);
            if (exitA != exitB || !stateA.equals(stateB) || !sameMemory) {
                return new Difference(k, done, before, exitA, exitB, stateA, stateB, sameMemory);
            }
            if (exitA != VirtualCpu.EXIT_INTR) {
                return null;
            }
            before = interpreter.describe();
            done += steps[k];
        }
        return null;
    }

    /** Numbers of instructions up to a maximum that make a sum. */
    static long[] steps(SplittableRandom random, long most, long sum) {
        LongStream.Builder steps = LongStream.builder();
        for (long done = 0; done < sum; ) {
            long step = 1 + random.nextLong(most);
            steps.add(step);
            done += step;
        }
        return steps.build().toArray();
    }

    /**
     * What a failure says.
     *
     * @param again options of Maven that repeat the case
     * @param steps the case's
     * @param d the difference as it was found
     * @param shrunk the small case, or null where new machines agree
     * @return several lines
     */
    static String report(String again, long[] steps, Difference d, LockstepShrinker.Result shrunk) {
        return String.format(
                "again: mvn -pl emulator-core test %s%n%s%nas found, after %d instructions and %d more, from%n%s%n%s",
                again,
                shrunk == null ? "New machines agree about it, so it depends on the cases before it." : shrunk,
                d.done(),
                steps[d.index()],
                d.before(),
                d.all());
    }
}
