package org.softkvm.kvm.abi;

import static org.softkvm.kvm.abi.Fields.getByte;
import static org.softkvm.kvm.abi.Fields.getInt;
import static org.softkvm.kvm.abi.Fields.getLong;
import static org.softkvm.kvm.abi.Fields.getShort;
import static org.softkvm.kvm.abi.Fields.offset;
import static org.softkvm.kvm.abi.Fields.putByte;
import static org.softkvm.kvm.abi.Fields.putInt;
import static org.softkvm.kvm.abi.Fields.putLong;
import static org.softkvm.kvm.abi.Fields.putShort;

import java.lang.foreign.MemorySegment;
import org.softkvm.kvm.DescriptorTable;
import org.softkvm.kvm.Regs;
import org.softkvm.kvm.Segment;
import org.softkvm.kvm.Sregs;

/** General, segment and control registers: between the API's objects and the structures. Allocates nothing. */
public final class RegsCodec {
    private static final long RAX = offset(RegisterStructs.REGS, "rax");
    private static final long RBX = offset(RegisterStructs.REGS, "rbx");
    private static final long RCX = offset(RegisterStructs.REGS, "rcx");
    private static final long RDX = offset(RegisterStructs.REGS, "rdx");
    private static final long RSI = offset(RegisterStructs.REGS, "rsi");
    private static final long RDI = offset(RegisterStructs.REGS, "rdi");
    private static final long RSP = offset(RegisterStructs.REGS, "rsp");
    private static final long RBP = offset(RegisterStructs.REGS, "rbp");
    private static final long R8 = offset(RegisterStructs.REGS, "r8");
    private static final long R9 = offset(RegisterStructs.REGS, "r9");
    private static final long R10 = offset(RegisterStructs.REGS, "r10");
    private static final long R11 = offset(RegisterStructs.REGS, "r11");
    private static final long R12 = offset(RegisterStructs.REGS, "r12");
    private static final long R13 = offset(RegisterStructs.REGS, "r13");
    private static final long R14 = offset(RegisterStructs.REGS, "r14");
    private static final long R15 = offset(RegisterStructs.REGS, "r15");
    private static final long RIP = offset(RegisterStructs.REGS, "rip");
    private static final long RFLAGS = offset(RegisterStructs.REGS, "rflags");

    private static final long SEGMENT_BASE = offset(RegisterStructs.SEGMENT, "base");
    private static final long SEGMENT_LIMIT = offset(RegisterStructs.SEGMENT, "limit");
    private static final long SEGMENT_SELECTOR = offset(RegisterStructs.SEGMENT, "selector");
    private static final long SEGMENT_TYPE = offset(RegisterStructs.SEGMENT, "type");
    private static final long SEGMENT_PRESENT = offset(RegisterStructs.SEGMENT, "present");
    private static final long SEGMENT_DPL = offset(RegisterStructs.SEGMENT, "dpl");
    private static final long SEGMENT_DB = offset(RegisterStructs.SEGMENT, "db");
    private static final long SEGMENT_S = offset(RegisterStructs.SEGMENT, "s");
    private static final long SEGMENT_L = offset(RegisterStructs.SEGMENT, "l");
    private static final long SEGMENT_G = offset(RegisterStructs.SEGMENT, "g");
    private static final long SEGMENT_AVL = offset(RegisterStructs.SEGMENT, "avl");
    private static final long SEGMENT_UNUSABLE = offset(RegisterStructs.SEGMENT, "unusable");
    private static final long TABLE_BASE = offset(RegisterStructs.DTABLE, "base");
    private static final long TABLE_LIMIT = offset(RegisterStructs.DTABLE, "limit");

    private static final long CS = offset(RegisterStructs.SREGS, "cs");
    private static final long DS = offset(RegisterStructs.SREGS, "ds");
    private static final long ES = offset(RegisterStructs.SREGS, "es");
    private static final long FS = offset(RegisterStructs.SREGS, "fs");
    private static final long GS = offset(RegisterStructs.SREGS, "gs");
    private static final long SS = offset(RegisterStructs.SREGS, "ss");
    private static final long TR = offset(RegisterStructs.SREGS, "tr");
    private static final long LDT = offset(RegisterStructs.SREGS, "ldt");
    private static final long GDT = offset(RegisterStructs.SREGS, "gdt");
    private static final long IDT = offset(RegisterStructs.SREGS, "idt");
    private static final long CR0 = offset(RegisterStructs.SREGS, "cr0");
    private static final long CR2 = offset(RegisterStructs.SREGS, "cr2");
    private static final long CR3 = offset(RegisterStructs.SREGS, "cr3");
    private static final long CR4 = offset(RegisterStructs.SREGS, "cr4");
    private static final long CR8 = offset(RegisterStructs.SREGS, "cr8");
    private static final long EFER = offset(RegisterStructs.SREGS, "efer");
    private static final long APIC_BASE = offset(RegisterStructs.SREGS, "apic_base");
    private static final long INTERRUPT_BITMAP = offset(RegisterStructs.SREGS, "interrupt_bitmap");

    private RegsCodec() {}

    // ---- struct kvm_regs

    /** Writes the structure. */
    public static void put(Regs from, MemorySegment to, long base) {
        putLong(to, base + RAX, from.rax);
        putLong(to, base + RBX, from.rbx);
        putLong(to, base + RCX, from.rcx);
        putLong(to, base + RDX, from.rdx);
        putLong(to, base + RSI, from.rsi);
        putLong(to, base + RDI, from.rdi);
        putLong(to, base + RSP, from.rsp);
        putLong(to, base + RBP, from.rbp);
        putLong(to, base + R8, from.r8);
        putLong(to, base + R9, from.r9);
        putLong(to, base + R10, from.r10);
        putLong(to, base + R11, from.r11);
        putLong(to, base + R12, from.r12);
        putLong(to, base + R13, from.r13);
        putLong(to, base + R14, from.r14);
        putLong(to, base + R15, from.r15);
        putLong(to, base + RIP, from.rip);
        putLong(to, base + RFLAGS, from.rflags);
    }

    /** Reads the structure. */
    public static void get(MemorySegment from, long base, Regs to) {
        to.rax = getLong(from, base + RAX);
        to.rbx = getLong(from, base + RBX);
        to.rcx = getLong(from, base + RCX);
        to.rdx = getLong(from, base + RDX);
        to.rsi = getLong(from, base + RSI);
        to.rdi = getLong(from, base + RDI);
        to.rsp = getLong(from, base + RSP);
        to.rbp = getLong(from, base + RBP);
        to.r8 = getLong(from, base + R8);
        to.r9 = getLong(from, base + R9);
        to.r10 = getLong(from, base + R10);
        to.r11 = getLong(from, base + R11);
        to.r12 = getLong(from, base + R12);
        to.r13 = getLong(from, base + R13);
        to.r14 = getLong(from, base + R14);
        to.r15 = getLong(from, base + R15);
        to.rip = getLong(from, base + RIP);
        to.rflags = getLong(from, base + RFLAGS);
    }

    // ---- struct kvm_segment, struct kvm_dtable

    private static void put(Segment from, MemorySegment to, long base) {
        putLong(to, base + SEGMENT_BASE, from.base);
        putInt(to, base + SEGMENT_LIMIT, from.limit);
        putShort(to, base + SEGMENT_SELECTOR, from.selector);
        putByte(to, base + SEGMENT_TYPE, from.type);
        putByte(to, base + SEGMENT_PRESENT, from.present);
        putByte(to, base + SEGMENT_DPL, from.dpl);
        putByte(to, base + SEGMENT_DB, from.db);
        putByte(to, base + SEGMENT_S, from.s);
        putByte(to, base + SEGMENT_L, from.l);
        putByte(to, base + SEGMENT_G, from.g);
        putByte(to, base + SEGMENT_AVL, from.avl);
        putByte(to, base + SEGMENT_UNUSABLE, from.unusable);
    }

    private static void get(MemorySegment from, long base, Segment to) {
        to.base = getLong(from, base + SEGMENT_BASE);
        to.limit = getInt(from, base + SEGMENT_LIMIT);
        to.selector = getShort(from, base + SEGMENT_SELECTOR);
        to.type = getByte(from, base + SEGMENT_TYPE);
        to.present = getByte(from, base + SEGMENT_PRESENT);
        to.dpl = getByte(from, base + SEGMENT_DPL);
        to.db = getByte(from, base + SEGMENT_DB);
        to.s = getByte(from, base + SEGMENT_S);
        to.l = getByte(from, base + SEGMENT_L);
        to.g = getByte(from, base + SEGMENT_G);
        to.avl = getByte(from, base + SEGMENT_AVL);
        to.unusable = getByte(from, base + SEGMENT_UNUSABLE);
    }

    private static void put(DescriptorTable from, MemorySegment to, long base) {
        putLong(to, base + TABLE_BASE, from.base);
        putShort(to, base + TABLE_LIMIT, from.limit);
    }

    private static void get(MemorySegment from, long base, DescriptorTable to) {
        to.base = getLong(from, base + TABLE_BASE);
        to.limit = getShort(from, base + TABLE_LIMIT);
    }

    // ---- struct kvm_sregs

    /** Writes what kvm_sregs and kvm_sregs2 have in common: all but the bitmap of interrupts, and the PDPTEs. */
    public static void putCommon(Sregs from, MemorySegment to, long base) {
        put(from.cs, to, base + CS);
        put(from.ds, to, base + DS);
        put(from.es, to, base + ES);
        put(from.fs, to, base + FS);
        put(from.gs, to, base + GS);
        put(from.ss, to, base + SS);
        put(from.tr, to, base + TR);
        put(from.ldt, to, base + LDT);
        put(from.gdt, to, base + GDT);
        put(from.idt, to, base + IDT);
        putLong(to, base + CR0, from.cr0);
        putLong(to, base + CR2, from.cr2);
        putLong(to, base + CR3, from.cr3);
        putLong(to, base + CR4, from.cr4);
        putLong(to, base + CR8, from.cr8);
        putLong(to, base + EFER, from.efer);
        putLong(to, base + APIC_BASE, from.apicBase);
    }

    /** Reads what kvm_sregs and kvm_sregs2 have in common. */
    public static void getCommon(MemorySegment from, long base, Sregs to) {
        get(from, base + CS, to.cs);
        get(from, base + DS, to.ds);
        get(from, base + ES, to.es);
        get(from, base + FS, to.fs);
        get(from, base + GS, to.gs);
        get(from, base + SS, to.ss);
        get(from, base + TR, to.tr);
        get(from, base + LDT, to.ldt);
        get(from, base + GDT, to.gdt);
        get(from, base + IDT, to.idt);
        to.cr0 = getLong(from, base + CR0);
        to.cr2 = getLong(from, base + CR2);
        to.cr3 = getLong(from, base + CR3);
        to.cr4 = getLong(from, base + CR4);
        to.cr8 = getLong(from, base + CR8);
        to.efer = getLong(from, base + EFER);
        to.apicBase = getLong(from, base + APIC_BASE);
    }

    /** Writes the structure. */
    public static void put(Sregs from, MemorySegment to, long base) {
        putCommon(from, to, base);
        for (int i = 0; i < 4; i++) {
            putLong(to, base + INTERRUPT_BITMAP + i * 8L, from.interruptBitmap[i]);
        }
    }

    /** Reads the structure. */
    public static void get(MemorySegment from, long base, Sregs to) {
        getCommon(from, base, to);
        for (int i = 0; i < 4; i++) {
            to.interruptBitmap[i] = getLong(from, base + INTERRUPT_BITMAP + i * 8L);
        }
    }
}
