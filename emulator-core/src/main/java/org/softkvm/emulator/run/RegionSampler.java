package org.softkvm.emulator.run;

import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import org.softkvm.emulator.translate.Region;

/**
 * Finds the regions in which guests spend their time: a thread looks every few milliseconds at what runs. That costs
 * the regions nothing, and measures time where a count of entries would miss a loop that is entered once.
 */
final class RegionSampler implements Runnable {
    /** Milliseconds between two looks. */
    private static final int PERIOD = 5;
    /** Milliseconds between two looks while nothing runs. */
    private static final int IDLE_PERIOD = 50;
    /** Looks that found nothing, after which there is more time between them. */
    private static final int IDLE = 200;
    /** Samples after which a region is promoted. */
    private static final int ENOUGH = 20;

    private static final List<Regions> WATCHED = new CopyOnWriteArrayList<>();
    private static Thread thread;

    private RegionSampler() {}

    /** Watches a vcpu's regions from now on. */
    static void watch(Regions regions) {
        if (WATCHED.contains(regions)) {
            return;
        }
        synchronized (RegionSampler.class) {
            if (!WATCHED.contains(regions)) {
                WATCHED.add(regions);
            }
            if (thread == null) {
                thread = new Thread(new RegionSampler(), "softkvm-sampler");
                thread.setDaemon(true);
                thread.start();
            }
        }
    }

    /** Watches a vcpu's regions no longer; the thread ends with the last one. */
    static void forget(Regions regions) {
        synchronized (RegionSampler.class) {
            WATCHED.remove(regions);
            if (WATCHED.isEmpty() && thread != null) {
                thread.interrupt();
                thread = null;
            }
        }
    }

    @Override
    public void run() {
        int quiet = 0;
        try {
            while (true) {
                Thread.sleep(quiet < IDLE ? PERIOD : IDLE_PERIOD);
                quiet++;
                for (Regions regions : WATCHED) {
                    Region code = regions.running();
                    if (code != null) {
                        quiet = 0;
                        RunnableRegion r = RunnableRegion.of(code);
                        if (!r.wide && ++r.samples == ENOUGH) {
                            regions.promote(r);
                        }
                    }
                }
            }
        } catch (InterruptedException e) {
            // The last vcpu has been closed.
        }
    }
}
