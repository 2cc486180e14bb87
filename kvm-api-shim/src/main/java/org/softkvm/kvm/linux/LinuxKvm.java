package org.softkvm.kvm.linux;

import static org.softkvm.kvm.abi.Fields.getInt;
import static org.softkvm.kvm.abi.Fields.putInt;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.List;
import org.softkvm.kvm.Capability;
import org.softkvm.kvm.CpuidEntry;
import org.softkvm.kvm.Errno;
import org.softkvm.kvm.Kvm;
import org.softkvm.kvm.KvmException;
import org.softkvm.kvm.Vm;
import org.softkvm.kvm.abi.Ioctl;
import org.softkvm.kvm.abi.ListCodec;
import org.softkvm.kvm.abi.Request;
import org.softkvm.kvm.abi.RunStruct;

/** The KVM API through the binary ABI. */
public final class LinuxKvm implements Kvm {
    /** The device. */
    static final String DEVICE = "/dev/kvm";

    /** Without these nothing here works. */
    private static final List<Capability> NEEDED = List.of(
            Capability.USER_MEMORY,
            Capability.EXT_CPUID,
            Capability.DESTROY_MEMORY_REGION_WORKS,
            Capability.JOIN_MEMORY_REGIONS_WORKS,
            Capability.IMMEDIATE_EXIT);

    private static final int MOST_ENTRIES = 4096;
    private static final int XSAVE_LEAF = 0xD;
    private static final int XCR0_AVX = 4;

    private final SystemCalls calls;
    private final String name;
    private final int descriptor;
    private final int runSize;
    private Boolean avx;
    private int[] msrs;
    private volatile boolean closed;

    private LinuxKvm(SystemCalls calls, String name, int descriptor) {
        this.calls = calls;
        this.name = name;
        this.descriptor = descriptor;
        int version = calls.ioctl(descriptor, Request.KVM_GET_API_VERSION, 0);
        if (version != API_VERSION) {
            throw new KvmException(
                    "KVM_GET_API_VERSION",
                    Errno.ENODEV,
                    "the API of " + DEVICE + " has version " + version + ", and " + API_VERSION + " is needed");
        }
        for (Capability capability : NEEDED) {
            if (checkExtension(capability) == 0) {
                throw new KvmException(
                        "KVM_CHECK_EXTENSION",
                        Errno.ENODEV,
                        DEVICE + " lacks the capability " + capability + ", without which SoftKVM cannot use it");
            }
        }
        runSize = calls.ioctl(descriptor, Request.KVM_GET_VCPU_MMAP_SIZE, 0);
        if (runSize < RunStruct.COALESCED_OFFSET) {
            throw Errnos.failure(Request.KVM_GET_VCPU_MMAP_SIZE, Math.min(runSize, -1), "size=" + runSize);
        }
    }

    /**
     * Opens the device.
     *
     * @param calls who makes the system calls
     * @param name the name of the backend
     * @throws KvmException ENODEV, EACCES and others with one line that says why not
     */
    public static LinuxKvm open(SystemCalls calls, String name) {
        int descriptor = calls.open(DEVICE);
        if (descriptor < 0) {
            Errno errno = Errnos.of(-descriptor);
            throw new KvmException("open", errno, whyNot(errno));
        }
        try {
            return new LinuxKvm(calls, name, descriptor);
        } catch (RuntimeException | Error e) {
            calls.close(descriptor);
            throw e;
        }
    }

    private static String whyNot(Errno errno) {
        return switch (errno) {
            case ENOENT ->
                "there is no " + DEVICE + ": load the module kvm_intel or kvm_amd, or give the container the device";
            case ENXIO, ENODEV -> DEVICE + " has no driver: the module kvm_intel or kvm_amd is missing";
            case EACCES, EPERM -> "no permission to open " + DEVICE + ": its group (mostly kvm) may";
            case EBUSY -> DEVICE + " is in use by another hypervisor";
            default -> DEVICE + " cannot be opened: " + errno;
        };
    }

    SystemCalls calls() {
        return calls;
    }

    int runSize() {
        return runSize;
    }

    private void checkOpen(String call) {
        if (closed) {
            throw new KvmException(call, Errno.EBADF, "kvm (closed)");
        }
    }

    @Override
    public String backend() {
        return name;
    }

    @Override
    public int apiVersion() {
        return API_VERSION;
    }

    @Override
    public int checkExtension(Capability capability) {
        return capability.isExtension() ? extension(capability) : kernelExtension(capability.number());
    }

    /** What of SoftKVM's extensions can be done with the kernel's calls. */
    static int extension(Capability capability) {
        return switch (capability) {
            case SOFTKVM_WHOLE_STATE_REGS, SOFTKVM_MANY_REG, SOFTKVM_REPLACE_MEMORY_SLOTS -> 1;
            default -> 0;
        };
    }

    private int kernelExtension(int number) {
        checkOpen("KVM_CHECK_EXTENSION");
        return Math.max(calls.ioctl(descriptor, Request.KVM_CHECK_EXTENSION, number), 0);
    }

    @Override
    public int checkExtension(int number) {
        for (Capability capability : Capability.values()) {
            if (capability.number() == number) {
                return checkExtension(capability);
            }
        }
        return number < 0 ? 0 : kernelExtension(number);
    }

    @Override
    public List<CpuidEntry> supportedCpuid() {
        return cpuid(Request.KVM_GET_SUPPORTED_CPUID);
    }

    /** The MSRs to save, for VMs, which may outlive this. */
    synchronized int[] savedMsrs() {
        if (msrs == null) {
            msrs = msrIndexList();
        }
        return msrs;
    }

    /** Whether vcpus can have the upper halves of YMM registers (CPUID leaf 0Dh: XCR0 bit 2). */
    synchronized boolean hasAvx() {
        if (avx == null) {
            avx = supportedCpuid().stream()
                    .anyMatch(entry ->
                            entry.function() == XSAVE_LEAF && entry.index() == 0 && (entry.eax() & XCR0_AVX) != 0);
        }
        return avx;
    }

    @Override
    public List<CpuidEntry> emulatedCpuid() {
        return checkExtension(Capability.EXT_EMUL_CPUID) == 0 ? List.of() : cpuid(Request.KVM_GET_EMULATED_CPUID);
    }

    private List<CpuidEntry> cpuid(int request) {
        checkOpen(Ioctl.name(request));
        for (int room = 128; ; room *= 2) {
            try (Arena arena = Arena.ofConfined()) {
                MemorySegment list = arena.allocate(ListCodec.HEAD + room * ListCodec.CPUID_ENTRY, 8);
                putInt(list, 0, room);
                int result = calls.ioctl(descriptor, request, list);
                if (result >= 0) {
                    return List.copyOf(ListCodec.getCpuid(list));
                }
                if (-result != Errno.E2BIG.number() || room > MOST_ENTRIES) {
                    throw Errnos.failure(request, result, "nent=" + room);
                }
            }
        }
    }

    @Override
    public List<CpuidEntry> supportedCpuid(String model) {
        throw absent("supportedCpuid", Capability.SOFTKVM_CPU_MODEL);
    }

    @Override
    public int[] msrIndexList() {
        return indices(Request.KVM_GET_MSR_INDEX_LIST);
    }

    @Override
    public int[] msrFeatureIndexList() {
        return checkExtension(Capability.GET_MSR_FEATURES) == 0
                ? new int[0]
                : indices(Request.KVM_GET_MSR_FEATURE_INDEX_LIST);
    }

    private int[] indices(int request) {
        checkOpen(Ioctl.name(request));
        int room = 0;
        while (true) {
            try (Arena arena = Arena.ofConfined()) {
                MemorySegment list = arena.allocate(4 + room * 4L, 8);
                putInt(list, 0, room);
                int result = calls.ioctl(descriptor, request, list);
                int count = getInt(list, 0);
                if (result >= 0) {
                    int[] indices = new int[count];
                    for (int i = 0; i < count; i++) {
                        indices[i] = getInt(list, 4 + i * 4L);
                    }
                    return indices;
                }
                if (-result != Errno.E2BIG.number() || count <= room || count > MOST_ENTRIES) {
                    throw Errnos.failure(request, result, "nmsrs=" + room);
                }
                room = count;
            }
        }
    }

    @Override
    public int getMsrFeatures(int[] indices, long[] values) {
        checkOpen("KVM_GET_MSRS");
        VcpuCalls.checkLengths(Request.KVM_GET_MSRS, indices, values);
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment list = arena.allocate(ListCodec.HEAD + indices.length * ListCodec.MSR_ENTRY, 8);
            ListCodec.putMsrCount(list, indices.length);
            for (int i = 0; i < indices.length; i++) {
                ListCodec.putMsr(list, i, indices[i], 0);
            }
            int result = calls.ioctl(descriptor, Request.KVM_GET_MSRS, list);
            if (result < 0) {
                throw Errnos.failure(Request.KVM_GET_MSRS, result, "nmsrs=" + indices.length);
            }
            for (int i = 0; i < result; i++) {
                values[i] = ListCodec.msrData(list, i);
            }
            return result;
        }
    }

    @Override
    public List<String> cpuModels() {
        return List.of();
    }

    @Override
    public List<String> engines() {
        return List.of();
    }

    @Override
    public Vm createVm() {
        checkOpen("KVM_CREATE_VM");
        int vm = calls.ioctl(descriptor, Request.KVM_CREATE_VM, 0);
        if (vm < 0) {
            throw Errnos.failure(Request.KVM_CREATE_VM, vm, "type=0");
        }
        try {
            // Asked while this is open: a VM may outlive it.
            hasAvx();
            savedMsrs();
            return new LinuxVm(this, vm);
        } catch (RuntimeException | Error e) {
            calls.close(vm);
            throw e;
        }
    }

    /** The error of an extension that only an emulator has. */
    KvmException absent(String call, Capability capability) {
        return new KvmException(
                call, Errno.ENOTTY, "the backend " + name + " does not have the extension " + capability);
    }

    @Override
    public synchronized void close() {
        if (!closed) {
            closed = true;
            calls.close(descriptor);
        }
    }
}
