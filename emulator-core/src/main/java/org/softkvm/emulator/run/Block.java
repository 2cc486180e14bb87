package org.softkvm.emulator.run;

import org.softkvm.emulator.decode.Insn;
import org.softkvm.emulator.exec.Handler;
import org.softkvm.emulator.translate.Region;

/** A run of decoded instructions that is entered at the top: up to a branch, the end of the page or the size limit. */
final class Block {
    /** Offset in CS of the first instruction. */
    final long rip;
    /** Offset in CS behind the last instruction. */
    final long endRip;
    /** The mode bits it was decoded for. */
    final int mode;
    /** Pool offset of the first byte. */
    final long host;
    /** Pool offset of the page where an instruction that crosses pages goes on, or -1. */
    final long secondPage;
    /** Bytes. */
    final int length;
    /** The instructions. */
    final Insn[] insns;

    /**
     * The instructions as they run when nothing demands single ones: the last two may be one, a compare fused with its
     * jump. Indexes before the last agree with {@link #insns}.
     */
    final Insn[] fast;

    /** The handlers of {@link #insns}, apart from them: the next call's target is then known before its operands are. */
    final Handler[] handlers;

    /** The handlers of {@link #fast}. */
    final Handler[] fastHandlers;

    /** It ends with a branch to where a register or memory says. */
    final boolean endsIndirect;

    /**
     * The bytes that it was decoded from, while another vcpu may still change them without a word; then null. Such a block
     * is compared with memory each time it is entered, and {@link #context} is 0.
     */
    byte[] unsettled;

    /** Key under which the block may run without a check: {@code Cpu.context} when it was last validated. */
    long context;
    /** Next in the hash bucket. */
    Block nextInBucket;
    /** Next in the list of blocks of its (first) page. */
    Block nextInPage;
    /** The block that followed last time by falling through or by branching. */
    Block linkA;
    /** The other one. */
    Block linkB;
    /** Executions by the interpreter. */
    int count;
    /** It was to be translated and could not be. */
    boolean refused;
    /** A plan that takes it along waits for the translator. */
    boolean planned;
    /** The region that is entered here, or null. */
    Region region;
    /** Regions that hold a copy of this block; they die with it. */
    java.util.ArrayList<RunnableRegion> copies;
    /** Where an indirect branch at the end went, up to a few; null where there is none. */
    long[] targets;
    /** Places filled in {@link #targets}. */
    int targetCount;

    Block(long rip, long endRip, int mode, long host, long secondPage, int length, Insn[] insns, Insn[] fast) {
        this.rip = rip;
        this.endRip = endRip;
        this.mode = mode;
        this.host = host;
        this.secondPage = secondPage;
        this.length = length;
        this.insns = insns;
        this.fast = fast;
        endsIndirect = Regions.indirect(insns[insns.length - 1]);
        handlers = handlers(insns);
        fastHandlers = fast == insns ? handlers : handlers(fast);
    }

    /** Remembers where the indirect branch at the end went. */
    void sawTarget(long target) {
        if (targets == null) {
            targets = new long[MAX_TARGETS];
        }
        for (int k = 0; k < targetCount; k++) {
            if (targets[k] == target) {
                return;
            }
        }
        if (targetCount < MAX_TARGETS) {
            targets[targetCount++] = target;
        }
    }

    private static final int MAX_TARGETS = 24;

    private static Handler[] handlers(Insn[] insns) {
        Handler[] handlers = new Handler[insns.length];
        for (int k = 0; k < insns.length; k++) {
            handlers[k] = insns[k].handler;
        }
        return handlers;
    }
}
