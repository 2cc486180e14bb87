package org.softkvm.kvm.emulator;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.concurrent.locks.LockSupport;
import org.softkvm.devices.apic.CpuSignals;
import org.softkvm.emulator.VirtualCpu;

/**
 * What other threads want of a vcpu: bits that they set and that its thread takes, and the means to get its attention
 * while it executes guest code or waits.
 *
 * <p>Also what the local APIC tells its processor; its calls come from any thread.
 */
final class Requests implements CpuSignals {
    /** Return from KVM_RUN. */
    static final int KICK = 1;
    /** Raise an NMI. */
    static final int NMI = 2;
    /** INIT arrived. */
    static final int INIT = 4;
    /** A start-up message arrived. */
    static final int STARTUP = 8;
    /** An interrupt may have become deliverable. */
    static final int INTERRUPT = 0x10;
    /** Whether a PIC outside gets through may have changed. */
    static final int EXTINT = 0x20;
    /** The end of an interrupt has to be reported. */
    static final int EOI = 0x40;
    /** The paravirtual clock was set. */
    static final int CLOCK = 0x80;
    /** CR8 was lowered while no local APIC is in the backend. */
    static final int CR8 = 0x100;
    /** Raise an SMI. */
    static final int SMI = 0x200;
    /** Raise another NMI: it came while the first had not been taken. */
    static final int NMI_AGAIN = 0x400;
    /** Another vcpu wants this one to leave HLT. */
    static final int UNHALT = 0x800;

    private static final VarHandle BITS;

    static {
        try {
            BITS = MethodHandles.lookup().findVarHandle(Requests.class, "bits", int.class);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    private VirtualCpu cpu;

    /** The PIC and the IOAPIC, or null where they are outside. */
    private Irqchip irqchip;

    @SuppressWarnings("unused") // by BITS
    private volatile int bits;

    /** The thread that waits, or null. Written before it looks at the bits, read after they were set. */
    private volatile Thread waiting;

    private volatile int startupVector;

    /** Vectors whose end has to be reported; own thread only. */
    private final long[] ended = new long[4];

    void setCpu(VirtualCpu cpu) {
        this.cpu = cpu;
    }

    void setIrqchip(Irqchip chip) {
        irqchip = chip;
    }

    /** Any thread: sets bits and ends what the vcpu is doing. */
    void post(int request) {
        BITS.getAndBitwiseOr(this, request);
        cpu.kick();
        wake();
    }

    private void wake() {
        Thread thread = waiting;
        if (thread != null) {
            LockSupport.unpark(thread);
        }
    }

    /** Whether there is anything to take. */
    boolean any() {
        return (int) BITS.getOpaque(this) != 0;
    }

    /** Takes all bits. */
    int take() {
        return (int) BITS.getAndSet(this, 0);
    }

    /** Takes some of the bits; own thread only. */
    int take(int wanted) {
        return (int) BITS.getAndBitwiseAnd(this, ~wanted) & wanted;
    }

    /** Puts bits back without a wake-up; own thread only. */
    void putBack(int request) {
        BITS.getAndBitwiseOr(this, request);
    }

    /**
     * Waits until a bit is set or the thread is interrupted.
     *
     * @return false where the thread was interrupted; it stays so
     */
    boolean await() {
        waiting = Thread.currentThread();
        try {
            while (bits == 0) {
                if (Thread.currentThread().isInterrupted()) {
                    return false;
                }
                LockSupport.park(this);
            }
            return true;
        } finally {
            waiting = null;
        }
    }

    int startupVector() {
        return startupVector;
    }

    void setStartupVector(int vector) {
        startupVector = vector;
    }

    /** The next vector whose end has to be reported, or -1. */
    int takeEnded() {
        for (int word = 0; word < ended.length; word++) {
            if (ended[word] != 0) {
                int vector = word * 64 + Long.numberOfTrailingZeros(ended[word]);
                ended[word] &= ended[word] - 1;
                return vector;
            }
        }
        return -1;
    }

    @Override
    public void interruptChanged() {
        BITS.getAndBitwiseOr(this, INTERRUPT);
        cpu.requestInterruptCheck();
        wake();
    }

    @Override
    public void extIntChanged() {
        if (cpu == null) {
            return;
        }
        if (irqchip != null) {
            // Whether the PIC gets through matters to the core alone.
            interruptChanged();
        } else {
            post(EXTINT);
        }
    }

    @Override
    public void nmi() {
        if (((int) BITS.getAndBitwiseOr(this, NMI) & NMI) != 0) {
            BITS.getAndBitwiseOr(this, NMI_AGAIN);
        }
        cpu.kick();
        wake();
    }

    @Override
    public void smi() {
        post(SMI);
    }

    @Override
    public void init() {
        post(INIT);
    }

    @Override
    public void startup(int vector) {
        startupVector = vector;
        post(STARTUP);
    }

    @Override
    public void eoiExit(int vector) {
        if (irqchip != null) {
            // On the vcpu's own thread, which holds no lock here.
            irqchip.edgeEnded(vector);
            return;
        }
        ended[vector >> 6] |= 1L << vector;
        post(EOI);
    }
}
