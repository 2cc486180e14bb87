package org.softkvm.kvm.abi;

import static org.softkvm.kvm.abi.Fields.getByte;
import static org.softkvm.kvm.abi.Fields.getInt;
import static org.softkvm.kvm.abi.Fields.getLong;
import static org.softkvm.kvm.abi.Fields.getShort;
import static org.softkvm.kvm.abi.Fields.offset;
import static org.softkvm.kvm.abi.Fields.putByte;
import static org.softkvm.kvm.abi.Fields.putInt;
import static org.softkvm.kvm.abi.Fields.putLong;
import static org.softkvm.kvm.abi.Fields.putShort;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.softkvm.kvm.Fpu;
import org.softkvm.kvm.LapicState;

/** struct kvm_fpu and struct kvm_lapic_state: between the API's objects and the structures. Allocates nothing. */
public final class FpuCodec {
    private static final long FPR = offset(RegisterStructs.FPU, "fpr");
    private static final long FCW = offset(RegisterStructs.FPU, "fcw");
    private static final long FSW = offset(RegisterStructs.FPU, "fsw");
    private static final long FTWX = offset(RegisterStructs.FPU, "ftwx");
    private static final long LAST_OPCODE = offset(RegisterStructs.FPU, "last_opcode");
    private static final long LAST_IP = offset(RegisterStructs.FPU, "last_ip");
    private static final long LAST_DP = offset(RegisterStructs.FPU, "last_dp");
    private static final long XMM = offset(RegisterStructs.FPU, "xmm");
    private static final long MXCSR = offset(RegisterStructs.FPU, "mxcsr");
    private static final int REGISTER = 16;

    private FpuCodec() {}

    /** Writes the structure. */
    public static void put(Fpu from, MemorySegment to) {
        for (int i = 0; i < 8; i++) {
            MemorySegment.copy(from.fpr[i], 0, to, ValueLayout.JAVA_BYTE, FPR + i * REGISTER, REGISTER);
        }
        putShort(to, FCW, from.fcw);
        putShort(to, FSW, from.fsw);
        putByte(to, FTWX, from.ftwx);
        putShort(to, LAST_OPCODE, from.lastOpcode);
        putLong(to, LAST_IP, from.lastIp);
        putLong(to, LAST_DP, from.lastDp);
        for (int i = 0; i < 16; i++) {
            MemorySegment.copy(from.xmm[i], 0, to, ValueLayout.JAVA_BYTE, XMM + i * REGISTER, REGISTER);
        }
        putInt(to, MXCSR, from.mxcsr);
    }

    /** Reads the structure. */
    public static void get(MemorySegment from, Fpu to) {
        for (int i = 0; i < 8; i++) {
            MemorySegment.copy(from, ValueLayout.JAVA_BYTE, FPR + i * REGISTER, to.fpr[i], 0, REGISTER);
        }
        to.fcw = getShort(from, FCW);
        to.fsw = getShort(from, FSW);
        to.ftwx = getByte(from, FTWX);
        to.lastOpcode = getShort(from, LAST_OPCODE);
        to.lastIp = getLong(from, LAST_IP);
        to.lastDp = getLong(from, LAST_DP);
        for (int i = 0; i < 16; i++) {
            MemorySegment.copy(from, ValueLayout.JAVA_BYTE, XMM + i * REGISTER, to.xmm[i], 0, REGISTER);
        }
        to.mxcsr = getInt(from, MXCSR);
    }

    /** Writes the page of a local APIC; what lies between its registers is 0. */
    public static void put(LapicState from, MemorySegment to) {
        for (int offset = 0; offset < LapicState.SIZE; offset += REGISTER) {
            putInt(to, offset, from.get(offset));
        }
    }

    /** Reads the page of a local APIC. */
    public static void get(MemorySegment from, LapicState to) {
        for (int offset = 0; offset < LapicState.SIZE; offset += REGISTER) {
            to.set(offset, getInt(from, offset));
        }
    }
}
