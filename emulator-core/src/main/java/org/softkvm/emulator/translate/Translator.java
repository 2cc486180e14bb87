package org.softkvm.emulator.translate;

import java.lang.invoke.MethodHandles;
import org.softkvm.emulator.cpu.Cpu;

/** Makes regions of plans. It has no state: any thread may translate for any vcpu. */
public final class Translator {
    /**
     * Bytes of bytecode in one region at most: HotSpot never compiles methods of more than 8,000 bytes
     * (HugeMethodLimit), and stops inlining where caller and callees pass about as much together.
     */
    public static final int MAX_CODE = 7_500;

    private Translator() {}

    /**
     * Translates a plan, or as many of its first blocks as fit into the size budget.
     *
     * @param c the vcpu that will run it: its state arrays become constants of the code
     * @param whole the plan
     * @return the region, or null where not even the first block fits
     */
    public static Region translate(Cpu c, Plan whole) {
        Plan plan = whole;
        RegionEmitter emitter = new RegionEmitter(plan);
        emitter.emit();
        while (emitter.codeSize > MAX_CODE) {
            int blocks = plan.pieces.size();
            if (blocks == 1) {
                return null;
            }
            int fewer = (int) ((long) blocks * MAX_CODE * 9 / 10 / emitter.codeSize);
            plan = plan.first(Math.max(1, Math.min(blocks - 1, fewer)));
            emitter = new RegionEmitter(plan);
            emitter.emit();
        }
        RegionDump.write(c, plan, emitter);
        var insns = emitter.siteInsns();
        Region region = define(emitter.bytes, RegionConstants.handover(c, insns));
        var sites = emitter.sites();
        int n = sites.size();
        region.siteInsns = insns;
        region.siteBlock = new int[n];
        region.siteIndex = new int[n];
        region.sitePending = new int[n];
        for (int k = 0; k < n; k++) {
            region.siteBlock[k] = sites.get(k)[0];
            region.siteIndex[k] = sites.get(k)[1];
            region.sitePending[k] = sites.get(k)[2];
        }
        region.codeSize = emitter.codeSize;
        region.size = plan.size();
        region.blocks = plan.pieces.size();
        region.entryBlocks = emitter.entryBlocks();
        return region;
    }

    /** What the class that is being initialized takes its constants from, and leaves its instance in. */
    static Object[] handover;

    private static synchronized Region define(byte[] bytes, Object[] constants) {
        handover = constants;
        try {
            MethodHandles.lookup().defineHiddenClass(bytes, true);
            return RegionConstants.instance(constants);
        } catch (IllegalAccessException e) {
            throw new IllegalStateException(e);
        } finally {
            handover = null;
        }
    }
}
