package org.softkvm.emulator.run;

import java.lang.invoke.VarHandle;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import org.softkvm.emulator.HostMemory;
import org.softkvm.emulator.cpu.CodeFence;
import org.softkvm.emulator.cpu.CodeListener;
import org.softkvm.emulator.cpu.CodePages;
import org.softkvm.emulator.cpu.Cpu;
import org.softkvm.emulator.cpu.GuestExit;
import org.softkvm.emulator.cpu.GuestFault;
import org.softkvm.emulator.cpu.Mmu;
import org.softkvm.emulator.decode.Decoder;
import org.softkvm.emulator.decode.Insn;
import org.softkvm.emulator.decode.Op;
import org.softkvm.emulator.exec.Handler;
import org.softkvm.emulator.exec.HandlerFactory;
import org.softkvm.emulator.translate.RegionTable;

/**
 * One vcpu's decoded blocks: a direct-mapped table by RIP in front, a hash by host address behind, and for each host page
 * the list of its blocks, so that a store into code finds what it changed.
 */
public final class BlockCache implements CodeListener {
    private static final int FRONT_SIZE = 1 << 15;
    private static final int BUCKETS = 1 << 16;
    private static final int MAX_INSNS = 48;
    private static final int MAX_LENGTH = 15;
    private static final int MAX_BYTES = MAX_INSNS * MAX_LENGTH;
    /** Blocks kept before everything is dropped. */
    private static final int MAX_BLOCKS = 400_000;

    private final Cpu c;
    private final Decoder decoder;
    private final Block[] front = new Block[FRONT_SIZE];
    private final Block[] buckets = new Block[BUCKETS];
    private final Map<Long, Block> pages = new HashMap<>();
    /** Pages that other vcpus may still write to without a word. */
    private final Map<Long, CodeFence> unsettled = new HashMap<>();

    private final Insn[] buffer = new Insn[MAX_INSNS];
    private int blocks;

    /** Blocks decoded so far (statistics). */
    long decoded;

    /** The block that runs now; a store into it ends it after the present instruction. */
    Block running;

    /** What is made of the blocks. */
    Regions regions;

    /** What is entered where. */
    final RegionTable table = new RegionTable();

    BlockCache(Cpu c) {
        this.c = c;
        this.decoder = new Decoder(c);
        c.codeListener = this;
    }

    /**
     * The block at the present CS:RIP. Faults of the fetch are thrown.
     *
     * @return a valid block with at least one instruction
     */
    Block current() {
        long rip = c.rip;
        int slot = (int) (rip ^ rip >>> 15) & FRONT_SIZE - 1;
        Block b = front[slot];
        if (b != null && b.rip == rip) {
            if (b.context == c.context) {
                return b;
            }
            // After a change of the mapping most blocks are still where they were; a dead one has no context.
            if (b.context != 0
                    && b.mode == (int) (c.context & 0xFF)
                    && b.host == Mmu.fetchHost(c, rip)
                    && stillFits(b)) {
                b.context = c.context;
                return b;
            }
        }
        b = lookUp(rip);
        front[slot] = b;
        return b;
    }

    private Block lookUp(long rip) {
        long host = Mmu.fetchHost(c, rip);
        int mode = (int) (c.context & 0xFF);
        int bucket = bucket(host);
        for (Block b = buckets[bucket]; b != null; b = b.nextInBucket) {
            if (b.host == host && b.rip == rip && b.mode == mode && stillFits(b)) {
                if (b.unsettled == null) {
                    b.context = c.context;
                    return b;
                }
                if (settle(b)) {
                    return b;
                }
                break;
            }
        }
        return decode(rip, host, mode, bucket);
    }

    /**
     * A decoded block without any effect on the guest: for the planning of regions.
     *
     * @param rip offset in CS
     * @return a block that may run in the present context, or null
     */
    Block peek(long rip) {
        Block b = front[(int) (rip ^ rip >>> 15) & FRONT_SIZE - 1];
        if (b != null && b.rip == rip && b.context == c.context && b.unsettled == null) {
            return b;
        }
        long host = Mmu.fetchProbe(c, rip);
        if (host < 0) {
            return null;
        }
        int mode = (int) (c.context & 0xFF);
        for (Block x = buckets[bucket(host)]; x != null; x = x.nextInBucket) {
            if (x.host == host && x.rip == rip && x.mode == mode && x.secondPage < 0 && x.unsettled == null) {
                return x;
            }
        }
        return null;
    }

    private static int bucket(long host) {
        return (int) (host ^ host >>> 16) & BUCKETS - 1;
    }

    private boolean stillFits(Block b) {
        if (!c.mode64 && b.rip + b.length - 1 > c.segLimit[Cpu.CS]) {
            return false;
        }
        if (b.secondPage < 0) {
            return true;
        }
        return (Mmu.fetchHost(c, b.endRip - 1) & -4096L) == b.secondPage;
    }

    private Block decode(long rip, long host, int mode, int bucket) {
        if (blocks >= MAX_BLOCKS) {
            clear();
        }
        // Marked before the bytes are read: a store that comes in between is reported.
        boolean settled = mark(host);
        byte[] bytes = settled ? null : bytes(host, -1, Math.min(MAX_BYTES, (int) (4096 - (host & 4095))));
        int n = 0;
        long at = rip;
        long second = -1;
        int length = 0;
        int room = (int) (4096 - (host & 4095));
        while (n < MAX_INSNS) {
            Insn i;
            try {
                i = decoder.decode(at);
            } catch (GuestFault | GuestExit e) {
                if (n > 0) {
                    // The instructions before it run first; the fault comes when it is reached.
                    c.exit = 0;
                    break;
                }
                throw e;
            }
            if (length + i.length > room) {
                if (n > 0) {
                    break;
                }
                second = Mmu.fetchHost(c, i.nextRip - 1 & (c.mode64 ? -1L : 0xFFFFFFFFL)) & -4096L;
                settled = mark(second) && settled;
                if (!settled) {
                    bytes = bytes(host, second, MAX_LENGTH);
                }
                // Decoded again now that both pages are watched.
                i = decoder.decode(at);
            }
            buffer[n++] = i;
            length += i.length;
            if (i.nextRip < at && !c.mode64) {
                at = i.nextRip;
                break;
            }
            at = i.nextRip;
            if (i.op.endsBlock() || i.rep != 0 && i.op.isCommitsParts() || length >= room) {
                break;
            }
        }
        Insn[] insns = Arrays.copyOf(buffer, n);
        Block b = new Block(rip, at, mode, host, second, length, insns, fuse(insns));
        if (settled) {
            b.context = c.context;
        } else {
            b.unsettled = Arrays.copyOf(bytes, length);
        }
        b.nextInBucket = buckets[bucket];
        buckets[bucket] = b;
        register(host & -4096L, b);
        if (second >= 0) {
            // A block that crosses pages is alone in the second page's list through an entry of its own.
            Block twin = new Block(rip, at, mode, host, second, length, b.insns, b.fast);
            twin.linkA = b;
            register(second, twin);
        }
        blocks++;
        decoded++;
        return b;
    }

    /** Fuses the last two instructions where they are a compare and its jump. */
    private Insn[] fuse(Insn[] insns) {
        int n = insns.length;
        if (n < 2 || insns[n - 1].op.kind() != Op.Kind.JCC) {
            return insns;
        }
        Insn jump = insns[n - 1];
        if (!c.mode64 && jump.target > c.segLimit[Cpu.CS]) {
            return insns;
        }
        boolean own = regions.threshold == Integer.MAX_VALUE;
        Handler handler = HandlerFactory.fused(insns[n - 2], jump, c.codeBits(), own);
        if (handler == null) {
            return insns;
        }
        Insn[] fast = Arrays.copyOf(insns, n - 1);
        // Not decoded once more: another vcpu may have changed the bytes, and the handler is made for these operands.
        Insn pair = insns[n - 2].copy();
        pair.handler = handler;
        pair.target = jump.target;
        pair.jumpCondition = (byte) jump.op.condition();
        fast[n - 2] = pair;
        return fast;
    }

    /** Marks a page as code; false where other vcpus may still write to it unnoticed. */
    private boolean mark(long host) {
        long page = host & -4096L;
        if (!pages.containsKey(page)) {
            pages.put(page, null);
            boolean first = CodePages.count(page, 1) == 0;
            c.dropWriteEntries(page);
            CodeFence fence = c.memory.codePageMarked(this, page, first);
            if (!fence.passed()) {
                unsettled.put(page, fence);
            }
            VarHandle.fullFence();
        }
        return isSettled(page);
    }

    private boolean isSettled(long page) {
        if (unsettled.isEmpty()) {
            return true;
        }
        CodeFence fence = unsettled.get(page);
        if (fence == null) {
            return true;
        }
        if (fence.passed()) {
            unsettled.remove(page);
            return true;
        }
        return false;
    }

    /** Bytes of code: from a place on to the end of its page, then from the start of a second one. */
    private static byte[] bytes(long host, long second, int length) {
        byte[] bytes = new byte[length];
        int room = (int) (4096 - (host & 4095));
        for (int k = 0; k < length; k++) {
            bytes[k] = (byte) HostMemory.getByte(k < room ? host + k : second + (k - room));
        }
        return bytes;
    }

    /** Whether a block whose page is being made to report stores is still what memory holds; if not, it is dropped. */
    private boolean settle(Block b) {
        // In this order: what was written before all stores are noticed is seen by the comparison.
        boolean settled = isSettled(b.host & -4096L) && (b.secondPage < 0 || isSettled(b.secondPage));
        if (!Arrays.equals(b.unsettled, bytes(b.host, b.secondPage, b.length))) {
            codeWritten(b.host, 1);
            return false;
        }
        if (settled) {
            b.unsettled = null;
            b.context = c.context;
        }
        return true;
    }

    @Override
    public boolean hasCode(long hostOffset) {
        return pages.containsKey(hostOffset & -4096L);
    }

    private void register(long page, Block b) {
        b.nextInPage = pages.get(page);
        pages.put(page, b);
    }

    @Override
    public void codeWritten(long hostOffset, long length) {
        long page = hostOffset & -4096L;
        if (!pages.containsKey(page)) {
            return;
        }
        Block kept = null;
        Block next;
        for (Block b = pages.get(page); b != null; b = next) {
            next = b.nextInPage;
            boolean hit;
            if ((b.host & -4096L) == page) {
                hit = hostOffset < b.host + b.length && b.host < hostOffset + length;
            } else {
                int inSecond = (int) (b.length - (4096 - (b.host & 4095)));
                hit = hostOffset < page + inSecond && page < hostOffset + length;
            }
            if (hit) {
                invalidate((b.host & -4096L) == page || b.linkA == null ? b : b.linkA);
            } else {
                b.nextInPage = kept;
                kept = b;
            }
        }
        pages.put(page, kept);
        if (kept == null) {
            pages.remove(page);
            unsettled.remove(page);
            CodePages.count(page, -1);
        }
    }

    private void invalidate(Block b) {
        int bucket = bucket(b.host);
        Block before = null;
        for (Block x = buckets[bucket]; x != null; x = x.nextInBucket) {
            if (x == b) {
                if (before == null) {
                    buckets[bucket] = x.nextInBucket;
                } else {
                    before.nextInBucket = x.nextInBucket;
                }
                blocks--;
                break;
            }
            before = x;
        }
        kill(b);
        if (b == running) {
            c.stopAfterInsn();
        }
    }

    private void kill(Block b) {
        b.context = 0;
        b.linkA = null;
        b.linkB = null;
        b.region = null;
        if (b.copies != null) {
            for (RunnableRegion r : b.copies) {
                regions.died(r);
                if (r.code == table.running) {
                    c.stopAfterInsn();
                }
            }
            b.copies = null;
        }
    }

    /** Drops everything. */
    void clear() {
        Arrays.fill(front, null);
        for (int k = 0; k < BUCKETS; k++) {
            for (Block b = buckets[k]; b != null; b = b.nextInBucket) {
                kill(b);
            }
            buckets[k] = null;
        }
        for (long page : pages.keySet()) {
            CodePages.count(page, -1);
        }
        pages.clear();
        unsettled.clear();
        blocks = 0;
    }
}
