package org.softkvm.devices.apic;

/**
 * A message on the APIC bus, encoded in a long so that none is ever allocated. The layout is that of the interrupt
 * command register in x2APIC mode (Intel SDM volume 3, "Interrupt Command Register (ICR)" and figure "Interrupt
 * Command Register in x2APIC Mode"):
 *
 * <pre>
 * 63-32 destination   15 trigger mode (1 = level)   14 level (1 = assert)   11 destination mode (1 = logical)
 * 10-8 delivery mode  7-0 vector
 * </pre>
 *
 * The other bits are zero: shorthands are resolved by the sender. The destination {@link #BROADCAST} means every local
 * APIC, in physical and logical mode; senders that have destinations of 8 bits use {@link #widenDestination}.
 */
public final class ApicMessage {
    /** Delivery mode: to all processors of the destination, at the vector given. */
    public static final int FIXED = 0;

    /** Delivery mode: as fixed, but to the one processor of the destination that runs at the lowest priority. */
    public static final int LOWEST_PRIORITY = 1;

    /** Delivery mode: system management interrupt. */
    public static final int SMI = 2;

    /** Delivery mode: non-maskable interrupt. */
    public static final int NMI = 4;

    /** Delivery mode: INIT request. */
    public static final int INIT = 5;

    /** Delivery mode: start-up; the vector is the page number of the code. */
    public static final int STARTUP = 6;

    /** Delivery mode: an interrupt of an 8259A, whose vector the processor fetches with an INTA cycle. */
    public static final int EXTINT = 7;

    /** The destination that means every local APIC. */
    public static final int BROADCAST = 0xFFFFFFFF;

    static final int DESTINATION_MODE = 1 << 11;
    static final int LEVEL_ASSERT = 1 << 14;
    static final int TRIGGER_LEVEL = 1 << 15;

    private static final int LOW_BITS = 0xFF | 7 << 8 | DESTINATION_MODE | LEVEL_ASSERT | TRIGGER_LEVEL;

    private ApicMessage() {}

    /**
     * Encodes a message.
     *
     * @param deliveryMode one of the constants of this class, 0..7
     * @param vector 0..255
     * @param destination the APIC id or the logical destination, 32 bits
     * @param logical whether the destination is a logical one
     * @param levelTriggered the trigger mode
     * @return the message, asserted
     */
    public static long of(int deliveryMode, int vector, int destination, boolean logical, boolean levelTriggered) {
        int low = vector & 0xFF
                | (deliveryMode & 7) << 8
                | (logical ? DESTINATION_MODE : 0)
                | LEVEL_ASSERT
                | (levelTriggered ? TRIGGER_LEVEL : 0);
        return (long) destination << 32 | low;
    }

    /**
     * Makes a message of the low half of an interrupt command register or a redirection entry, which share their
     * layout, and a destination. Bits that are no part of a message are dropped.
     *
     * @param low vector, delivery mode, destination mode, level and trigger mode at their places
     * @param destination the APIC id or the logical destination, 32 bits
     * @return the message
     */
    public static long ofRegister(int low, int destination) {
        return (long) destination << 32 | low & LOW_BITS;
    }

    /**
     * Widens a destination of 8 bits: FFh is a broadcast in both destination modes.
     *
     * @param destination 0..255
     * @return the destination, or {@link #BROADCAST}
     */
    public static int widenDestination(int destination) {
        return destination == 0xFF ? BROADCAST : destination;
    }

    /**
     * The same message with another delivery mode.
     *
     * @param message the message
     * @param deliveryMode the other delivery mode
     * @return the message with that delivery mode
     */
    public static long withDeliveryMode(long message, int deliveryMode) {
        return message & ~(7L << 8) | (deliveryMode & 7L) << 8;
    }

    /**
     * The vector.
     *
     * @param message the message
     * @return 0..255
     */
    public static int vector(long message) {
        return (int) message & 0xFF;
    }

    /**
     * The delivery mode.
     *
     * @param message the message
     * @return 0..7, see the constants of this class
     */
    public static int deliveryMode(long message) {
        return (int) message >>> 8 & 7;
    }

    /**
     * The destination.
     *
     * @param message the message
     * @return the APIC id or the logical destination, 32 bits
     */
    public static int destination(long message) {
        return (int) (message >>> 32);
    }

    /**
     * Whether the destination is a logical one.
     *
     * @param message the message
     * @return true for logical, false for physical
     */
    public static boolean isLogical(long message) {
        return (message & DESTINATION_MODE) != 0;
    }

    /**
     * The trigger mode.
     *
     * @param message the message
     * @return true for level, false for edge
     */
    public static boolean isLevelTriggered(long message) {
        return (message & TRIGGER_LEVEL) != 0;
    }

    /**
     * The level: deasserted messages exist for INIT only, where they do nothing on the processors modelled here.
     *
     * @param message the message
     * @return true for assert
     */
    public static boolean isAsserted(long message) {
        return (message & LEVEL_ASSERT) != 0;
    }
}
