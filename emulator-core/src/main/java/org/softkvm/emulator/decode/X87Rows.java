package org.softkvm.emulator.decode;

/** Rows of the instruction table: X87. */
final class X87Rows {
    private X87Rows() {}

    static void define(OpTable t) {}
}
