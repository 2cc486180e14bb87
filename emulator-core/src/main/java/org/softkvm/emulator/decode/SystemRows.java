package org.softkvm.emulator.decode;

/** Rows of the instruction table: System. */
final class SystemRows {
    private SystemRows() {}

    static void define(OpTable t) {}
}
