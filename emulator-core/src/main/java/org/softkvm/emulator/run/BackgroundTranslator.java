package org.softkvm.emulator.run;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.Semaphore;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import org.softkvm.emulator.translate.Region;

/**
 * Translates for all vcpus of the process. Plans come in bursts, dozens within a few milliseconds, and one that waits is
 * interpreted meanwhile: so the one that is executed most comes first. Two threads work, because translation competes with
 * the guests for the host's cores: one emits, the other waits for HotSpot's fast compiler.
 */
final class BackgroundTranslator {
    /** Regions that are emitted and not yet compiled, at most: what waits before it is emitted can still be overtaken. */
    private static final int AHEAD = 2;
    /** Seconds without work after which a thread ends. */
    private static final int KEEP_ALIVE = 10;

    private static final ExecutorService TRANSLATOR = thread("softkvm-translator");
    private static final ExecutorService COMPILER = thread("softkvm-compiler");
    private static final Semaphore AHEAD_LEFT = new Semaphore(AHEAD);
    private static final List<Task> WAITING = new ArrayList<>();

    private BackgroundTranslator() {}

    /** A plan to translate. */
    interface Task {
        /** How much is lost while it waits; a larger number is taken first. */
        int urgency();

        /** Whether it has lost its worth while it waited. */
        boolean isStale();

        /** Says that it is not translated. */
        void drop();

        /** Translates; null where that cannot be. */
        Region translate();

        /** Waits for HotSpot, where the region is to be compiled before it runs. */
        void compile(Region region);

        /** Hands the region over, or null. */
        void finish(Region region);
    }

    private static ExecutorService thread(String name) {
        ThreadPoolExecutor e =
                new ThreadPoolExecutor(1, 1, KEEP_ALIVE, TimeUnit.SECONDS, new LinkedBlockingQueue<>(), task -> {
                    Thread t = new Thread(task, name);
                    t.setDaemon(true);
                    return t;
                });
        e.allowCoreThreadTimeOut(true);
        return e;
    }

    /** Translates in the background; any thread. */
    static void submit(Task task) {
        synchronized (WAITING) {
            WAITING.add(task);
        }
        TRANSLATOR.execute(BackgroundTranslator::next);
    }

    private static void next() {
        AHEAD_LEFT.acquireUninterruptibly();
        Task task = mostUrgent();
        if (task.isStale()) {
            AHEAD_LEFT.release();
            task.drop();
            return;
        }
        Region region = null;
        try {
            region = task.translate();
        } finally {
            if (region == null) {
                AHEAD_LEFT.release();
                task.finish(null);
            } else {
                Region made = region;
                COMPILER.execute(() -> compile(task, made));
            }
        }
    }

    private static void compile(Task task, Region region) {
        try {
            task.compile(region);
        } finally {
            AHEAD_LEFT.release();
            task.finish(region);
        }
    }

    private static Task mostUrgent() {
        synchronized (WAITING) {
            int best = 0;
            int most = Integer.MIN_VALUE;
            for (int k = 0; k < WAITING.size(); k++) {
                int urgency = WAITING.get(k).urgency();
                if (urgency > most) {
                    most = urgency;
                    best = k;
                }
            }
            return WAITING.remove(best);
        }
    }
}
