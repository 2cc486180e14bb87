package org.softkvm.emulator.fuzz;

import static java.util.stream.Collectors.joining;
import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import java.util.SplittableRandom;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.softkvm.emulator.VirtualCpu;

/**
 * Random bytes, run as code in every mode, end in guest exceptions, SHUTDOWN or exits, never in a Java exception, and
 * every run stops within a second of a kick.
 *
 * <p>System properties: {@code softkvm.fuzz.seed} (printed; default 1, {@code random} for a new one),
 * {@code softkvm.fuzz.instructions} (in each mode), {@code softkvm.fuzz.case} (one case only, as a report names it).
 */
@Execution(ExecutionMode.CONCURRENT)
class FuzzTest {
    private static final long SEED = seed();
    private static final long INSTRUCTIONS = Long.getLong("softkvm.fuzz.instructions", 100_000);
    private static final long ONLY_CASE = Long.getLong("softkvm.fuzz.case", -1);
    private static final int INSTRUCTIONS_A_CASE = 1_000;
    private static final int KICKED_RUNS = 10;

    /** A case that goes on for so long runs no instruction any more (faults that lead to faults) and is kicked. */
    private static final long KICK_AFTER_MILLIS = 20;

    /** It hangs then, even where a busy machine lets it wait for a processor. */
    private static final long STUCK_AFTER_MILLIS = 10_000;

    private static final long STOP_WITHIN_MILLIS = 1_000;

    private static long seed() {
        String seed = System.getProperty("softkvm.fuzz.seed", "1");
        return seed.equals("random") ? System.nanoTime() : Long.parseLong(seed);
    }

    private volatile long caseNumber = -1;
    private volatile long caseStart;

    @ParameterizedTest
    @EnumSource
    void randomBytesNeverEndInAJavaException(FuzzMode mode) throws InterruptedException {
        System.out.printf("FUZZ %s: seed %d%n", mode, SEED);
        try (FuzzMachine machine = new FuzzMachine(mode)) {
            FutureTask<Void> task = new FutureTask<>(() -> fuzz(machine, mode), null);
            caseStart = System.nanoTime();
            Thread worker = new Thread(task, "fuzz");
            worker.setDaemon(true);
            worker.start();
            watch(machine, worker, task, mode);
            System.out.printf("FUZZ %s: %s%n", mode, machine.statistics());
            if (ONLY_CASE < 0) {
                // A sign that the cases are any good: they get somewhere and they fault.
                assertThat(machine.vcpu.instructions()).isGreaterThanOrEqualTo(INSTRUCTIONS);
                assertThat(machine.vcpu.faults()).isPositive();
            }
        }
    }

    private void fuzz(FuzzMachine machine, FuzzMode mode) {
        for (long n = ONLY_CASE < 0 ? 0 : ONLY_CASE; machine.vcpu.instructions() < INSTRUCTIONS; n++) {
            caseNumber = n;
            caseStart = System.nanoTime();
            SplittableRandom random = random(mode, n);
            machine.prepare(random);
            machine.vcpu.setInstructionLimit(machine.vcpu.instructions() + INSTRUCTIONS_A_CASE);
            machine.run(random);
            if (ONLY_CASE >= 0) {
                return;
            }
        }
    }

    private static SplittableRandom random(FuzzMode mode, long n) {
        return new SplittableRandom(SEED * 1_000_003 + mode.ordinal() * 7_919L + n * 0x9e3779b97f4a7c15L);
    }

    /** Waits for the worker; kicks a case that runs for long, and fails where that does not stop it. */
    private void watch(FuzzMachine machine, Thread worker, FutureTask<Void> task, FuzzMode mode)
            throws InterruptedException {
        while (true) {
            try {
                task.get(10, TimeUnit.MILLISECONDS);
                return;
            } catch (ExecutionException e) {
                // The build trims stack traces; where it was thrown belongs to the report.
                Throwable cause = e.getCause();
                throw new AssertionError(report(machine, mode) + "\n" + cause + places(cause.getStackTrace()), cause);
            } catch (TimeoutException e) {
                long n = caseNumber;
                long millis = (System.nanoTime() - caseStart) / 1_000_000;
                if (n != caseNumber || millis < KICK_AFTER_MILLIS) {
                    continue;
                }
                if (millis > STUCK_AFTER_MILLIS) {
                    StackTraceElement[] trace = worker.getStackTrace();
                    throw new AssertionError(report(machine, mode) + "\nnot stopped by kicks" + places(trace));
                }
                // Again each time: the start of a case clears a kick that came early.
                machine.vcpu.kick();
            }
        }
    }

    private static String places(StackTraceElement[] trace) {
        return Arrays.stream(trace).limit(10).map(f -> "\n  at " + f).collect(joining());
    }

    private String report(FuzzMachine machine, FuzzMode mode) {
        return String.format("%s: seed %d, case %d%n%s", mode, SEED, caseNumber, machine.describe());
    }

    @ParameterizedTest
    @EnumSource
    void everyRunStopsWithinASecondOfAKick(FuzzMode mode) throws InterruptedException {
        try (FuzzMachine machine = new FuzzMachine(mode)) {
            for (int n = 0; n < KICKED_RUNS; n++) {
                SplittableRandom random = random(mode, -1 - n);
                machine.prepare(random);
                machine.vcpu.setInstructionLimit(Long.MAX_VALUE);
                FutureTask<Integer> run = new FutureTask<>(() -> machine.run(random));
                Thread worker = new Thread(run, "fuzz");
                worker.setDaemon(true);
                worker.start();
                Thread.sleep(5);
                machine.vcpu.kick();
                int exit = run.get(STOP_WITHIN_MILLIS, TimeUnit.MILLISECONDS);
                assertThat(exit)
                        .isIn(
                                VirtualCpu.EXIT_INTR,
                                VirtualCpu.EXIT_HLT,
                                VirtualCpu.EXIT_SHUTDOWN,
                                VirtualCpu.EXIT_INTERNAL_ERROR);
            }
        } catch (ExecutionException | TimeoutException e) {
            throw new AssertionError(mode + ": seed " + SEED, e);
        }
    }
}
