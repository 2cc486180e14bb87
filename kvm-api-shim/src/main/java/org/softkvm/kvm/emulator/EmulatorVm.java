package org.softkvm.kvm.emulator;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;
import org.softkvm.devices.DeviceBus;
import org.softkvm.devices.StateHash;
import org.softkvm.devices.apic.InProcessApicBus;
import org.softkvm.emulator.CpuModel;
import org.softkvm.emulator.GuestMemory;
import org.softkvm.emulator.HostMemory;
import org.softkvm.emulator.MemoryDigest;
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
import org.softkvm.kvm.StatDescriptor;
import org.softkvm.kvm.Stats;
import org.softkvm.kvm.Vcpu;
import org.softkvm.kvm.Vm;

/** A VM of the emulator backend. */
final class EmulatorVm implements Vm {
    private static final AtomicInteger COUNT = new AtomicInteger();
    private static final long PAGE = 4096;
    private static final int SHOWN_CODE_BYTES = 15;
    private static final long TSS_LIMIT = 0xFFFF_FFFFL - 3 * PAGE + 1;

    private final GuestMemory memory = new GuestMemory();
    private final DirtyLogs dirtyLogs = new DirtyLogs(memory);
    private final ChipLock chipLock = new ChipLock();
    private final VmTime time = new VmTime(chipLock);
    private final InProcessApicBus bus = new InProcessApicBus(chipLock);
    private final InterruptRouting routing = new InterruptRouting(bus);
    private final IrqFds irqFds = new IrqFds(routing);
    private final IoBus io = new IoBus(chipLock);
    private final List<EmulatorVcpu> vcpus = new CopyOnWriteArrayList<>();

    /** The same by APIC id; a vcpu that is just being made may be missed. */
    private final EmulatorVcpu[] byApicId = new EmulatorVcpu[Capabilities.MAX_VCPU_ID];

    private String engine = EmulatorKvm.ENGINES.get(0);
    private final List<MemorySegment> allocations = new ArrayList<>();

    private SlotTable slots = new SlotTable(CpuModel.MAX.physicalAddressBits());
    private volatile SlotMap slotMap = new SlotMap(List.of());
    private final VmOptions options = new VmOptions();
    private final int number = COUNT.incrementAndGet();
    private final Stats stats;
    private volatile long slotChanges;
    private volatile boolean splitIrqchip;
    private int reservedPins;
    private int bootCpuId;
    private int tscKhz = Tsc.DEFAULT_KHZ;
    private CpuModel model = CpuModel.MAX;
    private volatile boolean closed;

    /** Makes a VM without memory and vcpus. */
    EmulatorVm() {
        io.setRing(new CoalescedRing(Arena.ofAuto().allocate(CoalescedRing.SIZE, CoalescedRing.SIZE)));
        stats = new StatList("softkvm-" + number)
                .instant("vcpus", StatDescriptor.Unit.NONE, vcpus::size)
                .instant(
                        "memory_slots",
                        StatDescriptor.Unit.NONE,
                        () -> memory.slots().size())
                .count("memory_slot_changes", () -> slotChanges);
    }

    /** Counts the VMs of this process. */
    int number() {
        return number;
    }

    MsrPolicy msrPolicy() {
        return options.msrPolicy();
    }

    boolean exceptionPayload() {
        return options.exceptionPayload();
    }

    boolean tripleFaultEvent() {
        return options.tripleFaultEvent();
    }

    GuestMemory memory() {
        return memory;
    }

    VmTime time() {
        return time;
    }

    InProcessApicBus bus() {
        return bus;
    }

    /** The vcpu of an APIC id, or null. Any thread. */
    EmulatorVcpu vcpu(long apicId) {
        return apicId >= 0 && apicId < byApicId.length ? byApicId[(int) apicId] : null;
    }

    /** Why code at a guest-physical address cannot be executed, for messages. */
    String whyNoCode(long guestPhysicalAddress) {
        MemorySlot slot = slotMap.find(guestPhysicalAddress);
        if (slot == null) {
            return "there is no memory at guest-physical 0x" + Long.toHexString(guestPhysicalAddress);
        }
        if (HostMemory.offsetOf(slot.memory()) < 0) {
            return "slot " + slot.slot() + " lies on memory that Vm.allocateMemory did not give,"
                    + " from which the emulator backend executes no code";
        }
        return "bytes " + code(guestPhysicalAddress);
    }

    private String code(long guestPhysicalAddress) {
        byte[] bytes = new byte[SHOWN_CODE_BYTES];
        memory.read(guestPhysicalAddress, bytes, 0, bytes.length);
        return HexFormat.ofDelimiter(" ").formatHex(bytes);
    }

    /** Whether the local APICs are in the backend. */
    boolean hasLapics() {
        return splitIrqchip || irqchip() != null;
    }

    /** PIC, IOAPIC and PIT, or null where they are outside. */
    Irqchip irqchip() {
        return routing.irqchip();
    }

    IoBus io() {
        return io;
    }

    GsiRoutes routes() {
        return routing.routes();
    }

    CpuModel model() {
        return model;
    }

    int bootCpuId() {
        return bootCpuId;
    }

    private void checkOpen(String call) {
        if (closed) {
            throw new KvmException(call, Errno.EBADF, "vm (closed)");
        }
    }

    @Override
    public int checkExtension(Capability capability) {
        return Capabilities.value(capability);
    }

    @Override
    public synchronized void enableCap(Capability capability, long... arguments) {
        String call = "KVM_ENABLE_CAP";
        checkOpen(call);
        long argument = arguments.length == 0 ? 0 : arguments[0];
        switch (capability) {
            case SPLIT_IRQCHIP -> splitIrqchip(call, argument);
            case MANUAL_DIRTY_LOG_PROTECT2 -> dirtyLogs.setManual(call, argument);
            case SOFTKVM_VIRTUAL_CLOCK -> virtualClock(call, argument);
            default -> options.enable(capability, arguments);
        }
    }

    private void virtualClock(String call, long epochSeconds) {
        Capability capability = Capability.SOFTKVM_VIRTUAL_CLOCK;
        checkNoVcpus(call, capability.toString());
        if (irqchip() != null) {
            throw new KvmException(call, Errno.EINVAL, capability + " (there is an irqchip already)");
        }
        if (time.isVirtual()) {
            throw new KvmException(call, Errno.EEXIST, capability + " (enabled already)");
        }
        time.becomeVirtual(epochSeconds);
    }

    private void splitIrqchip(String call, long pins) {
        Capability capability = Capability.SPLIT_IRQCHIP;
        if (pins < 0 || pins > GsiRoutes.MAX_ROUTES) {
            throw new KvmException(
                    call, Errno.EINVAL, capability + " args[0]=" + pins + " (0 to " + GsiRoutes.MAX_ROUTES + ")");
        }
        if (hasLapics()) {
            throw new KvmException(call, Errno.EEXIST, capability + " (there is an irqchip already)");
        }
        if (!vcpus.isEmpty()) {
            throw new KvmException(call, Errno.EEXIST, capability + " (there are vcpus already)");
        }
        reservedPins = (int) pins;
        splitIrqchip = true;
    }

    @Override
    public MemorySegment allocateMemory(long size) {
        String call = "allocateMemory";
        checkOpen(call);
        if (size <= 0 || (size & (PAGE - 1)) != 0) {
            throw new KvmException(call, Errno.EINVAL, "size=" + size + " (a multiple of 4096 above 0)");
        }
        MemorySegment segment;
        try {
            segment = HostMemory.allocate(size);
        } catch (OutOfMemoryError e) {
            throw new KvmException(call, Errno.ENOMEM, "size=" + size + " (" + e.getMessage() + ")");
        }
        synchronized (allocations) {
            allocations.add(segment);
        }
        return segment;
    }

    @Override
    public synchronized void setMemorySlot(MemorySlot slot) {
        checkOpen("KVM_SET_USER_MEMORY_REGION");
        apply(slots.with(slot));
    }

    @Override
    public synchronized void deleteMemorySlot(int addressSpace, int slot) {
        checkOpen("KVM_SET_USER_MEMORY_REGION");
        apply(slots.without(addressSpace, slot));
    }

    @Override
    public synchronized void replaceMemorySlots(List<MemorySlot> replacement) {
        checkOpen("replaceMemorySlots");
        apply(SlotTable.checked(replacement, CpuModel.MAX.physicalAddressBits()));
    }

    private void apply(List<MemorySlot> list) {
        slotChanges++;
        slots.set(list);
        slotMap = new SlotMap(list);
        List<org.softkvm.emulator.MemorySlot> core = new ArrayList<>(list.size());
        for (MemorySlot slot : list) {
            core.add(new org.softkvm.emulator.MemorySlot(
                    slot.slot(),
                    slot.addressSpace(),
                    slot.guestPhysicalAddress(),
                    slot.memory(),
                    (slot.flags() & MemorySlot.READONLY) != 0,
                    (slot.flags() & MemorySlot.LOG_DIRTY_PAGES) != 0));
        }
        memory.setSlots(core);
    }

    @Override
    public synchronized void getDirtyLog(int addressSpace, int slot, MemorySegment bitmap) {
        checkOpen("KVM_GET_DIRTY_LOG");
        dirtyLogs.get(addressSpace, slot, bitmap);
    }

    @Override
    public synchronized void clearDirtyLog(
            int addressSpace, int slot, long firstPage, long numPages, MemorySegment bitmap) {
        checkOpen("KVM_CLEAR_DIRTY_LOG");
        dirtyLogs.clear(addressSpace, slot, firstPage, numPages, bitmap);
    }

    @Override
    public synchronized List<MemorySlot> memorySlots() {
        return slots.slots();
    }

    @Override
    public long dmaRead(long guestPhysicalAddress, MemorySegment destination) {
        checkOpen("dmaRead");
        return slotMap.read(guestPhysicalAddress, destination);
    }

    @Override
    public long dmaWrite(long guestPhysicalAddress, MemorySegment source) {
        checkOpen("dmaWrite");
        long written = slotMap.write(guestPhysicalAddress, source);
        if (written > 0) {
            memory.notifyHostWrite(guestPhysicalAddress, written);
        }
        return written;
    }

    @Override
    public void memoryWritten(long guestPhysicalAddress, long length) {
        checkOpen("memoryWritten");
        for (MemorySlot slot : memorySlots()) {
            if (slot.addressSpace() != 0) {
                continue;
            }
            long from = Math.max(guestPhysicalAddress, slot.guestPhysicalAddress());
            // The end of what was written may be beyond the range of a long.
            long left = length - (from - guestPhysicalAddress);
            long part = Math.min(left, slot.guestPhysicalAddress() + slot.size() - from);
            if (part > 0) {
                memory.notifyHostWrite(from, part);
            }
        }
    }

    @Override
    public synchronized void createIrqchip() {
        String call = "KVM_CREATE_IRQCHIP";
        checkOpen(call);
        if (hasLapics()) {
            throw new KvmException(call, Errno.EEXIST, "vm (there is an irqchip already)");
        }
        if (!vcpus.isEmpty()) {
            throw new KvmException(call, Errno.EINVAL, "vm (there are vcpus already)");
        }
        routing.setIrqchip(new Irqchip(chipLock, time.clock(), bus, routing, irqFds, vcpus));
        showChips();
    }

    /** Vcpus find the registers of the chips. */
    private void showChips() {
        DeviceBus chips = new DeviceBus();
        irqchip().addTo(chips);
        io.setChips(chips);
    }

    private Irqchip irqchip(String call) {
        checkOpen(call);
        if (irqchip() == null) {
            throw new KvmException(call, Errno.ENXIO, "vm (no PIC and IOAPIC in the backend)");
        }
        return irqchip();
    }

    private Irqchip pit(String call) {
        Irqchip chips = irqchip(call);
        if (!chips.hasPit()) {
            throw new KvmException(call, Errno.ENXIO, "vm (no PIT in the backend)");
        }
        return chips;
    }

    private static boolean isSlave(String call, int chip) {
        if (chip != IrqRoute.IRQCHIP_PIC_MASTER && chip != IrqRoute.IRQCHIP_PIC_SLAVE) {
            throw new KvmException(call, Errno.EINVAL, "chip_id=" + chip);
        }
        return chip == IrqRoute.IRQCHIP_PIC_SLAVE;
    }

    @Override
    public void getPic(int chip, PicState state) {
        String call = "KVM_GET_IRQCHIP";
        irqchip(call).getPic(isSlave(call, chip), state);
    }

    @Override
    public void setPic(int chip, PicState state) {
        String call = "KVM_SET_IRQCHIP";
        irqchip(call).setPic(isSlave(call, chip), state);
    }

    @Override
    public void getIoapic(IoapicState state) {
        irqchip("KVM_GET_IRQCHIP").getIoapic(state);
    }

    @Override
    public void setIoapic(IoapicState state) {
        irqchip("KVM_SET_IRQCHIP").setIoapic(state);
    }

    @Override
    public synchronized void createPit(int flags) {
        String call = "KVM_CREATE_PIT2";
        checkOpen(call);
        if ((flags & ~PIT_SPEAKER_DUMMY) != 0) {
            throw new KvmException(call, Errno.EINVAL, "flags=0x" + Integer.toHexString(flags));
        }
        if (irqchip() == null) {
            throw new KvmException(call, Errno.ENOENT, "vm (no PIC in the backend)");
        }
        if (!irqchip().createPit((flags & PIT_SPEAKER_DUMMY) != 0)) {
            throw new KvmException(call, Errno.EEXIST, "vm (there is a PIT already)");
        }
        showChips();
    }

    @Override
    public void getPit(PitState state) {
        pit("KVM_GET_PIT2").getPit(state);
    }

    @Override
    public void setPit(PitState state) {
        pit("KVM_SET_PIT2").setPit(state);
    }

    @Override
    public void reinjectControl(boolean reinject) {
        pit("KVM_REINJECT_CONTROL").setReinject(reinject);
    }

    @Override
    public int irqLine(int gsi, boolean level) {
        String call = "KVM_IRQ_LINE";
        checkOpen(call);
        if (!hasLapics()) {
            throw new KvmException(call, Errno.ENXIO, "irq=" + gsi + " (no irqchip)");
        }
        return routing.drive(InterruptRouting.SOURCE_USER, gsi, level);
    }

    @Override
    public synchronized void setGsiRouting(List<? extends IrqRoute> list) {
        String call = "KVM_SET_GSI_ROUTING";
        checkOpen(call);
        if (!hasLapics()) {
            throw new KvmException(call, Errno.EINVAL, "vm (no irqchip)");
        }
        GsiRoutes before = routing.replace(list, reservedPins);
        if (irqchip() != null) {
            irqchip().reportEnds();
        }
        for (EmulatorVcpu vcpu : vcpus) {
            vcpu.routesChanged(before, routing.routes());
        }
    }

    @Override
    public int signalMsi(long address, int data) {
        String call = "KVM_SIGNAL_MSI";
        checkOpen(call);
        if (!hasLapics()) {
            throw new KvmException(call, Errno.EINVAL, "vm (no irqchip)");
        }
        return routing.send(address, data);
    }

    @Override
    public void assignIrqFd(EventFd eventFd, int gsi) {
        String call = "KVM_IRQFD";
        checkOpen(call);
        Objects.requireNonNull(eventFd, "eventFd");
        if (!hasLapics()) {
            throw new KvmException(call, Errno.EINVAL, "gsi=" + gsi + " (no irqchip)");
        }
        irqFds.assign(eventFd, gsi, null);
    }

    @Override
    public void assignIrqFd(EventFd eventFd, int gsi, EventFd resample) {
        String call = "KVM_IRQFD";
        checkOpen(call);
        Objects.requireNonNull(eventFd, "eventFd");
        Objects.requireNonNull(resample, "resample");
        if (irqchip() == null) {
            throw new KvmException(call, Errno.EINVAL, "gsi=" + gsi + " (RESAMPLE without a full irqchip)");
        }
        irqFds.assign(eventFd, gsi, resample);
    }

    @Override
    public void deassignIrqFd(EventFd eventFd, int gsi) {
        checkOpen("KVM_IRQFD");
        irqFds.deassign(eventFd, gsi);
    }

    @Override
    public void assignIoEventFd(IoEventFd event) {
        checkOpen("KVM_IOEVENTFD");
        io.assign(event);
    }

    @Override
    public void deassignIoEventFd(IoEventFd event) {
        checkOpen("KVM_IOEVENTFD");
        io.deassign(event);
    }

    @Override
    public void registerCoalesced(long address, int size, boolean pio) {
        checkOpen("KVM_REGISTER_COALESCED_MMIO");
        io.registerCoalesced(address, size, pio);
    }

    @Override
    public void unregisterCoalesced(long address, int size, boolean pio) {
        checkOpen("KVM_UNREGISTER_COALESCED_MMIO");
        io.unregisterCoalesced(address, size, pio);
    }

    @Override
    public CoalescedRing coalescedRing() {
        return io.ring();
    }

    @Override
    public void setCoalescedRing(CoalescedRing ring) {
        checkOpen("setCoalescedRing");
        io.setRing(Objects.requireNonNull(ring, "ring"));
    }

    @Override
    public synchronized int tscKhz() {
        return tscKhz;
    }

    @Override
    public synchronized void setTscKhz(int khz) {
        String call = "KVM_SET_TSC_KHZ";
        checkOpen(call);
        int chosen = Tsc.checkedKhz(call, khz);
        checkNoVcpus(call, "tsc_khz=" + khz);
        tscKhz = chosen;
    }

    @Override
    public void getClock(ClockData clock) {
        checkOpen("KVM_GET_CLOCK");
        long now = time.nanoTime();
        clock.clock = time.kvmClockAt(now);
        clock.realtime = time.realtime();
        clock.hostTsc = now;
        clock.flags = ClockData.TSC_STABLE | ClockData.REALTIME | ClockData.HOST_TSC;
    }

    @Override
    public void copyMemory(MemorySegment memory, byte[] target) {
        long pool = HostMemory.offsetOf(memory);
        if (pool < 0 || !HostMemory.readSparse(pool, ByteBuffer.wrap(target))) {
            Vm.super.copyMemory(memory, target);
        }
    }

    @Override
    public void setClock(ClockData clock) {
        String call = "KVM_SET_CLOCK";
        checkOpen(call);
        int known = ClockData.TSC_STABLE | ClockData.REALTIME | ClockData.HOST_TSC;
        if ((clock.flags & ~known) != 0) {
            throw new KvmException(call, Errno.EINVAL, "flags=0x" + Integer.toHexString(clock.flags));
        }
        long value = clock.clock;
        if ((clock.flags & ClockData.REALTIME) != 0) {
            // Time does not go back because the host's wall clock did.
            value += Math.max(0, time.realtime() - clock.realtime);
        }
        time.setKvmClock(value, time.nanoTime());
        for (EmulatorVcpu vcpu : vcpus) {
            vcpu.clockChanged();
        }
    }

    @Override
    public void setTssAddr(long guestPhysicalAddress) {
        String call = "KVM_SET_TSS_ADDR";
        checkOpen(call);
        // The emulated CPU needs no pages for real mode; the address is checked and that is all.
        if (guestPhysicalAddress < 0 || guestPhysicalAddress > TSS_LIMIT) {
            throw new KvmException(call, Errno.EINVAL, "addr=0x" + Long.toHexString(guestPhysicalAddress));
        }
    }

    @Override
    public void setIdentityMapAddr(long guestPhysicalAddress) {
        String call = "KVM_SET_IDENTITY_MAP_ADDR";
        checkOpen(call);
        if (!vcpus.isEmpty()) {
            throw new KvmException(call, Errno.EINVAL, "vm (there are vcpus already)");
        }
    }

    @Override
    public void setMsrFilter(MsrFilter filter) {
        checkOpen("KVM_X86_SET_MSR_FILTER");
        options.msrPolicy().setFilter(filter);
    }

    @Override
    public Stats stats() {
        return stats;
    }

    @Override
    public synchronized void setBootCpuId(int id) {
        String call = "KVM_SET_BOOT_CPU_ID";
        checkOpen(call);
        if (!vcpus.isEmpty()) {
            throw new KvmException(call, Errno.EBUSY, "vm (there are vcpus already)");
        }
        if (id < 0 || id >= Capabilities.MAX_VCPU_ID) {
            throw new KvmException(call, Errno.EINVAL, "id=" + id);
        }
        bootCpuId = id;
    }

    @Override
    public synchronized Vcpu createVcpu(int id) {
        String call = "KVM_CREATE_VCPU";
        checkOpen(call);
        if (id < 0 || id >= options.vcpuIds()) {
            throw new KvmException(call, Errno.EINVAL, "id=" + id + " (0 to " + (options.vcpuIds() - 1) + ")");
        }
        for (EmulatorVcpu vcpu : vcpus) {
            if (vcpu.id() == id) {
                throw new KvmException(call, Errno.EEXIST, "id=" + id);
            }
        }
        EmulatorVcpu vcpu = new EmulatorVcpu(this, id);
        vcpus.add(vcpu);
        byApicId[id] = vcpu;
        if (irqchip() != null) {
            irqchip().attach(vcpu);
        }
        return vcpu;
    }

    @Override
    public synchronized void setEngine(String engine) {
        String call = "setEngine";
        checkOpen(call);
        if (!EmulatorKvm.ENGINES.contains(engine)) {
            throw new KvmException(call, Errno.EINVAL, "engine=" + engine + " (there are " + EmulatorKvm.ENGINES + ")");
        }
        checkNoVcpus(call, "engine=" + engine);
        this.engine = engine;
    }

    /** How guest code is executed. */
    String engine() {
        return engine;
    }

    @Override
    public synchronized void setCpuModel(String name) {
        String call = "setCpuModel";
        checkOpen(call);
        CpuModel chosen = EmulatorKvm.model(call, name);
        checkNoVcpus(call, "model=" + name);
        model = chosen;
    }

    private void checkNoVcpus(String call, String argument) {
        if (!vcpus.isEmpty()) {
            throw new KvmException(call, Errno.EINVAL, argument + " (there are vcpus already)");
        }
    }

    private void checkVirtual(String call) {
        checkOpen(call);
        if (!time.isVirtual()) {
            throw new KvmException(call, Errno.EINVAL, "vm (" + Capability.SOFTKVM_VIRTUAL_CLOCK + " is not enabled)");
        }
    }

    @Override
    public long virtualTime() {
        checkVirtual("virtualTime");
        return time.nanoTime();
    }

    @Override
    public long nextDeadline() {
        checkVirtual("nextDeadline");
        return time.nextDeadline();
    }

    @Override
    public void advanceTo(long nanos) {
        checkVirtual("advanceTo");
        time.advanceTo(nanos);
    }

    private boolean showsElsewhere(MemorySlot own) {
        for (MemorySlot slot : slots.slots()) {
            if (slot.addressSpace() == 0
                    && slot.memory().address() == own.memory().address()
                    && slot.size() == own.size()) {
                return true;
            }
        }
        return false;
    }

    @Override
    public synchronized long stateHash() {
        checkOpen("stateHash");
        StateHash hash = new StateHash();
        for (MemorySlot slot : slots.slots()) {
            hash.add(slot.addressSpace());
            hash.add(slot.guestPhysicalAddress());
            hash.add(slot.size());
            hash.add(slot.flags() & MemorySlot.READONLY);
            // Memory that address space 1 shows in another slot counts once.
            if (slot.addressSpace() == 0 || !showsElsewhere(slot)) {
                hash.add(MemoryDigest.of(slot.memory()));
            }
        }
        for (EmulatorVcpu vcpu : vcpus) {
            vcpu.hashState(hash);
        }
        if (irqchip() != null) {
            irqchip().hashState(hash);
        }
        return hash.value();
    }

    @Override
    public synchronized void close() {
        if (closed) {
            return;
        }
        closed = true;
        for (EmulatorVcpu vcpu : vcpus) {
            vcpu.close();
        }
        irqFds.deassignAll();
        time.close();
        memory.setSlots(List.of());
        slotMap = new SlotMap(List.of());
        synchronized (allocations) {
            for (MemorySegment segment : allocations) {
                HostMemory.free(segment);
            }
            allocations.clear();
        }
    }
}
