package org.softkvm.kvm;

/** Where a global system interrupt leads to ({@code struct kvm_irq_routing_entry}). */
public sealed interface IrqRoute {
    /** Number of the first PIC as {@link Irqchip#irqchip()}. */
    int IRQCHIP_PIC_MASTER = 0;
    /** Number of the second PIC as {@link Irqchip#irqchip()}. */
    int IRQCHIP_PIC_SLAVE = 1;
    /** Number of the IOAPIC as {@link Irqchip#irqchip()}. */
    int IRQCHIP_IOAPIC = 2;

    /**
     * The global system interrupt.
     *
     * @return its number, from 0
     */
    int gsi();

    /**
     * A route to a pin of an interrupt controller inside the backend.
     *
     * @param gsi the global system interrupt
     * @param irqchip {@link #IRQCHIP_PIC_MASTER}, {@link #IRQCHIP_PIC_SLAVE} or {@link #IRQCHIP_IOAPIC}
     * @param pin the pin of that controller, from 0
     */
    record Irqchip(int gsi, int irqchip, int pin) implements IrqRoute {}

    /**
     * A route to a message-signalled interrupt. With a split irqchip the routes of the reserved pins tell the backend
     * what the IOAPIC outside would send, so that it knows which vectors need {@link ExitReason#IOAPIC_EOI}.
     *
     * @param gsi the global system interrupt
     * @param address the address of the message, FEExxxxxh (Intel SDM volume 3, section 12.11.1)
     * @param data the data of the message (Intel SDM volume 3, section 12.11.2)
     */
    record Msi(int gsi, long address, int data) implements IrqRoute {}
}
