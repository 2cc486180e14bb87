package org.softkvm.kvm.dispatch;

import static org.softkvm.kvm.abi.Fields.getByte;
import static org.softkvm.kvm.abi.Fields.getInt;
import static org.softkvm.kvm.abi.Fields.getLong;
import static org.softkvm.kvm.abi.Fields.offset;
import static org.softkvm.kvm.abi.Fields.putInt;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.softkvm.kvm.Capability;
import org.softkvm.kvm.ClockData;
import org.softkvm.kvm.CoalescedRing;
import org.softkvm.kvm.Errno;
import org.softkvm.kvm.EventFd;
import org.softkvm.kvm.IoEventFd;
import org.softkvm.kvm.IoapicState;
import org.softkvm.kvm.IrqRoute;
import org.softkvm.kvm.Kvm;
import org.softkvm.kvm.KvmException;
import org.softkvm.kvm.MemorySlot;
import org.softkvm.kvm.MsrFilter;
import org.softkvm.kvm.PicState;
import org.softkvm.kvm.PitState;
import org.softkvm.kvm.Vcpu;
import org.softkvm.kvm.Vm;
import org.softkvm.kvm.abi.ChipCodec;
import org.softkvm.kvm.abi.Ioctl;
import org.softkvm.kvm.abi.ListCodec;
import org.softkvm.kvm.abi.Request;
import org.softkvm.kvm.abi.RunStruct;
import org.softkvm.kvm.abi.VmStructs;

/** What a descriptor of a VM stands for. */
final class VmEndpoint extends Endpoint {
    private static final int MAX_ROUTES = 4096;
    private static final int ADDRESS_SPACE_SHIFT = 16;
    private static final int MEM_GUEST_MEMFD = 4;
    private static final int IRQFD_DEASSIGN = 1;
    private static final int IRQFD_RESAMPLE = 2;
    private static final int IOEVENTFD_DEASSIGN = 4;
    private static final int MAX_CAP_ARGUMENTS = 4;
    private static final int MIN_MMU_PAGES = 20;
    private static final long PAGE = 4096;

    private static final long REGION_SLOT = offset(VmStructs.MEMORY_REGION, "slot");
    private static final long REGION_FLAGS = offset(VmStructs.MEMORY_REGION, "flags");
    private static final long REGION_GPA = offset(VmStructs.MEMORY_REGION, "guest_phys_addr");
    private static final long REGION_SIZE = offset(VmStructs.MEMORY_REGION, "memory_size");
    private static final long REGION_ADDRESS = offset(VmStructs.MEMORY_REGION, "userspace_addr");
    private static final long LOG_SLOT = offset(VmStructs.DIRTY_LOG, "slot");
    private static final long LOG_BITMAP = offset(VmStructs.DIRTY_LOG, "dirty_bitmap");
    private static final long CLEAR_SLOT = offset(VmStructs.CLEAR_DIRTY_LOG, "slot");
    private static final long CLEAR_COUNT = offset(VmStructs.CLEAR_DIRTY_LOG, "num_pages");
    private static final long CLEAR_FIRST = offset(VmStructs.CLEAR_DIRTY_LOG, "first_page");
    private static final long CLEAR_BITMAP = offset(VmStructs.CLEAR_DIRTY_LOG, "dirty_bitmap");
    private static final long MSI_ADDRESS_LO = offset(VmStructs.MSI, "address_lo");
    private static final long MSI_ADDRESS_HI = offset(VmStructs.MSI, "address_hi");
    private static final long MSI_DATA = offset(VmStructs.MSI, "data");
    private static final long MSI_FLAGS = offset(VmStructs.MSI, "flags");
    private static final long IRQFD_FD = offset(VmStructs.IRQFD, "fd");
    private static final long IRQFD_GSI = offset(VmStructs.IRQFD, "gsi");
    private static final long IRQFD_FLAGS = offset(VmStructs.IRQFD, "flags");
    private static final long IRQFD_RESAMPLEFD = offset(VmStructs.IRQFD, "resamplefd");
    private static final long IO_DATAMATCH = offset(VmStructs.IOEVENTFD, "datamatch");
    private static final long IO_ADDR = offset(VmStructs.IOEVENTFD, "addr");
    private static final long IO_LEN = offset(VmStructs.IOEVENTFD, "len");
    private static final long IO_FD = offset(VmStructs.IOEVENTFD, "fd");
    private static final long IO_FLAGS = offset(VmStructs.IOEVENTFD, "flags");
    private static final long ZONE_ADDR = offset(VmStructs.COALESCED_ZONE, "addr");
    private static final long ZONE_SIZE = offset(VmStructs.COALESCED_ZONE, "size");
    private static final long ZONE_PIO = offset(VmStructs.COALESCED_ZONE, "pio");
    private static final long CAP_FLAGS = offset(VmStructs.ENABLE_CAP, "flags");
    private static final long CAP_ARGS = offset(VmStructs.ENABLE_CAP, "args");
    private static final long FILTER_RANGES = offset(VmStructs.MSR_FILTER, "ranges");
    private static final long RANGE = VmStructs.MSR_FILTER_RANGE.byteSize();
    private static final long RANGE_FLAGS = offset(VmStructs.MSR_FILTER_RANGE, "flags");
    private static final long RANGE_NMSRS = offset(VmStructs.MSR_FILTER_RANGE, "nmsrs");
    private static final long RANGE_BASE = offset(VmStructs.MSR_FILTER_RANGE, "base");
    private static final long RANGE_BITMAP = offset(VmStructs.MSR_FILTER_RANGE, "bitmap");

    private final Kvm kvm;
    private final Vm vm;
    /** Descriptors of this VM and of its vcpus. */
    private final AtomicInteger users = new AtomicInteger(1);

    private boolean hasRing;

    VmEndpoint(Kvm kvm, Vm vm, ClientMemory memory, Descriptors descriptors) {
        super(memory, descriptors);
        this.kvm = kvm;
        this.vm = vm;
    }

    @Override
    int serve(int request, long argument) {
        return switch (request) {
            case Request.KVM_CHECK_EXTENSION -> SystemEndpoint.extension(kvm, (int) argument);
            case Request.KVM_CREATE_VCPU -> createVcpu(argument);
            case Request.KVM_ENABLE_CAP -> enableCap(struct(argument, VmStructs.ENABLE_CAP));
            case Request.KVM_SET_USER_MEMORY_REGION -> setMemory(request, struct(argument, VmStructs.MEMORY_REGION));
            case Request.KVM_SET_USER_MEMORY_REGION2 -> setMemory(request, struct(argument, VmStructs.MEMORY_REGION2));
            case Request.KVM_GET_DIRTY_LOG -> getDirtyLog(struct(argument, VmStructs.DIRTY_LOG));
            case Request.KVM_CLEAR_DIRTY_LOG -> clearDirtyLog(struct(argument, VmStructs.CLEAR_DIRTY_LOG));
            case Request.KVM_REGISTER_COALESCED_MMIO, Request.KVM_UNREGISTER_COALESCED_MMIO ->
                coalesced(request, struct(argument, VmStructs.COALESCED_ZONE));
            case Request.KVM_SET_NR_MMU_PAGES ->
                // There are no shadow pages to limit; KVM's own bounds hold.
                argument < MIN_MMU_PAGES ? -Errno.EINVAL.number() : 0;
            case Request.KVM_SET_TSS_ADDR -> {
                vm.setTssAddr(argument);
                yield 0;
            }
            case Request.KVM_SET_IDENTITY_MAP_ADDR -> {
                vm.setIdentityMapAddr(getLong(memory.at(argument, 8), 0));
                yield 0;
            }
            case Request.KVM_SET_BOOT_CPU_ID -> {
                vm.setBootCpuId((int) argument);
                yield 0;
            }
            case Request.KVM_GET_CLOCK, Request.KVM_SET_CLOCK -> clock(request, struct(argument, VmStructs.CLOCK_DATA));
            case Request.KVM_GET_TSC_KHZ -> vm.tscKhz();
            case Request.KVM_SET_TSC_KHZ -> {
                vm.setTscKhz((int) argument);
                yield 0;
            }
            case Request.KVM_X86_SET_MSR_FILTER -> setMsrFilter(struct(argument, VmStructs.MSR_FILTER));
            case Request.KVM_GET_STATS_FD -> descriptors.add(new StatsEndpoint(vm.stats(), memory, descriptors));
            case Request.KVM_CREATE_DEVICE ->
                throw new KvmException("KVM_CREATE_DEVICE", Errno.ENODEV, "type (x86 has VFIO only)");
            case Request.KVM_GET_DEVICE_ATTR, Request.KVM_SET_DEVICE_ATTR, Request.KVM_HAS_DEVICE_ATTR ->
                throw new KvmException(Ioctl.name(request), Errno.ENXIO, "vm (has no attributes)");
            default -> interrupts(request, argument);
        };
    }

    private int interrupts(int request, long argument) {
        switch (request) {
            case Request.KVM_CREATE_IRQCHIP -> vm.createIrqchip();
            case Request.KVM_IRQ_LINE -> {
                MemorySegment line = struct(argument, VmStructs.IRQ_LEVEL);
                vm.irqLine(getInt(line, 0), getInt(line, 4) != 0);
            }
            case Request.KVM_IRQ_LINE_STATUS -> {
                MemorySegment line = struct(argument, VmStructs.IRQ_LEVEL);
                putInt(line, 0, vm.irqLine(getInt(line, 0), getInt(line, 4) != 0));
            }
            case Request.KVM_GET_IRQCHIP, Request.KVM_SET_IRQCHIP ->
                irqchip(request, struct(argument, VmStructs.IRQCHIP));
            case Request.KVM_SET_GSI_ROUTING -> setRoutes(request, argument);
            case Request.KVM_SIGNAL_MSI -> {
                return signalMsi(struct(argument, VmStructs.MSI));
            }
            case Request.KVM_IRQFD -> irqFd(struct(argument, VmStructs.IRQFD));
            case Request.KVM_IOEVENTFD -> ioEventFd(struct(argument, VmStructs.IOEVENTFD));
            case Request.KVM_CREATE_PIT -> vm.createPit(0);
            case Request.KVM_CREATE_PIT2 -> vm.createPit(getInt(struct(argument, VmStructs.PIT_CONFIG), 0));
            case Request.KVM_GET_PIT -> getPit(struct(argument, VmStructs.PIT_STATE), false);
            case Request.KVM_GET_PIT2 -> getPit(struct(argument, VmStructs.PIT_STATE2), true);
            case Request.KVM_SET_PIT -> setPit(struct(argument, VmStructs.PIT_STATE), false);
            case Request.KVM_SET_PIT2 -> setPit(struct(argument, VmStructs.PIT_STATE2), true);
            case Request.KVM_REINJECT_CONTROL ->
                vm.reinjectControl(getByte(struct(argument, VmStructs.REINJECT_CONTROL), 0) != 0);
            default -> throw unknown(request);
        }
        return 0;
    }

    private int createVcpu(long id) {
        if (id < 0 || id > Integer.MAX_VALUE) {
            throw invalid(Request.KVM_CREATE_VCPU, "id=" + id);
        }
        Vcpu vcpu = vm.createVcpu((int) id);
        VcpuEndpoint endpoint = new VcpuEndpoint(kvm, vcpu, this, memory, descriptors);
        users.incrementAndGet();
        giveRing(endpoint);
        return descriptors.add(endpoint);
    }

    /** The ring of coalesced writes lies on the mapping of the first vcpu. */
    private synchronized void giveRing(VcpuEndpoint endpoint) {
        if (!hasRing && kvm.checkExtension(Capability.COALESCED_MMIO) != 0) {
            MemorySegment page = endpoint.mapping().asSlice(RunStruct.COALESCED_OFFSET, CoalescedRing.SIZE);
            vm.setCoalescedRing(new CoalescedRing(page));
            hasRing = true;
        }
    }

    /** The page of coalesced writes; there is one as soon as there is a vcpu. */
    synchronized MemorySegment ring() {
        return vm.coalescedRing().segment();
    }

    private int enableCap(MemorySegment cap) {
        int number = getInt(cap, 0);
        if (getInt(cap, CAP_FLAGS) != 0) {
            throw invalid(Request.KVM_ENABLE_CAP, "flags=" + getInt(cap, CAP_FLAGS));
        }
        long[] arguments = new long[MAX_CAP_ARGUMENTS];
        for (int i = 0; i < arguments.length; i++) {
            arguments[i] = getLong(cap, CAP_ARGS + i * 8L);
        }
        for (Capability capability : Capability.values()) {
            if (capability.number() == number) {
                vm.enableCap(capability, arguments);
                return 0;
            }
        }
        throw invalid(Request.KVM_ENABLE_CAP, "cap=" + number);
    }

    // ---- Memory

    private int setMemory(int request, MemorySegment region) {
        int number = getInt(region, REGION_SLOT);
        int flags = getInt(region, REGION_FLAGS);
        if ((flags & MEM_GUEST_MEMFD) != 0) {
            throw invalid(request, "flags=0x" + Integer.toHexString(flags) + " (there is no GUEST_MEMFD)");
        }
        long size = getLong(region, REGION_SIZE);
        long address = getLong(region, REGION_ADDRESS);
        if (size < 0 || (size & PAGE - 1) != 0 || (address & PAGE - 1) != 0) {
            throw invalid(
                    request,
                    "memory_size=0x" + Long.toHexString(size) + " userspace_addr=0x" + Long.toHexString(address));
        }
        MemorySegment host = size == 0 ? MemorySegment.NULL : memory.at(address, size);
        vm.setMemorySlot(new MemorySlot(
                number & 0xFFFF, number >>> ADDRESS_SPACE_SHIFT, getLong(region, REGION_GPA), host, flags));
        return 0;
    }

    private MemorySegment bitmap(long address, int number, long pages) {
        long needed = pages;
        if (needed < 0) {
            needed = 0;
            for (MemorySlot slot : vm.memorySlots()) {
                if (slot.slot() == (number & 0xFFFF) && slot.addressSpace() == number >>> ADDRESS_SPACE_SHIFT) {
                    needed = slot.size() / PAGE;
                }
            }
        }
        return needed == 0 ? MemorySegment.NULL : memory.at(address, (needed + 63) / 64 * 8);
    }

    private int getDirtyLog(MemorySegment log) {
        int number = getInt(log, LOG_SLOT);
        vm.getDirtyLog(number >>> ADDRESS_SPACE_SHIFT, number & 0xFFFF, bitmap(getLong(log, LOG_BITMAP), number, -1));
        return 0;
    }

    private int clearDirtyLog(MemorySegment log) {
        int number = getInt(log, CLEAR_SLOT);
        long count = Integer.toUnsignedLong(getInt(log, CLEAR_COUNT));
        vm.clearDirtyLog(
                number >>> ADDRESS_SPACE_SHIFT,
                number & 0xFFFF,
                getLong(log, CLEAR_FIRST),
                count,
                bitmap(getLong(log, CLEAR_BITMAP), number, count));
        return 0;
    }

    private int coalesced(int request, MemorySegment zone) {
        int pio = getInt(zone, ZONE_PIO);
        if (pio != 0 && pio != 1) {
            throw invalid(request, "pio=" + pio);
        }
        if (request == Request.KVM_REGISTER_COALESCED_MMIO) {
            vm.registerCoalesced(getLong(zone, ZONE_ADDR), getInt(zone, ZONE_SIZE), pio != 0);
        } else {
            vm.unregisterCoalesced(getLong(zone, ZONE_ADDR), getInt(zone, ZONE_SIZE), pio != 0);
        }
        return 0;
    }

    // ---- Interrupts

    private void irqchip(int request, MemorySegment chip) {
        boolean get = request == Request.KVM_GET_IRQCHIP;
        int number = getInt(chip, 0);
        switch (number) {
            case IrqRoute.IRQCHIP_PIC_MASTER, IrqRoute.IRQCHIP_PIC_SLAVE -> {
                PicState state = new PicState();
                if (get) {
                    vm.getPic(number, state);
                    ChipCodec.put(state, chip);
                } else {
                    ChipCodec.get(chip, state);
                    vm.setPic(number, state);
                }
            }
            case IrqRoute.IRQCHIP_IOAPIC -> {
                IoapicState state = new IoapicState();
                if (get) {
                    vm.getIoapic(state);
                    ChipCodec.put(state, chip);
                } else {
                    ChipCodec.get(chip, state);
                    vm.setIoapic(state);
                }
            }
            default -> throw invalid(request, "chip_id=" + number);
        }
    }

    private void setRoutes(int request, long argument) {
        MemorySegment head = memory.at(argument, ListCodec.HEAD);
        int count = getInt(head, 0);
        if (count < 0 || count > MAX_ROUTES || getInt(head, 4) != 0) {
            throw invalid(request, "nr=" + count + " flags=" + getInt(head, 4));
        }
        vm.setGsiRouting(ListCodec.getRoutes(memory.at(argument, ListCodec.HEAD + count * ListCodec.ROUTE)));
    }

    private int signalMsi(MemorySegment msi) {
        if (getInt(msi, MSI_FLAGS) != 0) {
            throw invalid(Request.KVM_SIGNAL_MSI, "flags=" + getInt(msi, MSI_FLAGS));
        }
        long address = Integer.toUnsignedLong(getInt(msi, MSI_ADDRESS_LO)) | (long) getInt(msi, MSI_ADDRESS_HI) << 32;
        return vm.signalMsi(address, getInt(msi, MSI_DATA));
    }

    private void irqFd(MemorySegment irqFd) {
        int flags = getInt(irqFd, IRQFD_FLAGS);
        if ((flags & ~(IRQFD_DEASSIGN | IRQFD_RESAMPLE)) != 0) {
            throw invalid(Request.KVM_IRQFD, "flags=0x" + Integer.toHexString(flags));
        }
        EventFd event = descriptors.eventFd(getInt(irqFd, IRQFD_FD));
        int gsi = getInt(irqFd, IRQFD_GSI);
        if ((flags & IRQFD_DEASSIGN) != 0) {
            vm.deassignIrqFd(event, gsi);
        } else if ((flags & IRQFD_RESAMPLE) != 0) {
            vm.assignIrqFd(event, gsi, descriptors.eventFd(getInt(irqFd, IRQFD_RESAMPLEFD)));
        } else {
            vm.assignIrqFd(event, gsi);
        }
    }

    private void ioEventFd(MemorySegment io) {
        int flags = getInt(io, IO_FLAGS);
        if ((flags & ~(IoEventFd.DATAMATCH | IoEventFd.PIO | IOEVENTFD_DEASSIGN)) != 0) {
            throw invalid(Request.KVM_IOEVENTFD, "flags=0x" + Integer.toHexString(flags));
        }
        IoEventFd event = new IoEventFd(
                descriptors.eventFd(getInt(io, IO_FD)),
                getLong(io, IO_ADDR),
                getInt(io, IO_LEN),
                flags & ~IOEVENTFD_DEASSIGN,
                getLong(io, IO_DATAMATCH));
        if ((flags & IOEVENTFD_DEASSIGN) != 0) {
            vm.deassignIoEventFd(event);
        } else {
            vm.assignIoEventFd(event);
        }
    }

    private void getPit(MemorySegment struct, boolean withFlags) {
        PitState state = new PitState();
        vm.getPit(state);
        struct.fill((byte) 0);
        ChipCodec.put(state, struct, withFlags);
    }

    private void setPit(MemorySegment struct, boolean withFlags) {
        PitState state = new PitState();
        ChipCodec.get(struct, state, withFlags);
        vm.setPit(state);
    }

    // ---- Other things

    private int clock(int request, MemorySegment struct) {
        ClockData clock = new ClockData();
        if (request == Request.KVM_GET_CLOCK) {
            vm.getClock(clock);
            ListCodec.put(clock, struct);
        } else {
            ListCodec.get(struct, clock);
            vm.setClock(clock);
        }
        return 0;
    }

    private int setMsrFilter(MemorySegment filter) {
        List<MsrFilter.Range> ranges = new ArrayList<>();
        for (int i = 0; i < MsrFilter.MAX_RANGES; i++) {
            long at = FILTER_RANGES + i * RANGE;
            int count = getInt(filter, at + RANGE_NMSRS);
            if (count == 0) {
                continue;
            }
            if (count < 0 || (count + 7) / 8 > MsrFilter.MAX_BITMAP_SIZE) {
                throw invalid(Request.KVM_X86_SET_MSR_FILTER, "ranges[" + i + "].nmsrs=" + count);
            }
            byte[] bitmap = memory.at(getLong(filter, at + RANGE_BITMAP), (count + 7) / 8)
                    .toArray(ValueLayout.JAVA_BYTE);
            ranges.add(new MsrFilter.Range(
                    getInt(filter, at + RANGE_FLAGS), getInt(filter, at + RANGE_BASE), count, bitmap));
        }
        vm.setMsrFilter(new MsrFilter(getInt(filter, 0), ranges));
        return 0;
    }

    /** The client wrote guest memory by itself. */
    void written(long guestPhysicalAddress, long length) {
        vm.memoryWritten(guestPhysicalAddress, length);
    }

    /** A descriptor of this VM, or of a vcpu of it, was closed; with the last one the VM goes. */
    void release() {
        if (users.decrementAndGet() == 0) {
            vm.close();
        }
    }

    @Override
    public void close() {
        release();
    }
}
