package org.softkvm.benchmarks;

import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;
import org.softkvm.kvm.ExitReason;
import org.softkvm.kvm.RegisterId;
import org.softkvm.kvm.RegisterList;
import org.softkvm.kvm.Regs;
import org.softkvm.kvm.Sregs;
import org.softkvm.kvm.VcpuRun;

/**
 * Registers of a vcpu that does not run, by each way there is: one by id, a list of ids, the sets of the kernel's API,
 * and the registers on the run page (with the exit that brings them; {@link PortExitBenchmark} has the exit alone).
 */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(1)
public class RegisterBenchmark {
    private static final int GENERAL = 18;

    private static final String WRITE = """
            BA 10 00  mov dx, 10h
            EE        out dx, al
            EB FD     jmp $-1
            """;

    /** The backend. */
    @Param({"emulator", "abi", "kvm"})
    public String backend;

    private BenchmarkGuest guest;
    private BenchmarkGuest syncing;
    private final Regs regs = new Regs();
    private final Sregs sregs = new Sregs();
    private RegisterList general;
    private RegisterList all;

    /** Makes the guests; one leaves its registers on the run page at each exit. */
    @Setup
    public void setUp() {
        guest = BenchmarkGuest.real(backend, Irqchip.NONE, WRITE);
        syncing = BenchmarkGuest.real(backend, Irqchip.NONE, WRITE);
        long[] ids = new long[GENERAL];
        for (int i = 0; i < GENERAL; i++) {
            ids[i] = RegisterId.id(RegisterId.TYPE_GPR, i);
        }
        general = new RegisterList(ids);
        all = new RegisterList(guest.vcpu.registerList());
        guest.vcpu.getRegs(regs);
        guest.vcpu.getSregs(sregs);
        guest.vcpu.getManyRegs(general);
    }

    /** Closes them. */
    @TearDown
    public void tearDown() {
        guest.close();
        syncing.close();
    }

    /** KVM_GET_ONE_REG of RIP. */
    @Benchmark
    public long getOne() {
        return guest.vcpu.getOneReg(RegisterId.RIP);
    }

    /** KVM_SET_ONE_REG of RAX. */
    @Benchmark
    public void setOne() {
        guest.vcpu.setOneReg(RegisterId.RAX, regs.rax++);
    }

    /** The 18 general registers, one call each. */
    @Benchmark
    public long getOneByOne() {
        long sum = 0;
        for (long id : general.ids) {
            sum += guest.vcpu.getOneReg(id);
        }
        return sum;
    }

    /** The 18 general registers as a list. */
    @Benchmark
    public RegisterList getMany() {
        count(guest.vcpu.getManyRegs(general), GENERAL);
        return general;
    }

    /** The same, written. */
    @Benchmark
    public void setMany() {
        count(guest.vcpu.setManyRegs(general), GENERAL);
    }

    /** The whole state of the vcpu as a list. */
    @Benchmark
    public RegisterList getAll() {
        count(guest.vcpu.getManyRegs(all), all.ids.length);
        return all;
    }

    /** KVM_GET_REGS: the 18 general registers as a set. */
    @Benchmark
    public Regs getRegs() {
        guest.vcpu.getRegs(regs);
        return regs;
    }

    /** KVM_SET_REGS. */
    @Benchmark
    public void setRegs() {
        guest.vcpu.setRegs(regs);
    }

    /** KVM_GET_SREGS: segment and control registers. */
    @Benchmark
    public Sregs getSregs() {
        guest.vcpu.getSregs(sregs);
        return sregs;
    }

    /** KVM_SET_SREGS. */
    @Benchmark
    public void setSregs() {
        guest.vcpu.setSregs(sregs);
    }

    /** A port exit that leaves the general registers on the run page, where the handler reads one. */
    @Benchmark
    public long exitWithSyncRegs() {
        syncing.run.setValidRegs(VcpuRun.SYNC_REGS);
        syncing.runTo(ExitReason.IO);
        return syncing.run.syncRegs().rax;
    }

    /** The same, and the handler changes one that the next run takes from there. */
    @Benchmark
    public void exitWithSyncRegsWritten() {
        syncing.run.setValidRegs(VcpuRun.SYNC_REGS);
        syncing.runTo(ExitReason.IO);
        syncing.run.syncRegs().rax++;
        syncing.run.setDirtyRegs(VcpuRun.SYNC_REGS);
    }

    /** The same by a call for reading and one for writing. */
    @Benchmark
    public void exitWithGetAndSetRegs() {
        guest.runTo(ExitReason.IO);
        guest.vcpu.getRegs(regs);
        regs.rax++;
        guest.vcpu.setRegs(regs);
    }

    private static void count(int actual, int wanted) {
        if (actual != wanted) {
            throw new IllegalStateException(actual + " registers instead of " + wanted);
        }
    }
}
