package org.softkvm.vmm.loader;

/**
 * The state in which the first CPU begins to run.
 */
public sealed interface CpuStart {
    /** The power-on state of the CPU model, at its reset vector. */
    record Reset() implements CpuStart {}

    /**
     * Real mode, all segments 0, interrupts off.
     *
     * @param ip instruction pointer
     * @param sp stack pointer
     * @param dx DX; DL is the number of the boot drive
     */
    record Real(int ip, int sp, int dx) implements CpuStart {}

    /**
     * 32-bit protected mode: flat segments from a GDT in guest memory (code 10h, data 18h), paging off, interrupts off.
     *
     * @param eip entry point
     * @param eax EAX
     * @param ebx EBX
     * @param esi ESI
     * @param gdt guest-physical address of the GDT that {@link FlatGdt} describes
     */
    record Flat32(long eip, int eax, int ebx, int esi, long gdt) implements CpuStart {}

    /**
     * 64-bit mode: the same segments with 64-bit code, paging by tables in guest memory that map the first 4 GiB to
     * themselves, interrupts off.
     *
     * @param rip entry point
     * @param rsi RSI
     * @param gdt guest-physical address of the GDT that {@link FlatGdt} describes
     * @param cr3 guest-physical address of the page tables
     */
    record Long64(long rip, long rsi, long gdt, long cr3) implements CpuStart {}
}
