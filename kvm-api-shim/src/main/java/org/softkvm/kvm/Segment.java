package org.softkvm.kvm;

/** A segment register with its hidden part ({@code struct kvm_segment}). */
public final class Segment {
    /** Linear address of the first byte. */
    public long base;
    /** Offset of the last byte, scaled (in bytes, whatever {@link #g} says). */
    public int limit;
    /** The visible part, 16 bits. */
    public int selector;
    /** Type of the descriptor, 4 bits. */
    public int type;
    /** 1 where the segment is present. */
    public int present;
    /** Privilege level of the descriptor, 0 to 3. */
    public int dpl;
    /** 1 for a 32-bit segment (the D or B bit). */
    public int db;
    /** 1 for code or data, 0 for a system segment. */
    public int s;
    /** 1 for 64-bit code. */
    public int l;
    /** 1 where the limit of the descriptor counts pages. */
    public int g;
    /** The bit that is left to software. */
    public int avl;
    /** 1 where the register holds no segment (a null selector). */
    public int unusable;

    /** Makes a segment register of which everything is 0. */
    public Segment() {}

    /**
     * Makes this one equal to another.
     *
     * @param other the one to copy
     */
    public void set(Segment other) {
        base = other.base;
        limit = other.limit;
        selector = other.selector;
        type = other.type;
        present = other.present;
        dpl = other.dpl;
        db = other.db;
        s = other.s;
        l = other.l;
        g = other.g;
        avl = other.avl;
        unusable = other.unusable;
    }
}
