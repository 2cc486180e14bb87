package org.softkvm.kvm.linux;

import java.util.Arrays;
import org.softkvm.kvm.Errno;
import org.softkvm.kvm.KvmException;
import org.softkvm.kvm.RegisterId;
import org.softkvm.kvm.RegisterList;

/**
 * Registers by id over the register sets that the kernel has. A list reads each set once; a list that is written is
 * collected in the sets first, which are then written in an order that the kernel takes. Allocates nothing.
 */
final class LinuxRegisters {
    static final int MSR_TSC = 0x10;
    static final int MSR_APIC_BASE = 0x1B;
    static final int MSR_TSC_DEADLINE = 0x6E0;
    static final int MSR_EFER = 0xC0000080;
    static final int MSR_FS_BASE = 0xC0000100;
    static final int MSR_GS_BASE = 0xC0000101;

    private static final String GET = "KVM_GET_ONE_REG";
    private static final String SET = "KVM_SET_ONE_REG";
    private static final int BATCH = VcpuCalls.MAX_MSRS - 1;

    private final VcpuCalls vcpu;
    private final LinuxVm vm;
    private final RegisterSetCache sets;
    private final long[] one = new long[1];

    /** MSRs of a list that wait to be written, with their places in the list. */
    private final int[] msrIndices = new int[BATCH];

    private final long[] msrValues = new long[BATCH];
    private final int[] msrPlaces = new int[BATCH];
    private int msrs;

    private long[] ids;

    LinuxRegisters(VcpuCalls vcpu, LinuxVm vm) {
        this.vcpu = vcpu;
        this.vm = vm;
        this.sets = new RegisterSetCache(vcpu, vm);
    }

    static KvmException unknown(String call, long id) {
        return new KvmException(call, Errno.EINVAL, "id=0x" + Long.toHexString(id) + " (no such register)");
    }

    static KvmException refused(long id, long value) {
        return new KvmException(
                SET, Errno.EINVAL, "id=0x" + Long.toHexString(id) + " value=0x" + Long.toHexString(value));
    }

    long readMsr(int index) {
        if (!vcpu.readMsr(index, one)) {
            throw new KvmException(
                    "KVM_GET_MSRS", Errno.EINVAL, "index=0x" + Integer.toHexString(index) + " (unknown)");
        }
        return one[0];
    }

    private static void checkForm(String call, long id) {
        if ((id & ~0xFF_FFFF_FFFFL) != RegisterId.X86_U64) {
            throw unknown(call, id);
        }
    }

    // ---- Reading

    long get(long id) {
        sets.forget();
        return read(id);
    }

    /** Up to the first that there is not; how many. */
    int get(RegisterList list) {
        sets.forget();
        for (int i = 0; i < list.size(); i++) {
            long id = list.ids[i];
            if (isMsr(id)) {
                int run = msrRun(list, i);
                int read = readMsrs(list, i, run);
                if (read < run) {
                    return i + read;
                }
                i += run - 1;
            } else if (!sets.has(id)) {
                return i;
            } else {
                list.values[i] = sets.get(id);
            }
        }
        return list.size();
    }

    private static boolean isMsr(long id) {
        return id >>> 32 == RegisterId.msr(0) >>> 32;
    }

    /** How many ids from a place on are MSRs, as far as one call takes them. */
    private static int msrRun(RegisterList list, int from) {
        int count = 1;
        while (count < BATCH && from + count < list.size() && isMsr(list.ids[from + count])) {
            count++;
        }
        return count;
    }

    private int readMsrs(RegisterList list, int from, int count) {
        for (int i = 0; i < count; i++) {
            msrIndices[i] = RegisterId.index(list.ids[from + i]);
        }
        int read = vcpu.getMsrs(msrIndices, msrValues, count);
        System.arraycopy(msrValues, 0, list.values, from, read);
        return read;
    }

    private long read(long id) {
        checkForm(GET, id);
        if (isMsr(id)) {
            if (!vcpu.readMsr(RegisterId.index(id), one)) {
                throw unknown(GET, id);
            }
            return one[0];
        }
        if (RegisterId.type(id) == RegisterId.TYPE_KVM) {
            return vcpu.getOneReg(id);
        }
        if (!sets.has(id)) {
            throw unknown(GET, id);
        }
        return sets.get(id);
    }

    // ---- Writing

    void set(long id, long value) {
        checkForm(SET, id);
        sets.forget();
        if (isMsr(id) && !isInSregs(id)) {
            if (!vcpu.writeMsr(RegisterId.index(id), value)) {
                throw refused(id, value);
            }
        } else if (RegisterId.type(id) == RegisterId.TYPE_KVM) {
            vcpu.setOneReg(id, value);
        } else {
            if (!sets.has(id)) {
                throw unknown(SET, id);
            }
            if (!sets.put(id, value, 0)) {
                throw refused(id, value);
            }
            try {
                sets.writeBeforeMsrs();
                sets.writeAfterMsrs();
            } catch (KvmException e) {
                throw new KvmException(
                        SET,
                        e.errno(),
                        "id=0x" + Long.toHexString(id) + " value=0x" + Long.toHexString(value) + " (" + e.argument()
                                + ")");
            }
        }
    }

    /** MSRs that are fields of kvm_sregs too: only there they may change together with the control registers. */
    private static boolean isInSregs(long id) {
        int index = RegisterId.index(id);
        return index == MSR_EFER || index == MSR_FS_BASE || index == MSR_GS_BASE || index == MSR_APIC_BASE;
    }

    /**
     * Writes a list. Its values are collected, and the sets written at the end; where the kernel does not take one of
     * those, the number is that of the set's first register in the list.
     */
    int set(RegisterList list) {
        sets.forget();
        msrs = 0;
        int size = list.size();
        int deadline = -1;
        for (int i = 0; i < size; i++) {
            long id = list.ids[i];
            if (isMsr(id) && !isInSregs(id)) {
                if (RegisterId.index(id) == MSR_TSC_DEADLINE) {
                    deadline = i;
                } else if (msrs < BATCH) {
                    msrIndices[msrs] = RegisterId.index(id);
                    msrValues[msrs] = list.values[i];
                    msrPlaces[msrs++] = i;
                } else {
                    size = i;
                }
            } else if (!sets.has(id) || !sets.put(id, list.values[i], i)) {
                size = i;
            }
        }
        int written = size;
        written = Math.min(written, sets.tryBeforeMsrs());
        if (msrs > 0) {
            int taken = vcpu.setMsrs(msrIndices, msrValues, msrs);
            if (taken < msrs) {
                written = Math.min(written, msrPlaces[taken]);
            }
        }
        written = Math.min(written, sets.tryAfterMsrs());
        if (deadline >= 0 && deadline < size && !vcpu.writeMsr(MSR_TSC_DEADLINE, list.values[deadline])) {
            // The timer takes one in its TSC-deadline mode only; in another there is none to take.
            written = list.values[deadline] == 0 ? written : Math.min(written, deadline);
        }
        return written;
    }

    // ---- The whole state

    /** All ids, in an order in which writing them one by one restores the state. */
    long[] list() {
        if (ids == null) {
            ids = makeList();
        }
        return ids.clone();
    }

    private long[] makeList() {
        long[] list = new long[1024];
        int n = 0;
        boolean deadline = false;
        for (int msr : vm.kvm().savedMsrs()) {
            if (isInSregs(RegisterId.msr(msr)) || !vcpu.readMsr(msr, one)) {
                continue;
            }
            if (msr == MSR_TSC_DEADLINE) {
                deadline = true;
            } else if (vcpu.writeMsr(msr, one[0])) {
                list[n++] = RegisterId.msr(msr);
            }
        }
        n = sets.addIds(list, n);
        if (deadline) {
            list[n++] = RegisterId.msr(MSR_TSC_DEADLINE);
        }
        return Arrays.copyOf(list, n);
    }
}
