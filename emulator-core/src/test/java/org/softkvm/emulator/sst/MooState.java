package org.softkvm.emulator.sst;

/**
 * Registers and memory of one side of a case.
 *
 * @param mask bit n set: register n is given
 * @param registers values in the order of the constants here
 * @param addresses physical addresses of the bytes given
 * @param values the bytes
 */
record MooState(int mask, int[] registers, int[] addresses, byte[] values) {
    static final int AX = 0;
    static final int BX = 1;
    static final int CX = 2;
    static final int DX = 3;
    static final int CS = 4;
    static final int SS = 5;
    static final int DS = 6;
    static final int ES = 7;
    static final int SP = 8;
    static final int BP = 9;
    static final int SI = 10;
    static final int DI = 11;
    static final int IP = 12;
    static final int FLAGS = 13;
    static final int COUNT = 14;

    static final String[] NAMES = {"ax", "bx", "cx", "dx", "cs", "ss", "ds", "es", "sp", "bp", "si", "di", "ip", "flags"
    };

    boolean has(int register) {
        return (mask >> register & 1) != 0;
    }
}
