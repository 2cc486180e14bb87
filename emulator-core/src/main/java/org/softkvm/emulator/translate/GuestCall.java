package org.softkvm.emulator.translate;

import java.lang.invoke.VarHandle;
import org.softkvm.emulator.cpu.Cpu;

/**
 * CALL in narrow regions of 64-bit code whose own code goes on behind it: the region that is called runs as a Java call, and
 * where the guest returns to the place behind CALL, so does Java. Else each CALL and each RET would end a region and look
 * for the next one. As {@link GuestAccess} it is compiled once, by HotSpot's best compiler.
 *
 * <p>Nothing depends on the guest returning: registers and flags are in the Cpu at each call. Where something else has to
 * run first (an event, code that is not translated), all Java calls return and the run loop goes on at RIP.
 */
public final class GuestCall {
    /** Result: the guest has returned, and the region that called goes on. */
    public static final int RETURNED = -3;

    /** Java calls inside each other at most: what a guest's recursion costs of the thread's stack. */
    static final int MAX_DEPTH = 32;

    private GuestCall() {}

    /**
     * Calls.
     *
     * @param target where to; canonical
     * @param next where CALL returns to
     * @param c the vcpu
     * @param from the region that calls
     * @param site the CALL
     * @return {@link #RETURNED}, or what the region that calls has to return at once: {@link Region#LEFT}, {@link
     *     Region#STOPPED}, or the site of {@link RegionTable#running} that was left
     */
    public static int call(long target, long next, Cpu c, Region from, int site) {
        if (GuestStack.push(next, c, site)) {
            return site;
        }
        c.rip = target;
        return follow(c, next, from, false);
    }

    /** As {@link #call}, behind all earlier accesses. */
    public static int sharedCall(long target, long next, Cpu c, Region from, int site) {
        VarHandle.releaseFence();
        return call(target, next, c, from, site);
    }

    /**
     * As {@link #sharedCall} where instructions are counted.
     *
     * @param instructions those before CALL that are not counted yet, and CALL itself
     */
    public static int countedCall(long target, long next, Cpu c, Region from, int site, int instructions) {
        VarHandle.releaseFence();
        if (GuestStack.push(next, c, site)) {
            return site;
        }
        c.rip = target;
        c.instructions += instructions;
        return follow(c, next, from, true);
    }

    private static int follow(Cpu c, long next, Region from, boolean counted) {
        RegionTable around = from.around;
        int depth = around.depth;
        if (depth >= MAX_DEPTH) {
            return Region.LEFT;
        }
        long frame = c.r[Cpu.RSP];
        while (true) {
            Region region = around.find(c, c.rip);
            if (region == null || counted && c.instructionLimit - c.instructions <= region.size) {
                return Region.LEFT;
            }
            around.depth = depth + 1;
            around.running = region;
            region.enters++;
            int result = region.run(0);
            if (result != Region.LEFT || (c.requests() | c.shadow | c.pendingDebug) != 0) {
                return result;
            }
            if (c.r[Cpu.RSP] > frame) {
                // What was called has given up its frame.
                if (c.rip != next
                        || from.context != c.context
                        || counted && c.instructionLimit - c.instructions <= from.size) {
                    return Region.LEFT;
                }
                around.depth = depth;
                around.running = from;
                return RETURNED;
            }
        }
    }
}
