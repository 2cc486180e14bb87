package org.softkvm.kvm.linux;

import static org.softkvm.kvm.abi.Fields.getInt;
import static org.softkvm.kvm.abi.Fields.getLong;
import static org.softkvm.kvm.abi.Fields.getShort;
import static org.softkvm.kvm.abi.Fields.offset;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.ref.Cleaner;
import java.util.ArrayList;
import java.util.List;
import org.softkvm.kvm.StatDescriptor;
import org.softkvm.kvm.Stats;
import org.softkvm.kvm.abi.Request;
import org.softkvm.kvm.abi.VmStructs;

/** Statistics by the descriptor of KVM_GET_STATS_FD, which is closed when nobody refers to this any more. */
final class LinuxStats implements Stats {
    private static final Cleaner CLEANER = Cleaner.create();
    private static final long NAME_SIZE = offset(VmStructs.STATS_HEADER, "name_size");
    private static final long NUM_DESC = offset(VmStructs.STATS_HEADER, "num_desc");
    private static final long ID_OFFSET = offset(VmStructs.STATS_HEADER, "id_offset");
    private static final long DESC_OFFSET = offset(VmStructs.STATS_HEADER, "desc_offset");
    private static final long DATA_OFFSET = offset(VmStructs.STATS_HEADER, "data_offset");
    private static final long FLAGS = offset(VmStructs.STATS_DESC, "flags");
    private static final long EXPONENT = offset(VmStructs.STATS_DESC, "exponent");
    private static final long SIZE = offset(VmStructs.STATS_DESC, "size");
    private static final long OFFSET = offset(VmStructs.STATS_DESC, "offset");
    private static final long BUCKET_SIZE = offset(VmStructs.STATS_DESC, "bucket_size");
    private static final long NAME = offset(VmStructs.STATS_DESC, "name");

    private final SystemCalls calls;
    private final int descriptor;
    private final String id;
    private final List<StatDescriptor> descriptors;
    private final long dataOffset;
    private final MemorySegment data;

    private LinuxStats(SystemCalls calls, int descriptor) {
        this.calls = calls;
        this.descriptor = descriptor;
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment header = arena.allocate(VmStructs.STATS_HEADER);
            read(header, 0);
            int nameSize = getInt(header, NAME_SIZE);
            MemorySegment name = arena.allocate(nameSize);
            read(name, getInt(header, ID_OFFSET));
            id = name.getString(0);
            int count = getInt(header, NUM_DESC);
            long size = VmStructs.STATS_DESC.byteSize() + nameSize;
            MemorySegment all = arena.allocate(count * size, 8);
            read(all, getInt(header, DESC_OFFSET));
            List<StatDescriptor> list = new ArrayList<>();
            for (int i = 0; i < count; i++) {
                list.add(descriptor(all.asSlice(i * size, size)));
            }
            descriptors = List.copyOf(list);
            dataOffset = getInt(header, DATA_OFFSET);
        }
        data = Arena.ofAuto().allocate(Math.max(size(), 1) * 8L, 8);
    }

    static Stats open(SystemCalls calls, int descriptor) {
        try {
            LinuxStats stats = new LinuxStats(calls, descriptor);
            CLEANER.register(stats, () -> calls.close(descriptor));
            return stats;
        } catch (RuntimeException | Error e) {
            calls.close(descriptor);
            throw e;
        }
    }

    private static StatDescriptor descriptor(MemorySegment from) {
        int flags = getInt(from, FLAGS);
        StatDescriptor.Type[] types = StatDescriptor.Type.values();
        StatDescriptor.Unit[] units = StatDescriptor.Unit.values();
        return new StatDescriptor(
                from.asSlice(NAME).getString(0),
                types[Math.min(flags & 0xF, types.length - 1)],
                units[Math.min(flags >> 4 & 0xF, units.length - 1)],
                (short) getShort(from, EXPONENT),
                getShort(from, SIZE),
                getInt(from, OFFSET) / 8,
                getInt(from, BUCKET_SIZE));
    }

    private void read(MemorySegment into, long offset) {
        long count = calls.read(descriptor, into, offset);
        if (count < into.byteSize()) {
            throw Errnos.failure(
                    Request.KVM_GET_STATS_FD, (int) Math.min(count, -5), "offset=" + offset + " count=" + count);
        }
    }

    @Override
    public String id() {
        return id;
    }

    @Override
    public List<StatDescriptor> descriptors() {
        return descriptors;
    }

    @Override
    public synchronized void read(long[] values) {
        read(data, dataOffset);
        for (int i = 0; i < size(); i++) {
            values[i] = getLong(data, i * 8L);
        }
    }
}
