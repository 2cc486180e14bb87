package org.softkvm.kvm.dispatch;

import static org.softkvm.kvm.abi.Fields.offset;
import static org.softkvm.kvm.abi.Fields.putInt;
import static org.softkvm.kvm.abi.Fields.putLong;
import static org.softkvm.kvm.abi.Fields.putShort;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.List;
import org.softkvm.kvm.StatDescriptor;
import org.softkvm.kvm.Stats;
import org.softkvm.kvm.abi.VmStructs;

/** What the descriptor of KVM_GET_STATS_FD stands for: a file with a head, an id, descriptors and values. */
final class StatsEndpoint extends Endpoint {
    private static final int NAME_SIZE = 48;
    private static final int UNIT_SHIFT = 4;
    private static final int BASE_SHIFT = 8;
    private static final int BASE_POW2 = 1;
    private static final long HEADER = VmStructs.STATS_HEADER.byteSize();
    private static final long DESCRIPTOR = VmStructs.STATS_DESC.byteSize() + NAME_SIZE;
    private static final long HEADER_NAME_SIZE = offset(VmStructs.STATS_HEADER, "name_size");
    private static final long HEADER_NUM_DESC = offset(VmStructs.STATS_HEADER, "num_desc");
    private static final long HEADER_ID_OFFSET = offset(VmStructs.STATS_HEADER, "id_offset");
    private static final long HEADER_DESC_OFFSET = offset(VmStructs.STATS_HEADER, "desc_offset");
    private static final long HEADER_DATA_OFFSET = offset(VmStructs.STATS_HEADER, "data_offset");
    private static final long EXPONENT = offset(VmStructs.STATS_DESC, "exponent");
    private static final long SIZE = offset(VmStructs.STATS_DESC, "size");
    private static final long OFFSET = offset(VmStructs.STATS_DESC, "offset");
    private static final long BUCKET_SIZE = offset(VmStructs.STATS_DESC, "bucket_size");
    private static final long NAME = offset(VmStructs.STATS_DESC, "name");

    private final Stats stats;
    private final MemorySegment file;
    private final long dataOffset;
    private final long[] values;

    StatsEndpoint(Stats stats, ClientMemory memory, Descriptors descriptors) {
        super(memory, descriptors);
        this.stats = stats;
        List<StatDescriptor> list = stats.descriptors();
        long idOffset = HEADER;
        long descOffset = idOffset + NAME_SIZE;
        dataOffset = descOffset + list.size() * DESCRIPTOR;
        values = new long[stats.size()];
        file = Arena.ofAuto().allocate(dataOffset + values.length * 8L, 8);
        putInt(file, HEADER_NAME_SIZE, NAME_SIZE);
        putInt(file, HEADER_NUM_DESC, list.size());
        putInt(file, HEADER_ID_OFFSET, (int) idOffset);
        putInt(file, HEADER_DESC_OFFSET, (int) descOffset);
        putInt(file, HEADER_DATA_OFFSET, (int) dataOffset);
        putName(idOffset, stats.id());
        for (int i = 0; i < list.size(); i++) {
            put(list.get(i), descOffset + i * DESCRIPTOR);
        }
    }

    private void put(StatDescriptor from, long at) {
        boolean bytes = from.unit() == StatDescriptor.Unit.BYTES;
        putInt(
                file,
                at,
                from.type().ordinal() | from.unit().ordinal() << UNIT_SHIFT | (bytes ? BASE_POW2 : 0) << BASE_SHIFT);
        putShort(file, at + EXPONENT, from.exponent());
        putShort(file, at + SIZE, from.size());
        putInt(file, at + OFFSET, from.offset() * 8);
        putInt(file, at + BUCKET_SIZE, from.bucketSize());
        putName(at + NAME, from.name());
    }

    private void putName(long at, String name) {
        String fitting = name.length() < NAME_SIZE ? name : name.substring(0, NAME_SIZE - 1);
        file.setString(at, fitting);
    }

    @Override
    int serve(int request, long argument) {
        throw unknown(request);
    }

    @Override
    public synchronized long read(MemorySegment into, long offset) {
        if (offset < 0 || offset >= file.byteSize()) {
            return 0;
        }
        stats.read(values);
        for (int i = 0; i < values.length; i++) {
            putLong(file, dataOffset + i * 8L, values[i]);
        }
        long count = Math.min(into.byteSize(), file.byteSize() - offset);
        MemorySegment.copy(file, offset, into, 0, count);
        return count;
    }

    @Override
    public void close() {
        // Nothing of its own.
    }
}
