package org.softkvm.kvm.dispatch;

import static org.softkvm.kvm.abi.Fields.getInt;
import static org.softkvm.kvm.abi.Fields.getLong;
import static org.softkvm.kvm.abi.Fields.offset;
import static org.softkvm.kvm.abi.Fields.putLong;

import java.lang.foreign.MemorySegment;
import org.softkvm.kvm.Capability;
import org.softkvm.kvm.CpuidEntry;
import org.softkvm.kvm.Errno;
import org.softkvm.kvm.Kvm;
import org.softkvm.kvm.KvmException;
import org.softkvm.kvm.abi.Ioctl;
import org.softkvm.kvm.abi.ListCodec;
import org.softkvm.kvm.abi.Request;
import org.softkvm.kvm.abi.RunStruct;
import org.softkvm.kvm.abi.VmStructs;

/** What a descriptor of /dev/kvm stands for. */
public final class SystemEndpoint extends Endpoint {
    /** run page, page of port data, ring of coalesced writes. */
    static final int MAPPING_SIZE = 3 * RunStruct.PAGE;

    /** Page of the mapping with the ring of coalesced writes. */
    static final int COALESCED_PAGE = RunStruct.COALESCED_OFFSET / RunStruct.PAGE;

    /** What the page of a vcpu can hold: general registers, segments, events. */
    private static final int ALL_SYNC_REGS = 7;

    /** KVM_CAP_SYS_ATTRIBUTES: {@link #attribute}. */
    private static final int SYS_ATTRIBUTES = 209;

    private static final int XCOMP_GUEST_SUPP = 0;
    private static final int XSAVE_LEAF = 0xD;
    private static final long ATTR_GROUP = offset(VmStructs.DEVICE_ATTR, "group");
    private static final long ATTR_ATTR = offset(VmStructs.DEVICE_ATTR, "attr");
    private static final long ATTR_ADDR = offset(VmStructs.DEVICE_ATTR, "addr");

    private final Kvm kvm;

    /**
     * Serves from a backend.
     *
     * @param kvm the backend; closed with the descriptor
     * @param memory the client's memory
     * @param descriptors the client's descriptors
     */
    public SystemEndpoint(Kvm kvm, ClientMemory memory, Descriptors descriptors) {
        super(memory, descriptors);
        this.kvm = kvm;
    }

    @Override
    int serve(int request, long argument) {
        return switch (request) {
            case Request.KVM_GET_API_VERSION -> argument == 0 ? kvm.apiVersion() : -Errno.EINVAL.number();
            case Request.KVM_CREATE_VM -> createVm(argument);
            case Request.KVM_CHECK_EXTENSION -> extension(kvm, (int) argument);
            case Request.KVM_GET_VCPU_MMAP_SIZE -> argument == 0 ? MAPPING_SIZE : -Errno.EINVAL.number();
            case Request.KVM_GET_MSR_INDEX_LIST -> Lists.giveIndices(memory, request, argument, kvm.msrIndexList());
            case Request.KVM_GET_MSR_FEATURE_INDEX_LIST ->
                Lists.giveIndices(memory, request, argument, kvm.msrFeatureIndexList());
            case Request.KVM_GET_SUPPORTED_CPUID -> Lists.giveCpuid(memory, request, argument, kvm.supportedCpuid());
            case Request.KVM_GET_EMULATED_CPUID -> Lists.giveCpuid(memory, request, argument, kvm.emulatedCpuid());
            case Request.KVM_X86_GET_MCE_CAP_SUPPORTED -> {
                putLong(memory.at(argument, 8), 0, MachineCheck.SUPPORTED);
                yield 0;
            }
            case Request.KVM_GET_MSRS -> getMsrs(request, argument);
            case Request.KVM_GET_DEVICE_ATTR -> attribute(request, argument, true);
            case Request.KVM_HAS_DEVICE_ATTR -> attribute(request, argument, false);
            default -> throw unknown(request);
        };
    }

    private int createVm(long type) {
        if (type != 0) {
            throw new KvmException("KVM_CREATE_VM", Errno.EINVAL, "type=" + type + " (0: a plain VM)");
        }
        return descriptors.add(new VmEndpoint(kvm, kvm.createVm(), memory, descriptors));
    }

    /** What a capability is worth through the binary ABI. */
    static int extension(Kvm kvm, int number) {
        if (number == Capability.SYNC_REGS.number()) {
            return ALL_SYNC_REGS;
        }
        if (number == SYS_ATTRIBUTES) {
            return 1;
        }
        int value = kvm.checkExtension(number);
        if (number == Capability.COALESCED_MMIO.number() && value != 0) {
            return COALESCED_PAGE;
        }
        return value;
    }

    private int getMsrs(int request, long argument) {
        MemorySegment list = Lists.msrs(memory, request, argument);
        int count = getInt(list, 0);
        int[] indices = new int[count];
        long[] values = new long[count];
        for (int i = 0; i < count; i++) {
            indices[i] = ListCodec.msrIndex(list, i);
        }
        int read = kvm.getMsrFeatures(indices, values);
        for (int i = 0; i < read; i++) {
            ListCodec.putMsr(list, i, indices[i], values[i]);
        }
        return read;
    }

    /** The only attribute: which components XSAVE may have in a guest. */
    private int attribute(int request, long argument, boolean read) {
        MemorySegment attribute = struct(argument, VmStructs.DEVICE_ATTR);
        if (getInt(attribute, ATTR_GROUP) != 0 || getLong(attribute, ATTR_ATTR) != XCOMP_GUEST_SUPP) {
            throw new KvmException(Ioctl.name(request), Errno.ENXIO, "attr=" + getLong(attribute, ATTR_ATTR));
        }
        if (read) {
            long supported = 0;
            for (CpuidEntry entry : kvm.supportedCpuid()) {
                if (entry.function() == XSAVE_LEAF && entry.index() == 0) {
                    supported = Integer.toUnsignedLong(entry.eax()) | (long) entry.edx() << 32;
                }
            }
            putLong(memory.at(getLong(attribute, ATTR_ADDR), 8), 0, supported);
        }
        return 0;
    }

    @Override
    public void close() {
        kvm.close();
    }
}
