package org.softkvm.kvm;

/** The general registers ({@code struct kvm_regs}); made once and reused. */
public final class Regs {
    /** RAX. */
    public long rax;
    /** RBX. */
    public long rbx;
    /** RCX. */
    public long rcx;
    /** RDX. */
    public long rdx;
    /** RSI. */
    public long rsi;
    /** RDI. */
    public long rdi;
    /** RSP. */
    public long rsp;
    /** RBP. */
    public long rbp;
    /** R8. */
    public long r8;
    /** R9. */
    public long r9;
    /** R10. */
    public long r10;
    /** R11. */
    public long r11;
    /** R12. */
    public long r12;
    /** R13. */
    public long r13;
    /** R14. */
    public long r14;
    /** R15. */
    public long r15;
    /** RIP: the offset in the code segment. */
    public long rip;
    /** RFLAGS. */
    public long rflags;

    /** Makes a set of registers that are all 0. */
    public Regs() {}
}
