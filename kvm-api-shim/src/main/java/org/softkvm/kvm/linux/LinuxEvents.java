package org.softkvm.kvm.linux;

import static org.softkvm.kvm.abi.Fields.offset;
import static org.softkvm.kvm.abi.Fields.putInt;
import static org.softkvm.kvm.abi.Fields.putLong;

import java.lang.foreign.MemorySegment;
import java.util.HashMap;
import java.util.Map;
import org.softkvm.kvm.Errno;
import org.softkvm.kvm.EventFd;
import org.softkvm.kvm.IoEventFd;
import org.softkvm.kvm.KvmException;
import org.softkvm.kvm.abi.Request;
import org.softkvm.kvm.abi.VmStructs;

/** irqfds and ioeventfds of a VM in the kernel. */
final class LinuxEvents implements AutoCloseable {
    private static final int IRQFD_DEASSIGN = 1;
    private static final int IRQFD_RESAMPLE = 2;
    private static final int IOEVENTFD_DEASSIGN = 4;

    private static final long IRQ_FD = offset(VmStructs.IRQFD, "fd");
    private static final long IRQ_GSI = offset(VmStructs.IRQFD, "gsi");
    private static final long IRQ_FLAGS = offset(VmStructs.IRQFD, "flags");
    private static final long IRQ_RESAMPLE = offset(VmStructs.IRQFD, "resamplefd");
    private static final long IO_DATAMATCH = offset(VmStructs.IOEVENTFD, "datamatch");
    private static final long IO_ADDR = offset(VmStructs.IOEVENTFD, "addr");
    private static final long IO_LEN = offset(VmStructs.IOEVENTFD, "len");
    private static final long IO_FD = offset(VmStructs.IOEVENTFD, "fd");
    private static final long IO_FLAGS = offset(VmStructs.IOEVENTFD, "flags");

    /** What one irqfd has open. */
    private record Irq(int gsi, EventBridge trigger, EventBridge resample) {
        void close() {
            trigger.close();
            if (resample != null) {
                resample.close();
            }
        }
    }

    private final SystemCalls calls;
    private final int descriptor;
    private final Map<EventFd, Irq> irqs = new HashMap<>();
    private final Map<IoEventFd, EventBridge> writes = new HashMap<>();

    LinuxEvents(SystemCalls calls, int descriptor) {
        this.calls = calls;
        this.descriptor = descriptor;
    }

    synchronized void assignIrq(EventFd eventFd, int gsi, EventFd resample) {
        if (irqs.containsKey(eventFd)) {
            throw new KvmException("KVM_IRQFD", Errno.EBUSY, "gsi=" + gsi + " (the eventfd raises an interrupt)");
        }
        EventBridge trigger = EventBridge.toKernel(calls, eventFd);
        EventBridge ends = null;
        try {
            ends = resample == null ? null : EventBridge.fromKernel(calls, resample);
            irqFd(trigger, gsi, ends == null ? 0 : IRQFD_RESAMPLE, ends);
            irqs.put(eventFd, new Irq(gsi, trigger.start(), ends));
        } catch (RuntimeException e) {
            new Irq(gsi, trigger, ends).close();
            throw e;
        }
    }

    private void irqFd(EventBridge trigger, int gsi, int flags, EventBridge resample) {
        MemorySegment irqFd = Scratch.zeroed(VmStructs.IRQFD.byteSize());
        putInt(irqFd, IRQ_FD, trigger.descriptor());
        putInt(irqFd, IRQ_GSI, gsi);
        putInt(irqFd, IRQ_FLAGS, flags);
        putInt(irqFd, IRQ_RESAMPLE, resample == null ? 0 : resample.descriptor());
        int result = calls.ioctl(descriptor, Request.KVM_IRQFD, irqFd);
        if (result < 0) {
            throw Errnos.failure(Request.KVM_IRQFD, result, "gsi=" + gsi + " flags=" + flags);
        }
    }

    synchronized void deassignIrq(EventFd eventFd, int gsi) {
        Irq irq = irqs.get(eventFd);
        if (irq != null && irq.gsi == gsi) {
            irqs.remove(eventFd);
            irqFd(irq.trigger, gsi, IRQFD_DEASSIGN, null);
            irq.close();
        }
    }

    synchronized void assignIo(IoEventFd event) {
        EventBridge bridge = EventBridge.fromKernel(calls, event.eventFd());
        try {
            ioEventFd(event, bridge, 0);
            writes.put(event, bridge);
        } catch (RuntimeException e) {
            bridge.close();
            throw e;
        }
    }

    private void ioEventFd(IoEventFd event, EventBridge bridge, int flags) {
        MemorySegment io = Scratch.zeroed(VmStructs.IOEVENTFD.byteSize());
        putLong(io, IO_DATAMATCH, event.dataMatch());
        putLong(io, IO_ADDR, event.address());
        putInt(io, IO_LEN, event.length());
        putInt(io, IO_FD, bridge.descriptor());
        putInt(io, IO_FLAGS, event.flags() | flags);
        int result = calls.ioctl(descriptor, Request.KVM_IOEVENTFD, io);
        if (result < 0) {
            throw Errnos.failure(
                    Request.KVM_IOEVENTFD,
                    result,
                    "addr=0x" + Long.toHexString(event.address()) + " len=" + event.length() + " flags="
                            + event.flags());
        }
    }

    synchronized void deassignIo(IoEventFd event) {
        EventBridge bridge = writes.remove(event);
        if (bridge == null) {
            throw new KvmException(
                    "KVM_IOEVENTFD", Errno.ENOENT, "addr=0x" + Long.toHexString(event.address()) + " (not assigned)");
        }
        try {
            ioEventFd(event, bridge, IOEVENTFD_DEASSIGN);
        } finally {
            bridge.close();
        }
    }

    @Override
    public synchronized void close() {
        for (Irq irq : irqs.values()) {
            irq.close();
        }
        irqs.clear();
        for (EventBridge bridge : writes.values()) {
            bridge.close();
        }
        writes.clear();
    }
}
