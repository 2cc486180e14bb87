package org.softkvm.kvm.dispatch;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.HexFormat;
import java.util.Set;
import java.util.TreeSet;
import org.softkvm.kvm.Errno;
import org.softkvm.kvm.Kvm;
import org.softkvm.kvm.abi.Fields;
import org.softkvm.kvm.abi.Ioctl;
import org.softkvm.kvm.abi.RunStruct;

/** A client that speaks the binary ABI with its own hands: request numbers, structures byte by byte, descriptors. */
final class AbiClient implements AutoCloseable {
    static final int RAM = 1 << 20;
    private static final int SCRATCH = 1 << 16;

    final Loopback calls = new Loopback(() -> Kvm.open("emulator"));
    final int kvm = calls.open("/dev/kvm");
    int vm = -1;
    int vcpu = -1;
    MemorySegment run;
    MemorySegment ram;

    /** Every call that was made, by name and descriptor. */
    final Set<String> made = new TreeSet<>();

    private final Arena arena = Arena.ofShared();

    /** Memory of the client that structures point to. */
    final MemorySegment aside = calls.allocate(SCRATCH).memory();

    /** A structure of zeros. */
    MemorySegment struct(long size) {
        return arena.allocate(Math.max(size, 16), 16);
    }

    /** A structure of words of 32 bits. */
    MemorySegment words(int... words) {
        MemorySegment struct = struct(words.length * 4L + 128);
        for (int i = 0; i < words.length; i++) {
            Fields.putInt(struct, i * 4L, words[i]);
        }
        return struct;
    }

    private void note(Ioctl call, int descriptor) {
        made.add(call + (descriptor == kvm ? " sys" : descriptor == vm ? " vm" : " vcpu"));
    }

    int call(int descriptor, Ioctl call, long argument) {
        note(call, descriptor);
        return calls.ioctl(descriptor, call.request(), argument);
    }

    int call(int descriptor, Ioctl call, MemorySegment argument) {
        note(call, descriptor);
        // As some callers pass it: sign-extended. The dispatcher looks at 32 bits.
        return calls.ioctl(descriptor, call.request(), argument);
    }

    /** A call that has to be served. */
    int ok(int descriptor, Ioctl call, long argument) {
        int result = call(descriptor, call, argument);
        assertThat(result).as("%s(%d)", call, argument).isNotNegative();
        return result;
    }

    /** A call that has to be served. */
    int ok(int descriptor, Ioctl call, MemorySegment argument) {
        int result = call(descriptor, call, argument);
        assertThat(result).as("%s: %s", call, errno(result)).isNotNegative();
        return result;
    }

    /** A call with a structure of zeros, which is given back. */
    MemorySegment get(int descriptor, Ioctl call) {
        MemorySegment struct =
                struct(call.argument() == null ? 64 : Math.max(call.argument().byteSize(), 4096));
        ok(descriptor, call, struct);
        return struct;
    }

    /** Reads a structure and writes it back. */
    MemorySegment keep(int descriptor, Ioctl get, Ioctl set) {
        MemorySegment struct = get(descriptor, get);
        ok(descriptor, set, struct);
        return struct;
    }

    static String errno(int result) {
        for (Errno errno : Errno.values()) {
            if (result == -errno.number()) {
                return errno.name();
            }
        }
        return String.valueOf(result);
    }

    int has(int descriptor, int capability) {
        return ok(descriptor, Ioctl.KVM_CHECK_EXTENSION, capability);
    }

    void enableCap(int capability, long argument) {
        MemorySegment cap = struct(104);
        Fields.putInt(cap, 0, capability);
        Fields.putLong(cap, 8, argument);
        ok(vm, Ioctl.KVM_ENABLE_CAP, cap);
    }

    void createVm() {
        vm = ok(kvm, Ioctl.KVM_CREATE_VM, 0);
    }

    void slot(int slot, int flags, long address, long size, MemorySegment memory, long offset) {
        MemorySegment region = words(slot, flags);
        Fields.putLong(region, 8, address);
        Fields.putLong(region, 16, size);
        Fields.putLong(region, 24, memory == null ? 0 : memory.address() + offset);
        ok(vm, Ioctl.KVM_SET_USER_MEMORY_REGION, region);
    }

    void ram() {
        ram = calls.allocate(RAM).memory();
        slot(0, 0, 0, RAM, ram, 0);
    }

    void createVcpu() {
        vcpu = ok(vm, Ioctl.KVM_CREATE_VCPU, 0);
        int size = ok(kvm, Ioctl.KVM_GET_VCPU_MMAP_SIZE, 0);
        run = calls.map(vcpu, size).memory();
    }

    /** KVM_GET_SUPPORTED_CPUID as clients do it: a list that grows while it is E2BIG. */
    MemorySegment cpuid() {
        for (int room = 1; ; room *= 2) {
            MemorySegment list = struct(8 + room * 40L);
            Fields.putInt(list, 0, room);
            int result = call(kvm, Ioctl.KVM_GET_SUPPORTED_CPUID, list);
            if (result == 0) {
                return list;
            }
            assertThat(errno(result)).isEqualTo("E2BIG");
        }
    }

    /** KVM_GET_MSR_INDEX_LIST and its like: the first call says how long the list is. */
    MemorySegment indices(Ioctl call) {
        MemorySegment head = words(0);
        assertThat(errno(call(kvm, call, head))).isEqualTo("E2BIG");
        int count = Fields.getInt(head, 0);
        MemorySegment list = struct(4 + count * 4L);
        Fields.putInt(list, 0, count);
        ok(kvm, call, list);
        return list;
    }

    /** struct kvm_msrs of all MSRs of a list. */
    MemorySegment msrs(MemorySegment indices) {
        int count = Fields.getInt(indices, 0);
        MemorySegment list = struct(8 + count * 16L);
        Fields.putInt(list, 0, count);
        for (int i = 0; i < count; i++) {
            Fields.putInt(list, 8 + i * 16L, Fields.getInt(indices, 4 + i * 4L));
        }
        return list;
    }

    /** struct kvm_msrs of one MSR. */
    MemorySegment msr(int index, long value) {
        MemorySegment list = struct(24);
        Fields.putInt(list, 0, 1);
        Fields.putInt(list, 8, index);
        Fields.putLong(list, 16, value);
        return list;
    }

    /** Real mode at 1000h with all segments at 0, by KVM_SET_SREGS and KVM_SET_REGS. */
    void realMode(String code) {
        byte[] bytes = HexFormat.of().parseHex(code.replace(" ", ""));
        MemorySegment.copy(bytes, 0, ram, ValueLayout.JAVA_BYTE, 0x1000, bytes.length);
        MemorySegment sregs = get(vcpu, Ioctl.KVM_GET_SREGS);
        Fields.putLong(sregs, 0, 0);
        Fields.putShort(sregs, 12, 0);
        ok(vcpu, Ioctl.KVM_SET_SREGS, sregs);
        MemorySegment regs = get(vcpu, Ioctl.KVM_GET_REGS);
        Fields.putLong(regs, 48, 0x8000);
        Fields.putLong(regs, 128, 0x1000);
        Fields.putLong(regs, 136, 2);
        ok(vcpu, Ioctl.KVM_SET_REGS, regs);
    }

    /** Runs to the next exit. */
    int run() {
        ok(vcpu, Ioctl.KVM_RUN, 0);
        return Fields.getInt(run, RunStruct.EXIT_REASON);
    }

    @Override
    public void close() {
        if (vcpu >= 0) {
            calls.close(vcpu);
        }
        if (vm >= 0) {
            calls.close(vm);
        }
        calls.close(kvm);
        arena.close();
    }
}
