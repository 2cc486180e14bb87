package org.softkvm.testroms;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.OutputStream;
import java.time.Duration;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.softkvm.vmm.VmmException;
import org.softkvm.vmm.pc.Pc;
import org.softkvm.vmm.pc.PcResult;

/**
 * With forced translation at most one instruction in a hundred falls back to the interpreter. Under the virtual clock, so
 * that the counts are the same in every run; {@code .ci/run} asserts the same of a Linux boot.
 */
class FallbackTest {
    private static final double MOST = 0.01;

    /**
     * ROMs that are about what translated code leaves to the interpreter: single steps and watched instructions, shadows,
     * interrupts that wait behind each STI, faults on purpose at every turn, changed page rights, address spaces that have other
     * code at the same place, code that is rewritten again and again, registers polled by MMIO.
     */
    private static final Set<String> ABOUT_IT = Set.of(
            "exc-debug",
            "debug-shadow",
            "hot-sti",
            "exc-faults",
            "paging-rights",
            "paging-4level",
            "pcid",
            "smc",
            "irq-ioapic");

    private static final double MOST_ABOUT_IT = 0.2;

    /** Fallbacks that need no explanation: each page that is touched for the first time takes a few. */
    private static final int FEW = 50;

    private static long most(TestRom rom, long executed) {
        return Math.max(FEW, (long) (executed * (ABOUT_IT.contains(rom.name()) ? MOST_ABOUT_IT : MOST)));
    }

    @Test
    void fewInstructionsOfTheRomsFallBack() throws VmmException {
        long instructions = 0;
        long fallbacks = 0;
        for (TestRom rom : RomCatalogue.all()) {
            if (rom.cpus() > 1) {
                // Most of what they execute under the virtual clock is waiting: billions of instructions that run well.
                continue;
            }
            PcResult result;
            try (Pc pc = Pc.create(
                    RomRunner.configure(rom, new RomMachine("emulator", "translator"), Duration.ofSeconds(300))
                            .virtualClock(true)
                            .serialOutput(OutputStream.nullOutputStream())
                            .build())) {
                result = pc.run();
            }
            assertThat(result.exitStatus()).as(rom.name()).isEqualTo(rom.status());
            assertThat(result.statistics().translation().failed())
                    .as("regions of %s that cannot be translated", rom)
                    .isZero();
            long executed = result.statistics().instructions();
            long fell = result.statistics().translation().fallbacks();
            assertThat(fell)
                    .as("%s: %d of %d instructions", rom, fell, executed)
                    .isLessThanOrEqualTo(most(rom, executed));
            instructions += executed;
            fallbacks += fell;
        }
        System.out.printf("ROMs: %,d of %,d instructions fell back%n", fallbacks, instructions);
        assertThat(fallbacks).as("something does").isPositive();
        assertThat((double) fallbacks / instructions).isLessThanOrEqualTo(MOST);
    }

    /**
     * ROMs of several CPUs, under the host's clock: what they execute under the virtual clock is mostly waiting. They
     * poll APICs and each other, and what one writes another executes, so the bound of each is the larger one.
     */
    @Test
    void fewInstructionsOfSeveralCpusFallBack() throws VmmException {
        long instructions = 0;
        long fallbacks = 0;
        for (TestRom rom : RomCatalogue.all()) {
            if (rom.cpus() == 1) {
                continue;
            }
            PcResult result;
            // The limit is never reached; it makes translated code count.
            try (Pc pc = Pc.create(
                    RomRunner.configure(rom, new RomMachine("emulator", "translator"), Duration.ofSeconds(300))
                            .maxInstructions(1L << 50)
                            .serialOutput(OutputStream.nullOutputStream())
                            .build())) {
                result = pc.run();
            }
            assertThat(result.exitStatus()).as(rom.name()).isEqualTo(rom.status());
            assertThat(result.statistics().translation().failed())
                    .as("regions of %s that cannot be translated", rom)
                    .isZero();
            long executed = result.statistics().instructions();
            long fell = result.statistics().translation().fallbacks();
            assertThat((double) fell / executed)
                    .as("%s: %d of %d instructions", rom, fell, executed)
                    .isLessThanOrEqualTo(MOST_ABOUT_IT);
            instructions += executed;
            fallbacks += fell;
        }
        System.out.printf("ROMs of several CPUs: %,d of %,d instructions fell back%n", fallbacks, instructions);
        assertThat(instructions).isPositive();
        assertThat((double) fallbacks / instructions).isLessThanOrEqualTo(MOST);
    }

    /** The figure is no constant: single steps of the guest are not translated, and counted. */
    @Test
    void singleStepsAreSeenInTheFigure() throws VmmException {
        TestRom rom = RomCatalogue.byName("exc-debug");
        try (Pc pc =
                Pc.create(RomRunner.configure(rom, new RomMachine("emulator", "translator"), Duration.ofSeconds(300))
                        .virtualClock(true)
                        .serialOutput(OutputStream.nullOutputStream())
                        .build())) {
            assertThat(pc.run().statistics().translation().fallbacks()).isGreaterThan(1_000);
        }
        try (Pc pc =
                Pc.create(RomRunner.configure(rom, new RomMachine("emulator", "interpreter"), Duration.ofSeconds(300))
                        .virtualClock(true)
                        .serialOutput(OutputStream.nullOutputStream())
                        .build())) {
            assertThat(pc.run().statistics().translation().fallbacks())
                    .as("what was never to be translated does not fall back")
                    .isZero();
        }
    }
}
