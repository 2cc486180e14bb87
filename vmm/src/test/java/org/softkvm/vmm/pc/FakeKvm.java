package org.softkvm.vmm.pc;

import java.lang.foreign.Arena;
import java.lang.foreign.ValueLayout;
import java.lang.reflect.Proxy;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.ConcurrentLinkedDeque;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.function.IntSupplier;
import org.softkvm.kvm.Capability;
import org.softkvm.kvm.ExitReason;
import org.softkvm.kvm.IrqRoute;
import org.softkvm.kvm.Kvm;
import org.softkvm.kvm.MemorySlot;
import org.softkvm.kvm.MpState;
import org.softkvm.kvm.Regs;
import org.softkvm.kvm.Sregs;
import org.softkvm.kvm.Vcpu;
import org.softkvm.kvm.VcpuRun;
import org.softkvm.kvm.Vm;

/** A KVM whose vcpu plays a script of exits, so that the board and its loop can be tested without a CPU. */
final class FakeKvm {
    /** Exits still to come; each sets the fields below and returns its reason. Then the vcpu waits for a kick. */
    final Deque<IntSupplier> script = new ConcurrentLinkedDeque<>();

    final Semaphore kicks = new Semaphore(0);
    final List<MemorySlot> slots = new ArrayList<>();
    final List<Long> msis = new ArrayList<>();
    final List<Integer> injected = new ArrayList<>();
    List<IrqRoute> routes = List.of();
    Sregs sregs = new Sregs();
    Regs regs = new Regs();
    boolean closed;

    int port;
    int size = 1;
    int[] data = new int[1];
    boolean out;
    long mmioAddress;
    int mmioLength;
    boolean mmioWrite;
    long mmioData;
    int vector;
    boolean ready;
    volatile boolean windowRequested;

    FakeKvm io(int ioPort, int ioSize, int... values) {
        script.add(() -> {
            port = ioPort;
            size = ioSize;
            data = values.clone();
            out = true;
            return ExitReason.IO;
        });
        return this;
    }

    /** An IN; what comes back is in {@link #data} at the next step. */
    FakeKvm in(int ioPort, int ioSize) {
        script.add(() -> {
            port = ioPort;
            size = ioSize;
            data = new int[1];
            out = false;
            return ExitReason.IO;
        });
        return this;
    }

    FakeKvm mmio(long address, int length, boolean write, long value) {
        script.add(() -> {
            mmioAddress = address;
            mmioLength = length;
            mmioWrite = write;
            mmioData = value;
            return ExitReason.MMIO;
        });
        return this;
    }

    FakeKvm then(Runnable action, int reason) {
        script.add(() -> {
            action.run();
            return reason;
        });
        return this;
    }

    FakeKvm text(int ioPort, String text) {
        for (char c : text.toCharArray()) {
            io(ioPort, 1, c);
        }
        return this;
    }

    Kvm kvm() {
        return proxy(Kvm.class, (name, arguments) -> switch (name) {
            case "createVm" -> vm();
            case "backend" -> "fake";
            case "supportedCpuid", "cpuModels", "engines" -> List.of();
            default -> null;
        });
    }

    private Vm vm() {
        return proxy(Vm.class, (name, arguments) -> switch (name) {
            case "checkExtension" -> arguments[0] == Capability.READONLY_MEM ? 1 : 0;
            case "allocateMemory" -> Arena.ofAuto().allocate((Long) arguments[0], 4096);
            case "replaceMemorySlots" -> {
                slots.clear();
                ((List<?>) arguments[0]).forEach(slot -> slots.add((MemorySlot) slot));
                yield null;
            }
            case "setGsiRouting" -> {
                routes = new ArrayList<>();
                ((List<?>) arguments[0]).forEach(route -> routes.add((IrqRoute) route));
                yield null;
            }
            case "signalMsi" -> {
                msis.add((Long) arguments[0] << 32 | (Integer) arguments[1]);
                yield 1;
            }
            case "createVcpu" -> vcpu();
            case "close" -> {
                closed = true;
                yield null;
            }
            default -> null;
        });
    }

    private Vcpu vcpu() {
        VcpuRun state = runState();
        return proxy(Vcpu.class, (name, arguments) -> switch (name) {
            case "run" -> nextExit();
            case "runState" -> state;
            case "registerList" -> new long[0];
            case "mpState" -> MpState.RUNNABLE;
            case "kick" -> {
                kicks.release();
                yield null;
            }
            case "interrupt" -> injected.add((Integer) arguments[0]);
            case "getSregs" -> {
                ((Sregs) arguments[0]).cs.selector = sregs.cs.selector;
                yield null;
            }
            case "setSregs" -> sregs = (Sregs) arguments[0];
            case "setRegs" -> regs = (Regs) arguments[0];
            default -> null;
        });
    }

    private int nextExit() {
        IntSupplier step = script.poll();
        if (step != null) {
            return step.getAsInt();
        }
        try {
            if (!kicks.tryAcquire(5, TimeUnit.SECONDS)) {
                throw new AssertionError("nobody kicked the vcpu");
            }
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
        return ExitReason.INTR;
    }

    private VcpuRun runState() {
        return proxy(VcpuRun.class, (name, arguments) -> switch (name) {
            case "ioPort" -> port;
            case "ioSize" -> size;
            case "ioCount" -> data.length;
            case "ioDirection" -> out ? VcpuRun.IO_OUT : VcpuRun.IO_IN;
            case "ioValue" -> data[(Integer) arguments[0]];
            case "setIoValue" -> {
                data[(Integer) arguments[0]] = (Integer) arguments[1];
                yield null;
            }
            case "mmioAddress" -> mmioAddress;
            case "mmioLength" -> mmioLength;
            case "mmioIsWrite" -> mmioWrite;
            case "mmioData" -> mmioData;
            case "setMmioData" -> {
                mmioData = (Long) arguments[0];
                yield null;
            }
            case "eoiVector" -> vector;
            case "errorText" -> "made up";
            case "internalErrorSuberror" -> ExitReason.INTERNAL_ERROR_EMULATION;
            case "readyForInterruptInjection", "ifFlag" -> ready;
            case "requestInterruptWindow" -> windowRequested;
            case "setRequestInterruptWindow" -> {
                windowRequested = (Boolean) arguments[0];
                yield null;
            }
            default -> null;
        });
    }

    byte byteAt(long address) {
        for (MemorySlot slot : slots) {
            long offset = address - slot.guestPhysicalAddress();
            if (offset >= 0 && offset < slot.size()) {
                return slot.memory().get(ValueLayout.JAVA_BYTE, offset);
            }
        }
        throw new AssertionError("no memory at " + Long.toHexString(address));
    }

    MemorySlot slotAt(long address) {
        return slots.stream()
                .filter(slot ->
                        address >= slot.guestPhysicalAddress() && address < slot.guestPhysicalAddress() + slot.size())
                .findFirst()
                .orElse(null);
    }

    @FunctionalInterface
    private interface Handler {
        Object call(String name, Object[] arguments);
    }

    private static <T> T proxy(Class<T> type, Handler handler) {
        return type.cast(Proxy.newProxyInstance(
                type.getClassLoader(), new Class<?>[] {type}, (self, method, arguments) -> {
                    Object result = handler.call(method.getName(), arguments);
                    Class<?> wanted = method.getReturnType();
                    if (wanted == void.class) {
                        return null;
                    }
                    if (result == null && wanted.isPrimitive()) {
                        return wanted == boolean.class
                                ? (Object) false
                                : wanted == long.class ? (Object) 0L : (Object) 0;
                    }
                    return result;
                }));
    }
}
