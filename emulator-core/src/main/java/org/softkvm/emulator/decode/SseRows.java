package org.softkvm.emulator.decode;

/** Rows of the instruction table: Sse. */
final class SseRows {
    private SseRows() {}

    static void define(OpTable t) {}
}
