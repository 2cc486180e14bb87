package org.softkvm.kvm;

/** One 8259A of the backend ({@code struct kvm_pic_state}); made once and reused. Names are KVM's. */
public final class PicState {
    /** The levels of the inputs when they were last looked at, one a bit. */
    public int lastIrr;
    /** Interrupt request register. */
    public int irr;
    /** Interrupt mask register. */
    public int imr;
    /** In-service register. */
    public int isr;
    /** The input of highest priority, 0 to 7. */
    public int priorityAdd;
    /** Bits 7 to 3 of the vectors. */
    public int irqBase;
    /** Whether the lower port reads the ISR and not the IRR. */
    public boolean readRegSelect;
    /** Whether the next read is a poll. */
    public boolean poll;
    /** Special mask mode. */
    public boolean specialMask;
    /** 0 in operation; 1, 2, 3 where ICW2, ICW3, ICW4 is expected. */
    public int initState;
    /** Automatic end of interrupt. */
    public boolean autoEoi;
    /** Rotation in automatic EOI mode. */
    public boolean rotateOnAutoEoi;
    /** Special fully nested mode. */
    public boolean specialFullyNestedMode;
    /** ICW1 said that ICW4 comes. */
    public boolean init4;
    /** Edge/level control register: the inputs that are level-triggered, one a bit. */
    public int elcr;
    /** The inputs whose trigger mode can be chosen, one a bit; only read. */
    public int elcrMask;

    /** Makes a state of which everything is 0. */
    public PicState() {}
}
