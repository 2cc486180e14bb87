package org.softkvm.kvm.emulator;

import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.locks.ReentrantLock;
import org.softkvm.devices.apic.ApicBus;
import org.softkvm.devices.apic.InProcessApicBus;
import org.softkvm.devices.apic.MsiMessage;
import org.softkvm.emulator.CpuModel;
import org.softkvm.emulator.GuestMemory;
import org.softkvm.emulator.HostMemory;
import org.softkvm.kvm.Capability;
import org.softkvm.kvm.ClockData;
import org.softkvm.kvm.Errno;
import org.softkvm.kvm.IrqRoute;
import org.softkvm.kvm.KvmException;
import org.softkvm.kvm.MemorySlot;
import org.softkvm.kvm.Vcpu;
import org.softkvm.kvm.Vm;

/** A VM of the emulator backend. */
final class EmulatorVm implements Vm {
    private static final long PAGE = 4096;
    private static final int SHOWN_CODE_BYTES = 15;
    private static final long TSS_LIMIT = 0xFFFF_FFFFL - 3 * PAGE + 1;

    private final GuestMemory memory = new GuestMemory();
    private final VmTime time = new VmTime();
    private final InProcessApicBus bus = new InProcessApicBus(new ReentrantLock());
    private final List<EmulatorVcpu> vcpus = new CopyOnWriteArrayList<>();
    private final List<MemorySegment> allocations = new ArrayList<>();

    private SlotTable slots = new SlotTable(CpuModel.MAX.physicalAddressBits());
    private volatile SlotMap slotMap = new SlotMap(List.of());
    private volatile GsiRoutes routes = GsiRoutes.EMPTY;
    private volatile boolean splitIrqchip;
    private int reservedPins;
    private int bootCpuId;
    private CpuModel model = CpuModel.MAX;
    private volatile boolean closed;

    /** Makes a VM without memory and vcpus. */
    EmulatorVm() {}

    GuestMemory memory() {
        return memory;
    }

    VmTime time() {
        return time;
    }

    InProcessApicBus bus() {
        return bus;
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

    boolean splitIrqchip() {
        return splitIrqchip;
    }

    GsiRoutes routes() {
        return routes;
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
        if (capability != Capability.SPLIT_IRQCHIP) {
            throw new KvmException(call, Errno.EINVAL, "cap=" + capability + " (cannot be enabled)");
        }
        long pins = arguments.length == 0 ? 0 : arguments[0];
        if (pins < 0 || pins > GsiRoutes.MAX_ROUTES) {
            throw new KvmException(
                    call, Errno.EINVAL, capability + " args[0]=" + pins + " (0 to " + GsiRoutes.MAX_ROUTES + ")");
        }
        if (splitIrqchip) {
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
    public void createIrqchip() {
        String call = "KVM_CREATE_IRQCHIP";
        checkOpen(call);
        if (splitIrqchip) {
            throw new KvmException(call, Errno.EEXIST, "vm (there is an irqchip already)");
        }
        if (!vcpus.isEmpty()) {
            throw new KvmException(call, Errno.EINVAL, "vm (there are vcpus already)");
        }
        throw new KvmException(
                call, Errno.ENOTTY, "vm (the emulator backend has no PIC and IOAPIC inside; enable SPLIT_IRQCHIP)");
    }

    @Override
    public int irqLine(int gsi, boolean level) {
        String call = "KVM_IRQ_LINE";
        checkOpen(call);
        if (!splitIrqchip) {
            throw new KvmException(call, Errno.ENXIO, "irq=" + gsi + " (no irqchip)");
        }
        IrqRoute.Msi route = routes.get(gsi);
        return route == null || !level ? -1 : send(route.address(), route.data());
    }

    @Override
    public synchronized void setGsiRouting(List<? extends IrqRoute> list) {
        String call = "KVM_SET_GSI_ROUTING";
        checkOpen(call);
        if (!splitIrqchip) {
            throw new KvmException(call, Errno.EINVAL, "vm (no irqchip)");
        }
        GsiRoutes before = routes;
        routes = GsiRoutes.of(list, reservedPins);
        for (EmulatorVcpu vcpu : vcpus) {
            vcpu.routesChanged(before, routes);
        }
    }

    @Override
    public int signalMsi(long address, int data) {
        String call = "KVM_SIGNAL_MSI";
        checkOpen(call);
        if (!splitIrqchip) {
            throw new KvmException(call, Errno.EINVAL, "vm (no irqchip)");
        }
        return send(address, data);
    }

    private int send(long address, int data) {
        if (!MsiMessage.isMsiAddress(address)) {
            return ApicBus.NO_DESTINATION;
        }
        return bus.send(MsiMessage.toApicMessage(address, data));
    }

    @Override
    public void getClock(ClockData clock) {
        checkOpen("KVM_GET_CLOCK");
        long now = time.nanoTime();
        clock.clock = time.kvmClockAt(now);
        clock.realtime = VmTime.realtime();
        clock.hostTsc = now;
        clock.flags = ClockData.TSC_STABLE | ClockData.REALTIME | ClockData.HOST_TSC;
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
            value += Math.max(0, VmTime.realtime() - clock.realtime);
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
        if (id < 0 || id >= Capabilities.MAX_VCPU_ID) {
            throw new KvmException(call, Errno.EINVAL, "id=" + id + " (0 to " + (Capabilities.MAX_VCPU_ID - 1) + ")");
        }
        for (EmulatorVcpu vcpu : vcpus) {
            if (vcpu.id() == id) {
                throw new KvmException(call, Errno.EEXIST, "id=" + id);
            }
        }
        EmulatorVcpu vcpu = new EmulatorVcpu(this, id);
        vcpus.add(vcpu);
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

    @Override
    public long stateHash() {
        checkOpen("stateHash");
        throw new KvmException(
                "stateHash",
                Errno.ENOTTY,
                "vm (the emulator backend has no state hash yet: " + Capability.SOFTKVM_STATE_HASH + " is 0)");
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
