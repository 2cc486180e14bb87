package org.softkvm.testroms.differential;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.function.BiConsumer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * The differential runner over all backends that there are, and whether it finds what is wrong. System properties:
 * {@code softkvm.differential.seed} (default 1), {@code softkvm.differential.programs} (default 10000) and
 * {@code softkvm.differential.seconds}, for /dev/kvm (default 120).
 */
@Timeout(1200)
class DifferentialTest {
    private static final long SEED = Long.getLong("softkvm.differential.seed", 1);
    private static final int PROGRAMS = Integer.getInteger("softkvm.differential.programs", 10_000);
    private static final long SECONDS = Long.getLong("softkvm.differential.seconds", 120);

    private final Watchdog watchdog = new Watchdog();
    private final List<Target> targets = new ArrayList<>();

    @AfterEach
    void close() {
        targets.forEach(Target::close);
        watchdog.close();
    }

    private Target target(String name) {
        Target target = new GuestTarget(GuestTarget.Kind.valueOf(name.toUpperCase(java.util.Locale.ROOT)), watchdog);
        targets.add(target);
        return target;
    }

    @Test
    void noProgramShowsADifference() {
        Main.here().forEach(this::target);
        Differ differ = new Differ(targets);
        differ.limitForeign(SECONDS * 1_000_000_000L);
        for (int n = 0; n < PROGRAMS; n++) {
            differ.compare(n, Generator.program(SEED, n));
            assertThat(differ.findings)
                    .as("seed %d, program %d: %s", SEED, n, differ.findings)
                    .isEmpty();
        }
        System.out.println(differ.table());
        assertThat(differ.compared("translator")).isEqualTo(PROGRAMS);
        assertThat(differ.compared("abi")).isEqualTo(PROGRAMS);
    }

    /** A CPU like the interpreter whose traces are changed. */
    private final class Fake implements Target {
        private final Target real = target("interpreter");
        private final boolean foreign;
        private final BiConsumer<Trace, Image> change;

        Fake(boolean foreign, BiConsumer<Trace, Image> change) {
            this.foreign = foreign;
            this.change = change;
        }

        @Override
        public String name() {
            return "fake";
        }

        @Override
        public boolean foreign() {
            return foreign;
        }

        @Override
        public int passes() {
            return 1;
        }

        @Override
        public Trace run(Program program, Image image, int pass, boolean stepping) {
            Trace trace = real.run(program, image, pass, stepping);
            change.accept(trace, image);
            return trace;
        }

        @Override
        public void close() {
            // The real one is closed as every target.
        }
    }

    private static boolean has(Image image, String name) {
        return image.lines().stream().anyMatch(line -> line.insn().text().startsWith(name + " "));
    }

    private Differ compareWith(Target fake, int programs) {
        Differ differ = new Differ(List.of(target("interpreter"), fake));
        for (int n = 0; n < programs && differ.findings.isEmpty(); n++) {
            differ.compare(n, Generator.program(7, n));
        }
        return differ;
    }

    @Test
    void aWrongResultIsFoundAndShrunkToTheGuiltyInstruction() {
        Fake fake = new Fake(false, (trace, image) -> {
            if (has(image, "xadd") && !trace.entries.isEmpty()) {
                trace.entries.getLast().state()[0] ^= 1;
            }
        });
        Differ differ = compareWith(fake, 500);
        assertThat(differ.findings).hasSize(1);
        Program shrunk = differ.findings.getFirst().shrunk();
        assertThat(shrunk.items()).hasSize(1);
        assertThat(shrunk.items().getFirst())
                .isInstanceOfSatisfying(
                        Item.Plain.class,
                        item -> assertThat(item.insns())
                                .singleElement()
                                .satisfies(insn -> assertThat(insn.text()).startsWith("xadd ")));
        assertThat(shrunk.registers()).containsOnly(0L);
        assertThat(shrunk.memory()).isZero();
        assertThat(differ.findings.getFirst().text())
                .contains(shrunk.mode().name())
                .contains("xadd ")
                .contains("ud2 ; the end")
                .contains("rax  ");
    }

    @Test
    void whatNeedsTwoInstructionsIsShrunkToTwo() {
        Fake fake = new Fake(false, (trace, image) -> {
            if (has(image, "neg") && has(image, "lea") && !trace.entries.isEmpty()) {
                trace.entries.removeLast();
            }
        });
        Differ differ = compareWith(fake, 3000);
        assertThat(differ.findings).hasSize(1);
        assertThat(differ.findings.getFirst().shrunk().items()).hasSize(2);
    }

    @Test
    void whatDependsOnAValueKeepsThatValue() {
        Fake fake = new Fake(false, (trace, image) -> {
            if (trace.end == Trace.End.DONE && (trace.entries.getLast().state()[4] & 0xFF) == 0x7F) {
                trace.entries.getLast().state()[5] ^= 1;
            }
        });
        Differ differ = compareWith(fake, 3000);
        assertThat(differ.findings).hasSize(1);
        Program shrunk = differ.findings.getFirst().shrunk();
        assertThat(shrunk.items()).hasSizeLessThanOrEqualTo(1);
        if (shrunk.items().isEmpty()) {
            assertThat(shrunk.registers()[6]).isEqualTo(0x7F);
        }
    }

    /** A host that does not know an instruction says so for that instruction alone: no failure, but counted. */
    @Test
    void aMissingInstructionIsCountedAndTheRestCompared() {
        Fake fake = new Fake(true, (trace, image) -> {
            for (Image.Line line : image.lines()) {
                if (line.insn().text().startsWith("bswap ")) {
                    trace.entries.clear();
                    trace.end = Trace.End.NOT_EMULATED;
                    trace.endRip = line.address();
                    return;
                }
            }
        });
        Differ differ = compareWith(fake, 600);
        assertThat(differ.findings).isEmpty();
        assertThat(differ.compared("fake")).isEqualTo(600);
        assertThat(differ.table()).contains("fake: LONG: bswap r32").contains("in no category: 0");
    }

    /** The same answer for an instruction that works by itself proves nothing. */
    @Test
    void whatIsNotProvedByTheInstructionAloneFails() {
        Fake fake = new Fake(true, (trace, image) -> {
            for (Image.Line line : image.lines()) {
                if (line.insn().text().startsWith("bswap ") && image.lines().size() > 8) {
                    trace.end = Trace.End.NOT_EMULATED;
                    trace.endRip = line.address();
                }
            }
        });
        assertThat(compareWith(fake, 600).findings).isNotEmpty();
    }

    @Test
    void aModeThatDoesNotWorkIsCounted() {
        Fake fake = new Fake(true, (trace, image) -> {
            if (image.mode == Mode.PROTECTED) {
                trace.entries.clear();
                trace.end = Trace.End.SHUTDOWN;
            }
        });
        Differ differ = compareWith(fake, 60);
        assertThat(differ.findings).isEmpty();
        assertThat(differ.compared("fake")).isEqualTo(50);
        assertThat(differ.table()).contains("capability absent: 10");
    }

    @Test
    void timeThatIsUsedUpIsCounted() {
        Differ differ = new Differ(List.of(target("interpreter"), new Fake(true, (trace, image) -> {})));
        differ.limitForeign(1);
        for (int n = 0; n < 20; n++) {
            differ.compare(n, Generator.program(3, n));
        }
        assertThat(differ.compared("fake")).isEqualTo(1);
        assertThat(differ.table()).contains("time: 19");
    }

    @Test
    void theSameSeedGivesTheSamePrograms() {
        for (int n = 0; n < 60; n++) {
            String listing = new Image(Generator.program(5, n)).listing();
            assertThat(new Image(Generator.program(5, n)).listing()).isEqualTo(listing);
            assertThat(new Image(Generator.program(6, n)).listing()).isNotEqualTo(listing);
        }
    }

    /** A flag that is not defined is read by nothing, and compared nowhere. */
    @Test
    void undefinedFlagsGoNowhere() {
        for (int n = 0; n < 2000; n++) {
            for (Image.Line line : new Image(Generator.program(9, n)).lines()) {
                assertThat(line.undefined() & line.insn().reads())
                        .as(line.insn().text())
                        .isZero();
                if (line.insn().faults() || line.insn().text().startsWith("j")) {
                    assertThat(line.undefined()).as(line.insn().text()).isZero();
                }
            }
        }
    }
}
