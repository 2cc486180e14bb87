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

    /**
     * Where the round of turns stands.
     *
     * @param cpu whose turn it is
     * @param left the instructions that are left of it; 0 for a turn that begins
     * @param ran whether a CPU has executed anything in this round
     */
    record Place(int cpu, long left, boolean ran) {
        /** The beginning of a round. */
        static final Place START = new Place(0, 0, false);
    }

    private final Vm vm;
    private final Board board;
    private final RunEnd end;
    private final List<VcpuLoop> loops;
    private long limit;
    private Place place;

    /**
     * Prepares.
     *
     * @param limit instructions after which the run ends, of all CPUs together
     * @param place where to begin
     */
    Turns(Vm vm, Board board, RunEnd end, List<VcpuLoop> loops, long limit, Place place) {
        this.vm = vm;
        this.board = board;
        this.end = end;
        this.loops = loops;
        this.limit = limit;
        this.place = place;
    }

    @Override
    public void run() {
        loops.forEach(VcpuLoop::adopt);
        try {
            while (!end.hasEnded()) {
                for (int cpu = place.cpu(); cpu < loops.size() && !end.hasEnded(); cpu++) {
                    long left = place.cpu() == cpu && place.left() > 0 ? place.left() : fullTurn();
                    turn(cpu, left);
                }
                if (!end.hasEnded() && !place.ran()) {
                    skip();
                }
                if (place.cpu() == loops.size()) {
                    place = Place.START;
                }
            }
        } catch (InterruptedException e) {
            end.end(PcResult.Reason.STOPPED, "interrupted");
        } catch (RuntimeException | Error e) {
            VcpuLoop.fail(end, e);
        }
    }

    private long fullTurn() {
        return loops.size() == 1 ? Long.MAX_VALUE : QUANTUM;
    }

    /** Where the round stands; the thread has ended. */
    Place place() {
        return place;
    }

    /** Runs a CPU until its turn is over or it has nothing to do; the round then stands at the next. */
    private void turn(int cpu, long instructions) {
        VcpuLoop loop = loops.get(cpu);
        long left = instructions;
        boolean ran = place.ran();
        int reason = ExitReason.INTR;
        while (left > 0 && reason != ExitReason.HLT && !end.hasEnded()) {
            board.runTimers();
            long before = vm.virtualTime();
            long bound = Math.min(left, Math.min(limit, board.untilDeadline()));
            reason = loop.step(Math.max(1, bound));
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
        }
        if (reason == ExitReason.IO || reason == ExitReason.MMIO) {
            // A turn ends with its access: the state of a CPU whose turn it is not is always whole.
            board.runTimers();
            long before = vm.virtualTime();
            loop.settle();
            long done = vm.virtualTime() - before;
            left -= done;
            limit -= done;
        }
        boolean over = left <= 0 || reason == ExitReason.HLT;
        place = over ? new Place(cpu + 1, 0, ran) : new Place(cpu, left, ran);
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
