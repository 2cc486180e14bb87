package org.softkvm.kvm.dispatch;

import org.softkvm.kvm.Errno;
import org.softkvm.kvm.KvmException;

/** Machine-check banks: the backends have none (the capability MCE is 0, and CPUID has neither MCE nor MCA). */
final class MachineCheck {
    /** IA32_MCG_CAP at most: no banks. */
    static final long SUPPORTED = 0;

    private static final int BANKS = 0xFF;

    private MachineCheck() {}

    /** KVM_X86_SETUP_MCE: KVM takes 1 bank up to the number of banks that there are. */
    static void setUp(long mcgCap) {
        throw new KvmException(
                "KVM_X86_SETUP_MCE",
                Errno.EINVAL,
                "mcg_cap=0x" + Long.toHexString(mcgCap) + " (" + (mcgCap & BANKS) + " banks of 0)");
    }

    /** KVM_X86_SET_MCE: no such bank. */
    static void inject(int bank) {
        throw new KvmException("KVM_X86_SET_MCE", Errno.EINVAL, "bank=" + bank + " (there are 0)");
    }
}
