package org.softkvm.emulator.decode;

/** Rows of the instruction table: Mmx. */
final class MmxRows {
    private MmxRows() {}

    static void define(OpTable t) {}
}
