package org.softkvm.emulator.exec;

import org.softkvm.emulator.cpu.Breakpoints;
import org.softkvm.emulator.cpu.Cpu;
import org.softkvm.emulator.cpu.ExitCode;
import org.softkvm.emulator.cpu.ExitInfo;
import org.softkvm.emulator.cpu.Flags;
import org.softkvm.emulator.cpu.Mmu;
import org.softkvm.emulator.decode.Insn;

/**
 * Port I/O (Intel SDM volume 1, chapter 19): every access is an exit; what IN and INS do with the answer happens when
 * the vcpu is entered again.
 */
public final class PortIo {
    private static final ExitInfo.IoCompletion IN_BYTE = c -> c.set8(Cpu.RAX, c.exitInfo.ioData[0]);
    private static final ExitInfo.IoCompletion IN_WORD =
            c -> c.set16(Cpu.RAX, c.exitInfo.ioData[0] & 0xFF | c.exitInfo.ioData[1] << 8);
    private static final ExitInfo.IoCompletion IN_DWORD = c -> c.set32(Cpu.RAX, (int) item(c.exitInfo.ioData, 0, 4));
    private static final ExitInfo.IoCompletion STRING = PortIo::completeString;

    private PortIo() {}

    private static long item(byte[] data, int at, int size) {
        long v = 0;
        for (int k = 0; k < size; k++) {
            v |= (data[at + k] & 0xFFL) << 8 * k;
        }
        return v;
    }

    private static void check(Cpu c, int port, int size) {
        if (!c.protectedMode() || !c.v86() && c.cpl <= c.iopl()) {
            return;
        }
        // The permission map of a 32- or 64-bit TSS.
        int type = c.segAttr[Cpu.TR] & Cpu.ATTR_TYPE;
        if ((c.segAttr[Cpu.TR] & Cpu.ATTR_UNUSABLE) != 0 || type != 9 && type != 11 || c.segLimit[Cpu.TR] < 103) {
            throw c.gp(0);
        }
        long base = c.segBase[Cpu.TR];
        long at = c.sysRead(base + 0x66, 2) + (port >> 3);
        if (at + 1 > c.segLimit[Cpu.TR]) {
            throw c.gp(0);
        }
        int map = (int) c.sysRead(base + at, 2);
        if ((map >> (port & 7) & (1 << size) - 1) != 0) {
            throw c.gp(0);
        }
    }

    private static void exit(Cpu c, int port, int size, int count, boolean out) {
        if (c.breakIo != 0) {
            Breakpoints.io(c, port, size);
        }
        ExitInfo info = c.exitInfo;
        info.ioPort = port;
        info.ioSize = size;
        info.ioCount = count;
        info.ioOut = out;
        c.exit = ExitCode.IO;
        c.stopAfterInsn();
    }

    private static void in(Cpu c, int port, int size) {
        check(c, port, size);
        exit(c, port, size, 1, false);
        c.exitInfo.ioCompletion = size == 1 ? IN_BYTE : size == 2 ? IN_WORD : IN_DWORD;
    }

    private static void out(Cpu c, int port, int size) {
        check(c, port, size);
        long v = c.r[Cpu.RAX];
        byte[] d = c.exitInfo.ioData;
        d[0] = (byte) v;
        d[1] = (byte) (v >> 8);
        d[2] = (byte) (v >> 16);
        d[3] = (byte) (v >> 24);
        exit(c, port, size, 1, true);
    }

    private static int dx(Cpu c) {
        return (int) c.r[Cpu.RDX] & 0xFFFF;
    }

    private static int wide(Insn i) {
        return i.opSize == 2 ? 2 : 4;
    }

    /** IN AL, imm8. */
    public static void inbImm(Cpu c, Insn i) {
        in(c, (int) i.imm & 0xFF, 1);
    }

    /** IN eAX, imm8. */
    public static void invImm(Cpu c, Insn i) {
        in(c, (int) i.imm & 0xFF, wide(i));
    }

    /** IN AL, DX. */
    public static void inb(Cpu c, Insn i) {
        in(c, dx(c), 1);
    }

    /** IN eAX, DX. */
    public static void inv(Cpu c, Insn i) {
        in(c, dx(c), wide(i));
    }

    /** OUT imm8, AL. */
    public static void outbImm(Cpu c, Insn i) {
        out(c, (int) i.imm & 0xFF, 1);
    }

    /** OUT imm8, eAX. */
    public static void outvImm(Cpu c, Insn i) {
        out(c, (int) i.imm & 0xFF, wide(i));
    }

    /** OUT DX, AL. */
    public static void outb(Cpu c, Insn i) {
        out(c, dx(c), 1);
    }

    /** OUT DX, eAX. */
    public static void outv(Cpu c, Insn i) {
        out(c, dx(c), wide(i));
    }

    // ---------------------------------------------------------------- strings

    private static long index(Cpu c, Insn i, int register) {
        return c.r[register] & i.addrMask;
    }

    private static void advance(Cpu c, Insn i, int register, long by) {
        c.set(register, i.addrSize, c.r[register] + by);
    }

    private static boolean down(Cpu c) {
        return (c.eflags & Flags.DF) != 0;
    }

    /** How many items one exit carries: upwards in plain memory as many as fit, else one. */
    private static int batch(Cpu c, Insn i, int size, long offset, long la, long high, long host) {
        if (i.rep == 0 || down(c) || host < 0 || c.stepping() || c.breakIo != 0) {
            return 1;
        }
        long bytes = Math.min(4096 - (la & 4095), c.exitInfo.ioData.length);
        if (i.addrSize != 8) {
            bytes = Math.min(bytes, i.addrMask - offset + 1);
        }
        if (!c.mode64) {
            bytes = Math.min(bytes, high - offset + 1);
        }
        long room = Math.min(bytes / size, c.iterationsLeft());
        return (int) Math.max(1, Math.min(index(c, i, Cpu.RCX), room));
    }

    private static void outs(Cpu c, Insn i, int size) {
        // The right to use the port is looked at before the count is.
        int port = dx(c);
        check(c, port, size);
        if (i.rep != 0 && index(c, i, Cpu.RCX) == 0) {
            return;
        }
        long offset = index(c, i, Cpu.RSI);
        long la = c.segRead(i.seg, offset, size);
        long first = c.read(la, size);
        long host = c.exitInfo.replaying() ? -1 : Mmu.hostForRead(c, la);
        int n = batch(c, i, size, offset, la, c.segReadHigh[i.seg], host);
        byte[] d = c.exitInfo.ioData;
        for (int k = 0; k < n; k++) {
            long v = k == 0 ? first : c.read(la + (long) k * size, size);
            for (int b = 0; b < size; b++) {
                d[k * size + b] = (byte) (v >>> 8 * b);
            }
        }
        advance(c, i, Cpu.RSI, down(c) ? -size : (long) n * size);
        if (i.rep != 0) {
            advance(c, i, Cpu.RCX, -n);
            if (index(c, i, Cpu.RCX) != 0) {
                c.rip = i.rip;
            }
        }
        c.instructions += n - 1;
        exit(c, port, size, n, true);
    }

    /** OUTSB. */
    public static void outsb(Cpu c, Insn i) {
        outs(c, i, 1);
    }

    /** OUTSW, OUTSD. */
    public static void outsv(Cpu c, Insn i) {
        outs(c, i, wide(i));
    }

    private static void ins(Cpu c, Insn i, int size) {
        int port = dx(c);
        check(c, port, size);
        if (i.rep != 0 && index(c, i, Cpu.RCX) == 0) {
            return;
        }
        long offset = index(c, i, Cpu.RDI);
        long la = c.segWrite(Cpu.ES, offset, size);
        // The store must not fault after the device has been read.
        c.checkWrite(la, size);
        int n = batch(c, i, size, offset, la, c.segWriteHigh[Cpu.ES], Mmu.hostForWrite(c, la));
        c.instructions += n - 1;
        exit(c, port, size, n, false);
        c.exitInfo.ioInsn = i;
        c.exitInfo.ioCompletion = STRING;
    }

    private static void completeString(Cpu c) {
        ExitInfo info = c.exitInfo;
        Insn i = info.ioInsn;
        info.ioInsn = null;
        int size = info.ioSize;
        int n = info.ioCount;
        long la = c.segWrite(Cpu.ES, index(c, i, Cpu.RDI), size);
        for (int k = 0; k < n; k++) {
            c.write(la + (long) k * size, size, item(info.ioData, k * size, size));
        }
        advance(c, i, Cpu.RDI, down(c) ? -size : (long) n * size);
        if (i.rep != 0) {
            advance(c, i, Cpu.RCX, -n);
            if (index(c, i, Cpu.RCX) != 0) {
                c.rip = i.rip;
                if (c.breakCode != 0) {
                    c.eflags |= Flags.RF;
                }
            }
        }
    }

    /** INSB. */
    public static void insb(Cpu c, Insn i) {
        ins(c, i, 1);
    }

    /** INSW, INSD. */
    public static void insv(Cpu c, Insn i) {
        ins(c, i, wide(i));
    }
}
