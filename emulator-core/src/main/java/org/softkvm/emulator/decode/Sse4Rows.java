package org.softkvm.emulator.decode;

/** Rows of the instruction table: Sse4. */
final class Sse4Rows {
    private Sse4Rows() {}

    static void define(OpTable t) {}
}
