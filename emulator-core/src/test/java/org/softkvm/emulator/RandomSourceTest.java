package org.softkvm.emulator;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.HashSet;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** Where RDRAND gets its numbers. */
class RandomSourceTest {
    @Test
    void theSameSeedGivesTheSameNumbersEverywhere() {
        RandomSource zero = RandomSource.seeded(0);
        // The first values of SplitMix64 from 0, as its reference implementation prints them.
        assertThat(zero.next()).isEqualTo(0xE220A8397B1DCDAFL);
        assertThat(zero.next()).isEqualTo(0x6E789E6AA1B965F4L);
        assertThat(zero.next()).isEqualTo(0x06C45D188009454FL);
        RandomSource one = RandomSource.seeded(1);
        RandomSource again = RandomSource.seeded(1);
        for (int k = 0; k < 1000; k++) {
            assertThat(one.next()).isEqualTo(again.next());
        }
    }

    @Test
    void theHostsNumbersAreNeverTheSame() {
        Set<Long> seen = new HashSet<>();
        RandomSource a = RandomSource.host();
        RandomSource b = RandomSource.host();
        for (int k = 0; k < 1000; k++) {
            seen.add(a.next());
            seen.add(b.next());
        }
        assertThat(seen).hasSize(2000).doesNotContain(0L);
    }
}
