package org.softkvm.kvm.linux;

import java.lang.invoke.VarHandle;
import java.util.concurrent.atomic.AtomicBoolean;
import org.softkvm.kvm.Errno;
import org.softkvm.kvm.ExitReason;
import org.softkvm.kvm.abi.Request;

/**
 * KVM_RUN and what ends it from outside.
 *
 * <p>{@code immediate_exit} alone never ends a KVM_RUN under way, and a signal alone is lost where it comes just before
 * the call: a kick sets the byte first and then sends the signal.
 */
final class RunControl {
    private final SystemCalls calls;
    private final int descriptor;
    private final LinuxRun run;
    private final RunGate gate;

    /** A kick that has not ended a run yet. */
    private final AtomicBoolean kicked = new AtomicBoolean();

    /** The gate threw the vcpu out: the next EINTR is not for the caller. */
    private volatile boolean thrownOut;

    /** The thread is in KVM_RUN or about to be. Written before the fields above are read, read after they are written. */
    private volatile boolean inKernel;

    private volatile long threadId;
    private Thread thread;

    RunControl(SystemCalls calls, int descriptor, LinuxRun run, RunGate gate) {
        this.calls = calls;
        this.descriptor = descriptor;
        this.run = run;
        this.gate = gate;
    }

    /** KVM_RUN until there is something for the caller. */
    int run() {
        Thread current = Thread.currentThread();
        if (current != thread || current.isVirtual()) {
            threadId = calls.threadId();
            thread = current;
        }
        run.putSyncRegs();
        int reason = enter();
        run.getSyncRegs();
        run.setExitReason(reason);
        return reason;
    }

    private int enter() {
        while (true) {
            inKernel = true;
            if (gate.isClosed()) {
                inKernel = false;
                gate.await();
                continue;
            }
            run.writeImmediateExit(false);
            // Whoever wrote the byte before the line above set a field before that, which is looked at now.
            VarHandle.fullFence();
            if (kicked.get() || run.immediateExit()) {
                run.writeImmediateExit(true);
            }
            if (thrownOut) {
                inKernel = false;
                thrownOut = false;
                continue;
            }
            int result = calls.ioctl(descriptor, Request.KVM_RUN, 0);
            inKernel = false;
            if (result >= 0) {
                return run.kernelReason();
            }
            if (result == -Errno.EINTR.number()) {
                boolean ended = kicked.getAndSet(false);
                if (ended || run.immediateExit() || !thrownOut) {
                    return ExitReason.INTR;
                }
                thrownOut = false;
            } else if (result == -Errno.EFAULT.number() && run.kernelReason() == ExitReason.MEMORY_FAULT) {
                return ExitReason.MEMORY_FAULT;
            } else if (result != -Errno.EAGAIN.number()) {
                throw Errnos.failure(Request.KVM_RUN, result, "vcpu (" + ExitReason.name(run.kernelReason()) + ")");
            }
            // EAGAIN: an application processor that waited for its start-up message was woken.
        }
    }

    /** Ends the run under way or the next one. */
    void kick() {
        kicked.set(true);
        poke();
    }

    private void poke() {
        run.writeImmediateExit(true);
        if (inKernel) {
            calls.interrupt(threadId);
        }
    }

    /** Throws the vcpu out of the guest; false where it is outside. */
    boolean throwOut() {
        if (!inKernel) {
            return false;
        }
        thrownOut = true;
        poke();
        return inKernel;
    }
}
