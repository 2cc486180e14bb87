package org.softkvm.emulator.run;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.softkvm.emulator.translate.Region;

/** No test here depends on how fast the host is. */
@Timeout(60)
class BackgroundTranslatorTest {
    private static final class Nothing extends Region {
        @Override
        public int run(int entry) {
            return LEFT;
        }
    }

    /** Writes down what happens to it. */
    private class Task implements BackgroundTranslator.Task {
        private final String name;
        private final AtomicInteger urgency;

        Task(String name, int urgency) {
            this.name = name;
            this.urgency = new AtomicInteger(urgency);
        }

        @Override
        public int urgency() {
            return urgency.get();
        }

        @Override
        public boolean isStale() {
            return false;
        }

        @Override
        public void drop() {
            events.add("drop " + name);
            finished.countDown();
        }

        @Override
        public Region translate() {
            events.add("translate " + name);
            return new Nothing();
        }

        @Override
        public void compile(Region region) {
            events.add("compile " + name);
        }

        @Override
        public void finish(Region region) {
            events.add((region == null ? "give up " : "finish ") + name);
            finished.countDown();
        }
    }

    private final List<String> events = Collections.synchronizedList(new ArrayList<>());
    private CountDownLatch finished;

    @Test
    void whatIsExecutedMostComesFirst() throws InterruptedException {
        finished = new CountDownLatch(4);
        CountDownLatch begun = new CountDownLatch(1);
        CountDownLatch go = new CountDownLatch(1);
        BackgroundTranslator.submit(new Task("first", 0) {
            @Override
            public Region translate() {
                begun.countDown();
                try {
                    go.await();
                } catch (InterruptedException e) {
                    throw new IllegalStateException(e);
                }
                return super.translate();
            }
        });
        begun.await();
        BackgroundTranslator.submit(new Task("cold", 1));
        Task warming = new Task("warming", 2);
        BackgroundTranslator.submit(warming);
        BackgroundTranslator.submit(new Task("hot", 30));
        // It is looked at when the next one is chosen, not when it is submitted.
        warming.urgency.set(20);
        go.countDown();
        finished.await();
        assertThat(events.stream().filter(e -> e.startsWith("translate")))
                .containsExactly("translate first", "translate hot", "translate warming", "translate cold");
        assertThat(events.stream().filter(e -> e.endsWith(" hot")))
                .containsExactly("translate hot", "compile hot", "finish hot");
    }

    @Test
    void whatCannotBeTranslatedIsHandedBack() throws InterruptedException {
        finished = new CountDownLatch(6);
        for (int k = 0; k < 5; k++) {
            BackgroundTranslator.submit(new Task("none", 0) {
                @Override
                public Region translate() {
                    return null;
                }
            });
        }
        BackgroundTranslator.submit(new Task("some", 0));
        finished.await();
        assertThat(events)
                .contains("finish some")
                .filteredOn("give up none"::equals)
                .hasSize(5);
    }

    @Test
    void aFaultOfHotSpotsLeavesTheRegion() throws InterruptedException {
        finished = new CountDownLatch(4);
        for (int k = 0; k < 4; k++) {
            BackgroundTranslator.submit(new Task("odd", 0) {
                @Override
                public void compile(Region region) {
                    Thread.currentThread().setUncaughtExceptionHandler((thread, e) -> {});
                    throw new IllegalStateException("not compiled");
                }
            });
        }
        finished.await();
        assertThat(events).filteredOn("finish odd"::equals).hasSize(4);
    }

    @Test
    void whatIsOverIsDropped() throws InterruptedException {
        finished = new CountDownLatch(2);
        BackgroundTranslator.submit(new Task("over", 0) {
            @Override
            public boolean isStale() {
                return true;
            }
        });
        BackgroundTranslator.submit(new Task("other", 0));
        finished.await();
        assertThat(events).containsExactlyInAnyOrder("drop over", "translate other", "compile other", "finish other");
    }
}
