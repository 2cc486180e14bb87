package org.softkvm.emulator.cpu;

/**
 * The four hardware breakpoints (Intel SDM volume 3, section 19.2). A page that holds a watched byte never gets into the
 * TLBs of data, so that only accesses to such pages pay for the comparison; armed instruction breakpoints make the run
 * loop execute one instruction at a time.
 */
public final class Breakpoints {
    private Breakpoints() {}

    /**
     * Derives what is armed from the registers in effect, DR0 to DR3 and DR7; to be called after any of them changes.
     *
     * @param c the vcpu
     */
    public static void update(Cpu c) {
        int code = 0;
        int data = 0;
        int io = 0;
        long control = c.activeDr[7];
        for (int n = 0; n < 4; n++) {
            if ((control >>> 2 * n & 3) == 0) {
                continue;
            }
            switch ((int) (control >>> 16 + 4 * n) & 3) {
                case 0 -> code |= 1 << n;
                case 2 -> io |= 1 << n;
                default -> data |= 1 << n;
            }
        }
        if (data != 0 || c.breakData != 0) {
            c.breakData = data;
            c.flushTlb();
        }
        c.breakIo = io;
        c.breakCode = code;
        if (code != 0) {
            c.request(Cpu.REQ_INTERRUPT);
        }
    }

    /** Bytes that breakpoint n covers. */
    private static int length(Cpu c, int n) {
        return switch ((int) (c.activeDr[7] >>> 18 + 4 * n) & 3) {
            case 0 -> 1;
            case 1 -> 2;
            case 2 -> 8;
            default -> 4;
        };
    }

    /**
     * Whether a page holds watched bytes.
     *
     * @param c the vcpu
     * @param linear an address in the page
     * @return true where accesses have to be compared
     */
    static boolean watches(Cpu c, long linear) {
        for (int n = 0; n < 4; n++) {
            if ((c.breakData & 1 << n) != 0 && (c.activeDr[n] ^ linear) >>> 12 == 0) {
                return true;
            }
        }
        return false;
    }

    /**
     * Compares a data access; hits become a trap after the instruction.
     *
     * @param c the vcpu
     * @param linear first byte
     * @param size bytes
     * @param write whether it is a write
     */
    static void data(Cpu c, long linear, int size, boolean write) {
        for (int n = 0; n < 4; n++) {
            if ((c.breakData & 1 << n) == 0 || !write && (c.activeDr[7] >>> 16 + 4 * n & 3) == 1) {
                continue;
            }
            int length = length(c, n);
            hit(c, n, c.activeDr[n] & -length, length, linear, size);
        }
    }

    /**
     * Compares a port access (only with CR4.DE).
     *
     * @param c the vcpu
     * @param port first port
     * @param size bytes
     */
    public static void io(Cpu c, int port, int size) {
        if ((c.cr4 & Cpu.CR4_DE) == 0) {
            return;
        }
        for (int n = 0; n < 4; n++) {
            if ((c.breakIo & 1 << n) != 0) {
                int length = length(c, n);
                hit(c, n, c.activeDr[n] & -length, length, port, size);
            }
        }
    }

    private static void hit(Cpu c, int n, long start, int length, long at, int size) {
        if (at - start < length && start - at < size) {
            c.debugHits |= 1 << n;
            c.stopAfterInsn();
        }
    }

    /**
     * The instruction breakpoints at RIP.
     *
     * @param c the vcpu
     * @return DR6 bits, 0 where there is none
     */
    public static int code(Cpu c) {
        long linear = c.mode64 ? c.rip : c.segBase[Cpu.CS] + c.rip & 0xFFFFFFFFL;
        int hits = 0;
        for (int n = 0; n < 4; n++) {
            if ((c.breakCode & 1 << n) != 0 && c.activeDr[n] == linear) {
                hits |= 1 << n;
            }
        }
        return hits;
    }
}
