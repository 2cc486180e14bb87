package org.softkvm.kvm.linux;

import java.lang.foreign.AddressLayout;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.StructLayout;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.VarHandle;
import java.lang.ref.Reference;
import java.util.Arrays;
import org.softkvm.kvm.Errno;
import org.softkvm.kvm.KvmException;

/**
 * The kernel's system calls, through libc and java.lang.foreign, on x86-64 Linux.
 *
 * <p>The only class with restricted methods: it is not touched where native access is not enabled. No call is a critical
 * one, because a thread in KVM_RUN must not keep the JVM from reaching a safepoint.
 */
@SuppressWarnings("restricted")
final class KernelCalls implements SystemCalls {
    private static final int O_RDWR_CLOEXEC = 0x80002;
    private static final int PROT_READ_WRITE = 3;
    private static final int MAP_SHARED = 1;
    private static final int MAP_PRIVATE_ANONYMOUS_NORESERVE = 0x4022;
    private static final int EFD_CLOEXEC = 0x80000;

    private static final Linker LINKER = Linker.nativeLinker();
    private static final StructLayout CAPTURE = Linker.Option.captureStateLayout();
    private static final VarHandle ERRNO = CAPTURE.varHandle(MemoryLayout.PathElement.groupElement("errno"));
    private static final AddressLayout POINTER = ValueLayout.ADDRESS;
    private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT;
    private static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG;

    /** Where libc leaves errno; memory of each thread, so that a call allocates nothing. */
    private static final ThreadLocal<MemorySegment> STATE =
            ThreadLocal.withInitial(() -> Arena.ofAuto().allocate(CAPTURE));

    private static final MethodHandle IOCTL =
            function("ioctl", FunctionDescriptor.of(INT, INT, LONG, LONG), Linker.Option.firstVariadicArg(2));
    private static final MethodHandle CLOSE = function("close", FunctionDescriptor.of(INT, INT));
    private static final MethodHandle MMAP =
            function("mmap", FunctionDescriptor.of(LONG, LONG, LONG, INT, INT, INT, LONG));
    private static final MethodHandle MUNMAP = function("munmap", FunctionDescriptor.of(INT, LONG, LONG));

    private static MethodHandle function(String name, FunctionDescriptor descriptor, Linker.Option... options) {
        Linker.Option[] all = Arrays.copyOf(options, options.length + 1);
        all[options.length] = Linker.Option.captureCallState("errno");
        MemorySegment address = LINKER.defaultLookup()
                .find(name)
                .orElseThrow(() -> new KvmException("open", Errno.ENOSYS, "libc has no function " + name));
        return LINKER.downcallHandle(address, descriptor, all);
    }

    /** Functions that few callers need. */
    private static final class Rare {
        static final MethodHandle OPEN =
                function("open", FunctionDescriptor.of(INT, POINTER, INT), Linker.Option.firstVariadicArg(2));
        static final MethodHandle PREAD = function("pread", FunctionDescriptor.of(LONG, INT, LONG, LONG, LONG));
        static final MethodHandle READ = function("read", FunctionDescriptor.of(LONG, INT, LONG, LONG));
        static final MethodHandle WRITE = function("write", FunctionDescriptor.of(LONG, INT, LONG, LONG));
        static final MethodHandle EVENTFD = function("eventfd", FunctionDescriptor.of(INT, INT, INT));
    }

    /** The signal that interrupts KVM_RUN. */
    private static final class Signals {
        private static final int SYS_GETTID = 186;
        private static final int SYS_TGKILL = 234;
        private static final int FIRST_SIGNAL = 40;
        private static final int LAST_SIGNAL = 61;
        // struct sigaction of glibc and musl on x86-64: handler, 128 bytes of mask, flags, restorer.
        private static final long SIGACTION_SIZE = 152;

        static final MethodHandle SYSCALL = function(
                "syscall", FunctionDescriptor.of(LONG, LONG, LONG, LONG, LONG), Linker.Option.firstVariadicArg(1));
        private static final MethodHandle SIGACTION =
                function("sigaction", FunctionDescriptor.of(INT, INT, POINTER, POINTER));

        static final long PROCESS = ProcessHandle.current().pid();
        static final int NUMBER = install();

        /**
         * Takes the first real-time signal that nobody handles. The handler is libc's abs(): a function of one int,
         * like a handler, that does nothing but compute, so that no upcall into the JVM is needed. Without SA_RESTART,
         * though KVM_RUN never restarts.
         */
        private static int install() {
            MemorySegment nothing = LINKER.defaultLookup().find("abs").orElseThrow();
            try (Arena arena = Arena.ofConfined()) {
                MemorySegment action = arena.allocate(SIGACTION_SIZE, 8);
                MemorySegment old = arena.allocate(SIGACTION_SIZE, 8);
                for (int signal = FIRST_SIGNAL; signal <= LAST_SIGNAL; signal++) {
                    int result = (int) SIGACTION.invokeExact(STATE.get(), signal, MemorySegment.NULL, old);
                    if (result == 0 && old.get(LONG, 0) == 0) {
                        action.set(LONG, 0, nothing.address());
                        int installed = (int) SIGACTION.invokeExact(STATE.get(), signal, action, MemorySegment.NULL);
                        if (installed == 0) {
                            return signal;
                        }
                    }
                }
            } catch (Throwable e) {
                throw impossible(e);
            }
            throw new KvmException("sigaction", Errno.EBUSY, "signals 40 to 61 (all of them have handlers)");
        }
    }

    KernelCalls() {}

    private static AssertionError impossible(Throwable e) {
        if (e instanceof Error error) {
            throw error;
        }
        if (e instanceof RuntimeException exception) {
            throw exception;
        }
        return new AssertionError("a system call threw", e);
    }

    private static int result(int value, MemorySegment state) {
        return value < 0 ? -(int) ERRNO.get(state, 0L) : value;
    }

    private static long result(long value, MemorySegment state) {
        return value == -1 ? -(int) ERRNO.get(state, 0L) : value;
    }

    @Override
    public int open(String path) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment state = STATE.get();
            return result((int) Rare.OPEN.invokeExact(state, arena.allocateFrom(path), O_RDWR_CLOEXEC), state);
        } catch (Throwable e) {
            throw impossible(e);
        }
    }

    @Override
    public int close(int descriptor) {
        try {
            MemorySegment state = STATE.get();
            return result((int) CLOSE.invokeExact(state, descriptor), state);
        } catch (Throwable e) {
            throw impossible(e);
        }
    }

    @Override
    public int ioctl(int descriptor, int request, long argument) {
        try {
            MemorySegment state = STATE.get();
            return result((int) IOCTL.invokeExact(state, descriptor, Integer.toUnsignedLong(request), argument), state);
        } catch (Throwable e) {
            throw impossible(e);
        }
    }

    @Override
    public int ioctl(int descriptor, int request, MemorySegment argument) {
        int result = ioctl(descriptor, request, argument.address());
        Reference.reachabilityFence(argument);
        return result;
    }

    @Override
    public Mapping map(int descriptor, long size) {
        return map(size, MAP_SHARED, descriptor, "fd");
    }

    @Override
    public Mapping allocate(long size) {
        return map(size, MAP_PRIVATE_ANONYMOUS_NORESERVE, -1, "anonymous");
    }

    private static Mapping map(long size, int flags, int descriptor, String what) {
        long address;
        try {
            MemorySegment state = STATE.get();
            address = result((long) MMAP.invokeExact(state, 0L, size, PROT_READ_WRITE, flags, descriptor, 0L), state);
        } catch (Throwable e) {
            throw impossible(e);
        }
        if (address < 0 && address > -4096) {
            throw new KvmException("mmap", Errnos.of((int) -address), what + " size=" + size);
        }
        Arena arena = Arena.ofShared();
        MemorySegment memory = MemorySegment.ofAddress(address).reinterpret(size, arena, KernelCalls::unmap);
        return new Mapping() {
            @Override
            public MemorySegment memory() {
                return memory;
            }

            @Override
            public synchronized void close() {
                if (arena.scope().isAlive()) {
                    arena.close();
                }
            }
        };
    }

    private static void unmap(MemorySegment memory) {
        try {
            int ignored = (int) MUNMAP.invokeExact(STATE.get(), memory.address(), memory.byteSize());
        } catch (Throwable e) {
            throw impossible(e);
        }
    }

    @Override
    public long read(int descriptor, MemorySegment into, long offset) {
        try {
            MemorySegment state = STATE.get();
            long count = result(
                    (long) Rare.PREAD.invokeExact(state, descriptor, into.address(), into.byteSize(), offset), state);
            Reference.reachabilityFence(into);
            return count;
        } catch (Throwable e) {
            throw impossible(e);
        }
    }

    @Override
    public int eventFd() {
        try {
            MemorySegment state = STATE.get();
            return result((int) Rare.EVENTFD.invokeExact(state, 0, EFD_CLOEXEC), state);
        } catch (Throwable e) {
            throw impossible(e);
        }
    }

    @Override
    public long awaitEvent(int descriptor) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment value = arena.allocate(LONG);
            MemorySegment state = STATE.get();
            long count =
                    result((long) Rare.READ.invokeExact(state, descriptor, value.address(), LONG.byteSize()), state);
            return count < 0 ? count : value.get(LONG, 0);
        } catch (Throwable e) {
            throw impossible(e);
        }
    }

    @Override
    public int signalEvent(int descriptor, long amount) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment value = arena.allocateFrom(LONG, amount);
            MemorySegment state = STATE.get();
            return (int)
                    result((long) Rare.WRITE.invokeExact(state, descriptor, value.address(), LONG.byteSize()), state);
        } catch (Throwable e) {
            throw impossible(e);
        }
    }

    @Override
    public long threadId() {
        try {
            return (long) Signals.SYSCALL.invokeExact(STATE.get(), (long) Signals.SYS_GETTID, 0L, 0L, 0L);
        } catch (Throwable e) {
            throw impossible(e);
        }
    }

    @Override
    public void interrupt(long threadId) {
        try {
            // ESRCH is a thread that has ended: it is in no call.
            long ignored = (long) Signals.SYSCALL.invokeExact(
                    STATE.get(), (long) Signals.SYS_TGKILL, Signals.PROCESS, threadId, (long) Signals.NUMBER);
        } catch (Throwable e) {
            throw impossible(e);
        }
    }
}
