package org.softkvm.emulator.sst;

import java.io.IOException;
import org.junit.jupiter.api.Test;

/** 48,900 real-mode cases captured from a real 80286 (SingleStepTests/80286, MIT). */
class Sst80286SuiteTest {
    /** The data starts with garbage in IOPL and NT, which real mode keeps at 0. */
    private static final int FLAGS_AT_START = 0x0fd7;

    @Test
    void everyCaseDoesWhatTheChipDid() throws IOException {
        try (SstMachine machine = SstMachine.of80286(false)) {
            SstSuite.run("sst-80286", machine, FLAGS_AT_START);
        }
    }

    /** A sample of them by translated code. */
    @Test
    void casesDoTheSameTranslated() throws IOException {
        try (SstMachine machine = SstMachine.of80286(true)) {
            SstSuite.run("sst-80286", machine, FLAGS_AT_START);
        }
    }
}
