package org.softkvm.vmm.pc;

/** Finds a text in a stream of bytes (Knuth, Morris and Pratt); allocates nothing while it searches. */
final class TextMatcher {
    private final byte[] text;
    private final int[] fallback;
    private int matched;

    TextMatcher(byte[] text) {
        if (text.length == 0) {
            throw new IllegalArgumentException("empty text");
        }
        this.text = text.clone();
        this.fallback = new int[text.length];
        int length = 0;
        for (int i = 1; i < text.length; i++) {
            while (length > 0 && text[i] != text[length]) {
                length = fallback[length - 1];
            }
            if (text[i] == text[length]) {
                length++;
            }
            fallback[i] = length;
        }
    }

    /** Takes the next byte; true where the text ends with it. */
    boolean accept(byte value) {
        while (matched > 0 && (matched == text.length || value != text[matched])) {
            matched = fallback[matched - 1];
        }
        if (value == text[matched]) {
            matched++;
        }
        return matched == text.length;
    }
}
