package org.softkvm.vmm.loader;

import org.softkvm.vmm.GuestFile;

/** A lone boot sector, started as a BIOS would; see {@link LowMemory} for the BIOS it finds. */
final class BootSector {
    /** Size of a sector in bytes. */
    static final int SIZE = 512;

    private static final int LOAD_ADDRESS = 0x7C00;

    /** First hard disk. */
    private static final int BOOT_DRIVE = 0x80;

    private BootSector() {}

    static boolean hasSignature(byte[] data) {
        return data.length >= SIZE && data[510] == 0x55 && data[511] == (byte) 0xAA;
    }

    static CpuStart start(GuestFile file, GuestContents ram) {
        ram.write(LOAD_ADDRESS, file.data());
        return new CpuStart.Real(LOAD_ADDRESS, LOAD_ADDRESS, BOOT_DRIVE);
    }
}
