package org.softkvm.vmm.loader;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * What firmware leaves behind in low memory, on a machine without any: guests that are not ROMs look for the extended
 * BIOS data area and for COM1 there, and some call the BIOS. Every interrupt vector leads to an IRET, at the place where
 * the IBM PC's BIOS has its dummy handler, so a call returns having done nothing.
 */
final class LowMemory {
    private static final int VECTORS = 256;
    private static final int DUMMY_SEGMENT = 0xF000;
    private static final int DUMMY_OFFSET = 0xFF53;
    private static final byte IRET = (byte) 0xCF;

    // BIOS data area.
    private static final int BDA = 0x400;
    private static final int BDA_SIZE = 0x100;
    private static final int BDA_COM1 = 0x00;
    private static final int BDA_EBDA_SEGMENT = 0x0E;
    private static final int BDA_EQUIPMENT = 0x10;
    private static final int BDA_MEMORY_KIB = 0x13;

    private static final int COM1 = 0x3F8;

    /** One serial port, a mathematics coprocessor. */
    private static final int EQUIPMENT = 1 << 9 | 1 << 1;

    private LowMemory() {}

    static void write(GuestContents ram) {
        ByteBuffer vectors = ByteBuffer.allocate(4 * VECTORS).order(ByteOrder.LITTLE_ENDIAN);
        while (vectors.hasRemaining()) {
            vectors.putShort((short) DUMMY_OFFSET).putShort((short) DUMMY_SEGMENT);
        }
        ram.write(0, vectors.array());
        ram.write((DUMMY_SEGMENT << 4) + DUMMY_OFFSET, new byte[] {IRET});

        ByteBuffer bda = ByteBuffer.allocate(BDA_SIZE).order(ByteOrder.LITTLE_ENDIAN);
        bda.putShort(BDA_COM1, (short) COM1);
        bda.putShort(BDA_EBDA_SEGMENT, (short) (RamLayout.CONVENTIONAL_END >> 4));
        bda.putShort(BDA_EQUIPMENT, (short) EQUIPMENT);
        bda.putShort(BDA_MEMORY_KIB, (short) (RamLayout.CONVENTIONAL_END >> 10));
        ram.write(BDA, bda.array());
        long ebdaKib = RamLayout.VIDEO_START - RamLayout.CONVENTIONAL_END >> 10;
        ram.write(RamLayout.CONVENTIONAL_END, new byte[] {(byte) ebdaKib});
    }
}
