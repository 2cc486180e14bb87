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
}
