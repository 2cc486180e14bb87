package org.softkvm.emulator.decode;

import static org.softkvm.emulator.decode.Operand.AL;
import static org.softkvm.emulator.decode.Operand.Cd;
import static org.softkvm.emulator.decode.Operand.DX;
import static org.softkvm.emulator.decode.Operand.Dd;
import static org.softkvm.emulator.decode.Operand.Ew;
import static org.softkvm.emulator.decode.Operand.Ey;
import static org.softkvm.emulator.decode.Operand.Ib;
import static org.softkvm.emulator.decode.Operand.M;
import static org.softkvm.emulator.decode.Operand.Ry;
import static org.softkvm.emulator.decode.Operand.Xb;
import static org.softkvm.emulator.decode.Operand.Xv;
import static org.softkvm.emulator.decode.Operand.Yb;
import static org.softkvm.emulator.decode.Operand.Yv;
import static org.softkvm.emulator.decode.Operand.rAX;

import org.softkvm.emulator.exec.IntegerOps;
import org.softkvm.emulator.exec.MsrOps;
import org.softkvm.emulator.exec.PortIo;
import org.softkvm.emulator.exec.RandomOps;
import org.softkvm.emulator.exec.SystemOps;
import org.softkvm.emulator.exec.Waiting;

/** Rows of the instruction table: system instructions and port I/O. */
final class SystemRows {
    private SystemRows() {}

    static void define(OpTable t) {
        flags(t);
        registers(t);
        ports(t);
        calls(t);
    }

    private static void flags(OpTable t) {
        t.op("FA", "cli").state(SystemOps.class, "cli").noFlags();
        t.op("FB", "sti").state(SystemOps.class, "sti").noFlags().ends();
        t.op("9C", "pushf").state(SystemOps.class, "pushf").d64().flagUse(0x8D5, 0);
        t.op("9D", "popf").state(SystemOps.class, "popf").d64().ends();
        t.op("F4", "hlt").state(SystemOps.class, "hlt").noFlags().ends();
        t.op("NP 0F 01 =CA", "clac")
                .state(SystemOps.class, "clac")
                .noFlags()
                .registers(0, 0)
                .needs(Feature.SMAP);
        t.op("NP 0F 01 =CB", "stac")
                .state(SystemOps.class, "stac")
                .noFlags()
                .registers(0, 0)
                .needs(Feature.SMAP);
    }

    private static void registers(OpTable t) {
        t.op("0F 20 /r", "mov", Ry, Cd)
                .state(SystemOps.class, "movFromCr")
                .noFlags()
                .needs(Feature.I386);
        t.op("0F 22 /r", "mov", Cd, Ry)
                .state(SystemOps.class, "movToCr")
                .noFlags()
                .ends()
                .needs(Feature.I386);
        t.op("0F 21 /r", "mov", Ry, Dd)
                .state(SystemOps.class, "movFromDr")
                .noFlags()
                .needs(Feature.I386);
        t.op("0F 23 /r", "mov", Dd, Ry)
                .state(SystemOps.class, "movToDr")
                .noFlags()
                .ends()
                .needs(Feature.I386);
        t.op("0F 01 /6", "lmsw", Ew)
                .state(SystemOps.class, "lmsw")
                .noFlags()
                .ends()
                .needs(Feature.I286);
        t.op("0F 06", "clts").state(SystemOps.class, "clts").noFlags().ends().needs(Feature.I286);
        t.op("0F 08", "invd").state(SystemOps.class, "wbinvd").noFlags().needs(Feature.I486);
        t.op("0F 09", "wbinvd").state(SystemOps.class, "wbinvd").noFlags().needs(Feature.I486);
        t.op("0F 01 /7", "invlpg", M)
                .state(SystemOps.class, "invlpg")
                .noFlags()
                .ends()
                .needs(Feature.I486);
        t.op("0F AA", "rsm").state(SystemOps.class, "rsm").ends().needs(Feature.CPUID);
        t.op("0F 30", "wrmsr").state(MsrOps.class, "wrmsr").noFlags().ends().needs(Feature.MSR);
        t.op("0F 32", "rdmsr").state(MsrOps.class, "rdmsr").noFlags().needs(Feature.MSR);
        t.op("0F 31", "rdtsc").state(SystemOps.class, "rdtsc").noFlags().needs(Feature.TSC);
        t.op("0F 01 =F9", "rdtscp").state(SystemOps.class, "rdtscp").noFlags().needs(Feature.RDTSCP);
        t.op("0F 33", "rdpmc").state(SystemOps.class, "rdpmc").noFlags().needs(Feature.MMX);
        t.op("0F A2", "cpuid").state(SystemOps.class, "cpuid").noFlags().ends().needs(Feature.CPUID);
        t.op("F3 0F AE /0", "rdfsbase", Ey)
                .state(SystemOps.class, "rdfsbase")
                .registerOnly()
                .noFlags()
                .only64()
                .needs(Feature.FSGSBASE);
        t.op("F3 0F AE /1", "rdgsbase", Ey)
                .state(SystemOps.class, "rdgsbase")
                .registerOnly()
                .noFlags()
                .only64()
                .needs(Feature.FSGSBASE);
        t.op("F3 0F AE /2", "wrfsbase", Ey)
                .state(SystemOps.class, "wrfsbase")
                .registerOnly()
                .noFlags()
                .only64()
                .needs(Feature.FSGSBASE);
        t.op("F3 0F AE /3", "wrgsbase", Ey)
                .state(SystemOps.class, "wrgsbase")
                .registerOnly()
                .noFlags()
                .only64()
                .needs(Feature.FSGSBASE);
        t.op("0F 01 =F8", "swapgs")
                .state(SystemOps.class, "swapgs")
                .noFlags()
                .only64()
                .needs(Feature.LM);
        t.op("NP 0F 01 =D0", "xgetbv")
                .state(SystemOps.class, "xgetbv")
                .noFlags()
                .needs(Feature.XSAVE);
        t.op("NP 0F 01 =D1", "xsetbv")
                .state(SystemOps.class, "xsetbv")
                .noFlags()
                .ends()
                .needs(Feature.XSAVE);
        // The fences ignore ModRM.rm.
        t.op("NP 0F AE /5", "lfence")
                .state(IntegerOps.class, "nop")
                .registerOnly()
                .noFlags()
                .needs(Feature.SSE2);
        t.op("NP 0F AE /6", "mfence")
                .state(IntegerOps.class, "mfence")
                .registerOnly()
                .noFlags()
                .needs(Feature.SSE2);
        t.op("NP 0F AE /7", "sfence")
                .state(IntegerOps.class, "nop")
                .registerOnly()
                .noFlags()
                .needs(Feature.SSE);
        t.op("NP 0F AE /7", "clflush", Operand.Mb)
                .state(SystemOps.class, "clflush")
                .noFlags()
                .needs(Feature.CLFSH);
        t.op("66 0F AE /7", "clflushopt", Operand.Mb)
                .state(SystemOps.class, "clflush")
                .noFlags()
                .needs(Feature.CLFLUSHOPT);
        t.op("66 0F AE /6", "clwb", Operand.Mb)
                .state(SystemOps.class, "clflush")
                .noFlags()
                .needs(Feature.CLWB);
        t.op("66 0F AE =F8", "pcommit").state(IntegerOps.class, "nop").noFlags().needs(Feature.PCOMMIT);
        t.op("66 0F 38 82", "invpcid", Operand.Gy, Operand.Mx)
                .state(SystemOps.class, "invpcid")
                .f64()
                .noFlags()
                .ends()
                .needs(Feature.INVPCID);
        t.op("NP 0F 01 =E8", "serialize")
                .state(SystemOps.class, "serialize")
                .noFlags()
                .registers(0, 0)
                .needs(Feature.SERIALIZE);
        t.op("NP 0F 01 =C8", "monitor")
                .state(Waiting.class, "monitor")
                .noFlags()
                .needs(Feature.MONITOR);
        t.op("NP 0F 01 =C9", "mwait")
                .state(Waiting.class, "mwait")
                .noFlags()
                .ends()
                .needs(Feature.MONITOR);
        t.op("NFX 0F C7 /6", "rdrand", Operand.Ev)
                .state(RandomOps.class, "rdrand")
                .registerOnly()
                .needs(Feature.RDRAND);
        t.op("NFX 0F C7 /7", "rdseed", Operand.Ev)
                .state(RandomOps.class, "rdseed")
                .registerOnly()
                .needs(Feature.RDSEED);
        t.op("F3 0F C7 /7", "rdpid", Operand.Ey)
                .state(SystemOps.class, "rdpid")
                .f64()
                .registerOnly()
                .noFlags()
                .needs(Feature.RDPID);
    }

    private static void ports(OpTable t) {
        t.op("E4", "in", AL, Ib).state(PortIo.class, "inbImm").noFlags();
        t.op("E5", "in", rAX, Ib).state(PortIo.class, "invImm").noFlags();
        t.op("EC", "in", AL, DX).state(PortIo.class, "inb").noFlags();
        t.op("ED", "in", rAX, DX).state(PortIo.class, "inv").noFlags();
        t.op("E6", "out", Ib, AL).state(PortIo.class, "outbImm").noFlags();
        t.op("E7", "out", Ib, rAX).state(PortIo.class, "outvImm").noFlags();
        t.op("EE", "out", DX, AL).state(PortIo.class, "outb").noFlags();
        t.op("EF", "out", DX, rAX).state(PortIo.class, "outv").noFlags();
        t.op("6C", "insb", Yb, DX)
                .state(PortIo.class, "insb")
                .noFlags()
                .commitsParts()
                .ends()
                .needs(Feature.I186);
        t.op("6D", "ins", Yv, DX)
                .state(PortIo.class, "insv")
                .noFlags()
                .commitsParts()
                .ends()
                .needs(Feature.I186);
        t.op("6E", "outsb", DX, Xb)
                .state(PortIo.class, "outsb")
                .noFlags()
                .commitsParts()
                .ends()
                .needs(Feature.I186);
        t.op("6F", "outs", DX, Xv)
                .state(PortIo.class, "outsv")
                .noFlags()
                .commitsParts()
                .ends()
                .needs(Feature.I186);
    }

    private static void calls(OpTable t) {
        t.op("0F 05", "syscall").state(SystemOps.class, "syscall").ends().needs(Feature.SYSCALL);
        t.op("0F 07", "sysret").state(SystemOps.class, "sysret").ends().needs(Feature.SYSCALL);
        t.op("0F 34", "sysenter")
                .state(SystemOps.class, "sysenter")
                .noFlags()
                .ends()
                .needs(Feature.SEP);
        t.op("0F 35", "sysexit")
                .state(SystemOps.class, "sysexit")
                .noFlags()
                .ends()
                .needs(Feature.SEP);
        t.op("NP 0F 01 =C1", "vmcall")
                .state(SystemOps.class, "hypercall")
                .noFlags()
                .needs(Feature.HYPERVISOR);
        t.op("NFX 0F 01 =D9", "vmmcall")
                .state(SystemOps.class, "hypercall")
                .noFlags()
                .needs(Feature.HYPERVISOR);
    }
}
