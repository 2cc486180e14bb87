package org.softkvm.vmm.loader;

import java.util.Arrays;
import org.softkvm.vmm.GuestFile;
import org.softkvm.vmm.VmmException;

/** A ROM image: it ends at 4 GiB, where the CPU finds its reset vector 16 bytes below. */
final class FlatRom {
    /** ROM sizes are multiples of this: 64 KiB, what a real-mode segment at F000h spans. */
    static final int GRANULE = 0x1_0000;

    /** Largest ROM: it must stay clear of the interrupt controllers below FEE01000h. */
    static final int MAX_SIZE = 16 << 20;

    private static final int RESET_VECTOR = 16;

    private FlatRom() {}

    static boolean hasRomSize(byte[] data) {
        return data.length <= MAX_SIZE
                && data.length >= RESET_VECTOR
                && (data.length < GRANULE || data.length % GRANULE == 0);
    }

    /** Whether there is anything at the reset vector: erased flash and zeros are not code. */
    static boolean hasResetVector(byte[] data) {
        boolean zeros = true;
        boolean erased = true;
        for (int i = data.length - RESET_VECTOR; i < data.length; i++) {
            zeros &= data[i] == 0;
            erased &= data[i] == (byte) 0xFF;
        }
        return !zeros && !erased;
    }

    /** Whether a file is nothing but text, which is a mistake even where its size would fit. */
    static boolean isText(byte[] data) {
        for (byte value : data) {
            if (value < 0x20 && value != '\n' && value != '\r' && value != '\t' && value != '\f') {
                return false;
            }
        }
        return true;
    }

    /** The image padded in front to whole 64 KiB, as erased flash reads. */
    static byte[] pad(GuestFile file) throws VmmException {
        byte[] data = file.data();
        if (!hasResetVector(data)) {
            throw new VmmException(
                    file.name() + ": flat ROM without code at its reset vector, 16 bytes before its end");
        }
        int size = (int) Placement.alignUp(data.length, GRANULE);
        byte[] rom = new byte[size];
        Arrays.fill(rom, 0, size - data.length, (byte) 0xFF);
        System.arraycopy(data, 0, rom, size - data.length, data.length);
        return rom;
    }
}
