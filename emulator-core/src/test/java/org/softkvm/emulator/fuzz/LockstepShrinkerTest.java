package org.softkvm.emulator.fuzz;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.fail;

import java.util.HashSet;
import java.util.Set;
import java.util.function.Supplier;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.softkvm.emulator.VirtualCpu;
import org.softkvm.emulator.cpu.Cpu;

/** An engine with a planted error, and what the shrinker makes of random cases in which it matters. */
class LockstepShrinkerTest {
    /** Always the same cases. */
    private static final long SEED = 1;

    private static final int PUSHF = 0x9c;
    private static final int TWO_BYTES = 0x0f;
    private static final int CASES = 200;
    private static final int INSTRUCTIONS = 600;

    /** Says whether a register is wrong after an instruction, by its place and first byte. */
    @FunctionalInterface
    private interface Error {
        boolean after(int at, int firstByte);
    }

    /** Executes one instruction after another and makes RBX wrong behind some of them. */
    private static Lockstep.Engine wrong(Error error) {
        return (machine, random, instructions) -> {
            VirtualCpu vcpu = machine.vcpu;
            machine.bound(instructions);
            long end = machine.limit;
            int exit = VirtualCpu.EXIT_INTR;
            while (exit == VirtualCpu.EXIT_INTR && vcpu.instructions() < end) {
                long physical = vcpu.translate(vcpu.segmentBase(Cpu.CS) + vcpu.rip());
                boolean inRam = physical >= 0 && physical < FuzzImage.SIZE;
                int first = inRam ? machine.read((int) physical, 1)[0] & 0xff : -1;
                long faults = vcpu.faults();
                machine.limit = vcpu.instructions() + 1;
                vcpu.setInstructionLimit(machine.limit);
                exit = LockstepTest.advance(machine, random);
                if (vcpu.faults() == faults && error.after((int) physical, first)) {
                    vcpu.setRegister(Cpu.RBX, vcpu.register(Cpu.RBX) ^ 1);
                }
            }
            machine.limit = end;
            return exit;
        };
    }

    private static Lockstep.Engines engines(Error error) {
        return new Lockstep.Engines(wrong((at, first) -> false), wrong(error), Integer.MAX_VALUE, false);
    }

    /** Finds the first case that the error breaks, and shrinks it. */
    private static LockstepShrinker.Result shrunk(FuzzMode mode, Supplier<Error> error) {
        for (int n = 0; n < CASES; n++) {
            LockstepShrinker shrinker = LockstepTest.shrinker(SEED, mode, n, () -> engines(error.get()));
            if (!shrinker.fails(INSTRUCTIONS)) {
                continue;
            }
            LockstepShrinker.Result result = shrinker.shrink(LockstepTest.steps(SEED, mode, n));
            // Where little runs, nothing is proved.
            if (result != null && result.before() >= 20) {
                return result;
            }
        }
        return fail("no case of %d in %s has what the error needs", CASES, mode);
    }

    @ParameterizedTest
    @EnumSource(names = {"REAL_8086", "V86", "PROTECTED32_PAGED_USER", "LONG64_SUPERVISOR"})
    void anInstructionIsFound(FuzzMode mode) {
        LockstepShrinker.Result result = shrunk(mode, () -> (at, first) -> first == PUSHF);
        assertThat(result.program()).hasSizeLessThanOrEqualTo(2);
        assertThat(result.toString()).contains("pushf");
        assertThat(result.difference().first()).startsWith("rbx: interpreted ");
    }

    /** The second one is wrong only if the first one ran at some time before. */
    @ParameterizedTest
    @EnumSource(names = {"PROTECTED16_USER", "LONG64_USER"})
    void twoInstructionsAreFound(FuzzMode mode) {
        LockstepShrinker.Result result = shrunk(mode, () -> {
            boolean[] ready = {false};
            return (at, first) -> {
                ready[0] |= first == TWO_BYTES;
                return ready[0] && first == PUSHF;
            };
        });
        assertThat(result.program()).hasSizeLessThanOrEqualTo(4);
        assertThat(result.toString()).contains(" 0f ").contains("pushf");
        assertThat(result.difference().first()).startsWith("rbx: interpreted ");
    }

    /** Wrong only when it runs again, as translated code would be: what makes the loop has to stay. */
    @ParameterizedTest
    @EnumSource(names = {"REAL", "PROTECTED32_USER"})
    void aLoopIsFound(FuzzMode mode) {
        LockstepShrinker.Result result = shrunk(mode, () -> {
            Set<Integer> seen = new HashSet<>();
            return (at, first) -> first == PUSHF && !seen.add(at);
        });
        assertThat(result.program()).hasSizeLessThanOrEqualTo(10);
        assertThat(result.program())
                .anyMatch(line -> line.times() > 1 && line.text().contains("pushf"));
        assertThat(result.difference().first()).startsWith("rbx: interpreted ");
    }

    /** Without an error there is nothing to shrink, and the report says how to find it again all the same. */
    @Test
    void aCaseThatNewMachinesAgreeAboutIsSaidToBeOne() {
        long[] steps = LockstepTest.steps(SEED, FuzzMode.REAL, 3);
        assertThat(LockstepTest.shrinker(SEED, FuzzMode.REAL, 3, () -> Lockstep.Engines.real(false))
                        .shrink(steps))
                .isNull();
        Lockstep.Difference d =
                new Lockstep.Difference(0, 0, "begin", 1, 1, "cs:rip 0:1 flags 2", "cs:rip 0:1 flags 3", true);
        assertThat(LockstepTest.report(SEED, FuzzMode.REAL, 3, steps, d, null))
                .contains("depends on the cases before it", "-Dsoftkvm.lockstep.cases=4", "seed=1");
        assertThat(d.first()).isEqualTo("flags: interpreted 2, translated 3");
    }
}
