package org.softkvm.devices.firmware;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;

/**
 * The items of a {@link FwCfg}: bytes by key, and named files with a directory. A board fills it, then the device reads
 * it; it does not change while the guest runs.
 *
 * <p>Numbers are little-endian, the directory is big-endian, as QEMU defines them. The keys have QEMU's names.
 */
public final class FwCfgItems {
    /** "QEMU". */
    public static final int SIGNATURE = 0x00;

    /** Features, 32 bits: bit 0 the ports, bit 1 DMA. */
    public static final int ID = 0x01;

    /** The machine's UUID, 16 bytes. */
    public static final int UUID = 0x02;

    /** Bytes of RAM, 64 bits. */
    public static final int RAM_SIZE = 0x03;

    /** Whether there is no screen, 16 bits. */
    public static final int NOGRAPHIC = 0x04;

    /** The number of CPUs at start, 16 bits. */
    public static final int NB_CPUS = 0x05;

    /** The size of the kernel in bytes, 32 bits. */
    public static final int KERNEL_SIZE = 0x08;

    /** The size of the initial RAM disk in bytes, 32 bits. */
    public static final int INITRD_SIZE = 0x0B;

    /** Whether to show a boot menu, 16 bits. */
    public static final int BOOT_MENU = 0x0E;

    /** One more than the largest local APIC id that a CPU may have, 16 bits. */
    public static final int MAX_CPUS = 0x0F;

    /** The kernel. */
    public static final int KERNEL_DATA = 0x11;

    /** The initial RAM disk. */
    public static final int INITRD_DATA = 0x12;

    /** The size of the command line in bytes, with its NUL, 32 bits. */
    public static final int CMDLINE_SIZE = 0x14;

    /** The command line, NUL-terminated. */
    public static final int CMDLINE_DATA = 0x15;

    /** The size of the real-mode part of a bzImage in bytes, 32 bits. */
    public static final int SETUP_SIZE = 0x17;

    /** The real-mode part of a bzImage. */
    public static final int SETUP_DATA = 0x18;

    /** The directory of named files. */
    public static final int FILE_DIR = 0x19;

    /** Whether IRQ 0 arrives at the IOAPIC's pin 2, 32 bits (x86 only). */
    public static final int IRQ0_OVERRIDE = 0x8002;

    private static final int FILE_FIRST = 0x20;
    private static final int KEYS = 0x4000;
    private static final int NAME_SIZE = 56;
    private static final int ENTRY_SIZE = 64;

    /** A selector's bit that asks for writing; the items are the same. */
    private static final int WRITE_CHANNEL = 0x4000;

    private static final byte[] NONE = {};

    private final Map<Integer, byte[]> items = new HashMap<>();
    private final TreeMap<String, byte[]> files = new TreeMap<>();

    /** Creates the items that every device has: signature, id with ports and DMA, and an empty directory. */
    public FwCfgItems() {
        put(SIGNATURE, "QEMU".getBytes(StandardCharsets.US_ASCII));
        putInt(ID, 0b11);
        makeDirectory();
    }

    /**
     * Adds or replaces an item.
     *
     * @param key its key, 0 to FFFFh without bit 14
     * @param bytes its content; not copied, and not to be changed any more
     * @return this
     * @throws IllegalArgumentException if there can be no such key
     */
    public FwCfgItems put(int key, byte[] bytes) {
        if (key < 0 || key > 0xFFFF || (key & WRITE_CHANNEL) != 0) {
            throw new IllegalArgumentException("fw_cfg key 0x" + Integer.toHexString(key));
        }
        items.put(key, Objects.requireNonNull(bytes, "bytes"));
        return this;
    }

    /**
     * Adds or replaces an item of 16 bits.
     *
     * @param key its key
     * @param value its value
     * @return this
     */
    public FwCfgItems putShort(int key, int value) {
        return put(key, little(2).putShort(0, (short) value).array());
    }

    /**
     * Adds or replaces an item of 32 bits.
     *
     * @param key its key
     * @param value its value
     * @return this
     */
    public FwCfgItems putInt(int key, int value) {
        return put(key, little(4).putInt(0, value).array());
    }

    /**
     * Adds or replaces an item of 64 bits.
     *
     * @param key its key
     * @param value its value
     * @return this
     */
    public FwCfgItems putLong(int key, long value) {
        return put(key, little(8).putLong(0, value).array());
    }

    /**
     * Adds or replaces a named file. The files get their keys in the order of their names, from 20h on.
     *
     * @param name its name, 1 to 55 ASCII characters, such as {@code etc/e820}
     * @param bytes its content; not copied, and not to be changed any more
     * @return this
     * @throws IllegalArgumentException if the name does not fit, or there are too many files
     */
    public FwCfgItems putFile(String name, byte[] bytes) {
        if (name.isEmpty()
                || name.length() >= NAME_SIZE
                || !StandardCharsets.US_ASCII.newEncoder().canEncode(name)) {
            throw new IllegalArgumentException("fw_cfg file name: " + name);
        }
        if (files.size() >= KEYS - FILE_FIRST && !files.containsKey(name)) {
            throw new IllegalArgumentException("too many fw_cfg files");
        }
        files.put(name, Objects.requireNonNull(bytes, "bytes"));
        makeDirectory();
        return this;
    }

    /** An item's content, empty where there is none. */
    byte[] get(int key) {
        return items.getOrDefault(key & ~WRITE_CHANNEL, NONE);
    }

    private void makeDirectory() {
        ByteBuffer directory =
                ByteBuffer.allocate(4 + files.size() * ENTRY_SIZE).order(ByteOrder.BIG_ENDIAN);
        directory.putInt(files.size());
        int key = FILE_FIRST;
        for (Map.Entry<String, byte[]> file : files.entrySet()) {
            byte[] name = file.getKey().getBytes(StandardCharsets.US_ASCII);
            directory.putInt(file.getValue().length).putShort((short) key).putShort((short) 0);
            directory.put(name).position(directory.position() + NAME_SIZE - name.length);
            items.put(key++, file.getValue());
        }
        items.put(FILE_DIR, directory.array());
    }

    private static ByteBuffer little(int size) {
        return ByteBuffer.allocate(size).order(ByteOrder.LITTLE_ENDIAN);
    }
}
