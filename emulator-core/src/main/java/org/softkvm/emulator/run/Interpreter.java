package org.softkvm.emulator.run;

import org.softkvm.emulator.cpu.Breakpoints;
import org.softkvm.emulator.cpu.Cpu;
import org.softkvm.emulator.cpu.Events;
import org.softkvm.emulator.cpu.ExitCode;
import org.softkvm.emulator.cpu.ExitInfo;
import org.softkvm.emulator.cpu.Flags;
import org.softkvm.emulator.cpu.GuestExit;
import org.softkvm.emulator.cpu.GuestFault;
import org.softkvm.emulator.cpu.OutsideDebug;
import org.softkvm.emulator.cpu.Smm;
import org.softkvm.emulator.cpu.Vector;
import org.softkvm.emulator.decode.Insn;
import org.softkvm.emulator.exec.Handler;
import org.softkvm.emulator.exec.HandlerFactory;
import org.softkvm.emulator.translate.FastCompilation;
import org.softkvm.emulator.translate.Region;
import org.softkvm.emulator.translate.RegionTable;
import org.softkvm.emulator.translate.SideExit;

/**
 * The interpreter: runs decoded blocks until there is a reason to leave. Between blocks it looks, without a lock, at the
 * request bits that other threads set.
 */
public final class Interpreter {
    private final Cpu c;
    private final BlockCache cache;
    private final Regions regions;

    /** Faults delivered (statistics). */
    public long faults;

    /** Instructions executed by the interpreter (statistics). */
    public long interpreted;

    /** Times that translated code left an instruction to the interpreter (statistics). */
    public long sideExits;

    /**
     * Those of {@link #interpreted} that translated code should have executed (statistics): behind a side exit up to the
     * end of the block, in a block whose region cannot be entered now, and in blocks that were refused. Not those of
     * blocks that were not yet executed often enough, nor the last ones before a limit of instructions.
     */
    public long fallbacks;

    /** The region that was left last for a place that it has no link to; null where something else ran since. */
    private Region lastRegion;

    /**
     * An interpreter for one vcpu.
     *
     * @param c the vcpu
     */
    public Interpreter(Cpu c) {
        this.c = c;
        this.cache = new BlockCache(c);
        this.regions = new Regions(c, cache);
        HandlerFactory.prepare();
    }

    /**
     * Runs until an exit.
     *
     * @return {@link ExitCode}
     */
    public int run() {
        ExitInfo info = c.exitInfo;
        c.exit = ExitCode.NONE;
        try {
            if (info.ioCompletion != null) {
                ExitInfo.IoCompletion completion = info.ioCompletion;
                info.ioCompletion = null;
                completion.complete(c);
            }
            info.takeAnswer();
        } catch (GuestFault f) {
            deliverFault(null);
        } catch (GuestExit e) {
            return c.exit;
        }
        if (info.replaying()
                || c.halted
                || c.breakCode != 0
                || c.outsideDebug != 0
                || c.tprReported
                || (c.eflags & Flags.TF) != 0) {
            c.request(Cpu.REQ_INTERRUPT);
        }
        boolean counted = c.instructionLimit != Long.MAX_VALUE || c.virtualTime;
        prepareRegions(counted, c.memory.isShared());
        if (counted) {
            return runCounted(info);
        }
        int threshold = regions.threshold;
        Block previous = null;
        while (true) {
            int most = Integer.MAX_VALUE;
            if (previous == null) {
                // Only a block that was cut short leaves something to report.
                if (info.hasWrites() && info.nextWrite()) {
                    return ExitCode.MMIO;
                }
                if (c.exit != ExitCode.NONE) {
                    return c.exit;
                }
            }
            if ((c.requests() | c.shadow | c.pendingDebug) != 0) {
                previous = null;
                most = special(info);
                if (most < 0) {
                    return -most;
                }
                if (most == 0) {
                    continue;
                }
            }
            Block b;
            if (previous != null) {
                b = previous.linkA;
                if (b == null || b.rip != c.rip || b.context != c.context) {
                    b = previous.linkB;
                    if (b == null || b.rip != c.rip || b.context != c.context) {
                        b = fetch();
                        if (b != null && previous.context != 0) {
                            if (previous.linkA != b) {
                                previous.linkB = previous.linkA;
                                previous.linkA = b;
                            }
                            if (threshold != Integer.MAX_VALUE && previous.endsIndirect) {
                                previous.sawTarget(b.rip);
                            }
                        }
                    }
                }
            } else {
                b = fetch();
            }
            if (b == null) {
                previous = null;
                continue;
            }
            Region region = b.region;
            if (region != null
                    && most == Integer.MAX_VALUE
                    && (region.context == c.context || RunnableRegion.of(region).validate(c))) {
                regions.entered(lastRegion, region);
                lastRegion = null;
                previous = runRegion(region);
                continue;
            }
            lastRegion = null;
            if (++b.count >= threshold || region != null) {
                previous = executeHot(b, most, Long.MAX_VALUE);
                continue;
            }
            previous = execute(b, 0, most) ? b : null;
        }
    }

    /**
     * Executes a block that is due for translation, or has been translated.
     *
     * @param left instructions up to the limit
     * @return the block that came to its end last, or null
     */
    private Block executeHot(Block b, int most, long left) {
        // Before it is translated: what makes it hot is not yet a fallback.
        boolean fallback = regions.fallsBack(b);
        if (regions.due(b)) {
            regions.hot(b);
            Region made = b.region;
            if (regions.threshold == 0
                    && made != null
                    && most == Integer.MAX_VALUE
                    && left > made.size
                    && RunnableRegion.of(made).validate(c)) {
                c.inexact = false;
                regions.entered(null, made);
                return runRegion(made);
            }
        }
        long before = interpreted;
        boolean ended = execute(b, 0, most);
        if (fallback) {
            fallbacks += interpreted - before;
        }
        return ended ? b : null;
    }

    /**
     * As {@link #run}, and stops exactly at the limit of instructions. A repeated string instruction runs in a block of
     * its own, so that its iterations are bounded too.
     */
    private int runCounted(ExitInfo info) {
        int threshold = regions.threshold;
        Block previous = null;
        while (true) {
            int most = Integer.MAX_VALUE;
            if (previous == null) {
                if (info.hasWrites() && info.nextWrite()) {
                    return ExitCode.MMIO;
                }
                if (c.exit != ExitCode.NONE) {
                    return c.exit;
                }
            }
            if ((c.requests() | c.shadow | c.pendingDebug) != 0) {
                previous = null;
                most = special(info);
                if (most < 0) {
                    return -most;
                }
                if (most == 0) {
                    continue;
                }
            }
            long left = c.instructionLimit - c.instructions;
            if (left <= 0 && !info.replaying()) {
                return ExitCode.INTR;
            }
            Block b = previous == null ? null : previous.linkA;
            if (b == null || b.rip != c.rip || b.context != c.context) {
                b = fetch();
                if (b == null) {
                    previous = null;
                    continue;
                }
                if (previous != null && previous.context != 0) {
                    previous.linkA = b;
                    if (threshold != Integer.MAX_VALUE && previous.endsIndirect) {
                        previous.sawTarget(b.rip);
                    }
                }
            }
            Region region = b.region;
            if (region != null
                    && most == Integer.MAX_VALUE
                    && left > region.size
                    && (region.context == c.context || RunnableRegion.of(region).validate(c))) {
                regions.entered(lastRegion, region);
                lastRegion = null;
                previous = runRegion(region);
                continue;
            }
            lastRegion = null;
            boolean hot = ++b.count >= threshold || region != null && left > region.size;
            int length = b.insns.length;
            if (b.insns[length - 1].rep != 0 && length > 1) {
                most = Math.min(most, length - 1);
            }
            if (left < length) {
                most = (int) Math.min(most, left);
            }
            c.inexact = c.virtualTime && most > 1 && length > 1;
            previous = hot ? executeHot(b, most, left) : execute(b, 0, most) ? b : null;
            c.inexact = false;
        }
    }

    /** Code that counts, and code that keeps the order of accesses, never live side by side with other code. */
    private void prepareRegions(boolean counted, boolean shared) {
        if (counted != regions.counted || shared != regions.shared) {
            regions.counted = counted;
            regions.shared = shared;
            regions.dropAll();
        }
    }

    /**
     * Runs translated code. Where it leaves in front of an instruction, that one and the rest of its block are
     * interpreted.
     *
     * @return the block that came to its end last, or null
     */
    private Block runRegion(Region first) {
        Cpu cpu = c;
        Region region = first;
        boolean counted = regions.counted;
        cpu.limit = 1;
        RegionTable table = cache.table;
        int site;
        try {
            while (true) {
                table.unwind();
                table.running = region;
                region.enters++;
                site = region.run(0);
                // Another one where it was left inside a call.
                region = table.running;
                if (site != Region.LEFT || (cpu.requests() | cpu.shadow | cpu.pendingDebug) != 0) {
                    break;
                }
                long rip = cpu.rip;
                long context = cpu.context;
                Region next = region.linkA;
                if (next.rip != rip || next.context != context) {
                    next = region.linkB;
                    if (next.rip != rip || next.context != context) {
                        next = regions.next(region, rip);
                        if (next == null) {
                            lastRegion = region;
                            return null;
                        }
                    }
                }
                if (counted && cpu.instructionLimit - cpu.instructions <= next.size) {
                    return null;
                }
                region = next;
            }
        } catch (SideExit e) {
            region = table.running;
            site = cpu.site;
        } catch (GuestFault f) {
            Insn i = table.running.siteInsns[cpu.site];
            countBefore(table.running);
            cpu.rip = i.rip;
            cpu.stepArmed = false;
            cpu.debugHits = 0;
            deliverFault(i);
            return null;
        } catch (GuestExit e) {
            countBefore(table.running);
            cpu.inexact = false;
            cpu.rip = table.running.siteInsns[cpu.site].rip;
            cpu.debugHits = 0;
            return null;
        } finally {
            table.running = null;
        }
        if (site < 0) {
            if (site == Region.STOPPED) {
                after(cpu);
            }
            return null;
        }
        if (counted) {
            cpu.instructions += region.sitePending[site];
        }
        sideExits++;
        long before = interpreted;
        Block b = sideExit(region, site);
        fallbacks += interpreted - before;
        return b;
    }

    /** Counts what a region has completed in front of the site where something was thrown. */
    private void countBefore(Region region) {
        if (regions.counted) {
            c.instructions += region.sitePending[c.site];
        }
    }

    /** Executes what is left of a block from the instruction on that translated code did not execute. */
    private Block sideExit(Region region, int site) {
        Cpu cpu = c;
        Block b = RunnableRegion.of(region).blocks[region.siteBlock[site]];
        int index = region.siteIndex[site];
        if (!regions.counted) {
            return execute(b, index, Integer.MAX_VALUE) ? b : null;
        }
        // As in runCounted: a repeated string instruction runs alone, and nothing goes beyond the limit.
        int length = b.insns.length;
        int most = (int) Math.min(length - index + 1, cpu.instructionLimit - cpu.instructions);
        if (b.insns[length - 1].rep != 0 && length - index > 1) {
            most = Math.min(most, length - index - 1);
        }
        cpu.inexact = cpu.virtualTime && most > 1 && length - index > 1;
        boolean ended = execute(b, index, most);
        cpu.inexact = false;
        return ended ? b : null;
    }

    /** The block at RIP; a fault of the fetch is delivered, and null says that RIP is elsewhere now or an exit is due. */
    private Block fetch() {
        try {
            return cache.current();
        } catch (GuestFault f) {
            // What was to be one step ends in the fault, as in execute.
            c.stepArmed = false;
            c.debugHits = 0;
            outsideStepEnds(c);
            deliverFault(null);
            return null;
        } catch (GuestExit e) {
            return null;
        }
    }

    /** Runs a block from an instruction on, at most so many. True where it came to its end without an event. */
    private boolean execute(Block b, int first, int most) {
        Cpu cpu = c;
        boolean whole = most > b.insns.length - first;
        Insn[] insns = whole ? b.fast : b.insns;
        Handler[] handlers = whole ? b.fastHandlers : b.handlers;
        if (first >= insns.length) {
            // The jump of a fused pair.
            insns = b.insns;
            handlers = b.handlers;
        }
        cpu.limit = Math.min(insns.length - first, most) + first;
        cpu.rip = b.endRip;
        cache.running = b;
        int n = first;
        try {
            do {
                handlers[n].exec(cpu, insns[n]);
                n++;
            } while (n < cpu.limit);
            if (n < insns.length) {
                cpu.instructions += n - first;
                interpreted += n - first;
                cpu.rip = insns[n].rip;
            } else {
                int count = whole ? b.insns.length - first : n - first;
                cpu.instructions += count;
                interpreted += count;
                if (cpu.limit == n && whole) {
                    return true;
                }
            }
            if (cpu.breakCode != 0 && insns[n - 1].rep != 0 && cpu.rip == insns[n - 1].rip) {
                // Between two iterations the breakpoint at the instruction does not count again.
                cpu.eflags |= Flags.RF;
            }
            if (cpu.stepArmed && cpu.msrs.debugCtl != 0) {
                // BTF: only where a branch was taken.
                Insn last = insns[n - 1];
                cpu.stepArmed = cpu.rip != last.nextRip && (last.rep == 0 || cpu.rip != last.rip);
            }
            after(cpu);
            return false;
        } catch (GuestFault f) {
            cpu.instructions += n - first;
            interpreted += n - first;
            cpu.rip = insns[n].rip;
            cpu.stepArmed = false;
            cpu.debugHits = 0;
            outsideStepEnds(cpu);
            deliverFault(insns[n]);
            return false;
        } catch (GuestExit e) {
            cpu.instructions += n - first;
            interpreted += n - first;
            cpu.rip = insns[n].rip;
            cpu.debugHits = 0;
            return false;
        }
    }

    /** After a block that was cut short: answers of a replayed instruction are used up, a step ends in a trap. */
    private static void after(Cpu cpu) {
        cpu.exitInfo.commit();
        cpu.tprReported = false;
        if (cpu.stepArmed) {
            cpu.stepArmed = false;
            if ((cpu.shadow & Cpu.SHADOW_SS) == 0) {
                // MOV SS and POP SS have no trap of their own; the instruction behind them has.
                cpu.pendingDebug |= 0x4000;
            }
        }
        cpu.pendingDebug |= cpu.debugHits;
        cpu.debugHits = 0;
        outsideStepEnds(cpu);
    }

    private static void outsideStepEnds(Cpu cpu) {
        if (cpu.outsideStep) {
            cpu.outsideStep = false;
            OutsideDebug.stepped(cpu);
        }
    }

    private void deliverFault(Insn i) {
        c.inexact = false;
        c.exitInfo.commit();
        c.tprReported = false;
        if (c.faultVector == Vector.DB && OutsideDebug.takesDebugExceptions(c)) {
            c.outsideHits = 0;
            OutsideDebug.exit(c, Vector.DB, c.faultError);
            return;
        }
        faults++;
        Events.exception(c, i);
    }

    /**
     * Everything that is not plain execution: requests, events and what makes the next instruction run alone.
     *
     * @return instructions that may run now, 0 to look again, or minus an exit code
     */
    private int special(ExitInfo info) {
        int requests = c.takeRequests(-1);
        if ((requests & Cpu.REQ_REGION) != 0) {
            regions.installDone();
        }
        serveOthers(requests);
        if (info.replaying() || c.tprReported) {
            // The instruction that was left in its middle goes first, alone; a kick waits for it, so that the state at
            // every exit but MMIO's own is between two instructions.
            info.rewind();
            again(requests & Cpu.REQ_KICK | Cpu.REQ_INTERRUPT);
            c.outsideStep = OutsideDebug.steps(c);
            return 1;
        }
        if (c.outsideHits != 0) {
            again(requests & Cpu.REQ_KICK | Cpu.REQ_INTERRUPT);
            OutsideDebug.exit(c, Vector.DB, c.outsideHits | c.pendingDebug);
            c.outsideHits = 0;
            c.pendingDebug = 0;
            return -ExitCode.DEBUG;
        }
        if ((requests & Cpu.REQ_KICK) != 0) {
            again(requests & Cpu.REQ_INTERRUPT);
            return -ExitCode.INTR;
        }
        if (c.instructions >= c.instructionLimit) {
            again(requests & Cpu.REQ_INTERRUPT);
            return -ExitCode.INTR;
        }
        if (c.injectedException >= 0) {
            int injected = c.injectedException;
            c.injectedException = -1;
            again(Cpu.REQ_INTERRUPT);
            if ((injected & Cpu.INJECTED_INT3) != 0) {
                Events.injectBreakpoint(c);
            } else {
                Events.inject(c, injected & 0xFF, c.injectedError, (injected & Cpu.INJECTED_HAS_ERROR) != 0);
            }
            return delivered();
        }
        int shadow = c.shadow;
        if (c.pendingDebug != 0 && (shadow & Cpu.SHADOW_SS) == 0) {
            again(Cpu.REQ_INTERRUPT);
            if (OutsideDebug.takesDebugExceptions(c)) {
                OutsideDebug.exit(c, Vector.DB, c.pendingDebug);
                c.pendingDebug = 0;
                return -ExitCode.DEBUG;
            }
            Events.debugTrap(c);
            return 0;
        }
        boolean blocked = (c.outsideDebug & OutsideDebug.BLOCKIRQ) != 0;
        if (c.smiPending && !c.smm && !blocked) {
            // Debug traps come before it, so that none is lost; a deferred one lets it wait.
            again(Cpu.REQ_INTERRUPT);
            if (c.pendingDebug == 0) {
                Smm.enter(c);
                return delivered();
            }
        }
        if (c.nmiPending) {
            again(Cpu.REQ_INTERRUPT);
            // The shadow of STI may hold NMIs back (SDM); it does on the CPUs whose KVM asks for it.
            if (!blocked && !c.nmiBlocked && shadow == 0) {
                c.nmiPending = c.nmiSecond;
                c.nmiSecond = false;
                c.halted = false;
                Events.nmi(c);
                return delivered();
            }
        }
        if ((c.eflags & Flags.IF) != 0 && shadow == 0 && !blocked) {
            int vector = c.injectedVector;
            if (vector >= 0) {
                c.injectedVector = -1;
            } else if (c.lapic.pendingVector() >= 0) {
                vector = c.lapic.acknowledge();
            }
            if (vector >= 0) {
                c.halted = false;
                again(Cpu.REQ_INTERRUPT);
                Events.interrupt(c, vector);
                return delivered();
            }
            if (c.interruptWindowRequested) {
                return -ExitCode.IRQ_WINDOW_OPEN;
            }
        }
        if (c.halted) {
            return -ExitCode.HLT;
        }
        boolean breakpoints = c.breakCode != 0;
        if (breakpoints) {
            again(Cpu.REQ_INTERRUPT);
            int hits = (c.eflags & Flags.RF) != 0 || (shadow & Cpu.SHADOW_SS) != 0 ? 0 : Breakpoints.code(c);
            if (hits != 0) {
                c.fault(Vector.DB, hits);
                deliverFault(null);
                return 0;
            }
            c.eflags &= ~Flags.RF;
        }
        boolean trap = (c.eflags & Flags.TF) != 0;
        boolean outsideStep = OutsideDebug.steps(c);
        if (shadow != 0 || trap || breakpoints || outsideStep) {
            // One instruction alone: it leaves the shadow, or it is followed by a debug trap.
            c.shadow = 0;
            again(Cpu.REQ_INTERRUPT);
            c.stepArmed = trap;
            c.outsideStep = outsideStep;
            return 1;
        }
        return (requests & Cpu.REQ_EXACT) != 0 ? 1 : Integer.MAX_VALUE;
    }

    /** An event was delivered: under single step from outside that is a step. */
    private int delivered() {
        if (OutsideDebug.steps(c)) {
            OutsideDebug.stepped(c);
        }
        return 0;
    }

    /** Serves what other vcpus or the memory map want of this one: to be called before it begins to run. */
    public void serveOthers() {
        int wanted = Cpu.REQ_PAUSE | Cpu.REQ_FLUSH | Cpu.REQ_INVALIDATE;
        if ((c.requestsInOrder() & wanted) != 0) {
            serveOthers(c.takeRequests(wanted));
        }
    }

    private void serveOthers(int requests) {
        if ((requests & Cpu.REQ_PAUSE) != 0) {
            pausePoint.run();
        }
        if ((requests & Cpu.REQ_FLUSH) != 0) {
            c.flushTlb();
            flushServed.run();
        }
        if ((requests & Cpu.REQ_INVALIDATE) != 0) {
            invalidations.run();
        }
    }

    private void again(int bits) {
        if (bits != 0) {
            c.request(bits);
        }
    }

    /** Called when a flush request was served: who asked may be waiting. */
    public Runnable flushServed = () -> {};

    /** Stands still while another vcpu must be alone. */
    public Runnable pausePoint = () -> {};

    /** Serves the queue of code pages written by others. */
    public Runnable invalidations = () -> {};

    /**
     * Told of code written by another vcpu or the host, on this vcpu's thread.
     *
     * @param host pool offset
     * @param length bytes
     */
    public void codeWritten(long host, long length) {
        cache.codeWritten(host, length);
    }

    /**
     * Chooses when blocks are translated.
     *
     * @param threshold executions of a block after which it becomes the entry of a region; 0 for before its first one, where
     *     translation is synchronous; {@code Integer.MAX_VALUE} for never
     * @param synchronous translate on this thread, at once
     */
    public void setTranslation(int threshold, boolean synchronous) {
        regions.threshold = threshold;
        regions.synchronous = synchronous;
        if (threshold == Integer.MAX_VALUE) {
            regions.dropAll();
        } else {
            FastCompilation.spareHandlers();
        }
    }

    /**
     * Which form the regions of synchronous translation have.
     *
     * @param narrow true for the form of the many, false for that of the few in which a guest spends its time
     */
    public void setNarrow(boolean narrow) {
        regions.form = narrow ? Regions.Form.NARROW : Regions.Form.WIDE;
    }

    /** Regions made so far. */
    public long regionsTranslated() {
        return regions.translated;
    }

    /** The wide ones of them. */
    public long regionsWidened() {
        return regions.widened;
    }

    /** Bytes of bytecode in them. */
    public long regionBytes() {
        return regions.emittedBytes;
    }

    /** Nanoseconds spent on translation, on whatever thread. */
    public long translationNanos() {
        return regions.nanos;
    }

    /** Regions that were compiled before they ran for the first time. */
    public long regionsCompiled() {
        return regions.compiled.get();
    }

    /** Plans that could not be emitted. */
    public long regionsFailed() {
        return regions.failed;
    }

    /** Regions given up because there were too many. */
    public long regionsDropped() {
        return regions.dropped;
    }

    /** Gives all decoded blocks up. */
    public void close() {
        RegionSampler.forget(regions);
        cache.clear();
    }

    /**
     * Blocks decoded so far.
     *
     * @return count
     */
    public long blocksDecoded() {
        return cache.decoded;
    }
}
