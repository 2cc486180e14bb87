package org.softkvm.emulator.run;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.PriorityQueue;
import java.util.concurrent.ConcurrentLinkedQueue;
import org.softkvm.emulator.cpu.Cpu;
import org.softkvm.emulator.decode.Insn;
import org.softkvm.emulator.decode.Op;
import org.softkvm.emulator.exec.Branch;
import org.softkvm.emulator.translate.FastCompilation;
import org.softkvm.emulator.translate.Plan;
import org.softkvm.emulator.translate.Region;
import org.softkvm.emulator.translate.Translator;

/**
 * One vcpu's translated regions: which blocks become regions, when, and when all are given up. Plans are made on the
 * vcpu's thread from blocks that were executed; translation runs in the background.
 */
final class Regions {
    /** Instructions in a plan at most; the size of the bytecode limits it further. */
    private static final int MAX_PLANNED = 160;
    /** Pages that one region may span. */
    private static final int MAX_PAGES = 4;
    /** A block is taken along where it was executed at least this fraction of the entry's executions. */
    private static final int COLD = 16;
    /** Regions kept before all are dropped, so that metaspace stays bounded. */
    private static final int MAX_REGIONS = 8_000;
    /** One in so many transitions through the table becomes a link. */
    private static final int LINK_EVERY = 8;
    /**
     * Nanoseconds: a plan that waits and is executed less than once in such a time is no longer worth the translator's and
     * the compiler's, which take about as long for it. A third of the code that gets hot in a boot is over soon.
     */
    private static final long STALE_PERIOD = 1_000_000;
    /** Plans that wait for the background thread at most. */
    private static final int MAX_WAITING = 256;

    /** Which form regions have that are made at once. */
    enum Form {
        WIDE,
        NARROW,
        /** The address decides. */
        SOME_OF_EACH;

        /** The form that a value of the system property means. */
        static Form of(String narrow) {
            return switch (narrow) {
                case "true" -> NARROW;
                case "half" -> SOME_OF_EACH;
                default -> WIDE;
            };
        }
    }

    private record Job(Plan plan, Block[] blocks, boolean wide) {}

    /** The region is null where there is none; dropped says that it was not tried. */
    private record Done(Job job, Region region, boolean dropped) {}

    private final Cpu c;
    private final BlockCache cache;
    private final ConcurrentLinkedQueue<Done> done = new ConcurrentLinkedQueue<>();
    private final java.util.concurrent.atomic.AtomicInteger waiting = new java.util.concurrent.atomic.AtomicInteger();
    private final ConcurrentLinkedQueue<RunnableRegion> promoted = new ConcurrentLinkedQueue<>();
    private List<RunnableRegion> installed = new ArrayList<>();

    /** Executions of a block after which it is translated; {@code Integer.MAX_VALUE} for never. */
    int threshold = Integer.MAX_VALUE;
    /** Translate at once on the vcpu's thread: for tests. */
    boolean synchronous;
    /** For tests, where translation is synchronous. */
    Form form = Form.of(System.getProperty("softkvm.narrow", "false"));
    /** Emit code that counts instructions. */
    boolean counted;
    /** Emit code that keeps the order of memory accesses, which other vcpus see. */
    boolean shared;

    /** Statistics. */
    long translated;

    /** Statistics: the wide ones of them. */
    long widened;

    /** Statistics: narrow ones that HotSpot had compiled before they ran; any thread adds. */
    final java.util.concurrent.atomic.AtomicLong compiled = new java.util.concurrent.atomic.AtomicLong();

    long failed;
    long emittedBytes;
    long dropped;
    volatile long nanos;

    Regions(Cpu c, BlockCache cache) {
        this.c = c;
        this.cache = cache;
        cache.regions = this;
    }

    /** What runs now, for the sampler; any thread. */
    Region running() {
        return cache.table.running;
    }

    /** The sampler has seen a region so often that HotSpot's best is worth its price; any thread. */
    void promote(RunnableRegion region) {
        promoted.add(region);
        c.request(Cpu.REQ_REGION);
    }

    /**
     * Wide regions for what was promoted. Where the guest stands in the middle of the region, as in a loop that never
     * comes back to the entry, that is where the wide one begins.
     */
    private void widen(RunnableRegion region) {
        if (region.dead() || waiting.get() >= MAX_WAITING) {
            region.samples = 0;
            return;
        }
        Block head = region.blocks[0];
        for (Block b : region.blocks) {
            if (b.rip == c.rip && b.context == c.context && (b.region == null || !RunnableRegion.of(b.region).wide)) {
                head = b;
            }
        }
        if (head != region.blocks[0]) {
            region.samples = 0;
        }
        translate(head, true);
    }

    /** Whether a block that is interpreted once more should have been executed by translated code. */
    boolean fallsBack(Block b) {
        return b.refused || b.unsettled != null || b.region != null;
    }

    /** Whether a block that is about to be executed becomes the entry of a region now. */
    boolean due(Block b) {
        return threshold == 0 ? b.region == null && !b.refused : b.count == threshold;
    }

    /** Whether a region that is made at once becomes a wide one. */
    private boolean wide(Block head) {
        return switch (form) {
            case NARROW -> false;
            case SOME_OF_EACH -> head.rip * 0x9E3779B97F4A7C15L >= 0;
            case WIDE -> true;
        };
    }

    /** A block was executed as often as the threshold says. */
    void hot(Block head) {
        if (head.planned) {
            // It goes on counting, which tells how urgent it is.
            return;
        }
        if (head.region != null || head.unsettled != null || waiting.get() >= MAX_WAITING) {
            head.count = 0;
            return;
        }
        translate(head, synchronous && wide(head));
    }

    private void translate(Block head, boolean wide) {
        Job job = plan(head, wide);
        if (synchronous) {
            install(new Done(job, translate(job.plan), false));
            return;
        }
        if (!wide) {
            for (Block b : job.blocks) {
                // It will soon run inside this region, and is not to become the entry of another until then.
                b.planned = true;
            }
        }
        waiting.incrementAndGet();
        BackgroundTranslator.submit(new BackgroundTranslator.Task() {
            @Override
            public int urgency() {
                return wide ? Integer.MAX_VALUE : job.blocks[0].count;
            }

            private final int countAtFirst = job.blocks[0].count;
            private final long since = System.nanoTime();

            @Override
            public boolean isStale() {
                long waited = System.nanoTime() - since;
                return !wide && waited > STALE_PERIOD && job.blocks[0].count - countAtFirst < waited / STALE_PERIOD;
            }

            @Override
            public void drop() {
                hand(new Done(job, null, true));
            }

            @Override
            public Region translate() {
                return Regions.this.translate(job.plan);
            }

            @Override
            public void compile(Region region) {
                if (!wide && FastCompilation.compile(region)) {
                    compiled.incrementAndGet();
                }
            }

            @Override
            public void finish(Region region) {
                hand(new Done(job, region, false));
            }
        });
    }

    /** Gives the vcpu's thread a result; any thread. */
    private void hand(Done result) {
        done.add(result);
        waiting.decrementAndGet();
        c.request(Cpu.REQ_REGION);
    }

    private Region translate(Plan plan) {
        long begin = System.nanoTime();
        try {
            return Translator.translate(c, plan);
        } catch (RuntimeException e) {
            // Whatever cannot be emitted stays with the interpreter; the statistics tell, and tests fail on it.
            return null;
        } finally {
            nanos += System.nanoTime() - begin;
        }
    }

    /** Takes over what the other threads have found and made. */
    void installDone() {
        for (RunnableRegion r = promoted.poll(); r != null; r = promoted.poll()) {
            widen(r);
        }
        for (Done d = done.poll(); d != null; d = done.poll()) {
            install(d);
        }
    }

    private void install(Done d) {
        if (!d.job.wide) {
            for (Block b : d.job.blocks) {
                b.planned = false;
                b.count = Math.min(b.count, threshold / 2);
            }
        }
        if (d.dropped) {
            d.job.blocks[0].count = 0;
            return;
        }
        if (d.region == null) {
            failed++;
            d.job.blocks[0].refused = true;
            return;
        }
        if (d.job.plan.counted != counted || d.job.plan.shared != shared) {
            d.job.blocks[0].count = 0;
            return;
        }
        Block[] blocks = java.util.Arrays.copyOf(d.job.blocks, d.region.blocks);
        for (Block b : blocks) {
            if (b.context == 0) {
                // Its code was written in the meantime.
                blocks[0].count = 0;
                return;
            }
        }
        if (installed.size() >= MAX_REGIONS) {
            installed.removeIf(RunnableRegion::dead);
            if (installed.size() >= MAX_REGIONS / 4 * 3) {
                dropAll();
            }
        }
        if (blocks[0].region != null) {
            replace(blocks[0].region, d.job.wide);
        }
        RunnableRegion r = new RunnableRegion(d.region, blocks, d.job.wide, cache.table);
        for (Block b : blocks) {
            if (b.copies == null) {
                b.copies = new ArrayList<>(2);
            }
            b.copies.removeIf(RunnableRegion::dead);
            b.copies.add(r);
            if (b != blocks[0] && b.region == null && !d.job.wide) {
                // Mostly it runs inside this region from now on; one that is entered as often again gets its own.
                b.count = 0;
            }
        }
        blocks[0].region = r.code;
        for (int k = 1; k < r.entries.length; k++) {
            Block b = r.entered(k);
            if (b.region == null) {
                b.region = r.entries[k];
            }
        }
        installed.add(r);
        if (!synchronous) {
            RegionSampler.watch(this);
        }
        translated++;
        if (d.job.wide) {
            widened++;
        }
        emittedBytes += d.region.codeSize;
    }

    // ---------------------------------------------------------------- from region to region

    /**
     * A region is entered that the run loop found through its block.
     *
     * @param from the region that was left for it without a link, or null
     */
    void entered(Region from, Region to) {
        cache.table.put(to);
        if (from != null) {
            link(from, to);
        }
    }

    /**
     * What follows a region that has no valid link to it.
     *
     * @return a region that may run now, or null
     */
    Region next(Region from, long rip) {
        Region r = cache.table.find(c, rip);
        if (r == null) {
            return null;
        }
        // Returns go to too many places to remember each: what follows often is linked sooner or later.
        if ((from.enters & LINK_EVERY - 1) == 0) {
            link(from, r);
        }
        return r;
    }

    private static void link(Region from, Region to) {
        if (from.context != 0 && from.linkA != to) {
            from.linkB = from.linkA;
            from.linkA = to;
        }
    }

    /** Gives one region up: nothing leads to it from now on but links that find it dead. */
    private void kill(RunnableRegion r) {
        for (int k = 0; k < r.entries.length; k++) {
            cache.table.remove(r.entries[k]);
            Block b = r.entered(k);
            if (k > 0 && b.region == r.entries[k]) {
                b.region = null;
                b.count = 0;
            }
        }
        r.kill();
    }

    /** Something else is entered where this was, as a region or as a further entry of one. */
    private void replace(Region entry, boolean wide) {
        RunnableRegion r = RunnableRegion.of(entry);
        if (wide || entry == r.code) {
            // What leads to the narrow region has to find the wide one.
            died(r);
        } else {
            cache.table.remove(entry);
        }
    }

    /** A region dies, mostly because code that it was made of was written. Its entry may become hot again. */
    void died(RunnableRegion r) {
        kill(r);
        Block head = r.blocks[0];
        if (head.region == r.code) {
            head.region = null;
            head.count = 0;
        }
    }

    /** Gives all regions up. */
    void dropAll() {
        for (RunnableRegion r : installed) {
            kill(r);
            for (Block b : r.blocks) {
                b.copies = null;
                b.region = null;
                b.count = 0;
            }
        }
        dropped += installed.size();
        installed = new ArrayList<>();
    }

    // ---------------------------------------------------------------- planning

    /** How often a block was executed, as far as it is known: inside regions nothing counts but entries. */
    private static int heat(Block b) {
        int heat = b.region != null ? Math.max(b.count, b.region.enters) : b.count;
        if (b.copies != null) {
            for (RunnableRegion r : b.copies) {
                heat = Math.max(heat, r.code.enters);
            }
        }
        return heat;
    }

    /**
     * Chooses the blocks of a region. A narrow one stays within a function and leaves alone what other regions begin with, so
     * that little is compiled twice; a wide one follows calls and returns and takes copies of everything on its way.
     */
    private Job plan(Block head, boolean wide) {
        Plan plan = new Plan(c.codeBits(), c.stackAddressSize(), c.segLimit[Cpu.CS], counted, shared);
        plan.narrow = !wide;
        List<Block> blocks = new ArrayList<>();
        PriorityQueue<Block> frontier = new PriorityQueue<>(Comparator.comparingInt(b -> -heat(b)));
        java.util.HashSet<Long> seen = new java.util.HashSet<>();
        java.util.HashSet<Long> pages = new java.util.HashSet<>();
        frontier.add(head);
        seen.add(head.rip);
        int size = 0;
        // The entry runs here for the last time before its count decides anything.
        int least = synchronous ? Integer.MIN_VALUE : Math.max(1, heat(head) / COLD);
        while (!frontier.isEmpty()) {
            Block b = frontier.poll();
            if (size + b.insns.length > MAX_PLANNED && size > 0) {
                continue;
            }
            int before = pages.size();
            pages.add(b.host & -4096L);
            if (b.secondPage >= 0) {
                pages.add(b.secondPage);
            }
            if (before > 0 && pages.size() > MAX_PAGES) {
                pages.remove(b.host & -4096L);
                continue;
            }
            blocks.add(b);
            size += b.insns.length;
            for (long rip : wide ? successors(b, plan) : successorsInside(b, plan)) {
                if (seen.add(rip)) {
                    Block next = cache.peek(rip);
                    if (next != null
                            && !wide
                            && (justReturns(next) || plan.goesOnBehind(b.insns[b.insns.length - 1]))) {
                        // Less than a look for its own region; and behind STI there is no looking for one.
                        frontier.add(next);
                        continue;
                    }
                    if (next == null || heat(next) < least) {
                        continue;
                    }
                    if (wide || next.region == null) {
                        frontier.add(next);
                    }
                }
            }
        }
        List<Long> returns = new ArrayList<>();
        for (Block b : blocks) {
            Insn last = b.insns[b.insns.length - 1];
            if (wide && calls(last)) {
                returns.add(last.nextRip);
            }
        }
        for (Block b : blocks) {
            plan.add(new Plan.Piece(b.rip, b.endRip, b.insns, targets(b, returns)));
        }
        return new Job(plan, blocks.toArray(new Block[0]), wide);
    }

    /** Whether an instruction branches to where a register or memory says. */
    static boolean indirect(Insn last) {
        return last.op.owner() == Branch.class
                && switch (last.op.method()) {
                    case "ret", "callIndirect", "jmpIndirect" -> true;
                    default -> false;
                };
    }

    private static long[] targets(Block b, List<Long> returns) {
        Insn last = b.insns[b.insns.length - 1];
        if (!indirect(last)) {
            return new long[0];
        }
        List<Long> all = new ArrayList<>();
        for (int k = 0; k < b.targetCount; k++) {
            all.add(b.targets[k]);
        }
        if (last.op.method().equals("ret")) {
            for (long r : returns) {
                if (!all.contains(r)) {
                    all.add(r);
                }
            }
        }
        long[] out = new long[all.size()];
        for (int k = 0; k < out.length; k++) {
            out[k] = all.get(k);
        }
        return out;
    }

    private static boolean justReturns(Block b) {
        return b.insns.length == 1
                && b.insns[0].op.owner() == Branch.class
                && b.insns[0].op.method().equals("ret");
    }

    private static boolean calls(Insn last) {
        return last.op.owner() == Branch.class && last.op.method().startsWith("call");
    }

    /** The successors within the function; where regions call each other, the place behind a CALL is one. */
    private static long[] successorsInside(Block b, Plan plan) {
        Insn last = b.insns[b.insns.length - 1];
        if (calls(last)) {
            return plan.codeBits == 64 ? new long[] {last.nextRip} : new long[0];
        }
        if (last.op.owner() == Branch.class && last.op.method().equals("ret")) {
            return new long[0];
        }
        return successors(b, plan);
    }

    private static long[] successors(Block b, Plan plan) {
        Insn last = b.insns[b.insns.length - 1];
        Op op = last.op;
        if (!op.endsBlock() || plan.goesOnBehind(last)) {
            return new long[] {b.endRip};
        }
        switch (op.kind()) {
            case JCC -> {
                return new long[] {last.target, last.nextRip};
            }
            case JMP -> {
                return new long[] {last.target};
            }
            default -> {
                if (op.owner() != Branch.class) {
                    return new long[0];
                }
            }
        }
        return switch (op.method()) {
            case "call", "loop", "loope", "loopne", "jcxz" -> new long[] {last.target, last.nextRip};
            default -> {
                boolean call = op.method().equals("callIndirect");
                long[] s = new long[b.targetCount + (call ? 1 : 0)];
                for (int k = 0; k < b.targetCount; k++) {
                    s[k] = b.targets[k];
                }
                if (call) {
                    s[b.targetCount] = last.nextRip;
                }
                yield s;
            }
        };
    }
}
