package org.softkvm.devices;

/**
 * A wired OR: up to 64 sources share one line, which is asserted while any of them asserts it. Level-triggered
 * interrupts that several devices share go through one of these.
 */
public final class LineOr {
    private final InterruptLine output;
    private int sources;
    private long asserted;

    /**
     * Creates a gate without sources; its output is taken to be deasserted.
     *
     * @param output the line that the sources share
     */
    public LineOr(InterruptLine output) {
        this.output = output;
    }

    /**
     * Adds a source, deasserted at first.
     *
     * @return the line for the source to drive
     * @throws IllegalStateException when there are 64 sources already
     */
    public InterruptLine newSource() {
        if (sources == Long.SIZE) {
            throw new IllegalStateException("more than " + Long.SIZE + " sources on one line");
        }
        long bit = 1L << sources++;
        return level -> drive(bit, level);
    }

    private void drive(long bit, boolean level) {
        boolean before = asserted != 0;
        asserted = level ? asserted | bit : asserted & ~bit;
        boolean after = asserted != 0;
        if (before != after) {
            output.set(after);
        }
    }
}
