package org.softkvm.kvm.linux;

import static org.softkvm.kvm.abi.Fields.getInt;
import static org.softkvm.kvm.abi.Fields.offset;
import static org.softkvm.kvm.abi.Fields.putInt;
import static org.softkvm.kvm.abi.Fields.putLong;
import static org.softkvm.kvm.abi.Fields.putShort;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import org.softkvm.kvm.Capability;
import org.softkvm.kvm.ClockData;
import org.softkvm.kvm.CoalescedRing;
import org.softkvm.kvm.Errno;
import org.softkvm.kvm.EventFd;
import org.softkvm.kvm.IoEventFd;
import org.softkvm.kvm.IoapicState;
import org.softkvm.kvm.IrqRoute;
import org.softkvm.kvm.KvmException;
import org.softkvm.kvm.MemorySlot;
import org.softkvm.kvm.MsrFilter;
import org.softkvm.kvm.PicState;
import org.softkvm.kvm.PitState;
import org.softkvm.kvm.Stats;
import org.softkvm.kvm.Vcpu;
import org.softkvm.kvm.Vm;
import org.softkvm.kvm.abi.ChipCodec;
import org.softkvm.kvm.abi.Ioctl;
import org.softkvm.kvm.abi.ListCodec;
import org.softkvm.kvm.abi.Request;
import org.softkvm.kvm.abi.RunStruct;
import org.softkvm.kvm.abi.VmStructs;

/** A VM through the binary ABI. */
final class LinuxVm implements Vm {
    private static final long PAGE = 4096;
    private static final long IRQ = offset(VmStructs.IRQ_LEVEL, "irq");
    private static final long LEVEL = offset(VmStructs.IRQ_LEVEL, "level");
    private static final long MSI_ADDRESS_LO = offset(VmStructs.MSI, "address_lo");
    private static final long MSI_ADDRESS_HI = offset(VmStructs.MSI, "address_hi");
    private static final long MSI_DATA = offset(VmStructs.MSI, "data");
    private static final long CAP_CAP = offset(VmStructs.ENABLE_CAP, "cap");
    private static final long CAP_ARGS = offset(VmStructs.ENABLE_CAP, "args");
    private static final long FILTER_RANGES = offset(VmStructs.MSR_FILTER, "ranges");
    private static final long FILTER_RANGE = VmStructs.MSR_FILTER_RANGE.byteSize();
    private static final long RANGE_FLAGS = offset(VmStructs.MSR_FILTER_RANGE, "flags");
    private static final long RANGE_NMSRS = offset(VmStructs.MSR_FILTER_RANGE, "nmsrs");
    private static final long RANGE_BASE = offset(VmStructs.MSR_FILTER_RANGE, "base");
    private static final long RANGE_BITMAP = offset(VmStructs.MSR_FILTER_RANGE, "bitmap");
    private static final long ZONE_ADDR = offset(VmStructs.COALESCED_ZONE, "addr");
    private static final long ZONE_SIZE = offset(VmStructs.COALESCED_ZONE, "size");
    private static final long ZONE_PIO = offset(VmStructs.COALESCED_ZONE, "pio");
    private static final int MAX_ARGUMENTS = 4;

    private final LinuxKvm kvm;
    private final SystemCalls calls;
    private final int descriptor;
    private final LinuxMemory memory;
    private final LinuxEvents events;
    private final RunGate gate = new RunGate();
    private final List<LinuxVcpu> vcpus = new CopyOnWriteArrayList<>();
    private final List<SystemCalls.Mapping> mappings = new ArrayList<>();
    private CoalescedRing ring;
    private Stats stats;
    private volatile boolean closed;

    LinuxVm(LinuxKvm kvm, int descriptor) {
        this.kvm = kvm;
        this.calls = kvm.calls();
        this.descriptor = descriptor;
        this.memory = new LinuxMemory(calls, descriptor);
        this.events = new LinuxEvents(calls, descriptor);
    }

    LinuxKvm kvm() {
        return kvm;
    }

    RunGate gate() {
        return gate;
    }

    private void checkOpen(String call) {
        if (closed) {
            throw new KvmException(call, Errno.EBADF, "vm (closed)");
        }
    }

    private int call(int request, long argument, String text) {
        checkOpen(Ioctl.name(request));
        int result = calls.ioctl(descriptor, request, argument);
        if (result < 0) {
            throw Errnos.failure(request, result, text);
        }
        return result;
    }

    private int call(int request, MemorySegment argument, String text) {
        checkOpen(Ioctl.name(request));
        int result = calls.ioctl(descriptor, request, argument);
        if (result < 0) {
            throw Errnos.failure(request, result, text);
        }
        return result;
    }

    @Override
    public int checkExtension(Capability capability) {
        if (capability.isExtension()) {
            return LinuxKvm.extension(capability);
        }
        checkOpen("KVM_CHECK_EXTENSION");
        return Math.max(calls.ioctl(descriptor, Request.KVM_CHECK_EXTENSION, capability.number()), 0);
    }

    @Override
    public void enableCap(Capability capability, long... arguments) {
        if (capability.isExtension()) {
            throw new KvmException("KVM_ENABLE_CAP", Errno.EINVAL, "cap=" + capability + " (cannot be enabled)");
        }
        MemorySegment cap = Scratch.zeroed(VmStructs.ENABLE_CAP.byteSize());
        putInt(cap, CAP_CAP, capability.number());
        for (int i = 0; i < Math.min(arguments.length, MAX_ARGUMENTS); i++) {
            putLong(cap, CAP_ARGS + i * 8L, arguments[i]);
        }
        call(
                Request.KVM_ENABLE_CAP,
                cap,
                "cap=" + capability + " args[0]=" + (arguments.length == 0 ? 0 : arguments[0]));
        if (capability == Capability.MANUAL_DIRTY_LOG_PROTECT2) {
            memory.setManualClear(arguments.length > 0 && arguments[0] != 0);
        }
    }

    // ---- Memory

    @Override
    public MemorySegment allocateMemory(long size) {
        checkOpen("allocateMemory");
        if (size <= 0 || (size & (PAGE - 1)) != 0) {
            throw new KvmException("allocateMemory", Errno.EINVAL, "size=" + size + " (a multiple of 4096 above 0)");
        }
        SystemCalls.Mapping mapping;
        try {
            mapping = calls.allocate(size);
        } catch (KvmException e) {
            throw new KvmException("allocateMemory", e.errno(), e.argument());
        }
        synchronized (mappings) {
            mappings.add(mapping);
        }
        return mapping.memory();
    }

    @Override
    public void setMemorySlot(MemorySlot slot) {
        checkOpen("KVM_SET_USER_MEMORY_REGION");
        memory.set(slot);
    }

    @Override
    public void deleteMemorySlot(int addressSpace, int slot) {
        setMemorySlot(new MemorySlot(slot, addressSpace, 0, MemorySegment.NULL, 0));
    }

    /** The kernel has no such call: the vcpus wait outside the guest while the slots change one by one. */
    @Override
    public void replaceMemorySlots(List<MemorySlot> slots) {
        checkOpen("replaceMemorySlots");
        gate.runAlone(vcpus, () -> memory.replace(slots));
    }

    @Override
    public List<MemorySlot> memorySlots() {
        return memory.slots();
    }

    @Override
    public long dmaRead(long guestPhysicalAddress, MemorySegment destination) {
        checkOpen("dmaRead");
        return memory.read(guestPhysicalAddress, destination);
    }

    @Override
    public long dmaWrite(long guestPhysicalAddress, MemorySegment source) {
        checkOpen("dmaWrite");
        return memory.write(guestPhysicalAddress, source);
    }

    @Override
    public void memoryWritten(long guestPhysicalAddress, long length) {
        checkOpen("memoryWritten");
        memory.wrote(guestPhysicalAddress, length);
    }

    @Override
    public void getDirtyLog(int addressSpace, int slot, MemorySegment bitmap) {
        checkOpen("KVM_GET_DIRTY_LOG");
        memory.getDirtyLog(addressSpace, slot, bitmap);
    }

    @Override
    public void clearDirtyLog(int addressSpace, int slot, long firstPage, long numPages, MemorySegment bitmap) {
        checkOpen("KVM_CLEAR_DIRTY_LOG");
        memory.clearDirtyLog(addressSpace, slot, firstPage, numPages, bitmap);
    }

    @Override
    public void registerCoalesced(long address, int size, boolean pio) {
        zone(Request.KVM_REGISTER_COALESCED_MMIO, address, size, pio);
    }

    @Override
    public void unregisterCoalesced(long address, int size, boolean pio) {
        zone(Request.KVM_UNREGISTER_COALESCED_MMIO, address, size, pio);
    }

    private void zone(int request, long address, int size, boolean pio) {
        MemorySegment zone = Scratch.zeroed(VmStructs.COALESCED_ZONE.byteSize());
        putLong(zone, ZONE_ADDR, address);
        putInt(zone, ZONE_SIZE, size);
        putInt(zone, ZONE_PIO, pio ? 1 : 0);
        call(request, zone, "addr=0x" + Long.toHexString(address) + " size=" + size + " pio=" + pio);
    }

    /** The ring lies on the mapping of any vcpu, so there has to be one. */
    @Override
    public synchronized CoalescedRing coalescedRing() {
        checkOpen("coalescedRing");
        if (ring != null) {
            return ring;
        }
        int page = checkExtension(Capability.COALESCED_MMIO);
        if (page == 0) {
            throw new KvmException("coalescedRing", Errno.ENOTTY, Capability.COALESCED_MMIO + " is 0");
        }
        if (vcpus.isEmpty()) {
            throw new KvmException("coalescedRing", Errno.EINVAL, "vm (the ring lies beside a vcpu: create one first)");
        }
        SystemCalls.Mapping mapping = calls.map(vcpus.getFirst().descriptor(), kvm.runSize());
        synchronized (mappings) {
            mappings.add(mapping);
        }
        ring = new CoalescedRing(mapping.memory().asSlice((long) page * RunStruct.PAGE, CoalescedRing.SIZE));
        return ring;
    }

    // ---- Interrupts

    @Override
    public void createIrqchip() {
        call(Request.KVM_CREATE_IRQCHIP, 0, "vm");
    }

    @Override
    public int irqLine(int gsi, boolean level) {
        MemorySegment line = Scratch.zeroed(VmStructs.IRQ_LEVEL.byteSize());
        putInt(line, IRQ, gsi);
        putInt(line, LEVEL, level ? 1 : 0);
        checkOpen("KVM_IRQ_LINE");
        int result = calls.ioctl(descriptor, Request.KVM_IRQ_LINE_STATUS, line);
        if (result < 0) {
            throw Errnos.failure(Request.KVM_IRQ_LINE, result, "irq=" + gsi);
        }
        return getInt(line, IRQ);
    }

    @Override
    public void setGsiRouting(List<? extends IrqRoute> routes) {
        checkOpen("KVM_SET_GSI_ROUTING");
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment table = arena.allocate(ListCodec.HEAD + routes.size() * ListCodec.ROUTE, 8);
            ListCodec.putRoutes(routes, table);
            call(Request.KVM_SET_GSI_ROUTING, table, "nr=" + routes.size());
        }
    }

    @Override
    public int signalMsi(long address, int data) {
        MemorySegment msi = Scratch.zeroed(VmStructs.MSI.byteSize());
        putInt(msi, MSI_ADDRESS_LO, (int) address);
        putInt(msi, MSI_ADDRESS_HI, (int) (address >>> 32));
        putInt(msi, MSI_DATA, data);
        checkOpen("KVM_SIGNAL_MSI");
        int result = calls.ioctl(descriptor, Request.KVM_SIGNAL_MSI, msi);
        if (result < 0) {
            // The kernel says -1 (EPERM) where no local APIC has that destination.
            if (result == -Errno.EPERM.number()) {
                return -1;
            }
            throw Errnos.failure(
                    Request.KVM_SIGNAL_MSI,
                    result,
                    "address=0x" + Long.toHexString(address) + " data=0x" + Integer.toHexString(data));
        }
        return result;
    }

    @Override
    public void getPic(int chip, PicState state) {
        MemorySegment chips = Scratch.zeroed(VmStructs.IRQCHIP.byteSize());
        checkPic("KVM_GET_IRQCHIP", chip);
        putInt(chips, 0, chip);
        call(Request.KVM_GET_IRQCHIP, chips, "chip_id=" + chip);
        ChipCodec.get(chips, state);
    }

    @Override
    public void setPic(int chip, PicState state) {
        MemorySegment chips = Scratch.zeroed(VmStructs.IRQCHIP.byteSize());
        checkPic("KVM_SET_IRQCHIP", chip);
        putInt(chips, 0, chip);
        ChipCodec.put(state, chips);
        call(Request.KVM_SET_IRQCHIP, chips, "chip_id=" + chip);
    }

    private static void checkPic(String call, int chip) {
        if (chip != IrqRoute.IRQCHIP_PIC_MASTER && chip != IrqRoute.IRQCHIP_PIC_SLAVE) {
            throw new KvmException(call, Errno.EINVAL, "chip_id=" + chip + " (not a PIC)");
        }
    }

    @Override
    public void getIoapic(IoapicState state) {
        MemorySegment chip = Scratch.zeroed(VmStructs.IRQCHIP.byteSize());
        putInt(chip, 0, IrqRoute.IRQCHIP_IOAPIC);
        call(Request.KVM_GET_IRQCHIP, chip, "chip_id=" + IrqRoute.IRQCHIP_IOAPIC);
        ChipCodec.get(chip, state);
    }

    @Override
    public void setIoapic(IoapicState state) {
        MemorySegment chip = Scratch.zeroed(VmStructs.IRQCHIP.byteSize());
        putInt(chip, 0, IrqRoute.IRQCHIP_IOAPIC);
        ChipCodec.put(state, chip);
        call(Request.KVM_SET_IRQCHIP, chip, "chip_id=" + IrqRoute.IRQCHIP_IOAPIC);
    }

    @Override
    public void createPit(int flags) {
        MemorySegment config = Scratch.zeroed(VmStructs.PIT_CONFIG.byteSize());
        putInt(config, 0, flags);
        call(Request.KVM_CREATE_PIT2, config, "flags=0x" + Integer.toHexString(flags));
    }

    @Override
    public void getPit(PitState state) {
        MemorySegment pit = Scratch.zeroed(VmStructs.PIT_STATE2.byteSize());
        call(Request.KVM_GET_PIT2, pit, "vm");
        ChipCodec.get(pit, state, true);
    }

    @Override
    public void setPit(PitState state) {
        MemorySegment pit = Scratch.zeroed(VmStructs.PIT_STATE2.byteSize());
        ChipCodec.put(state, pit, true);
        call(Request.KVM_SET_PIT2, pit, "flags=0x" + Integer.toHexString(state.flags));
    }

    @Override
    public void reinjectControl(boolean reinject) {
        MemorySegment control = Scratch.zeroed(VmStructs.REINJECT_CONTROL.byteSize());
        putShort(control, 0, reinject ? 1 : 0);
        call(Request.KVM_REINJECT_CONTROL, control, "pit_reinject=" + reinject);
    }

    @Override
    public void assignIrqFd(EventFd eventFd, int gsi) {
        checkOpen("KVM_IRQFD");
        events.assignIrq(eventFd, gsi, null);
    }

    @Override
    public void assignIrqFd(EventFd eventFd, int gsi, EventFd resample) {
        checkOpen("KVM_IRQFD");
        events.assignIrq(eventFd, gsi, resample);
    }

    @Override
    public void deassignIrqFd(EventFd eventFd, int gsi) {
        checkOpen("KVM_IRQFD");
        events.deassignIrq(eventFd, gsi);
    }

    @Override
    public void assignIoEventFd(IoEventFd event) {
        checkOpen("KVM_IOEVENTFD");
        events.assignIo(event);
    }

    @Override
    public void deassignIoEventFd(IoEventFd event) {
        checkOpen("KVM_IOEVENTFD");
        events.deassignIo(event);
    }

    @Override
    public void setMsrFilter(MsrFilter filter) {
        String text = "flags=0x" + Integer.toHexString(filter.flags()) + " ranges="
                + filter.ranges().size();
        if (filter.ranges().size() > MsrFilter.MAX_RANGES) {
            throw new KvmException("KVM_X86_SET_MSR_FILTER", Errno.EINVAL, text);
        }
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment struct = arena.allocate(VmStructs.MSR_FILTER);
            putInt(struct, 0, filter.flags());
            long at = FILTER_RANGES;
            for (MsrFilter.Range range : filter.ranges()) {
                putInt(struct, at + RANGE_FLAGS, range.flags());
                putInt(struct, at + RANGE_NMSRS, range.count());
                putInt(struct, at + RANGE_BASE, range.base());
                MemorySegment bitmap = arena.allocate(Math.max((range.count() + 7L) / 8, range.bitmap().length), 8);
                MemorySegment.copy(MemorySegment.ofArray(range.bitmap()), 0, bitmap, 0, range.bitmap().length);
                calls.expose(bitmap);
                putLong(struct, at + RANGE_BITMAP, bitmap.address());
                at += FILTER_RANGE;
            }
            call(Request.KVM_X86_SET_MSR_FILTER, struct, text);
        }
    }

    // ---- Time

    @Override
    public void getClock(ClockData clock) {
        MemorySegment data = Scratch.zeroed(VmStructs.CLOCK_DATA.byteSize());
        call(Request.KVM_GET_CLOCK, data, "vm");
        ListCodec.get(data, clock);
    }

    @Override
    public void setClock(ClockData clock) {
        MemorySegment data = Scratch.zeroed(VmStructs.CLOCK_DATA.byteSize());
        ListCodec.put(clock, data);
        call(Request.KVM_SET_CLOCK, data, "flags=0x" + Integer.toHexString(clock.flags));
    }

    @Override
    public int tscKhz() {
        return call(Request.KVM_GET_TSC_KHZ, 0, "vm");
    }

    @Override
    public void setTscKhz(int khz) {
        call(Request.KVM_SET_TSC_KHZ, khz, "tsc_khz=" + khz);
    }

    // ---- Other things

    @Override
    public void setTssAddr(long guestPhysicalAddress) {
        call(Request.KVM_SET_TSS_ADDR, guestPhysicalAddress, "addr=0x" + Long.toHexString(guestPhysicalAddress));
    }

    @Override
    public void setIdentityMapAddr(long guestPhysicalAddress) {
        MemorySegment address = Scratch.zeroed(8);
        putLong(address, 0, guestPhysicalAddress);
        call(Request.KVM_SET_IDENTITY_MAP_ADDR, address, "addr=0x" + Long.toHexString(guestPhysicalAddress));
    }

    @Override
    public void setBootCpuId(int id) {
        call(Request.KVM_SET_BOOT_CPU_ID, id, "id=" + id);
    }

    @Override
    public synchronized Stats stats() {
        if (stats == null) {
            stats = LinuxStats.open(calls, call(Request.KVM_GET_STATS_FD, 0, "vm"));
        }
        return stats;
    }

    @Override
    public synchronized Vcpu createVcpu(int id) {
        int vcpu = call(Request.KVM_CREATE_VCPU, id, "id=" + id);
        LinuxVcpu created;
        try {
            created = new LinuxVcpu(this, id, vcpu);
        } catch (RuntimeException | Error e) {
            calls.close(vcpu);
            throw e;
        }
        vcpus.add(created);
        return created;
    }

    void forget(LinuxVcpu vcpu) {
        vcpus.remove(vcpu);
    }

    @Override
    public void setEngine(String engine) {
        throw kvm.absent("setEngine", Capability.SOFTKVM_ENGINE);
    }

    @Override
    public void setCpuModel(String model) {
        throw kvm.absent("setCpuModel", Capability.SOFTKVM_CPU_MODEL);
    }

    @Override
    public long stateHash() {
        throw kvm.absent("stateHash", Capability.SOFTKVM_STATE_HASH);
    }

    /** Vcpus first, then the VM, then the memory that it lay on. */
    @Override
    public synchronized void close() {
        if (closed) {
            return;
        }
        closed = true;
        try {
            for (LinuxVcpu vcpu : vcpus) {
                vcpu.close();
            }
            events.close();
        } finally {
            calls.close(descriptor);
            synchronized (mappings) {
                for (SystemCalls.Mapping mapping : mappings) {
                    mapping.close();
                }
                mappings.clear();
            }
        }
    }
}
