package org.softkvm.testroms.differential;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import org.softkvm.kvm.Fpu;

/** The x87 and SSE state in an XSAVE area (Intel SDM volume 1, 13.4). */
final class FxArea {
    private static final int HEADER = 512;
    private static final int X87 = 1;
    private static final int SSE = 2;

    private FxArea() {}

    /** Writes x87 control word, MXCSR and XMM registers; the x87 stack becomes empty, and all other parts initial. */
    static void store(Fpu fpu, byte[] area) {
        ByteBuffer b = ByteBuffer.wrap(area).order(ByteOrder.LITTLE_ENDIAN);
        int mask = b.getInt(28);
        java.util.Arrays.fill(area, 0, HEADER + 64, (byte) 0);
        b.putShort(0, (short) fpu.fcw);
        b.putInt(24, fpu.mxcsr);
        b.putInt(28, mask);
        for (int n = 0; n < 16; n++) {
            b.put(160 + 16 * n, fpu.xmm[n]);
        }
        b.putLong(HEADER, X87 | SSE);
    }

    /** Reads it. A part that XSTATE_BV does not name is in its initial state. */
    static void load(byte[] area, Fpu fpu) {
        ByteBuffer b = ByteBuffer.wrap(area).order(ByteOrder.LITTLE_ENDIAN);
        boolean x87 = (area[HEADER] & X87) != 0;
        boolean sse = (area[HEADER] & SSE) != 0;
        fpu.fcw = x87 ? b.getShort(0) & 0xFFFF : 0x37F;
        fpu.fsw = x87 ? b.getShort(2) & 0xFFFF : 0;
        fpu.ftwx = x87 ? area[4] & 0xFF : 0;
        fpu.mxcsr = b.getInt(24);
        for (int n = 0; n < 8; n++) {
            for (int k = 0; k < 16; k++) {
                fpu.fpr[n][k] = x87 ? area[32 + 16 * n + k] : 0;
            }
        }
        for (int n = 0; n < 16; n++) {
            for (int k = 0; k < 16; k++) {
                fpu.xmm[n][k] = sse ? area[160 + 16 * n + k] : 0;
            }
        }
    }
}
