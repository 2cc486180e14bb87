package org.softkvm.emulator;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import java.security.SecureRandom;

/** Numbers of {@link SecureRandom}, fetched many at a time. */
final class HostRandom implements RandomSource {
    private static final VarHandle LONG = MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.LITTLE_ENDIAN);

    private final byte[] buffer = new byte[512];
    private SecureRandom random;
    private int used = buffer.length;

    @Override
    public long next() {
        if (used == buffer.length) {
            if (random == null) {
                // Most guests never ask; the generator takes long to start.
                random = new SecureRandom();
            }
            random.nextBytes(buffer);
            used = 0;
        }
        long value = (long) LONG.get(buffer, used);
        LONG.set(buffer, used, 0L);
        used += 8;
        return value;
    }
}
