package org.softkvm.kvm.abi;

import static org.softkvm.kvm.abi.Fields.getInt;
import static org.softkvm.kvm.abi.Fields.getLong;
import static org.softkvm.kvm.abi.Fields.offset;
import static org.softkvm.kvm.abi.Fields.putInt;
import static org.softkvm.kvm.abi.Fields.putLong;

import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import org.softkvm.kvm.ClockData;
import org.softkvm.kvm.CpuidEntry;
import org.softkvm.kvm.Errno;
import org.softkvm.kvm.IrqRoute;
import org.softkvm.kvm.KvmException;

/** Structures with a list behind them, and the clock: between the API's types and the bytes. */
public final class ListCodec {
    /** Size of the head of struct kvm_cpuid2, of kvm_irq_routing and of kvm_msrs. */
    public static final long HEAD = 8;

    /** Size of struct kvm_cpuid_entry2. */
    public static final long CPUID_ENTRY = RegisterStructs.CPUID_ENTRY2.byteSize();
    /** Size of struct kvm_irq_routing_entry. */
    public static final long ROUTE = VmStructs.IRQ_ROUTING_ENTRY.byteSize();
    /** Size of struct kvm_msr_entry. */
    public static final long MSR_ENTRY = RegisterStructs.MSR_ENTRY.byteSize();

    private static final int ROUTING_IRQCHIP = 1;
    private static final int ROUTING_MSI = 2;
    private static final long ROUTE_GSI = offset(VmStructs.IRQ_ROUTING_ENTRY, "gsi");
    private static final long ROUTE_TYPE = offset(VmStructs.IRQ_ROUTING_ENTRY, "type");
    private static final long ROUTE_FLAGS = offset(VmStructs.IRQ_ROUTING_ENTRY, "flags");
    private static final long ROUTE_IRQCHIP = offset(VmStructs.IRQ_ROUTING_ENTRY, "u.irqchip.irqchip");
    private static final long ROUTE_PIN = offset(VmStructs.IRQ_ROUTING_ENTRY, "u.irqchip.pin");
    private static final long ROUTE_ADDRESS_LO = offset(VmStructs.IRQ_ROUTING_ENTRY, "u.msi.address_lo");
    private static final long ROUTE_ADDRESS_HI = offset(VmStructs.IRQ_ROUTING_ENTRY, "u.msi.address_hi");
    private static final long ROUTE_DATA = offset(VmStructs.IRQ_ROUTING_ENTRY, "u.msi.data");

    private static final long MSR_INDEX = offset(RegisterStructs.MSR_ENTRY, "index");
    private static final long MSR_RESERVED = offset(RegisterStructs.MSR_ENTRY, "reserved");
    private static final long MSR_DATA = offset(RegisterStructs.MSR_ENTRY, "data");

    private static final long CLOCK = offset(VmStructs.CLOCK_DATA, "clock");
    private static final long CLOCK_FLAGS = offset(VmStructs.CLOCK_DATA, "flags");
    private static final long CLOCK_REALTIME = offset(VmStructs.CLOCK_DATA, "realtime");
    private static final long CLOCK_HOST_TSC = offset(VmStructs.CLOCK_DATA, "host_tsc");

    private ListCodec() {}

    // ---- struct kvm_cpuid2

    /** Writes the head and the entries. */
    public static void putCpuid(List<CpuidEntry> from, MemorySegment to) {
        putInt(to, 0, from.size());
        putInt(to, 4, 0);
        long at = HEAD;
        for (CpuidEntry entry : from) {
            to.asSlice(at, CPUID_ENTRY).fill((byte) 0);
            putInt(to, at, entry.function());
            putInt(to, at + 4, entry.index());
            putInt(to, at + 8, entry.flags());
            putInt(to, at + 12, entry.eax());
            putInt(to, at + 16, entry.ebx());
            putInt(to, at + 20, entry.ecx());
            putInt(to, at + 24, entry.edx());
            at += CPUID_ENTRY;
        }
    }

    /** Reads as many entries as the head says. */
    public static List<CpuidEntry> getCpuid(MemorySegment from) {
        int count = getInt(from, 0);
        List<CpuidEntry> entries = new ArrayList<>(count);
        for (int i = 0; i < count; i++) {
            long at = HEAD + i * CPUID_ENTRY;
            entries.add(new CpuidEntry(
                    getInt(from, at),
                    getInt(from, at + 4),
                    getInt(from, at + 8),
                    getInt(from, at + 12),
                    getInt(from, at + 16),
                    getInt(from, at + 20),
                    getInt(from, at + 24)));
        }
        return entries;
    }

    // ---- struct kvm_irq_routing

    /** Writes the head and the entries. */
    public static void putRoutes(List<? extends IrqRoute> from, MemorySegment to) {
        putInt(to, 0, from.size());
        putInt(to, 4, 0);
        long at = HEAD;
        for (IrqRoute route : from) {
            to.asSlice(at, ROUTE).fill((byte) 0);
            putInt(to, at + ROUTE_GSI, route.gsi());
            switch (route) {
                case IrqRoute.Irqchip chip -> {
                    putInt(to, at + ROUTE_TYPE, ROUTING_IRQCHIP);
                    putInt(to, at + ROUTE_IRQCHIP, chip.irqchip());
                    putInt(to, at + ROUTE_PIN, chip.pin());
                }
                case IrqRoute.Msi msi -> {
                    putInt(to, at + ROUTE_TYPE, ROUTING_MSI);
                    putInt(to, at + ROUTE_ADDRESS_LO, (int) msi.address());
                    putInt(to, at + ROUTE_ADDRESS_HI, (int) (msi.address() >>> 32));
                    putInt(to, at + ROUTE_DATA, msi.data());
                }
            }
            at += ROUTE;
        }
    }

    /**
     * Reads as many entries as the head says.
     *
     * @throws KvmException EINVAL for a kind of route, or flags, that there are not
     */
    public static List<IrqRoute> getRoutes(MemorySegment from) {
        int count = getInt(from, 0);
        List<IrqRoute> routes = new ArrayList<>(count);
        for (int i = 0; i < count; i++) {
            long at = HEAD + i * ROUTE;
            int gsi = getInt(from, at + ROUTE_GSI);
            int type = getInt(from, at + ROUTE_TYPE);
            if (getInt(from, at + ROUTE_FLAGS) != 0) {
                throw refused("entries[" + i + "].flags=0x" + Integer.toHexString(getInt(from, at + ROUTE_FLAGS)));
            }
            routes.add(
                    switch (type) {
                        case ROUTING_IRQCHIP ->
                            new IrqRoute.Irqchip(gsi, getInt(from, at + ROUTE_IRQCHIP), getInt(from, at + ROUTE_PIN));
                        case ROUTING_MSI ->
                            new IrqRoute.Msi(
                                    gsi,
                                    Integer.toUnsignedLong(getInt(from, at + ROUTE_ADDRESS_LO))
                                            | (long) getInt(from, at + ROUTE_ADDRESS_HI) << 32,
                                    getInt(from, at + ROUTE_DATA));
                        default -> throw refused("entries[" + i + "].type=" + type);
                    });
        }
        return routes;
    }

    private static KvmException refused(String argument) {
        return new KvmException("KVM_SET_GSI_ROUTING", Errno.EINVAL, argument);
    }

    // ---- struct kvm_msrs

    /** Writes one entry; the head is written by {@link #putMsrCount}. */
    public static void putMsr(MemorySegment to, int entry, int index, long data) {
        long at = HEAD + entry * MSR_ENTRY;
        putInt(to, at + MSR_INDEX, index);
        putInt(to, at + MSR_RESERVED, 0);
        putLong(to, at + MSR_DATA, data);
    }

    /** Writes the head. */
    public static void putMsrCount(MemorySegment to, int count) {
        putInt(to, 0, count);
        putInt(to, 4, 0);
    }

    /** The number of the MSR of an entry. */
    public static int msrIndex(MemorySegment from, int entry) {
        return getInt(from, HEAD + entry * MSR_ENTRY + MSR_INDEX);
    }

    /** The value of an entry. */
    public static long msrData(MemorySegment from, int entry) {
        return getLong(from, HEAD + entry * MSR_ENTRY + MSR_DATA);
    }

    // ---- struct kvm_clock_data

    /** Writes the structure. */
    public static void put(ClockData from, MemorySegment to) {
        to.asSlice(0, VmStructs.CLOCK_DATA.byteSize()).fill((byte) 0);
        putLong(to, CLOCK, from.clock);
        putInt(to, CLOCK_FLAGS, from.flags);
        putLong(to, CLOCK_REALTIME, from.realtime);
        putLong(to, CLOCK_HOST_TSC, from.hostTsc);
    }

    /** Reads the structure. */
    public static void get(MemorySegment from, ClockData to) {
        to.clock = getLong(from, CLOCK);
        to.flags = getInt(from, CLOCK_FLAGS);
        to.realtime = getLong(from, CLOCK_REALTIME);
        to.hostTsc = getLong(from, CLOCK_HOST_TSC);
    }
}
