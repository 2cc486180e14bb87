package org.softkvm.emulator.exec;

import org.softkvm.emulator.HostMemory;
import org.softkvm.emulator.cpu.Cpu;
import org.softkvm.emulator.cpu.Flags;
import org.softkvm.emulator.cpu.Mmu;
import org.softkvm.emulator.decode.Insn;

/**
 * String instructions (Intel SDM volume 2: MOVS, STOS, LODS, SCAS, CMPS, REP). Each iteration is committed by itself, so
 * a fault or an interrupt leaves the registers as after the last complete one and RIP at the instruction.
 *
 * <p>Repeated MOVS, STOS, SCAS and CMPS that go upwards in plain memory are done in bulk, a page at a time.
 */
public final class Strings {
    /** Iterations between two looks at the request bits. */
    private static final int POLL = 1024;

    private Strings() {}

    private static long step(Cpu c, int size) {
        return (c.eflags & Flags.DF) != 0 ? -size : size;
    }

    private static long index(Cpu c, Insn i, int register) {
        return c.r[register] & i.addrMask;
    }

    private static void advance(Cpu c, Insn i, int register, long by) {
        long value = c.r[register] + by;
        if (i.addrSize == 8) {
            c.r[register] = value;
        } else if (i.addrSize == 4) {
            c.r[register] = value & 0xFFFFFFFFL;
        } else {
            c.set16(register, (int) value);
        }
    }

    private static long source(Cpu c, Insn i, int size) {
        return c.segRead(i.seg, index(c, i, Cpu.RSI), size);
    }

    private static long destination(Cpu c, Insn i, int size) {
        return c.segWrite(Cpu.ES, index(c, i, Cpu.RDI), size);
    }

    /** So many iterations are complete: RCX goes down, and each counts as an instruction. */
    private static void countDown(Cpu c, Insn i, long by) {
        advance(c, i, Cpu.RCX, -by);
        c.instructions += by;
    }

    /** The run loop counts the last iteration, as it counts every instruction that came to its end. */
    private static void lastCounts(Cpu c) {
        c.instructions--;
    }

    /** Whether the loop has to be left between two iterations; RIP then stays at the instruction. */
    private static boolean pause(Cpu c, int iteration) {
        return c.limit == 0
                || c.instructions >= c.instructionLimit
                || c.stepping()
                || c.exitInfo.replaying()
                || (iteration & POLL - 1) == 0 && c.requests() != 0;
    }

    // ---------------------------------------------------------------- MOVS

    private static void moveOne(Cpu c, Insn i, int size) {
        long from = source(c, i, size);
        long to = destination(c, i, size);
        c.write(to, size, c.read(from, size));
        long step = step(c, size);
        advance(c, i, Cpu.RSI, step);
        advance(c, i, Cpu.RDI, step);
    }

    private static void movs(Cpu c, Insn i, int size) {
        if (i.rep == 0) {
            moveOne(c, i, size);
            return;
        }
        int iteration = 0;
        boolean some = index(c, i, Cpu.RCX) != 0;
        while (index(c, i, Cpu.RCX) != 0) {
            long done = iteration == 0 || c.limit != 0 ? moveBulk(c, i, size) : 0;
            if (done == 0) {
                moveOne(c, i, size);
                done = 1;
                iteration++;
            } else {
                iteration = 0;
            }
            countDown(c, i, done);
            if (pause(c, iteration)) {
                if (index(c, i, Cpu.RCX) != 0) {
                    c.rip = i.rip;
                    c.stopAfterInsn();
                }
                break;
            }
        }
        if (some) {
            lastCounts(c);
        }
    }

    /** Elements up to the end of the page, the segment window, the index register's range and the count. */
    private static long room(Cpu c, Insn i, int seg, long offset, long la, int size, boolean write, long count) {
        long bytes = 4096 - (la & 4095);
        if (i.addrSize != 8) {
            bytes = Math.min(bytes, i.addrMask - offset + 1);
        }
        if (!c.mode64) {
            long high = write ? c.segWriteHigh[seg] : c.segReadHigh[seg];
            bytes = Math.min(bytes, high - offset + 1);
        }
        return Math.min(count, bytes / size);
    }

    private static long moveBulk(Cpu c, Insn i, int size) {
        if ((c.eflags & Flags.DF) != 0 || c.stepping() || c.exitInfo.replaying()) {
            return 0;
        }
        long count = index(c, i, Cpu.RCX);
        if (count < 8) {
            return 0;
        }
        long si = index(c, i, Cpu.RSI);
        long di = index(c, i, Cpu.RDI);
        long from = c.segRead(i.seg, si, size);
        long to = c.segWrite(Cpu.ES, di, size);
        long n = room(c, i, i.seg, si, from, size, false, count);
        n = room(c, i, Cpu.ES, di, to, size, true, n);
        n = Math.min(n, c.iterationsLeft());
        if (n < 4) {
            return 0;
        }
        long source = Mmu.hostForRead(c, from);
        if (source < 0) {
            return 0;
        }
        long target = Mmu.hostForWrite(c, to);
        if (target < 0) {
            return 0;
        }
        long bytes = n * size;
        if (target > source && target < source + bytes) {
            // The source is overwritten while it is read: the pattern that repeats must come out.
            return 0;
        }
        HostMemory.copy(source, target, bytes);
        advance(c, i, Cpu.RSI, bytes);
        advance(c, i, Cpu.RDI, bytes);
        return n;
    }

    /** MOVSB. */
    public static void movsb(Cpu c, Insn i) {
        movs(c, i, 1);
    }

    /** MOVSW, MOVSD, MOVSQ. */
    public static void movsv(Cpu c, Insn i) {
        movs(c, i, i.opSize);
    }

    // ---------------------------------------------------------------- STOS

    private static void storeOne(Cpu c, Insn i, int size) {
        c.write(destination(c, i, size), size, c.r[Cpu.RAX]);
        advance(c, i, Cpu.RDI, step(c, size));
    }

    private static void stos(Cpu c, Insn i, int size) {
        if (i.rep == 0) {
            storeOne(c, i, size);
            return;
        }
        int iteration = 0;
        boolean some = index(c, i, Cpu.RCX) != 0;
        while (index(c, i, Cpu.RCX) != 0) {
            long done = storeBulk(c, i, size);
            if (done == 0) {
                storeOne(c, i, size);
                done = 1;
                iteration++;
            } else {
                iteration = 0;
            }
            countDown(c, i, done);
            if (pause(c, iteration)) {
                if (index(c, i, Cpu.RCX) != 0) {
                    c.rip = i.rip;
                    c.stopAfterInsn();
                }
                break;
            }
        }
        if (some) {
            lastCounts(c);
        }
    }

    private static long storeBulk(Cpu c, Insn i, int size) {
        if ((c.eflags & Flags.DF) != 0 || c.stepping() || c.exitInfo.replaying()) {
            return 0;
        }
        long count = index(c, i, Cpu.RCX);
        if (count < 8) {
            return 0;
        }
        long di = index(c, i, Cpu.RDI);
        long to = c.segWrite(Cpu.ES, di, size);
        long n = room(c, i, Cpu.ES, di, to, size, true, count);
        n = Math.min(n, c.iterationsLeft());
        if (n < 4) {
            return 0;
        }
        long target = Mmu.hostForWrite(c, to);
        if (target < 0) {
            return 0;
        }
        long value = c.r[Cpu.RAX];
        long bytes = n * size;
        long mask = size == 8 ? -1L : (1L << 8 * size) - 1;
        long pattern = (value & 0xFF) * 0x0101010101010101L;
        if (((value ^ pattern) & mask) == 0) {
            HostMemory.slice(target, bytes).fill((byte) value);
        } else {
            for (long k = 0; k < bytes; k += size) {
                switch (size) {
                    case 2 -> HostMemory.putShort(target + k, (int) value);
                    case 4 -> HostMemory.putInt(target + k, (int) value);
                    default -> HostMemory.putLong(target + k, value);
                }
            }
        }
        advance(c, i, Cpu.RDI, bytes);
        return n;
    }

    /** STOSB. */
    public static void stosb(Cpu c, Insn i) {
        stos(c, i, 1);
    }

    /** STOSW, STOSD, STOSQ. */
    public static void stosv(Cpu c, Insn i) {
        stos(c, i, i.opSize);
    }

    // ---------------------------------------------------------------- LODS

    private static void lods(Cpu c, Insn i, int size) {
        if (i.rep == 0) {
            loadOne(c, i, size);
            return;
        }
        int iteration = 0;
        boolean some = index(c, i, Cpu.RCX) != 0;
        while (index(c, i, Cpu.RCX) != 0) {
            loadOne(c, i, size);
            countDown(c, i, 1);
            if (pause(c, ++iteration)) {
                if (index(c, i, Cpu.RCX) != 0) {
                    c.rip = i.rip;
                    c.stopAfterInsn();
                }
                break;
            }
        }
        if (some) {
            lastCounts(c);
        }
    }

    private static void loadOne(Cpu c, Insn i, int size) {
        long value = c.read(source(c, i, size), size);
        if (size == 1) {
            c.set8(Cpu.RAX, (int) value);
        } else {
            c.set(Cpu.RAX, size, value);
        }
        advance(c, i, Cpu.RSI, step(c, size));
    }

    /** LODSB. */
    public static void lodsb(Cpu c, Insn i) {
        lods(c, i, 1);
    }

    /** LODSW, LODSD, LODSQ. */
    public static void lodsv(Cpu c, Insn i) {
        lods(c, i, i.opSize);
    }

    // ---------------------------------------------------------------- SCAS, CMPS

    private static int sizeIndex(int size) {
        return Integer.numberOfTrailingZeros(size);
    }

    private static void scanOne(Cpu c, Insn i, int size) {
        long value = c.read(c.segRead(Cpu.ES, index(c, i, Cpu.RDI), size), size);
        c.setLazy(Flags.SUB | sizeIndex(size), c.r[Cpu.RAX], value);
        advance(c, i, Cpu.RDI, step(c, size));
    }

    private static void compareOne(Cpu c, Insn i, int size) {
        long a = c.read(source(c, i, size), size);
        long b = c.read(c.segRead(Cpu.ES, index(c, i, Cpu.RDI), size), size);
        c.setLazy(Flags.SUB | sizeIndex(size), a, b);
        long step = step(c, size);
        advance(c, i, Cpu.RSI, step);
        advance(c, i, Cpu.RDI, step);
    }

    /** Executes iterations that do not end the loop, and sets the flags as the last of them does. */
    private static long compareBulk(Cpu c, Insn i, int size, boolean scan) {
        if ((c.eflags & Flags.DF) != 0 || c.stepping() || c.exitInfo.replaying()) {
            return 0;
        }
        long n = Math.min(index(c, i, Cpu.RCX), c.iterationsLeft());
        if (n < 8) {
            return 0;
        }
        long a = 0;
        if (!scan) {
            long si = index(c, i, Cpu.RSI);
            long from = c.segRead(i.seg, si, size);
            n = room(c, i, i.seg, si, from, size, false, n);
            if (n < 4) {
                return 0;
            }
            a = Mmu.hostForRead(c, from);
        }
        long di = index(c, i, Cpu.RDI);
        long to = c.segRead(Cpu.ES, di, size);
        n = room(c, i, Cpu.ES, di, to, size, false, n);
        if (n < 4 || a < 0) {
            return 0;
        }
        long b = Mmu.hostForRead(c, to);
        if (b < 0) {
            return 0;
        }
        boolean equal = i.rep == 0xF3;
        long done;
        if (scan) {
            long value = c.r[Cpu.RAX];
            done = equal ? StringSearch.equalTo(value, b, n, size) : StringSearch.unequalTo(value, b, n, size);
        } else {
            done = equal ? StringSearch.equalPairs(a, b, n, size) : StringSearch.unequalPairs(a, b, n, size);
        }
        if (done == 0) {
            return 0;
        }
        long last = (done - 1) * size;
        c.setLazy(
                Flags.SUB | sizeIndex(size),
                scan ? c.r[Cpu.RAX] : StringSearch.element(a + last, size),
                StringSearch.element(b + last, size));
        if (!scan) {
            advance(c, i, Cpu.RSI, done * size);
        }
        advance(c, i, Cpu.RDI, done * size);
        return done;
    }

    private static void compare(Cpu c, Insn i, int size, boolean scan) {
        if (i.rep == 0) {
            if (scan) {
                scanOne(c, i, size);
            } else {
                compareOne(c, i, size);
            }
            return;
        }
        int iteration = 0;
        boolean some = index(c, i, Cpu.RCX) != 0;
        while (index(c, i, Cpu.RCX) != 0) {
            long done = compareBulk(c, i, size, scan);
            if (done != 0) {
                iteration = -1;
            } else if (scan) {
                scanOne(c, i, size);
                done = 1;
            } else {
                compareOne(c, i, size);
                done = 1;
            }
            countDown(c, i, done);
            if (Flags.zf(c.fop, c.fa, c.fb) != (i.rep == 0xF3)) {
                break;
            }
            if (pause(c, ++iteration)) {
                if (index(c, i, Cpu.RCX) != 0) {
                    c.rip = i.rip;
                    c.stopAfterInsn();
                }
                break;
            }
        }
        if (some) {
            lastCounts(c);
        }
    }

    /** SCASB. */
    public static void scasb(Cpu c, Insn i) {
        compare(c, i, 1, true);
    }

    /** SCASW, SCASD, SCASQ. */
    public static void scasv(Cpu c, Insn i) {
        compare(c, i, i.opSize, true);
    }

    /** CMPSB. */
    public static void cmpsb(Cpu c, Insn i) {
        compare(c, i, 1, false);
    }

    /** CMPSW, CMPSD, CMPSQ. */
    public static void cmpsv(Cpu c, Insn i) {
        compare(c, i, i.opSize, false);
    }
}
