package org.softkvm.testroms.differential;

/** Where things lie in a guest's first 64 KiB, which programs of every mode reach. */
final class Layout {
    static final int CODE = 0x1000;
    static final int CODE_END = 0x3000;
    /** Two pages that are written and read. */
    static final int DATA = 0x3000;
    /** What the base register holds: memory on both sides. */
    static final int BASE = 0x3800;
    /** Where paging is on: read-only. */
    static final int READ_ONLY = 0x5000;
    /** Where paging is on: not present. */
    static final int NOT_PRESENT = 0x6000;
    /** Where paging is on: of the supervisor. */
    static final int SUPERVISOR = 0x7000;

    static final int GDT = 0x8000;
    static final int TSS = 0x8800;
    /** The page of the program's stack, and its top. */
    static final int STACK_PAGE = 0x9000;

    static final int STACK = 0x9F00;
    static final int IDT = 0xA000;
    /** Four bytes a vector: OUT to the port of its number, HLT. */
    static final int HANDLERS = 0xB000;

    static final int KERNEL_STACK_PAGE = 0xC000;
    static final int KERNEL_STACK = 0xCF00;
    /** A page without memory. */
    static final int MMIO = 0xE000;

    static final int LAST_PAGE = 0xF000;
    static final int TABLES = 0x10000;
    static final int SIZE = 0x100000;

    /** Vectors that have a handler; the ports below are theirs. */
    static final int VECTORS = 0x30;

    static final int KERNEL_CODE_SELECTOR = 0x08;
    static final int KERNEL_DATA_SELECTOR = 0x10;
    static final int USER_CODE_SELECTOR = 0x1B;
    static final int USER_DATA_SELECTOR = 0x23;
    static final int TSS_SELECTOR = 0x28;

    private Layout() {}
}
