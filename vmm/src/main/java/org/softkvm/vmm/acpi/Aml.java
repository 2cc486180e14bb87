package org.softkvm.vmm.acpi;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;

/** Encoders for the few AML terms that the board's DSDT needs (ACPI 6.5, chapter 20). */
final class Aml {
    private static final int ZERO_OP = 0x00;
    private static final int ONE_OP = 0x01;
    private static final int NAME_OP = 0x08;
    private static final int BYTE_PREFIX = 0x0A;
    private static final int WORD_PREFIX = 0x0B;
    private static final int DWORD_PREFIX = 0x0C;
    private static final int STRING_PREFIX = 0x0D;
    private static final int SCOPE_OP = 0x10;
    private static final int BUFFER_OP = 0x11;
    private static final int PACKAGE_OP = 0x12;
    private static final int EXT_OP_PREFIX = 0x5B;
    private static final int DEVICE_OP = 0x82;

    private Aml() {}

    static byte[] concat(byte[]... parts) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        for (byte[] part : parts) {
            out.writeBytes(part);
        }
        return out.toByteArray();
    }

    static byte[] integer(long value) {
        if (value == 0) {
            return new byte[] {ZERO_OP};
        }
        if (value == 1) {
            return new byte[] {ONE_OP};
        }
        if (value <= 0xFF) {
            return new byte[] {BYTE_PREFIX, (byte) value};
        }
        if (value <= 0xFFFF) {
            return new byte[] {WORD_PREFIX, (byte) value, (byte) (value >> 8)};
        }
        return new byte[] {DWORD_PREFIX, (byte) value, (byte) (value >> 8), (byte) (value >> 16), (byte) (value >> 24)};
    }

    static byte[] string(String text) {
        return concat(new byte[] {STRING_PREFIX}, text.getBytes(StandardCharsets.US_ASCII), new byte[] {0});
    }

    /** A compressed EISA id such as PNP0501 (section 19.3.4). */
    static byte[] eisaId(String id) {
        int letters =
                (id.charAt(0) - 0x40 & 0x1F) << 10 | (id.charAt(1) - 0x40 & 0x1F) << 5 | id.charAt(2) - 0x40 & 0x1F;
        int product = Integer.parseInt(id.substring(3), 16);
        return new byte[] {DWORD_PREFIX, (byte) (letters >> 8), (byte) letters, (byte) (product >> 8), (byte) product};
    }

    /** A four-character name segment, optionally with a root prefix. */
    static byte[] nameString(String name) {
        String root = name.startsWith("\\") ? "\\" : "";
        String segment = name.substring(root.length());
        return (root + (segment + "____").substring(0, 4)).getBytes(StandardCharsets.US_ASCII);
    }

    static byte[] name(String name, byte[] value) {
        return concat(new byte[] {NAME_OP}, nameString(name), value);
    }

    static byte[] scope(String name, byte[]... terms) {
        return concat(new byte[] {SCOPE_OP}, withLength(concat(nameString(name), concat(terms))));
    }

    static byte[] device(String name, byte[]... terms) {
        return concat(
                new byte[] {EXT_OP_PREFIX, (byte) DEVICE_OP}, withLength(concat(nameString(name), concat(terms))));
    }

    static byte[] packageOf(byte[]... elements) {
        return concat(
                new byte[] {PACKAGE_OP}, withLength(concat(new byte[] {(byte) elements.length}, concat(elements))));
    }

    static byte[] buffer(byte[] content) {
        return concat(new byte[] {BUFFER_OP}, withLength(concat(integer(content.length), content)));
    }

    /** Puts the length of a package before it; the length counts its own bytes (section 20.2.4). */
    private static byte[] withLength(byte[] content) {
        int length = content.length;
        if (length + 1 < 0x40) {
            return concat(new byte[] {(byte) (length + 1)}, content);
        }
        int bytes = length + 2 < 1 << 12 ? 2 : length + 3 < 1 << 20 ? 3 : 4;
        int total = length + bytes;
        byte[] prefix = new byte[bytes];
        prefix[0] = (byte) (bytes - 1 << 6 | total & 0x0F);
        for (int i = 1; i < bytes; i++) {
            prefix[i] = (byte) (total >> 4 + 8 * (i - 1));
        }
        return concat(prefix, content);
    }

    /** An I/O port descriptor that decodes 16 bits (section 6.4.2.5). */
    static byte[] ioPorts(int first, int length) {
        return new byte[] {
            0x47, 0x01, (byte) first, (byte) (first >> 8), (byte) first, (byte) (first >> 8), 0x01, (byte) length
        };
    }

    /** An edge-triggered, active-high IRQ descriptor without a flags byte (section 6.4.2.1). */
    static byte[] irq(int number) {
        int mask = 1 << number;
        return new byte[] {0x22, (byte) mask, (byte) (mask >> 8)};
    }

    /** A resource template: descriptors and an end tag with a checksum of zero, 'as good as right' (6.4.2.9). */
    static byte[] resources(byte[]... descriptors) {
        return buffer(concat(concat(descriptors), new byte[] {0x79, 0x00}));
    }
}
