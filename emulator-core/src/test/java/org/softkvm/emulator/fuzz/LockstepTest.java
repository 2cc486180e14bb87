package org.softkvm.emulator.fuzz;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.fail;

import java.util.SplittableRandom;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.softkvm.emulator.VirtualCpu;

/**
 * The translator and the interpreter run the same random code, and their whole states agree at every stop; stops are
 * one to a few hundred instructions apart. Where they do not, {@link LockstepShrinker} makes the case small first.
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
    void wideRegionsAgree(FuzzMode mode) {
        agree(mode, false);
    }

    @ParameterizedTest
    @EnumSource
    void narrowRegionsAgree(FuzzMode mode) {
        agree(mode, true);
    }

    private static void agree(FuzzMode mode, boolean narrow) {
        try (FuzzMachine interpreter = new FuzzMachine(mode);
                FuzzMachine translator = new FuzzMachine(mode)) {
            translator.vcpu.setTranslation(0, true);
            translator.vcpu.setNarrow(narrow);
            for (int n = Math.max(0, ONLY_CASE); n < (ONLY_CASE < 0 ? CASES : ONLY_CASE + 1); n++) {
                run(interpreter, translator, mode, n, narrow);
            }
            if (ONLY_CASE < 0) {
                assertThat(translator.vcpu.regionsTranslated()).isPositive();
            }
            assertThat(translator.vcpu.regionsFailed()).isZero();
        }
    }

    private static SplittableRandom random(long seed, FuzzMode mode, int n) {
        return new SplittableRandom(seed * 2_000_003 + mode.ordinal() * 7_919L + n * 0x9e3779b97f4a7c15L);
    }

    private static SplittableRandom prepare(FuzzMachine machine, long seed, FuzzMode mode, int n) {
        SplittableRandom random = random(seed, mode, n);
        machine.prepare(random);
        return random;
    }

    /** The shrinker of a case. */
    static LockstepShrinker shrinker(long seed, FuzzMode mode, int n, Supplier<Lockstep.Engines> engines) {
        return new LockstepShrinker(mode, machine -> prepare(machine, seed, mode, n), engines);
    }

    /** How many instructions run between two comparisons of a case. */
    static long[] steps(long seed, FuzzMode mode, int n) {
        SplittableRandom random = random(seed, mode, ~n);
        return Lockstep.steps(random, 1L << random.nextInt(9), INSTRUCTIONS_A_CASE);
    }

    private static void run(FuzzMachine interpreter, FuzzMachine translator, FuzzMode mode, int n, boolean narrow) {
        SplittableRandom a = prepare(interpreter, SEED, mode, n);
        SplittableRandom b = prepare(translator, SEED, mode, n);
        long[] steps = steps(SEED, mode, n);
        Lockstep.Difference d = Lockstep.compare(interpreter, a, translator, b, Lockstep.Engines.real(narrow), steps);
        if (d != null) {
            fail(report(
                    SEED,
                    mode,
                    n,
                    steps,
                    d,
                    shrinker(SEED, mode, n, () -> Lockstep.Engines.real(narrow)).shrink(steps)));
        }
    }

    /** What a failure says. */
    static String report(
            long seed, FuzzMode mode, int n, long[] steps, Lockstep.Difference d, LockstepShrinker.Result shrunk) {
        String again = "-Dtest=LockstepTest -Dsoftkvm.lockstep.seed=" + seed
                + (shrunk == null ? " -Dsoftkvm.lockstep.cases=" + (n + 1) : " -Dsoftkvm.lockstep.case=" + n);
        return String.format("%s, seed %d, case %d; %s", mode, seed, n, Lockstep.report(again, steps, d, shrunk));
    }

    static int step(FuzzMachine machine, SplittableRandom random, long instructions) {
        machine.bound(instructions);
        return advance(machine, random);
    }

    /** Runs up to the machine's limit. */
    static int advance(FuzzMachine machine, SplittableRandom random) {
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
                // Faults that lead to faults: no instruction runs any more. Some such chains end after thousands, with
                // the stack.
                return STUCK;
            }
        }
    }
}
