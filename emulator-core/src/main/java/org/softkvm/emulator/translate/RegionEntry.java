package org.softkvm.emulator.translate;

/** A further entry of a narrow region: a block behind a CALL, where control comes back to without the region waiting for it. */
public final class RegionEntry extends Region {
    private final Region code;
    private final int number;

    /**
     * An entry.
     *
     * @param code the region
     * @param number index in {@link Region#entryBlocks} plus one
     */
    public RegionEntry(Region code, int number) {
        this.code = code;
        this.number = number;
        size = code.size;
    }

    @Override
    public int run(int entry) {
        code.around.running = code;
        return code.run(number);
    }
}
