package org.softkvm.devices.apic;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;

/** A set of the 256 vectors as the local APIC keeps it: eight words of 32 bits. Thread-safe. */
final class VectorSet {
    static final int WORDS = 8;

    private static final VarHandle WORD = MethodHandles.arrayElementVarHandle(int[].class);

    private final int[] words = new int[WORDS];

    boolean contains(int vector) {
        return (word(vector >>> 5) & 1 << vector) != 0;
    }

    /** Adds a vector and says whether it was not there before. */
    boolean add(int vector) {
        int bit = 1 << vector;
        return ((int) WORD.getAndBitwiseOr(words, vector >>> 5, bit) & bit) == 0;
    }

    void remove(int vector) {
        WORD.getAndBitwiseAnd(words, vector >>> 5, ~(1 << vector));
    }

    /** The highest vector, or -1. */
    int highest() {
        for (int i = WORDS - 1; i >= 0; i--) {
            int word = word(i);
            if (word != 0) {
                return 32 * i + 31 - Integer.numberOfLeadingZeros(word);
            }
        }
        return -1;
    }

    int word(int index) {
        return (int) WORD.getVolatile(words, index);
    }

    private void setWord(int index, int value) {
        WORD.setVolatile(words, index, value);
    }

    void clear() {
        for (int i = 0; i < WORDS; i++) {
            setWord(i, 0);
        }
    }

    int[] toArray() {
        int[] copy = new int[WORDS];
        for (int i = 0; i < WORDS; i++) {
            copy[i] = word(i);
        }
        return copy;
    }

    /** Sets all words; vectors below 16 cannot be in the set. */
    void set(int[] values) {
        setWord(0, values[0] & 0xFFFF0000);
        for (int i = 1; i < WORDS; i++) {
            setWord(i, values[i]);
        }
    }
}
