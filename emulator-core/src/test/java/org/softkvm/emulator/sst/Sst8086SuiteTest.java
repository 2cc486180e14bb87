package org.softkvm.emulator.sst;

import java.io.IOException;
import org.junit.jupiter.api.Test;

/** 161,000 cases captured from a real 8086 (SingleStepTests/8086, MIT). */
class Sst8086SuiteTest {
    @Test
    void everyCaseDoesWhatTheChipDid() throws IOException {
        try (SstMachine machine = SstMachine.of8086(false)) {
            SstSuite.run("sst-8086", machine, 0xffff);
        }
    }

    /** A sample of them by translated code. */
    @Test
    void casesDoTheSameTranslated() throws IOException {
        try (SstMachine machine = SstMachine.of8086(true)) {
            SstSuite.run("sst-8086", machine, 0xffff);
        }
    }
}
