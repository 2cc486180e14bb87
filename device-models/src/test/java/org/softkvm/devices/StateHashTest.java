package org.softkvm.devices;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;

class StateHashTest {
    private enum Mode {
        ONE,
        TWO
    }

    private record Inner(int[] values, boolean on) {}

    private record Outer(long a, Mode mode, Inner inner, List<Inner> list, byte[] bytes, String name) {}

    private record Bad(Object object) {}

    private static Outer outer(long a, Mode mode, int value, boolean on, byte last, String name) {
        Inner inner = new Inner(new int[] {1, value}, on);
        return new Outer(a, mode, inner, List.of(inner, new Inner(new int[0], true)), new byte[] {0, last}, name);
    }

    private static long hash(Consumer<StateHash> content) {
        StateHash hash = new StateHash();
        content.accept(hash);
        return hash.value();
    }

    @Test
    void equalStatesHaveEqualHashesWhateverObjectsHoldThem() {
        Outer first = outer(1, Mode.ONE, 2, false, (byte) 3, "n");
        Outer second = outer(1, Mode.ONE, 2, false, (byte) 3, new String("n"));
        assertThat(hash(h -> h.add(first))).isEqualTo(hash(h -> h.add(second)));
    }

    @Test
    void everyPartCounts() {
        Set<Long> seen = new HashSet<>();
        for (Outer state : List.of(
                outer(1, Mode.ONE, 2, false, (byte) 3, "n"),
                outer(2, Mode.ONE, 2, false, (byte) 3, "n"),
                outer(1, Mode.TWO, 2, false, (byte) 3, "n"),
                outer(1, Mode.ONE, 3, false, (byte) 3, "n"),
                outer(1, Mode.ONE, 2, true, (byte) 3, "n"),
                outer(1, Mode.ONE, 2, false, (byte) 4, "n"),
                outer(1, Mode.ONE, 2, false, (byte) 3, "m"))) {
            assertThat(seen.add(hash(h -> h.add(state)))).as(state.toString()).isTrue();
        }
    }

    @Test
    void orderCounts() {
        assertThat(hash(h -> {
                    h.add(1);
                    h.add(2);
                }))
                .isNotEqualTo(hash(h -> {
                    h.add(2);
                    h.add(1);
                }));
    }

    /** Hashes are written into logs and compared between machines: they may not change. */
    @Test
    void isTheSameEverywhere() {
        assertThat(hash(h -> h.add(outer(1, Mode.TWO, 2, true, (byte) 3, "x")))).isEqualTo(GOLDEN);
    }

    private static final long GOLDEN = 8741001686556005781L;

    @Test
    void refusesWhatIsNoState() {
        StateHash hash = new StateHash();
        assertThatThrownBy(() -> hash.add(new Bad(new Object()))).isInstanceOf(IllegalArgumentException.class);
    }
}
