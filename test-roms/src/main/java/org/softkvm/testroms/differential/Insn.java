package org.softkvm.testroms.differential;

/**
 * An instruction, and what it has to do with the arithmetic flags: those that it reads, those that it defines whatever its
 * operands are, and those that the manual leaves undefined behind it.
 */
record Insn(byte[] code, String text, int reads, int defines, int undefined, boolean faults) {
    static final int CF = 0x1;
    static final int PF = 0x4;
    static final int AF = 0x10;
    static final int ZF = 0x40;
    static final int SF = 0x80;
    static final int OF = 0x800;
    static final int ALL = CF | PF | AF | ZF | SF | OF;

    /** An instruction that leaves the flags alone and does not fault. */
    static Insn of(byte[] code, String text) {
        return new Insn(code, text, 0, 0, 0, false);
    }

    /** The same, which defines these flags and leaves those undefined. */
    Insn flags(int defined, int notDefined) {
        return new Insn(code, text, reads, defined, notDefined, faults);
    }

    /** The same, which reads these flags. */
    Insn reading(int flags) {
        return new Insn(code, text, flags, defines, undefined, faults);
    }

    /** The same, which may fault or leave the guest. */
    Insn faulting() {
        return new Insn(code, text, reads, defines, undefined, true);
    }

    /** Whether it may stop in its middle, with RIP at itself. */
    boolean repeated() {
        return text.startsWith("rep");
    }
}
