package org.softkvm.testroms.differential;

import java.util.ArrayList;
import java.util.List;
import org.softkvm.kvm.Fpu;
import org.softkvm.kvm.Regs;
import org.softkvm.kvm.Segment;
import org.softkvm.kvm.Sregs;

/**
 * What a program can see of a vcpu, as numbers with names: registers, segments with their hidden parts, control registers,
 * x87 and SSE. The pointers and the opcode of the last x87 instruction are left out, because CPUs differ in when they
 * store them (CPUID.7.0:EBX bits 6 and 13).
 */
final class State {
    private static final List<String> NAMES = names();

    /** Index of RFLAGS. */
    static final int RFLAGS = 17;

    private State() {}

    private static List<String> names() {
        List<String> names = new ArrayList<>(List.of(
                "rax",
                "rbx",
                "rcx",
                "rdx",
                "rsi",
                "rdi",
                "rsp",
                "rbp",
                "r8",
                "r9",
                "r10",
                "r11",
                "r12",
                "r13",
                "r14",
                "r15",
                "rip",
                "rflags",
                "cr0",
                "cr2",
                "cr3",
                "cr4",
                "cr8",
                "efer",
                "gdt.base",
                "gdt.limit",
                "idt.base",
                "idt.limit"));
        for (String segment : List.of("cs", "ds", "es", "fs", "gs", "ss", "tr", "ldt")) {
            for (String part : List.of("selector", "base", "limit", "attributes")) {
                names.add(segment + "." + part);
            }
        }
        names.addAll(List.of("fcw", "fsw", "ftw", "mxcsr"));
        for (int n = 0; n < 8; n++) {
            names.add("st" + n);
            names.add("st" + n + ".high");
        }
        for (int n = 0; n < 16; n++) {
            names.add("xmm" + n);
            names.add("xmm" + n + ".high");
        }
        names.add("memory");
        return List.copyOf(names);
    }

    static int size() {
        return NAMES.size();
    }

    static String name(int index) {
        return NAMES.get(index);
    }

    /** Collects a state; the last number is a digest of memory. */
    static long[] of(Regs r, Sregs s, Fpu fpu, long memory, int undefined) {
        long[] v = new long[size()];
        int n = 0;
        for (long value : new long[] {
            r.rax,
            r.rbx,
            r.rcx,
            r.rdx,
            r.rsi,
            r.rdi,
            r.rsp,
            r.rbp,
            r.r8,
            r.r9,
            r.r10,
            r.r11,
            r.r12,
            r.r13,
            r.r14,
            r.r15,
            r.rip,
            r.rflags & ~undefined,
            s.cr0,
            s.cr2,
            s.cr3,
            s.cr4,
            s.cr8,
            s.efer,
            s.gdt.base,
            s.gdt.limit,
            s.idt.base,
            s.idt.limit
        }) {
            v[n++] = value;
        }
        for (Segment segment : new Segment[] {s.cs, s.ds, s.es, s.fs, s.gs, s.ss, s.tr, s.ldt}) {
            boolean usable = segment.unusable == 0 && segment.present != 0;
            v[n++] = segment.selector;
            v[n++] = segment.base;
            v[n++] = usable ? segment.limit & 0xFFFFFFFFL : 0;
            v[n++] = usable
                    ? segment.type
                            | segment.s << 4
                            | segment.dpl << 5
                            | 1 << 7
                            | segment.avl << 12
                            | segment.l << 13
                            | segment.db << 14
                            | segment.g << 15
                    : 0;
        }
        v[n++] = fpu.fcw;
        v[n++] = fpu.fsw;
        v[n++] = fpu.ftwx;
        v[n++] = fpu.mxcsr;
        for (int k = 0; k < 8; k++) {
            v[n++] = number(fpu.fpr[k], 0, 8);
            v[n++] = number(fpu.fpr[k], 8, 2);
        }
        for (int k = 0; k < 16; k++) {
            v[n++] = number(fpu.xmm[k], 0, 8);
            v[n++] = number(fpu.xmm[k], 8, 8);
        }
        v[n] = memory;
        return v;
    }

    private static long number(byte[] bytes, int from, int count) {
        long value = 0;
        for (int k = count - 1; k >= 0; k--) {
            value = value << 8 | bytes[from + k] & 0xFF;
        }
        return value;
    }
}
