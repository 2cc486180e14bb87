package org.softkvm.kvm;

/** Debug registers ({@code struct kvm_debugregs}); made once and reused. */
public final class DebugRegs {
    /** DR0 to DR3: linear addresses. */
    public final long[] db = new long[4];
    /** DR6. */
    public long dr6;
    /** DR7. */
    public long dr7;
    /** Must be 0. */
    public long flags;

    /** Makes a set of registers that are all 0. */
    public DebugRegs() {}
}
