package org.softkvm.emulator.sst;

/**
 * One captured case of a single instruction.
 *
 * @param ordinal position in the file, from 0
 * @param name disassembly by the makers of the data
 * @param bytes the instruction; for the 80286 with the HLT that follows it
 * @param initial the state before it, with all registers
 * @param after what differs after it
 * @param exception number of the exception or software interrupt it raised, -1 where the file does not say
 */
record MooCase(int ordinal, String name, byte[] bytes, MooState initial, MooState after, int exception) {
    /** Returns the register's value after the instruction. */
    int finalRegister(int register) {
        return after.has(register) ? after.registers()[register] : initial.registers()[register];
    }

    /** Returns the index of the opcode byte in {@link #bytes}: what comes before it is prefixes. */
    int opcodeIndex() {
        int i = 0;
        while (i < bytes.length - 1) {
            switch (bytes[i] & 0xff) {
                case 0x26, 0x2e, 0x36, 0x3e, 0xf0, 0xf1, 0xf2, 0xf3 -> i++;
                default -> {
                    return i;
                }
            }
        }
        return i;
    }
}
