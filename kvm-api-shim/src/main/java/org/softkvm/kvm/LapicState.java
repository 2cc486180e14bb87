package org.softkvm.kvm;

/** The registers of a local APIC as they lie in its page ({@code struct kvm_lapic_state}); made once and reused. */
public final class LapicState {
    /** Size of the state in bytes. */
    public static final int SIZE = 1024;

    private final int[] registers = new int[SIZE / 16];

    /** Makes a state of which every register is 0. */
    public LapicState() {}

    /**
     * Reads a register.
     *
     * @param offset its offset in the page, a multiple of 16 below 1024 (Intel SDM volume 3, table 12-1)
     * @return its value
     * @throws IllegalArgumentException where there is no register at that offset
     */
    public int get(int offset) {
        return registers[index(offset)];
    }

    /**
     * Writes a register.
     *
     * @param offset its offset in the page, a multiple of 16 below 1024
     * @param value the value
     * @throws IllegalArgumentException where there is no register at that offset
     */
    public void set(int offset, int value) {
        registers[index(offset)] = value;
    }

    private static int index(int offset) {
        if (offset < 0 || offset >= SIZE || (offset & 15) != 0) {
            throw new IllegalArgumentException("no local APIC register at offset 0x" + Integer.toHexString(offset));
        }
        return offset >> 4;
    }
}
