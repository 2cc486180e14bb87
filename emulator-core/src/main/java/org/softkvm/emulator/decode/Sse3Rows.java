package org.softkvm.emulator.decode;

/** Rows of the instruction table: Sse3. */
final class Sse3Rows {
    private Sse3Rows() {}

    static void define(OpTable t) {}
}
