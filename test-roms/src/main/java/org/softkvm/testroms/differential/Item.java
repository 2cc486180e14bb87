package org.softkvm.testroms.differential;

import java.util.List;

/** A part of a program that can be left out without changing what the others are. */
sealed interface Item {
    /**
     * Some instructions in a row, balanced on the stack. After a fault the program goes on behind the whole item.
     *
     * @param form what kind of instruction it is about: what one host cannot do is known by it
     * @param insns the instructions
     */
    record Plain(String form, List<Insn> insns) implements Item {}

    /** A loop that counts down in the register of the base pointer. */
    record Loop(int count, List<Item> body) implements Item {}

    /**
     * A jump over the next items of the same list.
     *
     * @param condition as in the opcode; {@link #ALWAYS} or {@link #BY_REGISTER}
     * @param over number of items
     */
    record Skip(int condition, int over) implements Item {
        static final int ALWAYS = -1;
        static final int BY_REGISTER = -2;
    }

    /** A call of a function that lies behind the call. */
    record Call(List<Item> body, boolean byRegister) implements Item {}
}
