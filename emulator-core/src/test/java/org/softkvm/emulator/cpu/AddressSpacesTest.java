package org.softkvm.emulator.cpu;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.HashSet;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.softkvm.emulator.CpuModel;

/** Which generations and stamps of user code {@link TlbKeys} gives back when a PCID is loaded again. */
class AddressSpacesTest {
    private static final long CODE = 0x40_0000;

    private final Bench b = new Bench(CpuModel.MAX);
    private final TlbKeys keys = new TlbKeys(b.c);

    @BeforeEach
    void global() {
        b.c.cr4 |= Cpu.CR4_PGE | Cpu.CR4_PCIDE;
        keys.load(1, false);
    }

    @AfterEach
    void close() {
        b.close();
    }

    private String key() {
        return keys.generation(false) + " " + keys.stamp(true);
    }

    /** Fetches user code, goes to PCID 2, does something there, and comes back; whether everything was kept. */
    private boolean keptAfter(Runnable elsewhere) {
        keys.filled(CODE, true, true, false, false);
        String before = key();
        keys.load(2, true);
        assertThat(key()).isNotEqualTo(before);
        elsewhere.run();
        keys.load(1, true);
        return key().equals(before);
    }

    @Test
    void aPcidFindsWhatWasKept() {
        assertThat(keptAfter(() -> {})).isTrue();
    }

    @Test
    void withoutLeaveToKeepNothingIsKept() {
        String before = key();
        assertThat(keys.load(1, false)).isTrue();
        assertThat(key()).isNotEqualTo(before);
    }

    @Test
    void aLoadInBetweenThatMayNotKeepDropsIt() {
        assertThat(keptAfter(() -> keys.load(1, false))).isFalse();
    }

    @Test
    void whatIsInvalidatedElsewhereIsDropped() {
        assertThat(keptAfter(keys::flush)).isFalse();
        assertThat(keptAfter(() -> keys.forget(1))).isFalse();
        assertThat(keptAfter(keys::codeChanged)).isFalse();
        assertThat(keptAfter(() -> keys.pageChanged(CODE))).isFalse();
        assertThat(keptAfter(() -> keys.pageChanged(CODE + 4096))).isTrue();
        assertThat(keptAfter(() -> keys.forget(3))).isTrue();
    }

    @Test
    void withoutGlobalPagesNothingIsKept() {
        b.c.cr4 &= ~Cpu.CR4_PGE;
        assertThat(keptAfter(() -> {})).isFalse();
    }

    @Test
    void manyPcidsNeverShareAKey() {
        Set<String> seen = new HashSet<>();
        for (int pcid = 2; pcid < 100; pcid++) {
            keys.load(pcid, true);
            assertThat(seen.add(key())).isTrue();
        }
        assertThat(keys.load(99, true)).isFalse();
        assertThat(keys.load(3, true)).isTrue();
    }

    /** There are 511 generations: then all entries are dropped, and with them what was kept. */
    @Test
    void nothingIsKeptBeyondTheLastGeneration() {
        Set<Integer> since = new HashSet<>();
        b.c.tlbRead[0] = 1;
        int loads = 0;
        while (b.c.tlbRead[0] != 0) {
            keys.load(2, false);
            loads++;
            if (b.c.tlbRead[0] != 0) {
                assertThat(since.add(keys.generation(false))).isTrue();
            }
        }
        assertThat(loads).isBetween(500, 511);
        assertThat(keys.load(1, true)).isTrue();
        keys.load(2, true);
        assertThat(keys.load(1, true)).isFalse();
    }
}
