package org.softkvm.kvm;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;

/**
 * A virtual machine: memory, interrupts, a clock and vcpus.
 *
 * <p>Any thread may call its methods at any time, while vcpus run too. Errors are {@link KvmException}s.
 */
public interface Vm extends AutoCloseable {
    /** Flag of {@link #createPit(int)}: port 61h, which gates counter 2 and reads its output, comes with it. */
    int PIT_SPEAKER_DUMMY = 1;

    /**
     * Asks for a capability of this VM (KVM_CHECK_EXTENSION).
     *
     * @param capability the capability
     * @return 0 where it is absent, else 1 or the number that its description names
     */
    int checkExtension(Capability capability);

    /**
     * Enables a capability (KVM_ENABLE_CAP). For {@link Capability#SPLIT_IRQCHIP}: before the first vcpu; argument 0 is
     * the number of pins of the IOAPIC outside, for which the first global system interrupts are reserved. For
     * {@link Capability#X86_USER_SPACE_MSR}: argument 0 holds the reasons to exit for, such as
     * {@link VcpuRun#MSR_FILTER}. For {@link Capability#EXCEPTION_PAYLOAD} and
     * {@link Capability#X86_TRIPLE_FAULT_EVENT}: argument 0 is 1 for on. For {@link Capability#MAX_VCPU_ID}, before the
     * first vcpu: argument 0 is the first number that is too large for a vcpu. For
     * {@link Capability#MANUAL_DIRTY_LOG_PROTECT2}: argument 0 is 1 ({@link #getDirtyLog} does not clear), or 3 (a new
     * log has all pages dirty, too), or 0 for neither.
     *
     * @param capability the capability
     * @param arguments its arguments; those left out are 0
     * @throws KvmException EINVAL where the capability cannot be enabled or an argument is wrong, EEXIST where an
     *     irqchip exists already or vcpus do
     */
    void enableCap(Capability capability, long... arguments);

    /**
     * Allocates memory that memory slots can lie on. It costs what is touched of it, reads as 0 until written, may be
     * used by every thread, and is freed with the VM.
     *
     * @param size bytes, a multiple of 4096 greater than 0
     * @return a native segment, aligned to 4096
     * @throws KvmException EINVAL for such a size, ENOMEM where there is not so much memory
     */
    MemorySegment allocateMemory(long size);

    /**
     * Makes, moves, changes or (size 0) deletes a slot (KVM_SET_USER_MEMORY_REGION). It holds for vcpus that run when
     * the call returns.
     *
     * @param slot the slot
     * @throws KvmException EINVAL for misaligned values, flags or numbers that there are not, an address that is too
     *     high, a change of size, memory or READONLY, EEXIST where it overlaps another slot
     */
    void setMemorySlot(MemorySlot slot);

    /**
     * Deletes a slot.
     *
     * @param addressSpace its address space
     * @param slot its number
     * @throws KvmException EINVAL where there is no such slot
     */
    void deleteMemorySlot(int addressSpace, int slot);

    /**
     * Replaces the whole list of slots at once (extension {@link Capability#SOFTKVM_REPLACE_MEMORY_SLOTS}): a vcpu that
     * runs sees the old list or the new one and nothing between.
     *
     * @param slots the new list
     * @throws KvmException as {@link #setMemorySlot(MemorySlot)}; EEXIST too where a number occurs twice. The old list
     *     stays then.
     */
    void replaceMemorySlots(List<MemorySlot> slots);

    /**
     * The slots there are.
     *
     * @return an unmodifiable list
     */
    List<MemorySlot> memorySlots();

    /**
     * Reads guest memory as a device does.
     *
     * @param guestPhysicalAddress the first address
     * @param destination where the bytes go
     * @return how many bytes were read: fewer than asked for where memory ends
     */
    long dmaRead(long guestPhysicalAddress, MemorySegment destination);

    /**
     * Writes guest memory as a device does; vcpus notice (code that they have decoded, the dirty log).
     *
     * @param guestPhysicalAddress the first address
     * @param source the bytes
     * @return how many bytes were written: fewer than asked for where writable memory ends
     */
    long dmaWrite(long guestPhysicalAddress, MemorySegment source);

    /**
     * Tells the vcpus that host code wrote guest memory by itself, through a segment, rather than by
     * {@link #dmaWrite}.
     *
     * @param guestPhysicalAddress the first address
     * @param length how many bytes
     */
    void memoryWritten(long guestPhysicalAddress, long length);

    /**
     * Copies memory of {@link #allocateMemory} out. Where the backend can, pages that nobody has touched yet stay so: to
     * read them from the segment would make them exist on the host.
     *
     * @param memory the memory
     * @param target where it goes; as long as the memory
     */
    default void copyMemory(MemorySegment memory, byte[] target) {
        MemorySegment.copy(memory, ValueLayout.JAVA_BYTE, 0, target, 0, target.length);
    }

    /**
     * Creates local APICs, IOAPIC and PICs in the backend (KVM_CREATE_IRQCHIP); before the first vcpu.
     *
     * @throws KvmException EEXIST where an irqchip exists, EINVAL where vcpus do, ENOTTY where the backend has none
     *     ({@link Capability#IRQCHIP} is 0)
     */
    void createIrqchip();

    /**
     * Reads one of the PICs of the backend (KVM_GET_IRQCHIP).
     *
     * @param chip {@link IrqRoute#IRQCHIP_PIC_MASTER} or {@link IrqRoute#IRQCHIP_PIC_SLAVE}
     * @param state where it goes
     * @throws KvmException EINVAL for another chip, ENXIO where no PIC is in the backend
     */
    default void getPic(int chip, PicState state) {
        throw Absent.call("KVM_GET_IRQCHIP");
    }

    /**
     * Writes one of the PICs of the backend (KVM_SET_IRQCHIP).
     *
     * @param chip {@link IrqRoute#IRQCHIP_PIC_MASTER} or {@link IrqRoute#IRQCHIP_PIC_SLAVE}
     * @param state the values
     * @throws KvmException EINVAL for another chip, ENXIO where no PIC is in the backend
     */
    default void setPic(int chip, PicState state) {
        throw Absent.call("KVM_SET_IRQCHIP");
    }

    /**
     * Reads the IOAPIC of the backend (KVM_GET_IRQCHIP).
     *
     * @param state where it goes
     * @throws KvmException ENXIO where no IOAPIC is in the backend
     */
    default void getIoapic(IoapicState state) {
        throw Absent.call("KVM_GET_IRQCHIP");
    }

    /**
     * Writes the IOAPIC of the backend (KVM_SET_IRQCHIP); interrupts of the pins that {@link IoapicState#irr} asserts
     * are sent.
     *
     * @param state the values
     * @throws KvmException ENXIO where no IOAPIC is in the backend
     */
    default void setIoapic(IoapicState state) {
        throw Absent.call("KVM_SET_IRQCHIP");
    }

    /**
     * Creates an 8254 in the backend (KVM_CREATE_PIT2) at ports 40h to 43h. It drives global system interrupt 0.
     *
     * @param flags 0, or {@link #PIT_SPEAKER_DUMMY} to have port 61h too
     * @throws KvmException ENOENT where no full irqchip is in the backend, EEXIST where there is a PIT, EINVAL for other
     *     flags
     */
    default void createPit(int flags) {
        throw Absent.call("KVM_CREATE_PIT2");
    }

    /**
     * Reads the PIT of the backend (KVM_GET_PIT2).
     *
     * @param state where it goes
     * @throws KvmException ENXIO where there is none
     */
    default void getPit(PitState state) {
        throw Absent.call("KVM_GET_PIT2");
    }

    /**
     * Writes the PIT of the backend (KVM_SET_PIT2). Its counters begin anew with their counts.
     *
     * @param state the values
     * @throws KvmException ENXIO where there is none, EINVAL for values that no counter can have
     */
    default void setPit(PitState state) {
        throw Absent.call("KVM_SET_PIT2");
    }

    /**
     * Chooses what becomes of ticks of the PIT that the guest did not take in time (KVM_REINJECT_CONTROL).
     *
     * @param reinject true (the default) to deliver them later, false to drop them
     * @throws KvmException ENXIO where there is no PIT in the backend
     */
    default void reinjectControl(boolean reinject) {
        throw Absent.call("KVM_REINJECT_CONTROL");
    }

    /**
     * Sets the level of a global system interrupt (KVM_IRQ_LINE_STATUS).
     *
     * @param gsi its number
     * @param level true for active
     * @return how many vcpus it was delivered to; 0 where it merged with one that waits, -1 where it was ignored
     * @throws KvmException ENXIO where no irqchip is in the backend
     */
    int irqLine(int gsi, boolean level);

    /**
     * Replaces the table of routes (KVM_SET_GSI_ROUTING).
     *
     * @param routes the new table
     * @throws KvmException EINVAL for an interrupt, chip or pin that does not exist, or where no irqchip is in the
     *     backend
     */
    void setGsiRouting(List<? extends IrqRoute> routes);

    /**
     * Sends a message-signalled interrupt (KVM_SIGNAL_MSI).
     *
     * @param address the address of the message
     * @param data its data
     * @return how many vcpus it was delivered to; 0 where the guest blocked it
     * @throws KvmException EINVAL where no local APIC is in the backend
     */
    int signalMsi(long address, int data);

    /**
     * Lets the signals of an eventfd raise an interrupt (KVM_IRQFD): a pulse of a global system interrupt.
     *
     * @param eventFd whose signals count
     * @param gsi the number of the global system interrupt
     * @throws KvmException EINVAL where no local APIC is in the backend or for such a number, EBUSY where that eventfd
     *     raises an interrupt already
     */
    default void assignIrqFd(EventFd eventFd, int gsi) {
        throw Absent.call("KVM_IRQFD");
    }

    /**
     * Lets the signals of an eventfd assert a level-triggered interrupt (KVM_IRQFD with KVM_IRQFD_FLAG_RESAMPLE). The
     * guest's end of interrupt deasserts it and signals another eventfd, so that the device may assert it again.
     *
     * @param eventFd whose signals count
     * @param gsi the number of the global system interrupt
     * @param resample signalled at each end of the interrupt
     * @throws KvmException as {@link #assignIrqFd(EventFd, int)}, and EINVAL where no full irqchip is in the backend
     */
    default void assignIrqFd(EventFd eventFd, int gsi, EventFd resample) {
        throw Absent.call("KVM_IRQFD");
    }

    /**
     * Ends what {@link #assignIrqFd(EventFd, int)} began (KVM_IRQFD with KVM_IRQFD_FLAG_DEASSIGN).
     *
     * @param eventFd the eventfd
     * @param gsi its global system interrupt; nothing happens where it raises none, or another
     */
    default void deassignIrqFd(EventFd eventFd, int gsi) {
        throw Absent.call("KVM_IRQFD");
    }

    /**
     * Lets a write of the guest signal an eventfd instead of ending the run (KVM_IOEVENTFD).
     *
     * @param event which write and what it signals
     * @throws KvmException EINVAL for a length, address or flags that cannot be, EEXIST where another one answers the
     *     same write
     */
    default void assignIoEventFd(IoEventFd event) {
        throw Absent.call("KVM_IOEVENTFD");
    }

    /**
     * Ends what {@link #assignIoEventFd} began (KVM_IOEVENTFD with KVM_IOEVENTFD_FLAG_DEASSIGN).
     *
     * @param event what was assigned
     * @throws KvmException ENOENT where it was not
     */
    default void deassignIoEventFd(IoEventFd event) {
        throw Absent.call("KVM_IOEVENTFD");
    }

    /**
     * Lets writes to a range wait in {@link #coalescedRing()} instead of ending the run
     * (KVM_REGISTER_COALESCED_MMIO). The ring is looked at at each exit, whatever its reason.
     *
     * @param address the first guest-physical address, or port
     * @param size its length in bytes
     * @param pio whether the range is one of ports
     * @throws KvmException ENOSPC where there are too many
     */
    default void registerCoalesced(long address, int size, boolean pio) {
        throw Absent.call("KVM_REGISTER_COALESCED_MMIO");
    }

    /**
     * Ends that for all ranges that contain a given one (KVM_UNREGISTER_COALESCED_MMIO).
     *
     * @param address the first guest-physical address, or port
     * @param size its length in bytes
     * @param pio whether the range is one of ports
     */
    default void unregisterCoalesced(long address, int size, boolean pio) {
        throw Absent.call("KVM_UNREGISTER_COALESCED_MMIO");
    }

    /**
     * Where writes to coalesced ranges wait; one ring for all vcpus.
     *
     * @return the ring
     * @throws KvmException ENOTTY where {@link Capability#COALESCED_MMIO} is 0
     */
    default CoalescedRing coalescedRing() {
        throw Absent.call("coalescedRing");
    }

    /**
     * Puts the ring of coalesced writes elsewhere: into memory that a client of the binary ABI has mapped.
     *
     * @param ring the ring, empty; what the old one holds is not moved
     * @throws KvmException ENOTTY where the place cannot be chosen
     */
    default void setCoalescedRing(CoalescedRing ring) {
        throw Absent.call("setCoalescedRing");
    }

    /**
     * Reads the dirty log of a slot (KVM_GET_DIRTY_LOG): which pages were written, by vcpus or {@link #dmaWrite}, since
     * the log was last cleared. It clears it too, unless {@link Capability#MANUAL_DIRTY_LOG_PROTECT2} is enabled.
     *
     * @param addressSpace the slot's address space
     * @param slot its number
     * @param bitmap where it goes: bit n of the little-endian bits is page n of the slot; a multiple of 8 bytes, and at
     *     least a bit for each page
     * @throws KvmException ENOENT where there is no such slot or it keeps no log, EINVAL for numbers that there are not,
     *     EFAULT for a bitmap that is too short
     */
    default void getDirtyLog(int addressSpace, int slot, MemorySegment bitmap) {
        throw Absent.call("KVM_GET_DIRTY_LOG");
    }

    /**
     * Clears a part of the dirty log of a slot (KVM_CLEAR_DIRTY_LOG): the pages whose bit is set in the bitmap are clean
     * until they are written again.
     *
     * @param addressSpace the slot's address space
     * @param slot its number
     * @param firstPage the page of the slot that bit 0 stands for, a multiple of 64
     * @param numPages how many pages; a multiple of 64 unless the range ends with the slot
     * @param bitmap the pages to be cleared
     * @throws KvmException as {@link #getDirtyLog}, and EINVAL for a range that is not aligned or leaves the slot
     */
    default void clearDirtyLog(int addressSpace, int slot, long firstPage, long numPages, MemorySegment bitmap) {
        throw Absent.call("KVM_CLEAR_DIRTY_LOG");
    }

    /**
     * The frequency of the TSC that vcpus start with (KVM_GET_TSC_KHZ of a VM).
     *
     * @return kHz
     */
    default int tscKhz() {
        throw Absent.call("KVM_GET_TSC_KHZ");
    }

    /**
     * Chooses the frequency of the TSC that vcpus start with (KVM_SET_TSC_KHZ of a VM,
     * {@link Capability#VM_TSC_CONTROL}).
     *
     * @param khz kHz; 0 for the default
     * @throws KvmException EINVAL where the backend cannot do that one, or where vcpus exist
     */
    default void setTscKhz(int khz) {
        throw Absent.call("KVM_SET_TSC_KHZ");
    }

    /**
     * Reads the paravirtual clock (KVM_GET_CLOCK).
     *
     * @param clock where it goes
     */
    void getClock(ClockData clock);

    /**
     * Sets the paravirtual clock (KVM_SET_CLOCK).
     *
     * @param clock the value; {@link ClockData#REALTIME} adds what has passed since
     * @throws KvmException EINVAL for flags that there are not
     */
    void setClock(ClockData clock);

    /**
     * Where three pages lie that the backend may use for real mode (KVM_SET_TSS_ADDR).
     *
     * @param guestPhysicalAddress the address
     * @throws KvmException EINVAL where the pages do not end below 4 GiB
     */
    void setTssAddr(long guestPhysicalAddress);

    /**
     * Where a page lies that the backend may use for real mode (KVM_SET_IDENTITY_MAP_ADDR); before the first vcpu.
     *
     * @param guestPhysicalAddress the address; 0 for the default
     * @throws KvmException EINVAL where vcpus exist
     */
    void setIdentityMapAddr(long guestPhysicalAddress);

    /**
     * Chooses the boot processor (KVM_SET_BOOT_CPU_ID); before the first vcpu. The default is 0.
     *
     * @param id the number of the vcpu
     * @throws KvmException EBUSY where vcpus exist, EINVAL for a number that is too large
     */
    void setBootCpuId(int id);

    /**
     * Decides which MSRs the guest may access (KVM_X86_SET_MSR_FILTER, {@link Capability#X86_MSR_FILTER}).
     *
     * @param filter the filter; it replaces the one before
     * @throws KvmException EINVAL for flags, for too many ranges, for a range that is too long or whose bitmap is too
     *     short, and where a filter denies by default without any range
     */
    default void setMsrFilter(MsrFilter filter) {
        throw Absent.call("KVM_X86_SET_MSR_FILTER");
    }

    /**
     * The statistics of the VM (KVM_GET_STATS_FD, {@link Capability#BINARY_STATS_FD}).
     *
     * @return the same object at each call
     */
    default Stats stats() {
        throw Absent.call("KVM_GET_STATS_FD");
    }

    /**
     * Creates a vcpu (KVM_CREATE_VCPU) in its state after power-on.
     *
     * @param id its number, which is its APIC id too
     * @return the vcpu
     * @throws KvmException EINVAL for a number that is too large, EEXIST where there is one of that number
     */
    Vcpu createVcpu(int id);

    /**
     * Chooses how guest code is executed (extension {@link Capability#SOFTKVM_ENGINE}); before the first vcpu.
     *
     * @param engine one of {@link Kvm#engines()}
     * @throws KvmException EINVAL for another name or where vcpus exist, ENOTTY where the backend has no such extension
     */
    void setEngine(String engine);

    /**
     * Chooses the CPU (extension {@link Capability#SOFTKVM_CPU_MODEL}); before the first vcpu. What a model lacks that
     * CPUID cannot say (an 8086 has no #UD) comes with it; its CPUID is what the vcpus start with.
     *
     * @param model one of {@link Kvm#cpuModels()}, followed by any number of {@code ,+flag} and {@code ,-flag} that add and
     *     remove features
     * @throws KvmException EINVAL for another name or flag or where vcpus exist, ENOTTY where the backend has no such extension
     */
    void setCpuModel(String model);

    /**
     * The time under the virtual clock (extension {@link Capability#SOFTKVM_VIRTUAL_CLOCK}): every instruction that a
     * vcpu executes is a nanosecond.
     *
     * @return nanoseconds since the clock was enabled
     * @throws KvmException EINVAL where the clock is not enabled, ENOTTY where the backend has no such extension
     */
    default long virtualTime() {
        throw new KvmException("virtualTime", Errno.ENOTTY, "vm (the backend has no virtual clock)");
    }

    /**
     * When the next timer of the backend is due under the virtual clock. {@link Vcpu#run()} serves timers by itself;
     * this is for the caller whose vcpus all wait.
     *
     * @return a time as {@link #virtualTime()}, or {@link Long#MAX_VALUE} where no timer is armed
     * @throws KvmException EINVAL where the clock is not enabled, ENOTTY where the backend has no such extension
     */
    default long nextDeadline() {
        throw new KvmException("nextDeadline", Errno.ENOTTY, "vm (the backend has no virtual clock)");
    }

    /**
     * Lets the virtual clock go on while no vcpu runs, and serves the timers up to that time.
     *
     * @param nanos the time to go on to; one that is over changes nothing
     * @throws KvmException EINVAL where the clock is not enabled, ENOTTY where the backend has no such extension
     */
    default void advanceTo(long nanos) {
        throw new KvmException("advanceTo", Errno.ENOTTY, "vm (the backend has no virtual clock)");
    }

    /**
     * A digest of memory and of the state of all vcpus (extension {@link Capability#SOFTKVM_STATE_HASH}); while no vcpu
     * runs.
     *
     * @return the digest
     * @throws KvmException ENOTTY where the backend has no such extension
     */
    long stateHash();

    /**
     * Destroys the VM: closes its vcpus and frees its memory. No vcpu may be in {@link Vcpu#run()}. A second call does
     * nothing.
     */
    @Override
    void close();
}
