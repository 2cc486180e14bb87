package org.softkvm.vmm.pc;

import java.util.List;
import org.softkvm.kvm.ExitReason;
import org.softkvm.kvm.Vm;

/**
 * The virtual clock's way of running the CPUs: by turns on one thread, each for a fixed number of instructions, and
 * never past the next timer of the board. Where all wait, time goes on to the next timer at once. Nothing here depends
 * on the host's time, so a run can be repeated exactly.
 */
final class Turns implements Runnable {
    /** Instructions of a turn. */
    static final long QUANTUM = 10_000;

    /**
     * What an access to a device takes, as on an ISA bus. Guests rely on it: they delay by accesses, and count polls
     * before they give up.
     */
    static final long ACCESS_NANOS = 1_000;

    private final Vm vm;
    private final Board board;
    private final RunEnd end;
    private final List<VcpuLoop> loops;
    private long limit;

    /**
     * Prepares.
     *
     * @param limit instructions after which the run ends, of all CPUs together
     */
    Turns(Vm vm, Board board, RunEnd end, List<VcpuLoop> loops, long limit) {
        this.vm = vm;
        this.board = board;
        this.end = end;
        this.loops = loops;
        this.limit = limit;
    }

    @Override
    public void run() {
        loops.forEach(VcpuLoop::adopt);
        try {
            while (!end.hasEnded()) {
                boolean ran = false;
                for (VcpuLoop loop : loops) {
                    ran |= turn(loop);
                }
                if (!ran) {
                    skip();
                }
            }
        } catch (InterruptedException e) {
            end.end(PcResult.Reason.STOPPED, "interrupted");
        } catch (RuntimeException | Error e) {
            VcpuLoop.fail(end, e);
        }
    }

    /** Runs a CPU until its turn is over or it has nothing to do; false where that was so at once. */
    private boolean turn(VcpuLoop loop) {
        long left = loops.size() == 1 ? Long.MAX_VALUE : QUANTUM;
        boolean ran = false;
        while (left > 0 && !end.hasEnded()) {
            board.runTimers();
            long before = vm.virtualTime();
            long bound = Math.min(left, Math.min(limit, board.untilDeadline()));
            int reason = loop.step(Math.max(1, bound));
            long done = vm.virtualTime() - before;
            if (reason == ExitReason.IO || reason == ExitReason.MMIO) {
                vm.advanceTo(before + done + loop.accesses(reason) * ACCESS_NANOS);
            }
            left -= done;
            limit -= done;
            ran |= done > 0 || reason != ExitReason.HLT;
            if (limit <= 0) {
                loop.endAtLimit();
            }
            if (reason == ExitReason.HLT) {
                return ran;
            }
        }
        return ran;
    }

    /** All CPUs wait: the next thing that can happen is a timer. */
    private void skip() throws InterruptedException {
        long next = Math.min(vm.nextDeadline(), board.nextDeadline());
        if (next == Long.MAX_VALUE) {
            // Nothing will ever happen; the host's time-out, or who started the run, ends it.
            end.await(Long.MAX_VALUE);
            return;
        }
        vm.advanceTo(next);
        board.runTimers();
    }
}
