package org.softkvm.testroms.differential;

/** In what mode of the CPU a program runs. */
enum Mode {
    /** Real mode. */
    REAL(16, false, false),
    /** Flat protected mode of 32 bits, ring 0, no paging. */
    PROTECTED(32, false, false),
    /** Protected mode of 32 bits, ring 3, paging. */
    PAGED_USER(32, true, true),
    /** 64-bit mode, ring 0. */
    LONG(64, false, true),
    /** 64-bit mode, ring 3. */
    LONG_USER(64, true, true),
    /** 32-bit code of ring 3 in long mode. */
    COMPATIBILITY_USER(32, true, true);

    /** Size of addresses and of the stack in code of this mode. */
    final int bits;

    final boolean user;
    final boolean paging;

    Mode(int bits, boolean user, boolean paging) {
        this.bits = bits;
        this.user = user;
        this.paging = paging;
    }

    /** Whether EFER.LMA is set. */
    boolean longMode() {
        return this == LONG || this == LONG_USER || this == COMPATIBILITY_USER;
    }

    int words() {
        return bits / 8;
    }
}
