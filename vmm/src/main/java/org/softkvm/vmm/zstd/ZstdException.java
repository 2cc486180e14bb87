package org.softkvm.vmm.zstd;

import java.io.IOException;

/** Compressed data that are damaged, cut short, or ask for more than the decoder gives. */
public final class ZstdException extends IOException {
    private static final long serialVersionUID = 1L;

    ZstdException(String message) {
        super(message);
    }
}
