package org.softkvm.kvm.dispatch;

import static org.softkvm.kvm.abi.Fields.getByte;
import static org.softkvm.kvm.abi.Fields.getLong;
import static org.softkvm.kvm.abi.Fields.offset;

import java.lang.foreign.MemorySegment;
import org.softkvm.kvm.Errno;
import org.softkvm.kvm.KvmException;
import org.softkvm.kvm.Sregs;
import org.softkvm.kvm.Vcpu;
import org.softkvm.kvm.VcpuEvents;
import org.softkvm.kvm.abi.RegisterStructs;

/** KVM_X86_SETUP_MCE and KVM_X86_SET_MCE, by the machine-check MSRs of a vcpu. */
final class MachineCheck {
    /** Banks that the emulator has (KVM_CAP_MCE). */
    static final int BANKS = 10;

    /** IA32_MCG_CAP at most, without the count: MCG_CTL_P and MCG_SER_P. */
    static final long SUPPORTED = 1 << 24 | 1 << 8;

    private static final int COUNT = 0xFF;
    private static final int MCG_CAP = 0x179;
    private static final int MCG_STATUS = 0x17A;
    private static final int MCG_CTL = 0x17B;
    private static final int MC0_CTL = 0x400;
    private static final long MCG_STATUS_MCIP = 4;
    private static final long STATUS_VALID = 1L << 63;
    private static final long STATUS_OVERFLOW = 1L << 62;
    private static final long STATUS_UNCORRECTED = 1L << 61;
    private static final int CR4_MCE = 0x40;
    private static final int MACHINE_CHECK = 18;
    private static final String SET = "KVM_X86_SET_MCE";

    private static final long STATUS = offset(RegisterStructs.X86_MCE, "status");
    private static final long ADDR = offset(RegisterStructs.X86_MCE, "addr");
    private static final long MISC = offset(RegisterStructs.X86_MCE, "misc");
    private static final long MCG = offset(RegisterStructs.X86_MCE, "mcg_status");
    private static final long BANK = offset(RegisterStructs.X86_MCE, "bank");

    private MachineCheck() {}

    /** KVM_X86_SETUP_MCE: how many banks the guest sees, and what they can do; all of them are empty. */
    static void setUp(Vcpu vcpu, long mcgCap) {
        long count = mcgCap & COUNT;
        if (count == 0 || count > BANKS || (mcgCap & ~(SUPPORTED | COUNT)) != 0) {
            throw new KvmException(
                    "KVM_X86_SETUP_MCE",
                    Errno.EINVAL,
                    "mcg_cap=0x" + Long.toHexString(mcgCap) + " (1 to " + BANKS + " banks, and of the rest 0x"
                            + Long.toHexString(SUPPORTED) + ")");
        }
        vcpu.setMsr(MCG_CAP, mcgCap);
    }

    /** KVM_X86_SET_MCE: an error in a bank; one that was not corrected raises #MC. */
    static void inject(Vcpu vcpu, MemorySegment mce) {
        int bank = getByte(mce, BANK);
        long status = getLong(mce, STATUS);
        long mcgCap = vcpu.getMsr(MCG_CAP);
        if (bank >= (mcgCap & COUNT) || (status & STATUS_VALID) == 0) {
            throw new KvmException(
                    SET,
                    Errno.EINVAL,
                    "bank=" + bank + " status=0x" + Long.toHexString(status) + " (" + (mcgCap & COUNT)
                            + " banks, and VAL has to be set)");
        }
        int control = MC0_CTL + 4 * bank;
        long before = vcpu.getMsr(control + 1);
        boolean uncorrected = (status & STATUS_UNCORRECTED) != 0;
        if (uncorrected && (vcpu.getMsr(MCG_CTL) != -1 || vcpu.getMsr(control) != -1)) {
            // The guest switched the reporting off.
            return;
        }
        if (!uncorrected && (before & (STATUS_VALID | STATUS_UNCORRECTED)) == (STATUS_VALID | STATUS_UNCORRECTED)) {
            vcpu.setMsr(control + 1, before | STATUS_OVERFLOW);
            return;
        }
        if (uncorrected) {
            raise(vcpu, getLong(mce, MCG));
        }
        vcpu.setMsr(control + 1, (before & STATUS_VALID) != 0 ? status | STATUS_OVERFLOW : status);
        vcpu.setMsr(control + 2, getLong(mce, ADDR));
        vcpu.setMsr(control + 3, getLong(mce, MISC));
    }

    private static void raise(Vcpu vcpu, long mcgStatus) {
        Sregs sregs = new Sregs();
        vcpu.getSregs(sregs);
        VcpuEvents events = new VcpuEvents();
        vcpu.getVcpuEvents(events);
        if ((vcpu.getMsr(MCG_STATUS) & MCG_STATUS_MCIP) != 0 || (sregs.cr4 & CR4_MCE) == 0) {
            // A shutdown; without X86_TRIPLE_FAULT_EVENT the events cannot say so.
            throw new KvmException(
                    SET, Errno.EINVAL, "mcg_status (a machine check is in progress, or CR4.MCE is clear)");
        }
        vcpu.setMsr(MCG_STATUS, mcgStatus);
        events.flags = 0;
        events.exceptionInjected = true;
        events.exceptionNr = MACHINE_CHECK;
        events.exceptionHasErrorCode = false;
        vcpu.setVcpuEvents(events);
    }
}
