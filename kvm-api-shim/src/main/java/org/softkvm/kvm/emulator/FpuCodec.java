package org.softkvm.kvm.emulator;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import org.softkvm.emulator.VirtualCpu;
import org.softkvm.kvm.Fpu;

/** x87 and SSE registers of the core and of the API. */
final class FpuCodec {
    private static final VarHandle LONG = MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.LITTLE_ENDIAN);
    private static final VarHandle SHORT = MethodHandles.byteArrayViewVarHandle(short[].class, ByteOrder.LITTLE_ENDIAN);
    private static final int REGISTERS = 8;
    private static final int VECTORS = 16;

    private FpuCodec() {}

    static void get(VirtualCpu cpu, Fpu fpu) {
        fpu.fcw = cpu.fpuControlWord();
        fpu.fsw = cpu.fpuStatusWord();
        fpu.ftwx = cpu.fpuAbridgedTag();
        fpu.lastOpcode = cpu.fpuOpcode();
        fpu.lastIp = cpu.fpuInstructionPointer();
        fpu.lastDp = cpu.fpuDataPointer();
        for (int i = 0; i < REGISTERS; i++) {
            LONG.set(fpu.fpr[i], 0, cpu.fpuSignificand(i));
            LONG.set(fpu.fpr[i], 8, (long) cpu.fpuSignExponent(i));
        }
        for (int i = 0; i < VECTORS; i++) {
            LONG.set(fpu.xmm[i], 0, cpu.vector(i, 0));
            LONG.set(fpu.xmm[i], 8, cpu.vector(i, 1));
        }
        fpu.mxcsr = cpu.mxcsr();
    }

    static void set(VirtualCpu cpu, Fpu fpu) {
        cpu.setFpuControlWord(fpu.fcw);
        // The status word holds the top of the stack, to which the registers are relative.
        cpu.setFpuStatusWord(fpu.fsw);
        for (int i = 0; i < REGISTERS; i++) {
            cpu.setFpuRegister(i, (short) SHORT.get(fpu.fpr[i], 8) & 0xFFFF, (long) LONG.get(fpu.fpr[i], 0));
        }
        cpu.setFpuAbridgedTag(fpu.ftwx);
        cpu.setFpuOpcode(fpu.lastOpcode);
        cpu.setFpuInstruction(0, fpu.lastIp);
        cpu.setFpuData(0, fpu.lastDp);
        for (int i = 0; i < VECTORS; i++) {
            cpu.setVector(i, 0, (long) LONG.get(fpu.xmm[i], 0));
            cpu.setVector(i, 1, (long) LONG.get(fpu.xmm[i], 8));
        }
        cpu.setMxcsr(fpu.mxcsr);
    }
}
