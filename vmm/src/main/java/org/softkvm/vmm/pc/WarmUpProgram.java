package org.softkvm.vmm.pc;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;

/**
 * A guest of 64-bit code with the instructions that kernels consist of, in the forms in which compilers use them. It computes
 * nothing: it is there to be decoded and executed, in an endless loop with a port access at its end.
 */
final class WarmUpProgram {
    /** Bytes of memory that it needs, from address 0 on. */
    static final int MEMORY = 2 << 20;

    /** The port that each pass ends with. */
    static final int PORT = 0x80;

    /** Physical address of its first instruction. */
    static final long ENTRY = 0x1_0000;

    /** Physical address of its page tables. */
    static final long TABLES = 0x1000;

    private static final int PAGE = 0x1000;
    private static final int DATA = 0x10_0000;
    private static final int STACK = 0x18_0000;

    /** Times that the frequent instructions are executed for each of the others. */
    private static final int FREQUENT = 4;

    private static final int PRESENT_WRITABLE = 3;

    /** Operand sizes, as REX prefixes. */
    private static final int[] SIZES = {0x40, 0x48};

    /** The conditions of jumps: O and NO to LE and G, without P and NP. */
    private static final int[] CONDITIONS = {0x4, 0x5, 0x2, 0x3, 0x6, 0x7, 0x8, 0x9, 0xC, 0xD, 0xE, 0xF};

    /** Opcodes of ADD, OR, AND, SUB, XOR and CMP with register and memory. */
    private static final int[] ARITHMETIC = {0x01, 0x09, 0x21, 0x29, 0x31, 0x39};

    private final ByteArrayOutputStream code = new ByteArrayOutputStream();

    /** Which of the scratch registers comes next. */
    private int turn;

    private WarmUpProgram() {}

    /**
     * The memory of the guest.
     *
     * @return its first bytes; the others are zeros
     */
    static byte[] memory() {
        byte[] program = new WarmUpProgram().assemble();
        ByteBuffer memory = ByteBuffer.allocate((int) ENTRY + program.length).order(ByteOrder.LITTLE_ENDIAN);
        for (int level = 0; level < 3; level++) {
            memory.putLong((int) TABLES + level * PAGE, TABLES + (level + 1) * PAGE | PRESENT_WRITABLE);
        }
        for (int page = 0; page < MEMORY / PAGE; page++) {
            memory.putLong((int) TABLES + 3 * PAGE + 8 * page, (long) page * PAGE | PRESENT_WRITABLE);
        }
        memory.put((int) ENTRY, program);
        return memory.array();
    }

    private byte[] assemble() {
        emit(0xBC).emit32(STACK); // mov esp, STACK
        emit(0xBE).emit32(DATA); // mov esi, DATA
        emit(0xBF).emit32(16); // mov edi, 16
        emit(0x41, 0xBF).emit32(1); // mov r15d, 1
        int pass = code.size();
        emit(0x0F, 0x20, 0xD8); // mov rax, cr3
        emit(0x0F, 0x22, 0xD8); // mov cr3, rax
        emit(0x41, 0xBE).emit32(FREQUENT); // mov r14d, FREQUENT
        int again = code.size();
        for (int size : SIZES) {
            frequent(size);
        }
        emit(0x41, 0xFF, 0xCE); // dec r14d
        jumpBack(0x85, again); // jnz again
        for (int size : SIZES) {
            arithmetic(size);
            shifts(size);
        }
        bytes();
        branches();
        emit(0xE6, PORT); // out PORT, al
        emit(0xE9).emit32(pass - code.size() - 4); // jmp pass
        return code.toByteArray();
    }

    /** What half of all executed instructions are. */
    private void frequent(int rex) {
        emit(0xE8).emit32(0); // call the next instruction
        emit(0x48, 0x83, 0xC4, 8); // add rsp, 8
        for (int form = 0; form < 3; form++) {
            modRm(form, rex, 0x8B); // mov r, r/m
            modRm(form, rex, 0x89); // mov r/m, r
            modRm(form, rex, 0x3B); // cmp r, r/m
            jump(0x4 + form);
        }
        modRm(1, rex, 0x8D); // lea
        modRm(2, rex, 0x8D);
        modRm(0, rex, 0x85); // test
        jump(5);
        modRm(0, rex, 0x01);
        modRm(0, rex, 0x29);
        group(0, rex, 0x83, 0).emit(8); // add r, 8
        group(0, rex, 0x83, 7).emit(8); // cmp r, 8
        jump(7);
        group(0, rex, 0xC1, 4).emit(3); // shl r, 3
        group(0, rex, 0xC1, 5).emit(3); // shr r, 3
        emit(0x50, 0x53, 0x5B, 0x58); // push rax, push rbx, pop rbx, pop rax
        modRm(1, rex, 0x0F, 0xB6); // movzx r, byte
        jump(4);
    }

    private void arithmetic(int rex) {
        for (int form = 0; form < 3; form++) {
            for (int opcode : ARITHMETIC) {
                modRm(form, rex, opcode);
                modRm(form, rex, opcode | 2);
            }
            for (int operation = 0; operation < 8; operation++) {
                group(form, rex, 0x83, operation).emit(1);
                group(form, rex, 0x81, operation).emit32(0x1234);
            }
            modRm(form, rex, 0x85); // test
            group(form, rex, 0xF7, 0).emit32(0x10); // test r/m, imm
            group(form, rex, 0xF7, 2); // not
            group(form, rex, 0xF7, 3); // neg
            group(form, rex, 0xFF, 0); // inc
            group(form, rex, 0xFF, 1); // dec
            group(form, rex, 0xC7, 0).emit32(0x4321); // mov r/m, imm
            modRm(form, rex, 0x0F, 0xAF); // imul
            modRm(form, rex, 0x69).emit32(100);
            modRm(form, rex, 0x6B).emit(10);
            modRm(form, rex, 0x0F, 0xB6); // movzx, movsx
            modRm(form, rex, 0x0F, 0xB7);
            modRm(form, rex, 0x0F, 0xBE);
            modRm(form, rex, 0x0F, 0xBF);
            modRm(form, rex, 0x63);
            group(form, rex, 0x0F, 0xBA, 4).emit(3); // bt, bts, btr
            group(form, rex, 0x0F, 0xBA, 5).emit(3);
            group(form, rex, 0x0F, 0xBA, 6).emit(3);
            modRm(form, rex, 0x0F, 0xA3);
            modRm(form, rex, 0x0F, 0xBC); // bsf, bsr
            modRm(form, rex, 0x0F, 0xBD);
        }
        for (int accumulator = 0x05; accumulator <= 0x3D; accumulator += 8) {
            emit(rex, accumulator).emit32(0x77); // add eax, imm and so on
        }
        emit(0xB8).emit32(0x1000); // mov eax, imm
    }

    private void shifts(int rex) {
        for (int operation : new int[] {0, 1, 4, 5, 7}) {
            group(0, rex, 0xC1, operation).emit(5);
            group(0, rex, 0xD1, operation);
            group(0, rex, 0xD3, operation);
        }
        modRm(0, rex, 0x0F, 0xA4).emit(3); // shld, shrd
        modRm(0, rex, 0x0F, 0xAC).emit(3);
        for (int condition : CONDITIONS) {
            modRm(0, rex, 0x0F, 0x40 | condition); // cmov
        }
        emit(rex, 0x99); // cdq
        emit(rex, 0x98); // cdqe
    }

    private void bytes() {
        for (int form = 0; form < 3; form++) {
            for (int opcode : ARITHMETIC) {
                modRm(form, 0x40, opcode - 1);
                modRm(form, 0x40, opcode + 1);
            }
            for (int operation = 0; operation < 8; operation++) {
                group(form, 0x40, 0x80, operation).emit(1);
            }
            modRm(form, 0x40, 0x88); // mov
            modRm(form, 0x40, 0x8A);
            modRm(form, 0x40, 0x84); // test
            group(form, 0x40, 0xF6, 0).emit(2);
            group(form, 0x40, 0xC6, 0).emit(7);
        }
        for (int condition : CONDITIONS) {
            group(0, 0x40, 0x0F, 0x90 | condition, 0); // setcc
        }
        emit(0x3C, 1, 0x24, 0x7F, 0xA8, 1, 0x0C, 2); // cmp, and, test, or with AL
    }

    /** Comparisons and the jumps behind them. */
    private void branches() {
        for (int condition : CONDITIONS) {
            for (int size : SIZES) {
                modRm(0, size, 0x39);
                jump(condition);
                modRm(1, size, 0x39);
                jump(condition);
                modRm(1, size, 0x3B);
                jump(condition);
                group(0, size, 0x83, 7).emit(5);
                jump(condition);
                group(1, size, 0x83, 7).emit(5);
                jump(condition);
                group(0, size, 0x81, 7).emit32(500);
                jump(condition);
            }
            group(1, 0x40, 0x80, 7).emit(1);
            jump(condition);
            emit(0x3C, 5);
            jump(condition);
            modRm(0, 0x40, 0x39);
            jumpFar(condition);
        }
        for (int condition : new int[] {4, 5, 8, 9}) {
            for (int size : SIZES) {
                modRm(0, size, 0x85);
                jump(condition);
                modRm(0, size, 0x85);
                jumpFar(condition);
                group(0, size, 0x83, 4).emit(7); // and
                jump(condition);
                group(0, size, 0x83, 5).emit(1); // sub
                jump(condition);
            }
            modRm(0, 0x40, 0x84);
            jump(condition);
            group(1, 0x40, 0xF6, 0).emit(4);
            jump(condition);
            emit(0xA8, 4);
            jump(condition);
        }
    }

    /** A conditional jump to the next instruction. */
    private void jump(int condition) {
        emit(0x70 | condition, 0);
    }

    private void jumpFar(int condition) {
        emit(0x0F, 0x80 | condition).emit32(0);
    }

    private void jumpBack(int opcode, int target) {
        emit(0x0F, opcode).emit32(target - code.size() - 4);
    }

    /** An instruction with two operands: the form of the second is a register, [rsi+d], or [rsi+rdi*4+d]. */
    private WarmUpProgram modRm(int form, int rex, int... opcode) {
        return operands(form, next(), rex, opcode);
    }

    /** An instruction whose ModRM byte holds a part of the opcode, its last element. */
    private WarmUpProgram group(int form, int rex, int... opcode) {
        int[] bytes = Arrays.copyOf(opcode, opcode.length - 1);
        return operands(form, opcode[opcode.length - 1], rex, bytes);
    }

    private WarmUpProgram operands(int form, int reg, int rex, int... opcode) {
        emit(rex).emit(opcode);
        int displacement = 8 * (turn & 7);
        return switch (form) {
            case 0 -> emit(0xC0 | reg << 3 | next());
            case 1 -> emit(0x46 | reg << 3, displacement);
            default -> emit(0x44 | reg << 3, 0xBE, displacement);
        };
    }

    /** RAX, RCX, RDX and RBX by turns. */
    private int next() {
        return turn++ & 3;
    }

    private WarmUpProgram emit(int... bytes) {
        for (int b : bytes) {
            code.write(b);
        }
        return this;
    }

    private WarmUpProgram emit32(int value) {
        return emit(value, value >> 8, value >> 16, value >> 24);
    }
}
