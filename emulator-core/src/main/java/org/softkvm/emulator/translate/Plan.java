package org.softkvm.emulator.translate;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.softkvm.emulator.decode.Insn;
import org.softkvm.emulator.exec.SystemOps;

/**
 * What a region is made of: decoded blocks of one vcpu and one decode context. The first block is the entry; the others
 * stand in the order of their worth, so that a region that came out too large is cut from the end.
 */
public final class Plan {
    /**
     * A block of the region.
     *
     * @param rip offset in CS of the first instruction
     * @param endRip offset in CS behind the last one
     * @param insns the instructions
     * @param targets where an indirect branch at its end went, best first
     */
    public record Piece(long rip, long endRip, Insn[] insns, long[] targets) {}

    /** The blocks. */
    public final List<Piece> pieces = new ArrayList<>();

    /** 16, 32 or 64. */
    public final int codeBits;
    /** Bytes of the stack pointer: 2, 4 or 8. */
    public final int stackSize;
    /** The limit of CS; not looked at in 64-bit code. */
    public final long codeLimit;
    /** Instructions are counted, and a run may be bounded. */
    public final boolean counted;
    /** Other vcpus see the order of memory accesses. */
    public final boolean shared;
    /**
     * The region is one of the many that stay within a function. Its class is called {@code Region$Narrow} instead of
     * {@code Region$Code}, so that the launcher can tell HotSpot to spend little time on it.
     */
    public boolean narrow;

    private final Map<Long, Integer> byRip = new HashMap<>();

    /**
     * An empty plan.
     *
     * @param codeBits 16, 32 or 64
     * @param stackSize bytes of the stack pointer
     * @param codeLimit limit of CS
     * @param counted whether instructions are counted
     * @param shared whether other vcpus see the order of memory accesses
     */
    public Plan(int codeBits, int stackSize, long codeLimit, boolean counted, boolean shared) {
        this.codeBits = codeBits;
        this.stackSize = stackSize;
        this.codeLimit = codeLimit;
        this.counted = counted;
        this.shared = shared;
    }

    /**
     * Appends a block.
     *
     * @param piece the block; its RIP must be new
     */
    public void add(Piece piece) {
        byRip.put(piece.rip(), pieces.size());
        pieces.add(piece);
    }

    /**
     * Finds a block by its first instruction.
     *
     * @param rip offset in CS
     * @return its index, or -1
     */
    public int find(long rip) {
        return byRip.getOrDefault(rip, -1);
    }

    /**
     * Whether a region may go on behind an instruction that ends its block for the sake of interrupts: STI, where nobody
     * counts instructions.
     *
     * @param last the last instruction of a block
     * @return true for STI
     */
    public boolean goesOnBehind(Insn last) {
        return !counted
                && last.op.owner() == SystemOps.class
                && last.op.method().equals("sti");
    }

    /** Guest instructions in all blocks. */
    public int size() {
        int n = 0;
        for (Piece p : pieces) {
            n += p.insns().length;
        }
        return n;
    }

    /**
     * The same with fewer blocks.
     *
     * @param count blocks kept, at least 1
     * @return a new plan
     */
    public Plan first(int count) {
        Plan p = new Plan(codeBits, stackSize, codeLimit, counted, shared);
        p.narrow = narrow;
        for (int k = 0; k < count; k++) {
            p.add(pieces.get(k));
        }
        return p;
    }
}
