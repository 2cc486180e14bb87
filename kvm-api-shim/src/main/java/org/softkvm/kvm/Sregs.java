package org.softkvm.kvm;

/** Segment and control registers ({@code struct kvm_sregs}); made once and reused. */
public final class Sregs {
    /** CS. */
    public final Segment cs = new Segment();
    /** DS. */
    public final Segment ds = new Segment();
    /** ES. */
    public final Segment es = new Segment();
    /** FS. */
    public final Segment fs = new Segment();
    /** GS. */
    public final Segment gs = new Segment();
    /** SS. */
    public final Segment ss = new Segment();
    /** The task register. */
    public final Segment tr = new Segment();
    /** LDTR. */
    public final Segment ldt = new Segment();
    /** GDTR. */
    public final DescriptorTable gdt = new DescriptorTable();
    /** IDTR. */
    public final DescriptorTable idt = new DescriptorTable();
    /** CR0. */
    public long cr0;
    /** CR2: the address of the last page fault. */
    public long cr2;
    /** CR3: the root of the page tables. */
    public long cr3;
    /** CR4. */
    public long cr4;
    /** CR8: the task priority, 0 to 15. */
    public long cr8;
    /** EFER. */
    public long efer;
    /** IA32_APIC_BASE. */
    public long apicBase;
    /** The external interrupt that was injected and not yet delivered: at most one bit of 256. */
    public final long[] interruptBitmap = new long[4];

    /** Makes a set of registers that are all 0. */
    public Sregs() {}
}
