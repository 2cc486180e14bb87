package org.softkvm.kvm.emulator;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.List;
import org.softkvm.emulator.VirtualCpu;
import org.softkvm.kvm.CpuidEntry;
import org.softkvm.kvm.Errno;
import org.softkvm.kvm.KvmException;
import org.softkvm.kvm.Xcrs;
import org.softkvm.kvm.Xsave;

/**
 * The XSAVE area of the API, in the standard format (Intel SDM volume 1, 13.4), and XCR0: x87 in component 0, XMM in 1,
 * the upper halves of YMM in 2.
 */
final class XsaveCodec {
    static final long X87 = 1;
    static final long SSE = 2;
    static final long AVX = 4;

    /** What an area can hold that KVM_GET_XSAVE2 reads: legacy region, header and YMM fit in the old size. */
    static final int SIZE = Xsave.MIN_SIZE;

    private static final VarHandle LONG = MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.LITTLE_ENDIAN);
    private static final VarHandle INT = MethodHandles.byteArrayViewVarHandle(int[].class, ByteOrder.LITTLE_ENDIAN);
    private static final VarHandle SHORT = MethodHandles.byteArrayViewVarHandle(short[].class, ByteOrder.LITTLE_ENDIAN);

    private static final int FSW = 2;
    private static final int FTW = 4;
    private static final int FOP = 6;
    private static final int FIP = 8;
    private static final int FDP = 16;
    private static final int MXCSR = 24;
    private static final int MXCSR_MASK = 28;
    private static final int ST0 = 32;
    private static final int XMM0 = 160;
    private static final int HEADER = 512;
    private static final int HEADER_END = 576;
    private static final int YMM0 = 576;
    private static final int REGISTER = 16;
    private static final int X87_REGISTERS = 8;
    private static final int VECTORS = 16;

    private static final int MXCSR_BITS = 0xFFFF;
    private static final int INITIAL_FCW = 0x37F;
    private static final int INITIAL_MXCSR = 0x1F80;
    private static final int XSTATE_LEAF = 0xD;

    private XsaveCodec() {}

    /** The state components that a CPUID offers (leaf 0Dh, EDX:EAX); x87 always. */
    static long supported(List<CpuidEntry> cpuid) {
        for (CpuidEntry entry : cpuid) {
            if (entry.function() == XSTATE_LEAF && entry.index() == 0) {
                return X87 | Integer.toUnsignedLong(entry.eax()) | (long) entry.edx() << 32;
            }
        }
        return X87;
    }

    /** Fills the area with all components. */
    static void get(VirtualCpu cpu, long supported, byte[] area) {
        Arrays.fill(area, (byte) 0);
        SHORT.set(area, 0, (short) cpu.fpuControlWord());
        SHORT.set(area, FSW, (short) cpu.fpuStatusWord());
        area[FTW] = (byte) cpu.fpuAbridgedTag();
        SHORT.set(area, FOP, (short) cpu.fpuOpcode());
        LONG.set(area, FIP, cpu.fpuInstructionPointer());
        LONG.set(area, FDP, cpu.fpuDataPointer());
        INT.set(area, MXCSR, cpu.mxcsr());
        INT.set(area, MXCSR_MASK, MXCSR_BITS);
        for (int i = 0; i < X87_REGISTERS; i++) {
            LONG.set(area, ST0 + i * REGISTER, cpu.fpuSignificand(i));
            SHORT.set(area, ST0 + i * REGISTER + 8, (short) cpu.fpuSignExponent(i));
        }
        for (int i = 0; i < VECTORS; i++) {
            LONG.set(area, XMM0 + i * REGISTER, cpu.vector(i, 0));
            LONG.set(area, XMM0 + i * REGISTER + 8, cpu.vector(i, 1));
        }
        long components = X87 | SSE;
        if ((supported & AVX) != 0) {
            components |= AVX;
            for (int i = 0; i < VECTORS; i++) {
                LONG.set(area, YMM0 + i * REGISTER, cpu.vector(i, 2));
                LONG.set(area, YMM0 + i * REGISTER + 8, cpu.vector(i, 3));
            }
        }
        LONG.set(area, HEADER, components);
    }

    /** Takes the components that the header names; the others get their initial state. */
    static void set(VirtualCpu cpu, long supported, byte[] area) {
        long components = (long) LONG.get(area, HEADER);
        if ((components & ~(supported | X87 | SSE)) != 0) {
            throw invalid("xstate_bv=0x" + Long.toHexString(components) + " (components that the vcpu does not have)");
        }
        for (int offset = HEADER + 8; offset < HEADER_END; offset += 8) {
            if ((long) LONG.get(area, offset) != 0) {
                throw invalid("header byte " + (offset - HEADER) + " (compacted format, or reserved)");
            }
        }
        int mxcsr = (components & (SSE | AVX)) != 0 ? (int) INT.get(area, MXCSR) : INITIAL_MXCSR;
        if ((mxcsr & ~MXCSR_BITS) != 0) {
            throw invalid("mxcsr=0x" + Integer.toHexString(mxcsr));
        }
        setX87(cpu, area, (components & X87) != 0);
        cpu.setMxcsr(mxcsr);
        setVectors(cpu, area, (components & SSE) != 0, XMM0, 0);
        if ((supported & AVX) != 0) {
            setVectors(cpu, area, (components & AVX) != 0, YMM0, 2);
        }
    }

    private static void setX87(VirtualCpu cpu, byte[] area, boolean present) {
        cpu.setFpuControlWord(present ? (short) SHORT.get(area, 0) & 0xFFFF : INITIAL_FCW);
        // The status word holds the top of the stack, to which the registers are relative.
        cpu.setFpuStatusWord(present ? (short) SHORT.get(area, FSW) & 0xFFFF : 0);
        for (int i = 0; i < X87_REGISTERS; i++) {
            int at = ST0 + i * REGISTER;
            cpu.setFpuRegister(
                    i, present ? (short) SHORT.get(area, at + 8) & 0xFFFF : 0, present ? (long) LONG.get(area, at) : 0);
        }
        cpu.setFpuAbridgedTag(present ? area[FTW] & 0xFF : 0);
        cpu.setFpuOpcode(present ? (short) SHORT.get(area, FOP) : 0);
        cpu.setFpuInstruction(0, present ? (long) LONG.get(area, FIP) : 0);
        cpu.setFpuData(0, present ? (long) LONG.get(area, FDP) : 0);
    }

    private static void setVectors(VirtualCpu cpu, byte[] area, boolean present, int at, int quarter) {
        for (int i = 0; i < VECTORS; i++) {
            cpu.setVector(i, quarter, present ? (long) LONG.get(area, at + i * REGISTER) : 0);
            cpu.setVector(i, quarter + 1, present ? (long) LONG.get(area, at + i * REGISTER + 8) : 0);
        }
    }

    private static KvmException invalid(String argument) {
        return new KvmException("KVM_SET_XSAVE", Errno.EINVAL, argument);
    }

    // ---- XCR0

    static void getXcrs(VirtualCpu cpu, Xcrs xcrs) {
        xcrs.count = 1;
        xcrs.flags = 0;
        xcrs.xcr[0] = 0;
        xcrs.value[0] = cpu.xcr0();
    }

    static void setXcrs(VirtualCpu cpu, long supported, Xcrs xcrs) {
        if (xcrs.count < 0 || xcrs.count > Xcrs.MAX || xcrs.flags != 0) {
            throw new KvmException(
                    "KVM_SET_XCRS",
                    Errno.EINVAL,
                    "nr_xcrs=" + xcrs.count + " flags=0x" + Integer.toHexString(xcrs.flags));
        }
        for (int i = 0; i < xcrs.count; i++) {
            if (xcrs.xcr[i] != 0) {
                continue;
            }
            long value = xcrs.value[i];
            if (!isValid(value, supported)) {
                throw new KvmException("KVM_SET_XCRS", Errno.EINVAL, "xcr0=0x" + Long.toHexString(value));
            }
            cpu.setXcr0(value);
            return;
        }
    }

    /** Whether XSETBV takes a value: x87 is always on, AVX needs SSE (Intel SDM volume 1, 13.3). */
    static boolean isValid(long value, long supported) {
        return (value & X87) != 0 && (value & ~supported) == 0 && ((value & AVX) == 0 || (value & SSE) != 0);
    }
}
