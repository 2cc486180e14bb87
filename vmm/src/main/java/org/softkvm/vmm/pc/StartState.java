package org.softkvm.vmm.pc;

import org.softkvm.kvm.Regs;
import org.softkvm.kvm.Segment;
import org.softkvm.kvm.Sregs;
import org.softkvm.kvm.Vcpu;
import org.softkvm.vmm.loader.CpuStart;
import org.softkvm.vmm.loader.FlatGdt;

/** Puts a vcpu that was just created into the state in which a loader wants it to start. */
final class StartState {
    private static final int TYPE_CODE = 0xB; // code, readable, accessed
    private static final int TYPE_DATA = 0x3; // data, writable, accessed
    private static final int TYPE_LDT = 0x2;
    private static final int TYPE_TSS = 0xB; // busy 32-bit TSS

    private static final long CR0_PE = 1;
    private static final long CR0_PG = 0x8000_0000L;
    private static final long CR4_PAE = 0x20;
    private static final long EFER_LME = 0x100;
    private static final long EFER_LMA = 0x400;
    private static final long CR0_PG_WP_AND_CACHES = 0xE001_0000L;
    private static final long RFLAGS_FIXED = 2;

    private static final int MTRR_DEF_TYPE = 0x2FF;
    private static final long MTRR_ENABLE = 0x800;
    private static final long WRITE_BACK = 6;

    private StartState() {}

    /**
     * Leaves the memory types as firmware does: write-back everywhere. Kernels that find the MTRRs off do not use the page
     * attribute table either. A CPU without MTRRs takes no notice.
     */
    static void memoryTypes(Vcpu vcpu) {
        vcpu.setMsrs(new int[] {MTRR_DEF_TYPE}, new long[] {MTRR_ENABLE | WRITE_BACK});
    }

    static void apply(CpuStart start, Vcpu vcpu) {
        switch (start) {
            case CpuStart.Reset reset -> {
                // A vcpu is created in its power-on state, which depends on the CPU model.
            }
            case CpuStart.Real real -> real(real, vcpu);
            case CpuStart.Flat32 flat -> flat32(flat, vcpu);
            case CpuStart.Long64 wide -> long64(wide, vcpu);
        }
    }

    private static void real(CpuStart.Real start, Vcpu vcpu) {
        Sregs sregs = new Sregs();
        vcpu.getSregs(sregs);
        for (Segment segment : new Segment[] {sregs.cs, sregs.ds, sregs.es, sregs.fs, sregs.gs, sregs.ss}) {
            segment.selector = 0;
            segment.base = 0;
            segment.limit = 0xFFFF;
        }
        vcpu.setSregs(sregs);
        Regs regs = new Regs();
        regs.rip = start.ip();
        regs.rsp = start.sp();
        regs.rdx = start.dx();
        regs.rflags = RFLAGS_FIXED;
        vcpu.setRegs(regs);
    }

    private static void long64(CpuStart.Long64 start, Vcpu vcpu) {
        Sregs sregs = flat(vcpu, start.gdt());
        sregs.cs.db = 0;
        sregs.cs.l = 1;
        sregs.cr3 = start.cr3();
        sregs.cr4 = CR4_PAE;
        sregs.cr0 |= CR0_PG;
        sregs.efer = EFER_LME | EFER_LMA;
        vcpu.setSregs(sregs);
        Regs regs = new Regs();
        regs.rip = start.rip();
        regs.rsi = start.rsi();
        regs.rflags = RFLAGS_FIXED;
        vcpu.setRegs(regs);
    }

    /** Flat segments and protected mode without paging, not yet set. */
    private static Sregs flat(Vcpu vcpu, long gdt) {
        Sregs sregs = new Sregs();
        vcpu.getSregs(sregs);
        flat(sregs.cs, FlatGdt.CODE, TYPE_CODE);
        for (Segment segment : new Segment[] {sregs.ds, sregs.es, sregs.fs, sregs.gs, sregs.ss}) {
            flat(segment, FlatGdt.DATA, TYPE_DATA);
        }
        system(sregs.tr, FlatGdt.TSS, TYPE_TSS, 0x67);
        system(sregs.ldt, 0, TYPE_LDT, 0xFFFF);
        sregs.gdt.base = gdt;
        sregs.gdt.limit = FlatGdt.SIZE - 1;
        sregs.idt.base = 0;
        sregs.idt.limit = 0;
        sregs.cr0 = sregs.cr0 & ~CR0_PG_WP_AND_CACHES | CR0_PE;
        sregs.cr4 = 0;
        return sregs;
    }

    private static void flat32(CpuStart.Flat32 start, Vcpu vcpu) {
        vcpu.setSregs(flat(vcpu, start.gdt()));
        Regs regs = new Regs();
        regs.rip = start.eip();
        regs.rax = Integer.toUnsignedLong(start.eax());
        regs.rbx = Integer.toUnsignedLong(start.ebx());
        regs.rsi = Integer.toUnsignedLong(start.esi());
        regs.rflags = RFLAGS_FIXED;
        vcpu.setRegs(regs);
    }

    private static void flat(Segment segment, int selector, int type) {
        segment.selector = selector;
        segment.base = 0;
        segment.limit = 0xFFFF_FFFF;
        segment.type = type;
        segment.present = 1;
        segment.dpl = 0;
        segment.db = 1;
        segment.s = 1;
        segment.l = 0;
        segment.g = 1;
        segment.unusable = 0;
    }

    private static void system(Segment segment, int selector, int type, int limit) {
        segment.selector = selector;
        segment.base = 0;
        segment.limit = limit;
        segment.type = type;
        segment.present = 1;
        segment.dpl = 0;
        segment.db = 0;
        segment.s = 0;
        segment.l = 0;
        segment.g = 0;
        segment.unusable = 0;
    }
}
