package org.softkvm.emulator.fuzz;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.fail;

import java.util.SplittableRandom;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.softkvm.emulator.VirtualCpu;

/**
 * The translator and the interpreter run the same random code, and their whole states agree at every stop; stops are
 * one to a few hundred instructions apart.
 *
 * <p>System properties: {@code softkvm.lockstep.seed} (default 1), {@code softkvm.lockstep.cases} (in each mode),
 * {@code softkvm.lockstep.case} (one case only).
 */
@Execution(ExecutionMode.CONCURRENT)
class LockstepTest {
    private static final long SEED = Long.getLong("softkvm.lockstep.seed", 1);
    private static final int CASES = Integer.getInteger("softkvm.lockstep.cases", 300);
    private static final int ONLY_CASE = Integer.getInteger("softkvm.lockstep.case", -1);
    private static final int INSTRUCTIONS_A_CASE = 600;
    static final int STUCK = -1;
    /** Faults without an instruction between them after which there is no end to be expected. */
    private static final int ENDLESS = 100_000;

    private static final ScheduledExecutorService WATCHDOG = Executors.newSingleThreadScheduledExecutor(task -> {
        Thread t = new Thread(task, "lockstep-watchdog");
        t.setDaemon(true);
        return t;
    });

    @ParameterizedTest
    @EnumSource
    void translatorAndInterpreterAgree(FuzzMode mode) {
        try (FuzzMachine interpreter = new FuzzMachine(mode);
                FuzzMachine translator = new FuzzMachine(mode)) {
            translator.vcpu.setTranslation(1, true);
            for (int n = Math.max(0, ONLY_CASE); n < (ONLY_CASE < 0 ? CASES : ONLY_CASE + 1); n++) {
                run(interpreter, translator, mode, n);
            }
            assertThat(translator.vcpu.regionsTranslated()).isPositive();
            assertThat(translator.vcpu.regionsFailed()).isZero();
        }
    }

    private static SplittableRandom random(FuzzMode mode, int n) {
        return new SplittableRandom(SEED * 2_000_003 + mode.ordinal() * 7_919L + n * 0x9e3779b97f4a7c15L);
    }

    private static void run(FuzzMachine interpreter, FuzzMachine translator, FuzzMode mode, int n) {
        SplittableRandom a = random(mode, n);
        SplittableRandom b = random(mode, n);
        interpreter.prepare(a);
        translator.prepare(b);
        SplittableRandom steps = random(mode, ~n);
        long most = 1L << steps.nextInt(9);
        long done = 0;
        String before = interpreter.describe();
        while (done < INSTRUCTIONS_A_CASE) {
            long step = 1 + steps.nextLong(most);
            int exitA = step(interpreter, a, step);
            int exitB = step(translator, b, step);
            if (exitA == STUCK && exitB == STUCK) {
                return;
            }
            if (exitA == exitB
                    && translator.state().equals(interpreter.state())
                    && interpreter.sameMemory(translator)) {
                if (exitA != VirtualCpu.EXIT_INTR) {
                    return;
                }
                before = interpreter.describe();
                done += step;
                continue;
            }
            String where = String.format(
                    "%s, seed %d, case %d, after %d instructions and %d more, from%n%s",
                    mode, SEED, n, done, step, before);
            fail(
                    "%s%nexit %d, translated %d%n%s%s",
                    where,
                    exitA,
                    exitB,
                    difference(interpreter.state(), translator.state()),
                    interpreter.sameMemory(translator) ? "" : "memory differs");
        }
    }

    static String difference(String a, String b) {
        String[] left = a.split("\n");
        String[] right = b.split("\n");
        StringBuilder out = new StringBuilder();
        for (int k = 0; k < Math.min(left.length, right.length); k++) {
            if (!left[k].equals(right[k])) {
                out.append("interpreted ")
                        .append(left[k])
                        .append("\ntranslated  ")
                        .append(right[k])
                        .append('\n');
            }
        }
        return out.toString();
    }

    static int step(FuzzMachine machine, SplittableRandom random, long instructions) {
        machine.bound(instructions);
        long before = machine.vcpu.instructions();
        long faults = machine.vcpu.faults();
        while (true) {
            ScheduledFuture<?> kick = WATCHDOG.schedule(machine.vcpu::kick, 300, TimeUnit.MILLISECONDS);
            int exit = machine.run(random);
            kick.cancel(false);
            machine.vcpu.clearKick();
            if (exit != VirtualCpu.EXIT_INTR || machine.vcpu.instructions() >= machine.limit) {
                return exit;
            }
            if (machine.vcpu.instructions() != before) {
                before = machine.vcpu.instructions();
                faults = machine.vcpu.faults();
            } else if (machine.vcpu.faults() > faults + ENDLESS) {
                // Faults that lead to faults: no instruction runs any more. Some such chains end after thousands, when
                // the
                // stack does.
                return STUCK;
            }
        }
    }
}
