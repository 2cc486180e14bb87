package org.softkvm.emulator.exec;

import org.softkvm.emulator.CpuidEntry;
import org.softkvm.emulator.LocalInterruptController;
import org.softkvm.emulator.cpu.Breakpoints;
import org.softkvm.emulator.cpu.Control;
import org.softkvm.emulator.cpu.Cpu;
import org.softkvm.emulator.cpu.Flags;
import org.softkvm.emulator.cpu.Msrs;
import org.softkvm.emulator.cpu.OutsideDebug;
import org.softkvm.emulator.cpu.Smm;
import org.softkvm.emulator.cpu.Vector;
import org.softkvm.emulator.decode.Feature;
import org.softkvm.emulator.decode.Insn;
import org.softkvm.emulator.simd.XsaveArea;

/** System instructions: control and debug registers, CPUID, flags, time, hypercalls (Intel SDM volume 2). */
public final class SystemOps {
    /** KVM_EPERM as hypercalls return it. */
    private static final long HYPERCALL_EPERM = -1;

    private SystemOps() {}

    private static void privileged(Cpu c) {
        if (c.cpl != 0) {
            throw c.gp(0);
        }
    }

    // ---------------------------------------------------------------- flags

    /** CLI. */
    public static void cli(Cpu c, Insn i) {
        if (c.protectedMode() && (c.v86() ? c.iopl() != 3 : c.cpl > c.iopl())) {
            throw c.gp(0);
        }
        c.eflags &= ~Flags.IF;
    }

    /** STI: interrupts stay blocked for one more instruction where they were off. */
    public static void sti(Cpu c, Insn i) {
        if (c.protectedMode() && (c.v86() ? c.iopl() != 3 : c.cpl > c.iopl())) {
            throw c.gp(0);
        }
        if ((c.eflags & Flags.IF) == 0) {
            c.eflags |= Flags.IF;
            c.shadow = Cpu.SHADOW_STI;
        }
    }

    /** PUSHF, PUSHFD, PUSHFQ. */
    public static void pushf(Cpu c, Insn i) {
        if (c.v86() && c.iopl() != 3) {
            throw c.gp(0);
        }
        c.push(i.opSize, c.flags() & ~(Flags.VM | Flags.RF));
    }

    /** POPF, POPFD, POPFQ. */
    public static void popf(Cpu c, Insn i) {
        if (c.v86() && c.iopl() != 3) {
            throw c.gp(0);
        }
        int value = (int) c.pop(i.opSize);
        int mask = Flags.ARITH | Flags.TF | Flags.DF;
        if (c.model.has(Feature.I386) || c.protectedMode()) {
            // The 286 keeps IOPL and NT clear in real mode.
            mask |= Flags.NT;
            if (c.cpl == 0) {
                mask |= Flags.IOPL;
            }
        }
        if (c.v86() || c.cpl <= c.iopl()) {
            mask |= Flags.IF;
        }
        int flags = c.flags();
        if (i.opSize > 2) {
            if (c.model.has(Feature.I486)) {
                mask |= Flags.AC;
            }
            if (c.model.has(Feature.CPUID)) {
                mask |= Flags.ID;
            }
            flags &= ~(Flags.RF | Flags.VIP | Flags.VIF);
        }
        c.setFlags(flags & ~mask | value & mask);
    }

    // ---------------------------------------------------------------- control and debug registers

    /** MOV r, CRn. */
    public static void movFromCr(Cpu c, Insn i) {
        privileged(c);
        long value = switch (i.reg) {
            case 0 -> c.cr0 & 0xFFFFFFFFL;
            case 2 -> c.cr2;
            case 3 -> c.cr3;
            case 4 -> c.cr4;
            case 8 -> c.lapic == LocalInterruptController.NONE ? c.cr8 : c.lapic.cr8();
            default -> throw c.ud();
        };
        c.set(i.rm, c.mode64 ? 8 : 4, value);
    }

    /** MOV CRn, r. */
    public static void movToCr(Cpu c, Insn i) {
        c.serialize();
        privileged(c);
        long value = c.mode64 ? c.r[i.rm] : c.r[i.rm] & 0xFFFFFFFFL;
        switch (i.reg) {
            case 0 -> Control.writeCr0(c, value);
            case 2 -> c.cr2 = value;
            case 3 -> Control.writeCr3(c, value);
            case 4 -> Control.writeCr4(c, value);
            case 8 -> {
                if ((value & ~15L) != 0) {
                    throw c.gp(0);
                }
                c.cr8 = (int) value;
                c.lapic.setCr8((int) value);
                c.request(Cpu.REQ_INTERRUPT);
            }
            default -> throw c.ud();
        }
    }

    private static int debugRegister(Cpu c, Insn i) {
        int n = i.reg;
        if (n > 7) {
            throw c.ud();
        }
        if (n == 4 || n == 5) {
            if ((c.cr4 & Cpu.CR4_DE) != 0) {
                throw c.ud();
            }
            n += 2;
        }
        privileged(c);
        if ((c.activeDr[7] & 0x2000) != 0) {
            if (!OutsideDebug.takesDebugExceptions(c)) {
                // General detect: the handler may access the registers.
                c.dr[7] &= ~0x2000L;
                c.dr[6] |= 0x2000;
            }
            throw c.fault(Vector.DB, 0x2000);
        }
        return n;
    }

    /** MOV r, DRn. */
    public static void movFromDr(Cpu c, Insn i) {
        int n = debugRegister(c, i);
        c.set(i.rm, c.mode64 ? 8 : 4, c.dr[n]);
    }

    /** MOV DRn, r. */
    public static void movToDr(Cpu c, Insn i) {
        int n = debugRegister(c, i);
        long value = c.mode64 ? c.r[i.rm] : c.r[i.rm] & 0xFFFFFFFFL;
        if (n >= 6 && value >>> 32 != 0) {
            throw c.gp(0);
        }
        c.dr[n] = switch (n) {
            case 6 -> value & 0xE00FL | 0xFFFF0FF0L;
            case 7 -> value & 0xFFFF2BFFL | 0x400;
            default -> value;
        };
        if (n != 6) {
            Breakpoints.update(c);
        }
    }

    /** LMSW: sets the low four bits of CR0, cannot clear PE. */
    public static void lmsw(Cpu c, Insn i) {
        privileged(c);
        int value = (int) c.getRm(i, 2);
        Control.writeCr0(c, c.cr0 & 0xFFFFFFFFL & ~0xEL | value & 0xF | c.cr0 & 1);
    }

    /** CLTS. */
    public static void clts(Cpu c, Insn i) {
        privileged(c);
        c.cr0 &= ~Cpu.CR0_TS;
        c.updateMode();
    }

    /** INVD, WBINVD: there are no caches to write back. */
    public static void wbinvd(Cpu c, Insn i) {
        privileged(c);
    }

    /** INVLPG. */
    public static void invlpg(Cpu c, Insn i) {
        privileged(c);
        c.serialize();
        long offset = c.ea(i);
        long la =
                c.mode64 ? (i.seg >= Cpu.FS ? c.segBase[i.seg] : 0) + offset : c.segBase[i.seg] + offset & 0xFFFFFFFFL;
        c.flushTlbPage(la);
    }

    /** INVPCID (Intel SDM volume 2). Of a PCID that is not the present one all translations are dropped. */
    public static void invpcid(Cpu c, Insn i) {
        privileged(c);
        long type = c.mode64 ? c.r[i.reg] : c.r[i.reg] & 0xFFFFFFFFL;
        if (Long.compareUnsigned(type, 3) > 0) {
            throw c.gp(0);
        }
        long la = c.eaRead(i, 16);
        long pcid = c.read64(la);
        long linear = c.read64(la + 8);
        boolean enabled = (c.cr4 & Cpu.CR4_PCIDE) != 0;
        if (pcid >>> 12 != 0 || type < 2 && !enabled && pcid != 0 || type == 0 && linear << 16 >> 16 != linear) {
            throw c.gp(0);
        }
        long present = enabled ? c.cr3 & 0xFFF : 0;
        if (type < 2 && pcid != present) {
            c.forgetAddressSpace((int) pcid);
        } else if (type == 0) {
            c.flushTlbPage(linear);
        } else {
            c.flushTlb();
        }
    }

    /** RDPID: TSC_AUX. */
    public static void rdpid(Cpu c, Insn i) {
        c.set(i.rm, c.mode64 ? 8 : 4, c.msrs.tscAux);
    }

    /** CLFLUSH, CLFLUSHOPT, CLWB: there are no caches; the address is checked as a byte read. */
    public static void clflush(Cpu c, Insn i) {
        c.read8(c.eaRead(i, 1));
    }

    /** HLT. */
    public static void hlt(Cpu c, Insn i) {
        privileged(c);
        c.halted = true;
        c.request(Cpu.REQ_INTERRUPT);
    }

    /** CLAC. */
    public static void clac(Cpu c, Insn i) {
        if (c.cpl != 0) {
            throw c.ud();
        }
        c.eflags &= ~Flags.AC;
        c.supervisorAccessChanged();
    }

    /** STAC. */
    public static void stac(Cpu c, Insn i) {
        if (c.cpl != 0) {
            throw c.ud();
        }
        c.eflags |= Flags.AC;
        c.supervisorAccessChanged();
    }

    /** SERIALIZE. Blocks are dropped when their code is written, so that nothing that was fetched is old. */
    public static void serialize(Cpu c, Insn i) {
        c.serialize();
    }

    /** RSM: #UD outside system-management mode. */
    public static void rsm(Cpu c, Insn i) {
        if (!c.smm) {
            throw c.ud();
        }
        Smm.resume(c);
    }

    // ---------------------------------------------------------------- CPUID, time

    private static void timeStamp(Cpu c) {
        if ((c.cr4 & Cpu.CR4_TSD) != 0 && c.cpl != 0) {
            throw c.gp(0);
        }
        c.exactly();
        long tsc = Msrs.tsc(c);
        c.set32(Cpu.RAX, (int) tsc);
        c.set32(Cpu.RDX, (int) (tsc >>> 32));
    }

    /** RDTSC. */
    public static void rdtsc(Cpu c, Insn i) {
        timeStamp(c);
    }

    /** RDTSCP. */
    public static void rdtscp(Cpu c, Insn i) {
        timeStamp(c);
        c.set32(Cpu.RCX, (int) c.msrs.tscAux);
    }

    /** RDPMC: there are no performance counters, so every index is invalid. */
    public static void rdpmc(Cpu c, Insn i) {
        throw c.gp(0);
    }

    /** CPUID. */
    public static void cpuid(Cpu c, Insn i) {
        if ((c.msrs.miscFeatures & Msrs.CPUID_FAULT) != 0 && c.cpl != 0) {
            throw c.gp(0);
        }
        c.serialize();
        int leaf = (int) c.r[Cpu.RAX];
        int subleaf = (int) c.r[Cpu.RCX];
        CpuidEntry e = find(c, leaf, subleaf);
        if (e == null && !known(c, leaf)) {
            // Intel CPUs answer an unknown leaf with the data of the highest basic one.
            int base = leaf & 0xFFFF0000;
            if (base != 0x40000000) {
                CpuidEntry zero = find(c, 0, 0);
                e = zero == null || Integer.compareUnsigned(leaf, zero.eax()) <= 0
                        ? null
                        : find(c, zero.eax(), subleaf);
            }
        }
        int a = 0;
        int b = 0;
        int x = 0;
        int d = 0;
        if (e != null) {
            a = e.eax();
            b = e.ebx();
            x = e.ecx();
            d = e.edx();
            switch (e.leaf()) {
                case 0 -> {
                    if ((c.msrs.miscEnable & Msrs.MISC_ENABLE_LIMIT_CPUID) != 0) {
                        a = Math.min(a, 3);
                    }
                }
                case 0x80000001 -> {
                    if ((c.msrs.miscEnable & Msrs.MISC_ENABLE_NO_XD) != 0) {
                        d &= ~(1 << 20);
                    }
                }
                case 1 -> {
                    b = b & 0xFFFFFF | c.id << 24;
                    x = (c.cr4 & Cpu.CR4_OSXSAVE) != 0 ? x | 1 << 27 : x & ~(1 << 27);
                    if ((c.msrs.miscEnable & Msrs.MISC_ENABLE_MONITOR) == 0) {
                        x &= ~(1 << 3);
                    }
                    if (c.lapic == LocalInterruptController.NONE) {
                        x &= ~(1 << 21 | 1 << 24);
                        d &= ~(1 << 9);
                    } else if (c.lapic.ownsMsr(0x1B) && (c.lapic.readMsr(0x1B) & 0x800) == 0) {
                        d &= ~(1 << 9);
                    }
                }
                case 0xB -> d = c.id;
                case 0x15 -> x = (int) Math.min(c.time.tscKhz() * 1000, 0xFFFFFFFFL);
                case 0xD -> {
                    // What XCR0 enables now, in the standard and in the compacted format.
                    if (subleaf <= 1) {
                        b = Math.min(b, XsaveArea.size(c.xcr0));
                    }
                }
                default -> {}
            }
        }
        c.set32(Cpu.RAX, a);
        c.set32(Cpu.RBX, b);
        c.set32(Cpu.RCX, x);
        c.set32(Cpu.RDX, d);
    }

    private static boolean known(Cpu c, int leaf) {
        for (CpuidEntry e : c.cpuid) {
            if (e.leaf() == leaf) {
                return true;
            }
        }
        return false;
    }

    private static CpuidEntry find(Cpu c, int leaf, int subleaf) {
        for (CpuidEntry e : c.cpuid) {
            if (e.leaf() == leaf && (!e.indexed() || e.subleaf() == subleaf)) {
                return e;
            }
        }
        return null;
    }

    // ---------------------------------------------------------------- FS and GS

    private static void fsgsbase(Cpu c) {
        if ((c.cr4 & Cpu.CR4_FSGSBASE) == 0) {
            throw c.ud();
        }
    }

    /** RDFSBASE. */
    public static void rdfsbase(Cpu c, Insn i) {
        fsgsbase(c);
        c.set(i.rm, i.opSize, c.segBase[Cpu.FS]);
    }

    /** RDGSBASE. */
    public static void rdgsbase(Cpu c, Insn i) {
        fsgsbase(c);
        c.set(i.rm, i.opSize, c.segBase[Cpu.GS]);
    }

    private static void writeBase(Cpu c, Insn i, int seg) {
        fsgsbase(c);
        long value = c.get(i.rm, i.opSize);
        if (value << 16 >> 16 != value) {
            throw c.gp(0);
        }
        c.segBase[seg] = value;
    }

    /** WRFSBASE. */
    public static void wrfsbase(Cpu c, Insn i) {
        writeBase(c, i, Cpu.FS);
    }

    /** WRGSBASE. */
    public static void wrgsbase(Cpu c, Insn i) {
        writeBase(c, i, Cpu.GS);
    }

    /** SWAPGS. */
    public static void swapgs(Cpu c, Insn i) {
        privileged(c);
        long base = c.segBase[Cpu.GS];
        c.segBase[Cpu.GS] = c.msrs.kernelGsBase;
        c.msrs.kernelGsBase = base;
    }

    // ---------------------------------------------------------------- XCR0

    private static void osxsave(Cpu c) {
        if ((c.cr4 & Cpu.CR4_OSXSAVE) == 0) {
            throw c.ud();
        }
    }

    /** XGETBV. */
    public static void xgetbv(Cpu c, Insn i) {
        osxsave(c);
        int number = (int) c.r[Cpu.RCX];
        if (number != 0 && (number != 1 || !c.model.has(Feature.XGETBV1))) {
            throw c.gp(0);
        }
        // With ECX = 1: XINUSE of the components that XCR0 enables.
        long value = number == 0 ? c.xcr0 : c.xcr0 & XsaveArea.inUse(c);
        c.set32(Cpu.RAX, (int) value);
        c.set32(Cpu.RDX, (int) (value >>> 32));
    }

    /** XSETBV: XCR0. */
    public static void xsetbv(Cpu c, Insn i) {
        osxsave(c);
        privileged(c);
        long value = c.r[Cpu.RDX] << 32 | c.r[Cpu.RAX] & 0xFFFFFFFFL;
        if ((int) c.r[Cpu.RCX] != 0 || !XsaveArea.allowed(c.model, value)) {
            throw c.gp(0);
        }
        c.xcr0 = value;
    }

    // ---------------------------------------------------------------- fast system calls

    private static void flat(Cpu c, int seg, int selector, boolean code, boolean code64, int dpl) {
        int attr = 0x93 | dpl << Cpu.ATTR_DPL_SHIFT | Cpu.ATTR_G | (code ? 8 : 0);
        attr |= code64 ? Cpu.ATTR_L : Cpu.ATTR_DB;
        c.setSegment(seg, selector, 0, 0xFFFFFFFFL, attr);
    }

    /** SYSCALL and SYSRET exist in 64-bit code, on AMD's CPUs in all of protected mode. */
    private static void needSyscall(Cpu c) {
        boolean there = c.mode64 || c.model.isAmd() && c.protectedMode() && !c.v86();
        if ((c.efer & Cpu.EFER_SCE) == 0 || !there) {
            throw c.ud();
        }
    }

    /** Single step goes by TF as SYSCALL and SYSRET leave it, not as it was before. */
    private static void stepByNewFlags(Cpu c, int flags) {
        c.stepArmed = false;
        if ((flags & Flags.TF) != 0) {
            c.pendingDebug |= OutsideDebug.DR6_BS;
        }
    }

    /** SYSCALL (AMD APM volume 3 for what it does outside 64-bit code). */
    public static void syscall(Cpu c, Insn i) {
        needSyscall(c);
        boolean wide = c.longMode();
        int flags = c.flags();
        int mask = Flags.VM | Flags.IF;
        if (wide) {
            c.r[Cpu.RCX] = i.nextRip;
            c.r[11] = flags & ~Flags.RF;
            c.rip = c.mode64 ? c.msrs.lstar : c.msrs.cstar;
            mask = (int) c.msrs.sfmask;
        } else {
            c.set32(Cpu.RCX, (int) i.nextRip);
            c.rip = c.msrs.star & 0xFFFFFFFFL;
        }
        c.cpl = 0;
        int selector = (int) (c.msrs.star >>> 32) & 0xFFFC;
        flat(c, Cpu.CS, selector, true, wide, 0);
        flat(c, Cpu.SS, selector + 8, false, false, 0);
        int kept = flags & ~(mask | Flags.RF);
        c.setFlags(kept);
        stepByNewFlags(c, kept);
        c.updateMode();
    }

    /** SYSRET (AMD APM volume 3 for what it does outside 64-bit code). */
    public static void sysret(Cpu c, Insn i) {
        needSyscall(c);
        privileged(c);
        boolean wide = i.opSize == 8;
        long target = c.r[Cpu.RCX];
        if (wide && target << 16 >> 16 != target) {
            throw c.gp(0);
        }
        int selector = (int) (c.msrs.star >>> 48);
        c.rip = wide ? target : target & 0xFFFFFFFFL;
        c.cpl = 3;
        flat(c, Cpu.CS, (wide ? selector + 16 : selector) | 3, true, wide, 3);
        flat(c, Cpu.SS, selector + 8 | 3, false, false, 3);
        int flags = c.longMode() ? (int) c.r[11] & 0x3C7FD7 : c.flags() | Flags.IF;
        c.setFlags(flags);
        stepByNewFlags(c, flags);
        c.updateMode();
    }

    /** SYSENTER. */
    public static void sysenter(Cpu c, Insn i) {
        if (c.longMode() && c.model.isAmd()) {
            throw c.ud();
        }
        if (!c.protectedMode() || (c.msrs.sysenterCs & 0xFFFC) == 0) {
            throw c.gp(0);
        }
        boolean wide = c.longMode();
        int selector = (int) c.msrs.sysenterCs & 0xFFFC;
        c.setFlags(c.flags() & ~(Flags.VM | Flags.IF | Flags.RF));
        c.cpl = 0;
        c.deriveSegments();
        flat(c, Cpu.CS, selector, true, wide, 0);
        flat(c, Cpu.SS, selector + 8, false, false, 0);
        c.r[Cpu.RSP] = wide ? c.msrs.sysenterEsp : c.msrs.sysenterEsp & 0xFFFFFFFFL;
        c.rip = wide ? c.msrs.sysenterEip : c.msrs.sysenterEip & 0xFFFFFFFFL;
        c.updateMode();
    }

    /** SYSEXIT. */
    public static void sysexit(Cpu c, Insn i) {
        if (c.longMode() && c.model.isAmd()) {
            throw c.ud();
        }
        if (!c.protectedMode() || (c.msrs.sysenterCs & 0xFFFC) == 0 || c.cpl != 0) {
            throw c.gp(0);
        }
        boolean wide = i.opSize == 8;
        long rip = c.r[Cpu.RDX];
        long rsp = c.r[Cpu.RCX];
        if (wide && (rip << 16 >> 16 != rip || rsp << 16 >> 16 != rsp)) {
            throw c.gp(0);
        }
        int selector = (int) c.msrs.sysenterCs & 0xFFFC;
        c.cpl = 3;
        flat(c, Cpu.CS, selector + (wide ? 32 : 16) | 3, true, wide, 3);
        flat(c, Cpu.SS, selector + (wide ? 40 : 24) | 3, false, false, 3);
        c.r[Cpu.RSP] = wide ? rsp : rsp & 0xFFFFFFFFL;
        c.rip = wide ? rip : rip & 0xFFFFFFFFL;
        c.updateMode();
    }

    /** VMCALL, VMMCALL: KVM's hypercalls. */
    public static void hypercall(Cpu c, Insn i) {
        long mask = c.mode64 ? -1L : 0xFFFFFFFFL;
        long answer = HYPERCALL_EPERM;
        if (c.cpl == 0) {
            // One of them tells the time.
            c.exactly();
            answer = c.hypercalls.call(
                    c.r[Cpu.RAX] & mask,
                    c.r[Cpu.RBX] & mask,
                    c.r[Cpu.RCX] & mask,
                    c.r[Cpu.RDX] & mask,
                    c.r[Cpu.RSI] & mask,
                    c.mode64);
            // It may have sent an interrupt, to this vcpu too.
            c.stopAfterInsn();
        }
        c.r[Cpu.RAX] = answer & mask;
    }
}
