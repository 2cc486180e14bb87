package org.softkvm.kvm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class EventFdTest {
    private final EventFd event = new EventFd();

    @Test
    void signalsAddUpUntilTheyAreTaken() {
        assertThat(event.take()).isZero();
        event.signal();
        event.signal(3);
        assertThat(event.count()).isEqualTo(4);
        assertThat(event.take()).isEqualTo(4);
        assertThat(event.count()).isZero();
        event.signal(Long.MAX_VALUE);
        event.signal();
        assertThat(event.take()).isEqualTo(Long.MAX_VALUE);
        assertThatThrownBy(() -> event.signal(0)).isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void aThreadCanWaitForASignal() throws InterruptedException {
        assertThat(event.await(1, TimeUnit.MILLISECONDS)).isZero();
        Thread other = Thread.ofPlatform().start(event::signal);
        assertThat(event.await(30, TimeUnit.SECONDS)).isEqualTo(1);
        other.join();
        event.signal(2);
        assertThat(event.await(0, TimeUnit.SECONDS)).isEqualTo(2);
    }

    @Test
    void listenersAreCalledAtEachSignal() {
        int[] calls = new int[2];
        Runnable first = () -> calls[0]++;
        Runnable second = () -> calls[1] += (int) event.take();
        event.addListener(first);
        event.addListener(second);
        event.signal();
        event.signal(5);
        assertThat(calls).containsExactly(2, 6);
        event.removeListener(first);
        event.removeListener(first);
        event.signal();
        assertThat(calls).containsExactly(2, 7);
        assertThat(event.count()).isZero();
    }
}
