package org.softkvm.vmm.loader;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import org.softkvm.vmm.GuestFile;

/**
 * A lone boot sector, started as a BIOS would, on a machine without one: every interrupt vector leads to an IRET in the
 * BIOS area, so a BIOS call returns having done nothing.
 */
final class BootSector {
    /** Size of a sector in bytes. */
    static final int SIZE = 512;

    private static final int LOAD_ADDRESS = 0x7C00;

    /** First hard disk. */
    private static final int BOOT_DRIVE = 0x80;

    /** The IBM PC's dummy interrupt handler, F000:FF53. */
    private static final int DUMMY_IRET = 0xF_FF53;

    private static final byte IRET = (byte) 0xCF;

    private BootSector() {}

    static boolean hasSignature(byte[] data) {
        return data.length >= SIZE && data[510] == 0x55 && data[511] == (byte) 0xAA;
    }

    static CpuStart start(GuestFile file, GuestContents ram) {
        ByteBuffer vectors = ByteBuffer.allocate(1024).order(ByteOrder.LITTLE_ENDIAN);
        while (vectors.hasRemaining()) {
            vectors.putShort((short) 0xFF53).putShort((short) 0xF000);
        }
        ram.write(0, vectors.array());
        ram.write(DUMMY_IRET, new byte[] {IRET});
        ram.write(LOAD_ADDRESS, file.data());
        return new CpuStart.Real(LOAD_ADDRESS, LOAD_ADDRESS, BOOT_DRIVE);
    }
}
