package org.softkvm.devices.apic;

/**
 * Message signalled interrupts: memory writes to FEE00000h..FEEFFFFFh that become APIC bus messages (Intel SDM volume
 * 3, "Message Signalled Interrupts").
 *
 * <p>Address: bits 19-12 destination, bit 3 redirection hint, bit 2 destination mode. Bits 63-40 hold bits 31-8 of the
 * destination, as in KVM's x2APIC format of {@code kvm_msi.address_hi}. Data: vector, delivery mode, level and trigger
 * mode at the places they have in {@link ApicMessage}.
 */
public final class MsiMessage {
    /** The first address of the window. */
    public static final long BASE = 0xFEE00000L;

    /** The length of the window in bytes. */
    public static final long LENGTH = 0x100000L;

    private static final long REDIRECTION_HINT = 1 << 3;
    private static final long LOGICAL = 1 << 2;

    private MsiMessage() {}

    /**
     * Whether a write to this address is a message signalled interrupt.
     *
     * @param address the address; what is above 32 bits holds the high part of the destination
     * @return true inside the window
     */
    public static boolean isMsiAddress(long address) {
        return (address & 0xFFF00000L) == BASE;
    }

    /**
     * Decodes a message signalled interrupt. A redirection hint turns fixed delivery into lowest priority.
     *
     * @param address the address written to; only its message bits count
     * @param data the low 32 bits written
     * @return the message for {@link ApicBus#send}
     */
    public static long toApicMessage(long address, int data) {
        int destination = (int) (address >>> 12) & 0xFF | (int) (address >>> 32) & 0xFFFFFF00;
        // Edge-triggered messages may leave the level bit clear; the bus knows asserted messages only.
        int low = data & ~ApicMessage.DESTINATION_MODE
                | ((address & LOGICAL) != 0 ? ApicMessage.DESTINATION_MODE : 0)
                | ApicMessage.LEVEL_ASSERT;
        long message = ApicMessage.ofRegister(low, ApicMessage.widenDestination(destination));
        boolean hinted = (address & REDIRECTION_HINT) != 0;
        return hinted && ApicMessage.deliveryMode(message) == ApicMessage.FIXED
                ? ApicMessage.withDeliveryMode(message, ApicMessage.LOWEST_PRIORITY)
                : message;
    }

    /**
     * The address that carries a message.
     *
     * @param message an APIC bus message
     * @return the address, with bits 31-8 of the destination in bits 63-40
     */
    public static long address(long message) {
        int destination = ApicMessage.destination(message);
        long high = destination == ApicMessage.BROADCAST ? 0 : (destination & 0xFFFFFF00L) << 32;
        return high | BASE | (destination & 0xFFL) << 12 | (ApicMessage.isLogical(message) ? LOGICAL : 0);
    }

    /**
     * The data that carry a message.
     *
     * @param message an APIC bus message
     * @return vector, delivery mode, level and trigger mode
     */
    public static int data(long message) {
        return (int) message & ~ApicMessage.DESTINATION_MODE;
    }
}
