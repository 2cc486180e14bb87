package org.softkvm.emulator.cpu;

import org.softkvm.emulator.decode.Feature;

/**
 * The frame that a far call or the delivery of an event pushes, perhaps on the stack of an inner privilege level. First
 * the stack is chosen, then room for the whole frame is checked (limits, paging), then it is written, and only
 * {@link #commit} changes SS and the stack pointer: a fault leaves the vcpu as it was. One object per vcpu.
 */
public final class StackFrame {
    /** Parameters that a call gate copies; read before anything is written. */
    public final long[] parameters = new long[32];

    private final Cpu c;
    private boolean flat;
    private boolean user;
    private boolean switched;
    private int selector;
    private int level;
    private long descriptor;
    private long low;
    private long high;
    private long mask;
    private long pointer;

    StackFrame(Cpu c) {
        this.c = c;
    }

    /** Chooses the present stack, in its own size. */
    public void current() {
        flat = c.mode64;
        user = true;
        switched = false;
        low = c.segWriteLow[Cpu.SS];
        high = c.segWriteHigh[Cpu.SS];
        mask = c.spMask(-1L);
        pointer = c.sp();
    }

    /**
     * Chooses the present stack of long mode with another stack pointer; SS stays.
     *
     * @param rsp stack pointer
     */
    public void currentLong(long rsp) {
        flat = true;
        user = c.cpl == 3;
        switched = false;
        mask = -1L;
        pointer = rsp;
    }

    /**
     * Chooses the stack of an inner level in long mode: SS becomes null with the level as its RPL.
     *
     * @param newLevel privilege level
     * @param rsp stack pointer
     */
    public void innerLong(int newLevel, long rsp) {
        flat = true;
        user = false;
        switched = true;
        level = newLevel;
        selector = newLevel;
        descriptor = 0;
        mask = -1L;
        pointer = rsp;
    }

    /**
     * A stack pointer from the 64-bit TSS.
     *
     * @param offset its offset in the TSS
     * @param ext EXT bit of error codes
     * @return the stack pointer
     */
    public long pointerFromTss(int offset, int ext) {
        if (offset + 7 > c.segLimit[Cpu.TR]) {
            throw c.fault(Vector.TS, Descriptors.error(c.segSel[Cpu.TR], ext));
        }
        return c.sysRead(c.segBase[Cpu.TR] + offset, 8);
    }

    /**
     * Chooses the stack of an inner level from the 16- or 32-bit TSS, with all checks.
     *
     * @param newLevel privilege level, 0 to 2
     * @param ext EXT bit of error codes
     */
    public void inner(int newLevel, int ext) {
        boolean tss32 = (c.segAttr[Cpu.TR] & 8) != 0;
        int offset = tss32 ? newLevel * 8 + 4 : newLevel * 4 + 2;
        if (offset + (tss32 ? 5 : 3) > c.segLimit[Cpu.TR]) {
            throw c.fault(Vector.TS, Descriptors.error(c.segSel[Cpu.TR], ext));
        }
        long address = c.segBase[Cpu.TR] + offset;
        long sp = c.sysRead(Descriptors.linear(c, address), tss32 ? 4 : 2);
        int ss = (int) c.sysRead(Descriptors.linear(c, address + (tss32 ? 4 : 2)), 2);
        if (Descriptors.isNull(ss)) {
            throw c.fault(Vector.TS, ext);
        }
        long d = Descriptors.fetch(c, ss, Vector.TS, ext);
        int error = Descriptors.error(ss, ext);
        if ((ss & 3) != newLevel || Descriptors.dpl(d) != newLevel || !Descriptors.isWritableData(d)) {
            throw c.fault(Vector.TS, error);
        }
        if (!Descriptors.isPresent(d)) {
            throw c.fault(Vector.SS, error);
        }
        flat = false;
        user = false;
        switched = true;
        level = newLevel;
        selector = ss;
        descriptor = d;
        boolean big = Descriptors.isBig(d);
        boolean down = (Descriptors.type(d) & 4) != 0;
        long limit = Descriptors.limit(d);
        low = down ? limit + 1 : 0;
        high = down ? (big ? 0xFFFFFFFFL : 0xFFFF) : limit;
        mask = big ? 0xFFFFFFFFL : 0xFFFF;
        pointer = sp & mask;
    }

    /**
     * Checks that a frame fits: every slot within the stack's limits and writable.
     *
     * @param count slots
     * @param size bytes a slot
     * @param ext EXT bit of error codes
     */
    public void check(int count, int size, int ext) {
        long saved = c.tlbTag;
        if (!user) {
            c.tlbTag = c.supervisorTag();
        }
        try {
            long at = pointer;
            for (int k = 0; k < count; k++) {
                at = at - size & mask;
                c.checkWrite(linear(at, size, ext), size);
            }
        } finally {
            c.tlbTag = saved;
        }
    }

    /** Sets the accessed bit of a new stack segment: after all checks, before the first push. */
    public void accessed() {
        if (switched && !flat) {
            descriptor = Descriptors.accessed(c, selector, descriptor);
        }
    }

    /**
     * Pushes into the frame; room was checked.
     *
     * @param size bytes
     * @param value low bytes count
     */
    public void push(int size, long value) {
        pointer = pointer - size & mask;
        long la = linear(pointer, size, 0);
        if (user) {
            c.write(la, size, value);
        } else {
            c.sysWrite(la, size, value);
        }
    }

    private long linear(long offset, int size, int ext) {
        if (flat) {
            if (offset << 16 >> 16 != offset || offset + size - 1 << 16 >> 16 != offset + size - 1) {
                throw c.fault(Vector.SS, ext);
            }
            return offset;
        }
        if (offset < low || offset + size - 1 > high) {
            if (!c.model.has(Feature.I286)) {
                return c.stackWrite(offset, size);
            }
            throw c.fault(Vector.SS, switched ? Descriptors.error(selector, ext) : ext);
        }
        return (switched ? Descriptors.base(descriptor) : c.segBase[Cpu.SS]) + offset & 0xFFFFFFFFL;
    }

    /** Makes the chosen stack and its new pointer current. The CPL and flags must be the new ones already. */
    public void commit() {
        if (switched) {
            if (flat) {
                Segmentation.loadNull(c, Cpu.SS, selector, level);
            } else {
                Segmentation.set(c, Cpu.SS, selector, descriptor);
            }
        }
        if (flat) {
            c.r[Cpu.RSP] = pointer;
        } else if (mask == 0xFFFF) {
            c.set16(Cpu.RSP, (int) pointer);
        } else {
            c.r[Cpu.RSP] = pointer;
        }
    }
}
