package org.softkvm.kvm.linux;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import java.util.Arrays;
import org.softkvm.kvm.Fpu;
import org.softkvm.kvm.RegisterId;
import org.softkvm.kvm.Xsave;

/**
 * x87 and vector registers by id, in the XSAVE area (Intel SDM volume 1, section 13.4, in its 64-bit form, which has no
 * selectors). Where the kernel has no KVM_GET_XSAVE, kvm_fpu stands in for the first 512 bytes.
 */
final class XsaveArea {
    private static final int FCW = 0;
    private static final int FSW = 2;
    private static final int FTW = 4;
    private static final int FOP = 6;
    private static final int FIP = 8;
    private static final int FDP = 16;
    private static final int MXCSR = 24;
    private static final int ST = 32;
    private static final int XMM = 160;
    private static final int XSTATE_BV = 512;
    /** The standard place of the upper halves of YMM0 to YMM15 (CPUID leaf 0Dh, sub-leaf 2). */
    private static final int YMM_HIGH = 576;

    private static final long X87 = 1;
    private static final long SSE = 2;
    private static final long AVX = 4;
    private static final int INITIAL_FCW = 0x37F;

    private static final int QUADWORDS = 8;
    private static final int MXCSR_INDEX = 0x1000;
    private static final int X87_REST = 0x10;

    private static final VarHandle LONG = MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.LITTLE_ENDIAN);
    private static final VarHandle INT = MethodHandles.byteArrayViewVarHandle(int[].class, ByteOrder.LITTLE_ENDIAN);
    private static final VarHandle SHORT = MethodHandles.byteArrayViewVarHandle(short[].class, ByteOrder.LITTLE_ENDIAN);

    private final VcpuCalls vcpu;
    private final boolean hasXsave;
    private final boolean hasAvx;
    private final Xsave area;
    private final Fpu fpu = new Fpu();
    private final byte[] bytes;

    XsaveArea(VcpuCalls vcpu, boolean hasXsave, boolean hasAvx) {
        this.vcpu = vcpu;
        this.hasXsave = hasXsave;
        this.hasAvx = hasXsave && hasAvx;
        area = new Xsave(vcpu.xsaveSize());
        bytes = area.region;
    }

    boolean has(long id) {
        int index = RegisterId.index(id);
        if (RegisterId.type(id) == RegisterId.TYPE_X87) {
            return index >= 0 && index < X87_REST + 8;
        }
        int quadword = index % QUADWORDS;
        return index == MXCSR_INDEX || index >= 0 && index < 16 * QUADWORDS && (quadword < 2 || quadword < 4 && hasAvx);
    }

    void load() {
        if (hasXsave) {
            vcpu.getXsave(area);
            normalise();
            return;
        }
        vcpu.getFpu(fpu);
        Arrays.fill(bytes, (byte) 0);
        SHORT.set(bytes, FCW, (short) fpu.fcw);
        SHORT.set(bytes, FSW, (short) fpu.fsw);
        bytes[FTW] = (byte) fpu.ftwx;
        SHORT.set(bytes, FOP, (short) fpu.lastOpcode);
        LONG.set(bytes, FIP, fpu.lastIp);
        LONG.set(bytes, FDP, fpu.lastDp);
        INT.set(bytes, MXCSR, fpu.mxcsr);
        for (int i = 0; i < 8; i++) {
            System.arraycopy(fpu.fpr[i], 0, bytes, ST + i * 16, 16);
        }
        for (int i = 0; i < 16; i++) {
            System.arraycopy(fpu.xmm[i], 0, bytes, XMM + i * 16, 16);
        }
    }

    /** What XSTATE_BV does not name is in its initial state, whatever the area holds there. */
    private void normalise() {
        long present = (long) LONG.get(bytes, XSTATE_BV);
        if ((present & X87) == 0) {
            int mxcsr = (int) INT.get(bytes, MXCSR);
            long mask = (long) LONG.get(bytes, MXCSR) & 0xFFFF_FFFF_0000_0000L;
            Arrays.fill(bytes, 0, XMM, (byte) 0);
            SHORT.set(bytes, FCW, (short) INITIAL_FCW);
            LONG.set(bytes, MXCSR, mask | Integer.toUnsignedLong(mxcsr));
        }
        if ((present & SSE) == 0) {
            Arrays.fill(bytes, XMM, XMM + 16 * 16, (byte) 0);
        }
        if ((present & AVX) == 0) {
            Arrays.fill(bytes, YMM_HIGH, YMM_HIGH + 16 * 16, (byte) 0);
        }
    }

    void write() {
        if (hasXsave) {
            vcpu.setXsave(area);
            return;
        }
        fpu.fcw = (short) SHORT.get(bytes, FCW) & 0xFFFF;
        fpu.fsw = (short) SHORT.get(bytes, FSW) & 0xFFFF;
        fpu.ftwx = bytes[FTW] & 0xFF;
        fpu.lastOpcode = (short) SHORT.get(bytes, FOP) & 0xFFFF;
        fpu.lastIp = (long) LONG.get(bytes, FIP);
        fpu.lastDp = (long) LONG.get(bytes, FDP);
        fpu.mxcsr = (int) INT.get(bytes, MXCSR);
        for (int i = 0; i < 8; i++) {
            System.arraycopy(bytes, ST + i * 16, fpu.fpr[i], 0, 16);
        }
        for (int i = 0; i < 16; i++) {
            System.arraycopy(bytes, XMM + i * 16, fpu.xmm[i], 0, 16);
        }
        vcpu.setFpu(fpu);
    }

    private static int vectorOffset(int index) {
        int register = index / QUADWORDS;
        int quadword = index % QUADWORDS;
        return quadword < 2 ? XMM + register * 16 + quadword * 8 : YMM_HIGH + register * 16 + (quadword - 2) * 8;
    }

    long get(long id) {
        int index = RegisterId.index(id);
        if (RegisterId.type(id) == RegisterId.TYPE_VECTOR) {
            return index == MXCSR_INDEX
                    ? Integer.toUnsignedLong((int) INT.get(bytes, MXCSR))
                    : (long) LONG.get(bytes, vectorOffset(index));
        }
        if (index < X87_REST) {
            int offset = ST + (index >> 1) * 16;
            return (index & 1) == 0 ? (long) LONG.get(bytes, offset) : (short) SHORT.get(bytes, offset + 8) & 0xFFFF;
        }
        return switch (index - X87_REST) {
            case 0 -> (short) SHORT.get(bytes, FCW) & 0xFFFF;
            case 1 -> (short) SHORT.get(bytes, FSW) & 0xFFFF;
            case 2 -> bytes[FTW] & 0xFF;
            case 3 -> (short) SHORT.get(bytes, FOP) & 0xFFFF;
            case 4 -> (long) LONG.get(bytes, FIP);
            case 5 -> (long) LONG.get(bytes, FDP);
            default -> 0;
        };
    }

    private void use(long component) {
        if (hasXsave) {
            LONG.set(bytes, XSTATE_BV, (long) LONG.get(bytes, XSTATE_BV) | component);
        }
    }

    /** False where no such register holds the value. */
    boolean put(long id, long value) {
        int index = RegisterId.index(id);
        if (RegisterId.type(id) == RegisterId.TYPE_VECTOR) {
            return putVector(index, value);
        }
        if (index < X87_REST) {
            int offset = ST + (index >> 1) * 16;
            if ((index & 1) == 0) {
                LONG.set(bytes, offset, value);
            } else if (value >>> 16 != 0) {
                return false;
            } else {
                SHORT.set(bytes, offset + 8, (short) value);
            }
            use(X87);
            return true;
        }
        long most = switch (index - X87_REST) {
            case 2 -> 0xFF;
            case 4, 5 -> -1;
            // The 64-bit form has no selectors.
            case 6, 7 -> 0;
            default -> 0xFFFF;
        };
        if ((value & ~most) != 0) {
            return false;
        }
        switch (index - X87_REST) {
            case 0 -> SHORT.set(bytes, FCW, (short) value);
            case 1 -> SHORT.set(bytes, FSW, (short) value);
            case 2 -> bytes[FTW] = (byte) value;
            case 3 -> SHORT.set(bytes, FOP, (short) value);
            case 4 -> LONG.set(bytes, FIP, value);
            case 5 -> LONG.set(bytes, FDP, value);
            default -> {
                return true;
            }
        }
        use(X87);
        return true;
    }

    private boolean putVector(int index, long value) {
        if (index == MXCSR_INDEX) {
            if (value >>> 16 != 0) {
                return false;
            }
            INT.set(bytes, MXCSR, (int) value);
            use(SSE);
            return true;
        }
        boolean high = index % QUADWORDS >= 2;
        if (high && value == 0 && ((long) LONG.get(bytes, XSTATE_BV) & AVX) == 0) {
            // Zero already, also where the vcpu has no AVX.
            return true;
        }
        LONG.set(bytes, vectorOffset(index), value);
        use(high ? AVX : SSE);
        return true;
    }

    int addIds(long[] list, int count) {
        int n = count;
        for (int i = 0; i < 8; i++) {
            list[n++] = RegisterId.stLow(i);
            list[n++] = RegisterId.stHigh(i);
        }
        for (int i = 0; i < 8; i++) {
            list[n++] = RegisterId.id(RegisterId.TYPE_X87, X87_REST + i);
        }
        for (int i = 0; i < 16 * QUADWORDS; i++) {
            long id = RegisterId.id(RegisterId.TYPE_VECTOR, i);
            if (has(id)) {
                list[n++] = id;
            }
        }
        list[n++] = RegisterId.MXCSR;
        return n;
    }
}
