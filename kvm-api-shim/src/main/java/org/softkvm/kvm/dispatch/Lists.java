package org.softkvm.kvm.dispatch;

import static org.softkvm.kvm.abi.Fields.getInt;
import static org.softkvm.kvm.abi.Fields.putInt;

import java.lang.foreign.MemorySegment;
import java.util.List;
import org.softkvm.kvm.CpuidEntry;
import org.softkvm.kvm.Errno;
import org.softkvm.kvm.KvmException;
import org.softkvm.kvm.abi.Ioctl;
import org.softkvm.kvm.abi.ListCodec;
import org.softkvm.kvm.abi.Request;

/** Lists that the client makes room for: too little room is E2BIG, with the number that is needed. */
final class Lists {
    private static final int MAX_CPUID = 256;
    private static final int MAX_MSRS = 256;
    private static final long INDEX_HEAD = 4;

    private Lists() {}

    /** struct kvm_cpuid2 for a call that fills it. */
    static int giveCpuid(ClientMemory memory, int request, long argument, List<CpuidEntry> entries) {
        MemorySegment head = memory.at(argument, ListCodec.HEAD);
        int room = getInt(head, 0);
        if (room < entries.size()) {
            // Only KVM_GET_CPUID2 tells how many there are; the others leave the client to grow.
            if (request == Request.KVM_GET_CPUID2) {
                putInt(head, 0, entries.size());
            }
            throw tooBig(request, "nent=" + room);
        }
        ListCodec.putCpuid(entries, memory.at(argument, ListCodec.HEAD + entries.size() * ListCodec.CPUID_ENTRY));
        return 0;
    }

    /** struct kvm_cpuid2 of a call that reads it. */
    static List<CpuidEntry> takeCpuid(ClientMemory memory, int request, long argument) {
        int count = getInt(memory.at(argument, ListCodec.HEAD), 0);
        if (count < 0 || count > MAX_CPUID) {
            throw tooBig(request, "nent=" + count);
        }
        return ListCodec.getCpuid(memory.at(argument, ListCodec.HEAD + count * ListCodec.CPUID_ENTRY));
    }

    /** struct kvm_msr_list. */
    static int giveIndices(ClientMemory memory, int request, long argument, int[] indices) {
        MemorySegment head = memory.at(argument, INDEX_HEAD);
        int room = getInt(head, 0);
        putInt(head, 0, indices.length);
        if (room < indices.length) {
            throw tooBig(request, "nmsrs=" + room);
        }
        MemorySegment list = memory.at(argument, INDEX_HEAD + indices.length * 4L);
        for (int i = 0; i < indices.length; i++) {
            putInt(list, INDEX_HEAD + i * 4L, indices[i]);
        }
        return 0;
    }

    /** struct kvm_msrs with all its entries. */
    static MemorySegment msrs(ClientMemory memory, int request, long argument) {
        int count = getInt(memory.at(argument, ListCodec.HEAD), 0);
        if (count < 0 || count >= MAX_MSRS) {
            throw tooBig(request, "nmsrs=" + count);
        }
        return memory.at(argument, ListCodec.HEAD + count * ListCodec.MSR_ENTRY);
    }

    private static KvmException tooBig(int request, String argument) {
        return new KvmException(Ioctl.name(request), Errno.E2BIG, argument);
    }
}
