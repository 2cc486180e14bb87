package org.softkvm.kvm.emulator;

import java.util.ArrayList;
import java.util.List;
import org.softkvm.emulator.MsrGate;
import org.softkvm.kvm.Errno;
import org.softkvm.kvm.KvmException;
import org.softkvm.kvm.MsrFilter;
import org.softkvm.kvm.VcpuRun;

/** A VM's filter of MSRs and the reasons for which accesses go to user space; may change while vcpus run. */
final class MsrPolicy implements MsrGate {
    private static final String CALL = "KVM_X86_SET_MSR_FILTER";
    private static final int X2APIC_FIRST = 0x800;
    private static final int X2APIC_LAST = 0x8FF;
    private static final int ALL_REASONS = VcpuRun.MSR_INVALID | VcpuRun.MSR_UNKNOWN | VcpuRun.MSR_FILTER;
    private static final int DIRECTIONS = MsrFilter.Range.READ | MsrFilter.Range.WRITE;

    private volatile Filter filter = new Filter(true, new MsrFilter.Range[0]);
    private volatile int exits;

    /** A filter that was checked; never changed. */
    private record Filter(boolean allowsByDefault, MsrFilter.Range[] ranges) {}

    /** KVM_CAP_X86_USER_SPACE_MSR. */
    void setExits(long reasons) {
        if ((reasons & ~ALL_REASONS) != 0) {
            throw new KvmException(
                    "KVM_ENABLE_CAP", Errno.EINVAL, "X86_USER_SPACE_MSR args[0]=0x" + Long.toHexString(reasons));
        }
        exits = (int) reasons;
    }

    void setFilter(MsrFilter wanted) {
        if ((wanted.flags() & ~MsrFilter.DEFAULT_DENY) != 0) {
            throw new KvmException(CALL, Errno.EINVAL, "flags=0x" + Integer.toHexString(wanted.flags()));
        }
        if (wanted.ranges().size() > MsrFilter.MAX_RANGES) {
            throw new KvmException(
                    CALL, Errno.EINVAL, "ranges=" + wanted.ranges().size() + " (at most " + MsrFilter.MAX_RANGES + ")");
        }
        List<MsrFilter.Range> used = new ArrayList<>();
        for (MsrFilter.Range range : wanted.ranges()) {
            if (range.count() != 0) {
                check(range);
                used.add(new MsrFilter.Range(
                        range.flags(),
                        range.base(),
                        range.count(),
                        range.bitmap().clone()));
            }
        }
        boolean allows = (wanted.flags() & MsrFilter.DEFAULT_DENY) == 0;
        if (used.isEmpty() && !allows) {
            throw new KvmException(CALL, Errno.EINVAL, "flags=DEFAULT_DENY (without any range)");
        }
        filter = new Filter(allows, used.toArray(new MsrFilter.Range[0]));
    }

    private static void check(MsrFilter.Range range) {
        if ((range.flags() & ~DIRECTIONS) != 0 || range.flags() == 0) {
            throw new KvmException(CALL, Errno.EINVAL, "range flags=0x" + Integer.toHexString(range.flags()));
        }
        if (range.count() < 0 || range.count() > MsrFilter.MAX_BITMAP_SIZE * 8) {
            throw new KvmException(
                    CALL, Errno.EINVAL, "nmsrs=" + range.count() + " (at most " + MsrFilter.MAX_BITMAP_SIZE * 8 + ")");
        }
        if (range.bitmap().length * 8L < range.count()) {
            throw new KvmException(
                    CALL, Errno.EINVAL, "bitmap of " + range.bitmap().length + " bytes for nmsrs=" + range.count());
        }
    }

    @Override
    public boolean allows(int index, boolean write) {
        Filter f = filter;
        if (index >= X2APIC_FIRST && index <= X2APIC_LAST) {
            return true;
        }
        int direction = write ? MsrFilter.Range.WRITE : MsrFilter.Range.READ;
        for (MsrFilter.Range range : f.ranges) {
            int bit = index - range.base();
            if (Integer.compareUnsigned(bit, range.count()) < 0 && (range.flags() & direction) != 0) {
                return (range.bitmap()[bit >> 3] >> (bit & 7) & 1) != 0;
            }
        }
        return f.allowsByDefault;
    }

    @Override
    public int exits() {
        return exits;
    }
}
