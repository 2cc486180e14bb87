package org.softkvm.testroms.differential;

import java.util.List;

/**
 * A program and the state it begins in.
 *
 * @param mode the mode
 * @param items the program
 * @param registers RAX to R15; those with a fixed meaning are set by the guest
 * @param flags arithmetic flags, and IOPL
 * @param xmm two items a register
 * @param memory seed of the contents of data memory; 0 for zeros
 */
record Program(Mode mode, List<Item> items, long[] registers, int flags, long[] xmm, long memory) {
    Program with(List<Item> other) {
        return new Program(mode, other, registers, flags, xmm, memory);
    }
}
