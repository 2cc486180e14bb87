package org.softkvm.emulator.sst;

import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.zip.GZIPInputStream;

/** Reader of MOO files: a gzip of chunks, each a 4-byte tag, a little-endian length and that many bytes. */
final class MooFile {
    private MooFile() {}

    /**
     * Reads every case of a file.
     *
     * @throws IOException where the file cannot be read or is malformed
     */
    static List<MooCase> read(Path file) throws IOException {
        byte[] content;
        try (InputStream in = new GZIPInputStream(Files.newInputStream(file), 1 << 16)) {
            content = in.readAllBytes();
        }
        List<MooCase> cases = new ArrayList<>();
        int announced = -1;
        ByteBuffer all = ByteBuffer.wrap(content).order(ByteOrder.LITTLE_ENDIAN);
        while (all.hasRemaining()) {
            String tag = tag(all);
            ByteBuffer body = body(all);
            if (tag.equals("MOO ")) {
                announced = body.getInt(4);
            } else if (tag.equals("TEST")) {
                cases.add(test(body, cases.size()));
            }
        }
        if (cases.isEmpty() || announced != cases.size()) {
            throw new IOException(file + " announces " + announced + " cases and holds " + cases.size());
        }
        return cases;
    }

    private static MooCase test(ByteBuffer in, int ordinal) throws IOException {
        in.getInt();
        String name = "";
        byte[] bytes = null;
        MooState initial = null;
        MooState after = null;
        int exception = -1;
        while (in.hasRemaining()) {
            String tag = tag(in);
            ByteBuffer body = body(in);
            switch (tag) {
                case "NAME" -> name = new String(counted(body), StandardCharsets.US_ASCII);
                case "BYTS" -> bytes = counted(body);
                case "INIT" -> initial = state(body);
                case "FINA" -> after = state(body);
                case "EXCP" -> exception = body.get() & 0xff;
                default -> {}
            }
        }
        if (bytes == null || initial == null || after == null || initial.mask() != (1 << MooState.COUNT) - 1) {
            throw new IOException("case " + ordinal + " is not complete");
        }
        return new MooCase(ordinal, name, bytes, initial, after, exception);
    }

    private static MooState state(ByteBuffer in) {
        int mask = 0;
        int[] registers = new int[MooState.COUNT];
        int[] addresses = new int[0];
        byte[] values = new byte[0];
        while (in.hasRemaining()) {
            String tag = tag(in);
            ByteBuffer body = body(in);
            if (tag.equals("REGS")) {
                mask = body.getShort() & 0xffff;
                for (int i = 0; i < MooState.COUNT; i++) {
                    if ((mask >> i & 1) != 0) {
                        registers[i] = body.getShort() & 0xffff;
                    }
                }
            } else if (tag.equals("RAM ")) {
                int count = body.getInt();
                addresses = new int[count];
                values = new byte[count];
                for (int i = 0; i < count; i++) {
                    addresses[i] = body.getInt();
                    values[i] = body.get();
                }
            }
        }
        return new MooState(mask, registers, addresses, values);
    }

    private static String tag(ByteBuffer in) {
        byte[] tag = new byte[4];
        in.get(tag);
        return new String(tag, StandardCharsets.US_ASCII);
    }

    private static ByteBuffer body(ByteBuffer in) {
        int length = in.getInt();
        ByteBuffer body = in.slice(in.position(), length).order(ByteOrder.LITTLE_ENDIAN);
        in.position(in.position() + length);
        return body;
    }

    private static byte[] counted(ByteBuffer in) {
        byte[] bytes = new byte[in.getInt()];
        in.get(bytes);
        return bytes;
    }
}
