package org.softkvm.emulator.cpu;

/** Told of stores into host pages that hold decoded code. */
public interface CodeListener {
    /**
     * Bytes of a code page were written.
     *
     * @param hostOffset pool offset of the first byte
     * @param length bytes
     */
    void codeWritten(long hostOffset, long length);

    /**
     * Whether this listener has code from a page.
     *
     * @param hostOffset a pool offset in it
     * @return true where it marked the page
     */
    boolean hasCode(long hostOffset);
}
