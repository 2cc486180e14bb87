package org.softkvm.testroms;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;

class RomResultTest {
    private static final RomResult GOOD = new RomResult(33, "ok a\r\nok b\r\n2 passed, 0 failed\r\n", "");
    private static final RomResult BAD =
            new RomResult(35, "ok a\r\nFAIL b: got 1 want 2\r\n1 passed, 1 failed\r\n", "");

    @Test
    void readsTheTotals() {
        assertThat(GOOD.passed()).isEqualTo(2);
        assertThat(GOOD.failed()).isZero();
        assertThat(BAD.passed()).isEqualTo(1);
        assertThat(BAD.failed()).isEqualTo(1);
        assertThat(new RomResult(0, "hello", "").passed()).isEqualTo(-1);
    }

    @Test
    void listsWhatFailed() {
        assertThat(GOOD.failures()).isEmpty();
        assertThat(BAD.failures()).containsExactly("FAIL b: got 1 want 2");
    }

    @Test
    void assertPassedDemandsStatusAndTotals() {
        assertThat(GOOD.assertPassed()).isSameAs(GOOD);
        assertThatThrownBy(BAD::assertPassed).isInstanceOf(AssertionError.class).hasMessageContaining("FAIL b");
        for (RomResult result : new RomResult[] {
            new RomResult(0, GOOD.output(), ""),
            new RomResult(33, "ok a", ""),
            new RomResult(33, "0 passed, 0 failed", ""),
            new RomResult(33, "FAIL a: got here (line 3)\n1 passed, 0 failed", "")
        }) {
            assertThatThrownBy(result::assertPassed).isInstanceOf(AssertionError.class);
        }
    }

    @Test
    void assertStatusAndPrinted() {
        assertThat(BAD.assertStatus(35).assertPrinted("got 1")).isSameAs(BAD);
        assertThatThrownBy(() -> GOOD.assertStatus(0)).isInstanceOf(AssertionError.class);
        assertThatThrownBy(() -> GOOD.assertPrinted("nothing")).isInstanceOf(AssertionError.class);
    }
}
