package org.softkvm.emulator.fuzz;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.HexFormat;
import java.util.SplittableRandom;

/**
 * The memory of a fuzz case: descriptor tables, page tables, handlers and code in 256 KiB, mostly valid, so that random
 * code gets somewhere, and wrong in places, so that faults of every kind happen.
 */
final class FuzzImage {
    static final int SIZE = 1 << 18;
    static final int GDT = 0x1000;
    static final int GDT_ENTRIES = 64;
    static final int IDT = 0x2000;
    static final int TSS = 0x3000;
    static final int LDT = 0x4000;
    static final int TABLES = 0x5000;
    static final int CODE = 0x10000;
    static final int CODE_SIZE = 0x1000;
    static final int HANDLERS = 0x12000;
    static final int HANDLERS_SIZE = 0x800;
    /** So many vectors have handlers that skip, one in 16 bytes. */
    private static final int SKIPPING = 32;

    /** The vectors that push an error code. */
    private static final int ERROR_CODES = 0x27d00;

    static final int STACKS = 0x20000;
    static final int DATA = 0x30000;

    /** Selectors of flat segments: index of code and data by privilege and code size. */
    static final int CODE16 = 1;

    static final int CODE32 = 2;
    static final int CODE64 = 3;
    static final int DATA32 = 4;
    static final int DATA16 = 5;
    static final int USER = 8;
    static final int TSS_INDEX = 16;
    static final int LDT_INDEX = 18;
    static final int GATES_INDEX = 20;

    private static final int[] BYTES_THAT_MATTER = {
        0x0f, 0x66, 0x67, 0xf2, 0xf3, 0xf0, 0x26, 0x2e, 0x36, 0x3e, 0x64, 0x65, 0x48, 0x41, 0x44, 0x9d, 0x9c, 0xcf,
                0xcb,
        0xca, 0x8e, 0x8c, 0xa4, 0xa5, 0xab, 0xaa, 0x6c, 0x6d, 0x6e, 0x6f, 0xff, 0xfe, 0xf6, 0xf7, 0xd8, 0xd9, 0xda,
                0xdb,
        0xdc, 0xdd, 0xde, 0xdf, 0xc8, 0xc9, 0x62, 0x63, 0xe8, 0xe9, 0x9a, 0xea, 0x17, 0x1f, 0x07, 0xcd, 0xcc, 0xce
    };

    private final byte[] bytes = new byte[SIZE];
    private final ByteBuffer view = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
    private SplittableRandom random;
    private FuzzMode mode;

    /** Fills the image for a case. */
    byte[] fill(FuzzMode forMode, SplittableRandom from) {
        mode = forMode;
        random = from;
        // Data and stacks: noise is expensive to make, so it repeats.
        byte[] noise = new byte[0x2000];
        random.nextBytes(noise);
        for (int at = 0; at < SIZE; at += noise.length) {
            System.arraycopy(noise, 0, bytes, at, noise.length);
        }
        code(CODE, CODE_SIZE);
        code(HANDLERS, HANDLERS_SIZE);
        skippingHandlers();
        if (mode.kind == FuzzMode.Kind.REAL || mode.kind == FuzzMode.Kind.V86) {
            for (int vector = 0; vector < 256; vector++) {
                view.putInt(4 * vector, HANDLERS >> 4 << 16 | 16 * slot(vector));
            }
        }
        if (mode.kind != FuzzMode.Kind.REAL) {
            descriptors();
            gates();
            tss();
        }
        if (mode.paging != FuzzMode.Paging.NONE) {
            pageTables();
        }
        return bytes;
    }

    /** Handlers of the first vectors that return behind the first byte of what faulted, so that code goes on. */
    private void skippingHandlers() {
        for (int vector = 0; vector < SKIPPING; vector++) {
            boolean error = (ERROR_CODES >> vector & 1) != 0 && mode.kind != FuzzMode.Kind.REAL;
            String code;
            if (mode.kind == FuzzMode.Kind.LONG) {
                code = (error ? "4883c408" : "") + "48ff042448cf"; // add rsp, 8; inc qword [rsp]; iretq
            } else if (mode.kind == FuzzMode.Kind.REAL || old()) {
                // add sp, 2; push bp; mov bp, sp; inc word [bp + 2]; pop bp; iret
                code = (error ? "83c402" : "") + "5589e5ff46025dcf";
            } else {
                code = (error ? "83c404" : "") + "ff0424cf"; // add esp, 4; inc dword [esp]; iretd
            }
            byte[] handler = HexFormat.of().parseHex(code);
            System.arraycopy(handler, 0, bytes, HANDLERS + 16 * vector, handler.length);
        }
    }

    /** The handler of a vector: mostly the one that skips, else a random one. */
    private int slot(int vector) {
        return vector < SKIPPING && !oneIn(6) ? vector : random.nextInt(HANDLERS_SIZE / 16);
    }

    private boolean old() {
        return mode.model.physicalAddressBits() < 32;
    }

    private boolean oneIn(int n) {
        return random.nextInt(n) == 0;
    }

    /** VEX prefixes with fields that some instruction has, a few in each line of code. */
    private void vex(int at, int length) {
        for (int n = 0; n < length / 32; n++) {
            int i = at + random.nextInt(length - 4);
            int last = (oneIn(2) ? 0x78 : random.nextInt(16) << 3) | random.nextInt(8);
            if (oneIn(3)) {
                bytes[i] = (byte) 0xc5;
                bytes[i + 1] = (byte) (0x80 | last);
            } else {
                bytes[i] = (byte) 0xc4;
                bytes[i + 1] = (byte) (0xc0 | random.nextInt(2) << 5 | 1 + random.nextInt(3));
                bytes[i + 2] = (byte) (random.nextInt(2) << 7 | last);
            }
        }
    }

    /** Runs of PUSH and POP with little between them, one in each 128 bytes of every third image. */
    private void stackRuns(int at, int length) {
        // Draws of its own: other images stay what they are without it.
        SplittableRandom own = new SplittableRandom(view.getLong(at));
        if (own.nextInt(3) != 0) {
            return;
        }
        for (int n = 0; n < length / 128; n++) {
            int i = at + 128 * n + own.nextInt(80);
            int opcode = own.nextBoolean() ? 0x50 : 0x58;
            for (int left = 1 + own.nextInt(12); left > 0; left--) {
                switch (own.nextInt(mode.codeBits == 64 ? 8 : 5)) {
                    // mov or xor of two registers
                    case 0 -> {
                        bytes[i++] = (byte) (own.nextBoolean() ? 0x89 : 0x31);
                        bytes[i++] = (byte) (0xc0 | own.nextInt(64));
                    }
                    case 5, 6 -> {
                        bytes[i++] = 0x41;
                        bytes[i++] = (byte) (opcode | own.nextInt(8));
                    }
                    default -> bytes[i++] = (byte) (opcode | own.nextInt(8));
                }
            }
            if (own.nextInt(3) == 0) {
                bytes[i] = (byte) (own.nextBoolean() ? 0xc3 : 0xe8);
            }
        }
    }

    /** Random bytes, and opcodes that random bytes would reach rarely. */
    private void code(int at, int length) {
        int bias = random.nextInt(4);
        if (bias == 0) {
            return;
        }
        for (int i = 0; i < length; ) {
            // One draw serves four bytes.
            long draw = random.nextLong();
            for (int k = 0; k < 4; k++, i++, draw >>>= 16) {
                if ((draw & 7) < bias) {
                    bytes[at + i] = (byte) BYTES_THAT_MATTER[(int) (draw >> 3 & 0xff) % BYTES_THAT_MATTER.length];
                }
            }
        }
        // Faults are delivered to multiples of 16: something harmless there, so that a fault costs an instruction.
        for (int i = 0; i < length; i += 16) {
            bytes[at + i] = (byte) 0x90;
        }
        vex(at, length);
        stackRuns(at, length);
    }

    private void descriptor(int table, int index, long base, long limit, int access, int flags) {
        long value = limit & 0xffff
                | (base & 0xffffff) << 16
                | (long) access << 40
                | (limit >> 16 & 0xf) << 48
                | (long) flags << 52
                | (base >> 24 & 0xff) << 56;
        view.putLong(table + 8 * index, value);
    }

    private void descriptors() {
        view.putLong(GDT, 0);
        for (int user = 0; user <= USER; user += USER) {
            int dpl = user == 0 ? 0 : 0x60;
            descriptor(GDT, user + CODE16, CODE, 0xffff, 0x9b | dpl, 0);
            descriptor(GDT, user + CODE32, 0, 0xfffff, 0x9b | dpl, 0xc);
            descriptor(GDT, user + CODE64, 0, 0xfffff, 0x9b | dpl, 0xa);
            descriptor(GDT, user + DATA32, 0, 0xfffff, 0x93 | dpl, 0xc);
            descriptor(GDT, user + DATA16, DATA, 0xffff, 0x93 | dpl, 0);
            // 6 and 7 of each half stay noise.
        }
        boolean longMode = mode.kind == FuzzMode.Kind.LONG;
        descriptor(GDT, TSS_INDEX, TSS, 0x1fff, old() ? 0x83 : 0x8b, 0);
        view.putLong(GDT + 8 * (TSS_INDEX + 1), 0);
        descriptor(GDT, LDT_INDEX, LDT, 0xfff, 0x82, 0);
        view.putLong(GDT + 8 * (LDT_INDEX + 1), 0);
        for (int i = GATES_INDEX; i < GDT_ENTRIES - 1; i += 2) {
            if (oneIn(4)) {
                continue;
            }
            int type = longMode ? 0xc : new int[] {0x4, 0x5, 0xc, 0x4}[random.nextInt(4)];
            gate(
                    GDT + 8 * i,
                    codeSelector(0),
                    handler(codeSelector(0), random.nextInt(HANDLERS_SIZE / 16)),
                    type,
                    random.nextInt(4),
                    random.nextInt(32));
            if (longMode) {
                view.putLong(GDT + 8 * i + 8, 0);
            }
        }
    }

    /** A selector of code that a gate may lead to. */
    private int codeSelector(int index) {
        if (mode.kind == FuzzMode.Kind.LONG) {
            return CODE64 << 3;
        }
        return old() || index % 3 == 2 ? CODE16 << 3 : CODE32 << 3;
    }

    /** The offset of a handler in a code segment: the base of the 16-bit one is at the code. */
    private static int handler(int selector, int slot) {
        return (selector == CODE16 << 3 ? HANDLERS - CODE : HANDLERS) + 16 * slot;
    }

    private void gate(int at, int selector, int offset, int type, int dpl, int count) {
        int access = (oneIn(50) ? 0 : 0x80) | dpl << 5 | type;
        view.putInt(at, selector << 16 | offset & 0xffff);
        view.putInt(at + 4, offset & 0xffff0000 | access << 8 | count);
    }

    private void gates() {
        boolean longMode = mode.kind == FuzzMode.Kind.LONG;
        for (int vector = 0; vector < 256; vector++) {
            int type = longMode ? 0xe | random.nextInt(2) : new int[] {0xe, 0xf, 0xe, 0x6, 0x7, 0x5}[random.nextInt(6)];
            int selector = oneIn(40) ? random.nextInt(GDT_ENTRIES * 8) : codeSelector(vector);
            int slot = slot(vector);
            if (slot == vector) {
                type = 0xe | type & 1;
                selector = codeSelector(0);
            }
            if (old()) {
                type &= 7;
            }
            int at = IDT + (longMode ? 16 : 8) * vector;
            gate(at, type == 5 ? TSS_INDEX << 3 : selector, handler(selector, slot), type, random.nextInt(4), 0);
            if (longMode) {
                view.putLong(at + 8, 0);
                if (oneIn(8)) {
                    bytes[at + 4] = (byte) random.nextInt(8);
                }
            }
        }
    }

    private void tss() {
        int stack = STACKS + 0x8000;
        if (mode.kind == FuzzMode.Kind.LONG) {
            for (int i = 0; i < 3; i++) {
                view.putLong(TSS + 4 + 8 * i, stack + 0x1000L * i);
            }
            for (int i = 1; i < 8; i++) {
                view.putLong(TSS + 0x24 + 8 * (i - 1), oneIn(20) ? random.nextLong() : stack - 0x800L * i);
            }
            view.putShort(TSS + 0x66, (short) 0x68);
        } else if (old()) {
            for (int i = 0; i < 3; i++) {
                view.putInt(TSS + 2 + 4 * i, (DATA16 << 3) << 16 | 0x8000);
            }
        } else {
            for (int i = 0; i < 3; i++) {
                view.putInt(TSS + 4 + 8 * i, stack + 0x1000 * i);
                view.putInt(TSS + 8 + 8 * i, i == 0 || oneIn(2) ? DATA32 << 3 : (DATA32 + USER) << 3 | 3);
            }
            view.putInt(TSS + 0x1c, TABLES);
            view.putShort(TSS + 0x66, (short) 0x68);
        }
    }

    private static final int PTE_PRESENT = 1;
    private static final int PTE_WRITE = 2;
    private static final int PTE_USER = 4;

    private long entry(int page) {
        long flags = PTE_PRESENT | PTE_WRITE | PTE_USER;
        boolean vital = page < 0x20;
        if (!vital && oneIn(12)) {
            switch (random.nextInt(5)) {
                case 0 -> flags &= ~PTE_PRESENT;
                case 1 -> flags &= ~PTE_WRITE;
                case 2 -> flags &= ~PTE_USER;
                case 3 -> flags |= 1L << 63;
                default -> flags |= random.nextInt(0x200);
            }
        }
        return (long) page << 12 | flags;
    }

    /** Identity for the first 2 or 4 MiB, what lies behind RAM included; one more large page; noise in the rest. */
    private void pageTables() {
        int all = PTE_PRESENT | PTE_WRITE | PTE_USER;
        switch (mode.paging) {
            case BITS32 -> {
                view.putInt(TABLES, TABLES + 0x1000 | all);
                view.putInt(TABLES + 4, 0x83 | (random.nextInt(4) << 22));
                for (int i = 0; i < 1024; i++) {
                    view.putInt(TABLES + 0x1000 + 4 * i, (int) entry(i));
                }
            }
            case PAE -> {
                view.putLong(TABLES, TABLES + 0x1000 | 1);
                view.putLong(TABLES + 8, 0);
                view.putLong(TABLES + 16, 0);
                view.putLong(TABLES + 24, TABLES + 0x1000 | 1);
                view.putLong(TABLES + 0x1000, TABLES + 0x2000 | all);
                view.putLong(TABLES + 0x1008, 0x87L);
                for (int i = 0; i < 512; i++) {
                    view.putLong(TABLES + 0x2000 + 8 * i, entry(i));
                }
            }
            case LEVELS4 -> {
                view.putLong(TABLES, TABLES + 0x1000 | all);
                view.putLong(TABLES + 8 * 511, TABLES + 0x1000 | all);
                view.putLong(TABLES + 0x1000, TABLES + 0x2000 | all);
                view.putLong(TABLES + 0x1008, 0x87L);
                view.putLong(TABLES + 0x2000, TABLES + 0x3000 | all);
                view.putLong(TABLES + 0x2008, 0x87L);
                for (int i = 0; i < 512; i++) {
                    view.putLong(TABLES + 0x3000 + 8 * i, entry(i));
                }
            }
            default -> {}
        }
    }
}
