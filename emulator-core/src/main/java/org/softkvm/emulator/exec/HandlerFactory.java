package org.softkvm.emulator.exec;

import java.lang.invoke.MethodHandles;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.util.Arrays;
import org.objectweb.asm.ClassWriter;
import org.objectweb.asm.Label;
import org.objectweb.asm.MethodVisitor;
import org.objectweb.asm.Opcodes;
import org.objectweb.asm.Type;
import org.softkvm.emulator.cpu.Cpu;
import org.softkvm.emulator.cpu.Flags;
import org.softkvm.emulator.decode.Insn;
import org.softkvm.emulator.decode.Op;
import org.softkvm.emulator.decode.OpTable;
import org.softkvm.emulator.decode.Operand;
import org.softkvm.emulator.simd.Vex;

/**
 * Makes the interpreter's handlers from the rows of the instruction table: for each row and operand shape that a guest
 * uses, one small hidden class with the operand accesses inlined around the call of the semantics method.
 *
 * <p>Generated rather than written, because there are several thousand combinations of row, size and address form, and
 * a generic handler would interpret at every execution what decoding already knows.
 */
public final class HandlerFactory {
    private static final String CPU = Type.getInternalName(Cpu.class);
    private static final String INSN = Type.getInternalName(Insn.class);
    private static final String HANDLER = Type.getInternalName(Handler.class);
    private static final String BRANCH = Type.getInternalName(Branch.class);
    private static final String SIMD = Type.getInternalName(org.softkvm.emulator.simd.Simd.class);
    private static final String VEX = Type.getInternalName(Vex.class);
    private static final String EXEC = "(L" + CPU + ";L" + INSN + ";)V";

    /** Address forms of the ModRM operand, part of the shape. */
    private static final int FORM_REGISTER = 0;

    private static final int FORM_BASE = 1;
    private static final int FORM_FULL = 2;
    private static final int FORM_SEGMENTED = 3;

    /** Part of the shape: a locked read-modify-write. */
    private static final int LOCKED = 16;
    /** Conditions of a jump. */
    private static final int CONDITIONS = 16;

    private static final int ANY_CONDITION = CONDITIONS;

    /** Local variables of the generated method: the linear address, then the operand values. */
    private static final int LOCAL_ADDRESS = 3;

    private static final int LOCAL_A = 5;
    private static final int LOCAL_B = 7;
    private static final int LOCAL_RESULT = 9;
    /** Locked operations: the flags before the first try. */
    private static final int LOCAL_FOP = 15;

    private static final int LOCAL_FA = 16;
    private static final int LOCAL_FB = 18;

    private HandlerFactory() {}

    /**
     * Makes one handler that every guest needs, so that the first instruction does not wait for ASM: no archive of the JVM holds
     * classes of its age in verified form, and to verify those that a handler takes 15 ms. A machine is made while its image
     * is still being read.
     */
    public static void prepare() {
        for (Op op : OpTable.INSTANCE.all()) {
            if (op.mnemonic().equals("mov") && op.kind() == Op.Kind.VALUE && op.isSized()) {
                Insn move = new Insn();
                move.op = op;
                move.opSize = 4;
                handler(move, 32);
                return;
            }
        }
    }

    /**
     * The handler of an instruction.
     *
     * @param i the decoded instruction
     * @param codeBits code size
     * @return a handler shared by all instructions of the same shape
     */
    public static Handler handler(Insn i, int codeBits) {
        Op op = i.op;
        int form = form(i, codeBits);
        int size = sizeIndex(op, i.opSize);
        int shape = switch (op.kind()) {
            case VALUE, SETCC, CMOV -> (locked(i) ? LOCKED : 0) | size << 2 | form;
            case JCC, JMP -> codeBits == 64 ? 1 : 0;
            case STATE, LANES -> 0;
        };
        Handler handler = op.handlers[shape];
        if (handler == null) {
            handler = make(op, i.opSize, form, codeBits, -1, locked(i));
            // Two vcpus may both make one; either will do.
            op.handlers[shape] = handler;
        }
        return handler;
    }

    /**
     * A handler that executes an instruction with lazy flags (CMP, TEST, SUB, AND and the like) and the conditional jump
     * behind it, whose target is in the first one's {@link Insn#target}. One dispatch less, and the condition is
     * computed from the operands at hand with the flag operation known to the JIT compiler.
     *
     * @param first the first instruction
     * @param jump the jump
     * @param codeBits code size
     * @param own whether the handler is for this condition only, which is the fastest where a guest is interpreted for
     *     long; else it is for all of them, and reads {@link Insn#jumpCondition}: a boot needs 60 handlers then and not
     *     600, each of which costs a class that HotSpot has to load and to compile
     * @return the handler, or null where the pair cannot be fused
     */
    public static Handler fused(Insn first, Insn jump, int codeBits, boolean own) {
        if (jump.op.kind() != Op.Kind.JCC || first.op.kind() != Op.Kind.VALUE || first.op.flagOp() < 0 || first.lock) {
            return null;
        }
        Op op = first.op;
        int form = form(first, codeBits);
        int condition = own ? jump.op.condition() : ANY_CONDITION;
        int shape = ((codeBits == 64 ? 1 : 0) << 4 | sizeIndex(op, first.opSize) << 2 | form) * (CONDITIONS + 1)
                + condition;
        Handler[] fused = op.fusedHandlers;
        if (fused == null) {
            fused = new Handler[2 * LOCKED * (CONDITIONS + 1)];
            op.fusedHandlers = fused;
        }
        Handler handler = fused[shape];
        if (handler == null) {
            handler = make(op, first.opSize, form, codeBits, condition, false);
            // As above: what two vcpus make at the same time is the same.
            fused[shape] = handler;
        }
        return handler;
    }

    /** A LOCK prefix that counts: the operation is a value method on memory, done by compare-and-set. */
    private static boolean locked(Insn i) {
        return i.lock && i.mem && i.op.isLockable() && i.op.kind() == Op.Kind.VALUE;
    }

    private static int form(Insn i, int codeBits) {
        return !i.mem
                ? FORM_REGISTER
                : codeBits != 64 || i.seg >= Cpu.FS || i.addrSize != 8
                        ? FORM_SEGMENTED
                        : i.index == Cpu.ZERO ? FORM_BASE : FORM_FULL;
    }

    /** The JDK copies a class's methods each time they are asked for. */
    private static final ClassValue<Method[]> STATIC_METHODS = new ClassValue<>() {
        @Override
        protected Method[] computeValue(Class<?> type) {
            return Arrays.stream(type.getDeclaredMethods())
                    .filter(m -> Modifier.isStatic(m.getModifiers()))
                    .toArray(Method[]::new);
        }
    };

    private static int sizeIndex(Op op, int opSize) {
        return !op.isSized() ? 0 : opSize == 2 ? 1 : opSize == 4 ? 2 : 3;
    }

    private static Handler make(Op op, int opSize, int form, int codeBits, int jumpCondition, boolean locked) {
        ClassWriter w = new ClassWriter(locked ? ClassWriter.COMPUTE_FRAMES : ClassWriter.COMPUTE_MAXS);
        String name = HANDLER + "$" + op.mnemonic().replaceAll("[^a-z0-9]", "_");
        w.visit(Opcodes.V21, Opcodes.ACC_FINAL | Opcodes.ACC_SUPER, name, null, HANDLER, null);
        instance(w, name);
        MethodVisitor m = w.visitMethod(Opcodes.ACC_PUBLIC, "exec", EXEC, null, null);
        m.visitCode();
        new Emitter(m, op, opSize, form, codeBits, jumpCondition, locked).emit();
        m.visitInsn(Opcodes.RETURN);
        m.visitMaxs(0, 0);
        m.visitEnd();
        w.visitEnd();
        return define(op, w.toByteArray());
    }

    /** Where the class that is being initialized leaves its only instance, which is cheaper than reflection. */
    static Handler made;

    private static synchronized Handler define(Op op, byte[] bytes) {
        try {
            MethodHandles.lookup().defineHiddenClass(bytes, true);
            return made;
        } catch (IllegalAccessException e) {
            throw new IllegalStateException("handler of " + op, e);
        }
    }

    /** The constructor, and a static initializer that calls it. */
    private static void instance(ClassWriter w, String name) {
        MethodVisitor init = w.visitMethod(0, "<init>", "()V", null, null);
        init.visitCode();
        init.visitVarInsn(Opcodes.ALOAD, 0);
        init.visitMethodInsn(Opcodes.INVOKESPECIAL, HANDLER, "<init>", "()V", false);
        init.visitInsn(Opcodes.RETURN);
        init.visitMaxs(0, 0);
        init.visitEnd();
        MethodVisitor m = w.visitMethod(Opcodes.ACC_STATIC, "<clinit>", "()V", null, null);
        m.visitCode();
        m.visitTypeInsn(Opcodes.NEW, name);
        m.visitInsn(Opcodes.DUP);
        m.visitMethodInsn(Opcodes.INVOKESPECIAL, name, "<init>", "()V", false);
        m.visitFieldInsn(Opcodes.PUTSTATIC, Type.getInternalName(HandlerFactory.class), "made", "L" + HANDLER + ";");
        m.visitInsn(Opcodes.RETURN);
        m.visitMaxs(0, 0);
        m.visitEnd();
    }

    /**
     * The Java type of a value operand.
     *
     * @param o the operand
     * @param opSize operand size in bytes
     * @return long for 64 bits, else int
     */
    public static Class<?> parameter(Operand o, int opSize) {
        return o.size(opSize) == 8 && o != Operand.CL && o != Operand.Ib ? long.class : int.class;
    }

    /**
     * Finds the method of a VALUE row.
     *
     * @param op the row
     * @param result type of the result, void where nothing is written
     * @param parameters types of the operands that are read
     * @param bits operand size, part of the name where the row's method is one of several
     * @return the method
     */
    public static Method find(Op op, Class<?> result, Class<?>[] parameters, int bits) {
        for (String name : new String[] {op.method() + bits, op.method()}) {
            for (Method m : STATIC_METHODS.get(op.owner())) {
                if (!m.getName().equals(name)) {
                    continue;
                }
                Class<?>[] have = m.getParameterTypes();
                int skip = have.length > 0 && have[0] == Cpu.class ? 1 : 0;
                if (have.length - skip != parameters.length
                        || result != void.class && m.getReturnType() != result
                        || result == void.class && m.getReturnType() != void.class && op.flagOp() < 0) {
                    continue;
                }
                boolean same = true;
                for (int k = 0; k < parameters.length; k++) {
                    same &= have[k + skip] == parameters[k];
                }
                if (same) {
                    return m;
                }
            }
        }
        throw new IllegalStateException("no method for " + op + " at " + bits + " bits: "
                + op.owner().getName() + "." + op.method() + Arrays.toString(parameters) + " -> " + result);
    }

    /** Emits the body of one handler. */
    private static final class Emitter {
        private final MethodVisitor m;
        private final Op op;
        private final int opSize;
        private final int form;
        private final int codeBits;
        private final int jumpCondition;
        private final boolean locked;

        Emitter(MethodVisitor m, Op op, int opSize, int form, int codeBits, int jumpCondition, boolean locked) {
            this.locked = locked;
            this.jumpCondition = jumpCondition;
            this.m = m;
            this.op = op;
            this.opSize = opSize;
            this.form = form;
            this.codeBits = codeBits;
        }

        void emit() {
            switch (op.kind()) {
                case STATE -> {
                    switch (op.vectorForm()) {
                        case NONE -> state(op.owner(), op.method());
                        case LANES -> vexLanes();
                        case HALVES -> halves();
                        case DIRECT -> direct();
                    }
                }
                case JCC -> branch(codeBits == 64 ? "jcc64" : "jcc");
                case JMP -> {
                    cpu();
                    insn();
                    m.visitMethodInsn(Opcodes.INVOKESTATIC, BRANCH, codeBits == 64 ? "jmp64" : "jmp", EXEC, false);
                }
                case SETCC -> setcc();
                case CMOV -> cmov();
                case VALUE -> value();
                case LANES -> lanes();
            }
        }

        private void state(Class<?> owner, String method) {
            cpu();
            insn();
            m.visitMethodInsn(Opcodes.INVOKESTATIC, Type.getInternalName(owner), method, EXEC, false);
        }

        private void direct() {
            cpu();
            m.visitMethodInsn(Opcodes.INVOKESTATIC, VEX, "check", "(L" + CPU + ";)V", false);
            state(op.vectorOwner(), op.vectorMethod());
            Operand destination = op.operands().get(0);
            if (op.writesDestination() && destination == Operand.V) {
                state(Vex.class, "clearUpper");
            } else if (op.writesDestination() && destination == Operand.Wq) {
                state(Vex.class, "clearUpperRm");
            }
        }

        private void halves() {
            boolean wide = op.isWide();
            String shape = op.operands().contains(Operand.W) || op.operands().contains(Operand.U) ? "" : "Scalar";
            state(Vex.class, wide ? op.isFloating() ? "beginJoined" : "begin256" : "begin" + shape);
            half(1);
            if (wide) {
                cpu();
                m.visitMethodInsn(Opcodes.INVOKESTATIC, VEX, "middle", "(L" + CPU + ";)V", false);
                half(2);
            }
            state(Vex.class, wide ? op.isFloating() ? "endJoined" : "end256" : "end");
        }

        private void half(int depth) {
            cpu();
            insn();
            for (int k = 0; k < depth; k++) {
                field("inner", "L" + INSN + ";");
            }
            m.visitMethodInsn(
                    Opcodes.INVOKESTATIC, Type.getInternalName(op.vectorOwner()), op.vectorMethod(), EXEC, false);
        }

        /** Destination, first source and second source by the row's operands; a lane at a time. */
        private void vexLanes() {
            boolean wide = op.isWide();
            boolean immediate = op.operands().get(0) == Operand.H;
            boolean count = op.operands().contains(Operand.Wx);
            String destination = immediate ? "vvvv" : "reg";
            String first = immediate ? "rm" : "vvvv";
            state(Vex.class, immediate ? "immediate" : count ? "count" : wide ? "source256" : "source128");
            cpu();
            m.visitFieldInsn(Opcodes.GETFIELD, CPU, "v", "[J");
            m.visitVarInsn(Opcodes.ASTORE, 3);
            quarters(destination, 4);
            quarters(first, 5);
            for (int k = 0; k < 4; k++) {
                m.visitVarInsn(Opcodes.ALOAD, 3);
                m.visitVarInsn(Opcodes.ILOAD, 4);
                constant(k);
                m.visitInsn(Opcodes.IADD);
                if (k < 2 || wide) {
                    m.visitVarInsn(Opcodes.ALOAD, 3);
                    m.visitVarInsn(Opcodes.ILOAD, 5);
                    constant(k);
                    m.visitInsn(Opcodes.IADD);
                    m.visitInsn(Opcodes.LALOAD);
                    cpu();
                    m.visitFieldInsn(Opcodes.GETFIELD, CPU, immediate || count ? "t0" : "t" + k, "J");
                    m.visitMethodInsn(
                            Opcodes.INVOKESTATIC,
                            Type.getInternalName(op.vectorOwner()),
                            op.vectorMethod(),
                            "(JJ)J",
                            false);
                } else {
                    m.visitInsn(Opcodes.LCONST_0);
                }
                m.visitInsn(Opcodes.LASTORE);
            }
        }

        private void quarters(String register, int local) {
            insnInt(register);
            m.visitInsn(Opcodes.ICONST_2);
            m.visitInsn(Opcodes.ISHL);
            m.visitVarInsn(Opcodes.ISTORE, local);
        }

        private void cpu() {
            m.visitVarInsn(Opcodes.ALOAD, 1);
        }

        private void insn() {
            m.visitVarInsn(Opcodes.ALOAD, 2);
        }

        private void constant(int v) {
            if (v >= -1 && v <= 5) {
                m.visitInsn(Opcodes.ICONST_0 + v);
            } else if (v == (byte) v) {
                m.visitIntInsn(Opcodes.BIPUSH, v);
            } else {
                m.visitIntInsn(Opcodes.SIPUSH, v);
            }
        }

        private void branch(String method) {
            cpu();
            insn();
            constant(op.condition());
            m.visitMethodInsn(Opcodes.INVOKESTATIC, BRANCH, method, "(L" + CPU + ";L" + INSN + ";I)V", false);
        }

        private void field(String name, String type) {
            m.visitFieldInsn(Opcodes.GETFIELD, INSN, name, type);
        }

        private void insnInt(String name) {
            insn();
            field(name, "B");
        }

        private void condition() {
            cpu();
            constant(op.condition());
            m.visitMethodInsn(Opcodes.INVOKESTATIC, BRANCH, "condition", "(L" + CPU + ";I)I", false);
        }

        private void setcc() {
            if (form != FORM_REGISTER) {
                address(1, true);
            }
            condition();
            m.visitVarInsn(Opcodes.ISTORE, LOCAL_RESULT);
            store(op.operands().get(0), 1);
        }

        private void cmov() {
            int size = op.operands().get(0).size(opSize);
            if (form != FORM_REGISTER) {
                address(size, false);
            }
            cpu();
            constant(op.condition());
            load(op.operands().get(1), size);
            load(op.operands().get(0), size);
            String t = size == 8 ? "J" : "I";
            m.visitMethodInsn(Opcodes.INVOKESTATIC, BRANCH, "select", "(L" + CPU + ";I" + t + t + ")" + t, false);
            m.visitVarInsn(size == 8 ? Opcodes.LSTORE : Opcodes.ISTORE, LOCAL_RESULT);
            store(op.operands().get(0), size);
        }

        private void lanes() {
            boolean mmx = op.operands().get(0) == Operand.P;
            cpu();
            insn();
            m.visitMethodInsn(Opcodes.INVOKESTATIC, SIMD, mmx ? "mmxSource" : "source", EXEC, false);
            if (mmx) {
                cpu();
                insn();
                cpu();
                insn();
                m.visitMethodInsn(
                        Opcodes.INVOKESTATIC, SIMD, "mmxDestination", "(L" + CPU + ";L" + INSN + ";)J", false);
                lane("t0");
                m.visitMethodInsn(Opcodes.INVOKESTATIC, SIMD, "mmxStore", "(L" + CPU + ";L" + INSN + ";J)V", false);
                return;
            }
            cpu();
            m.visitFieldInsn(Opcodes.GETFIELD, CPU, "v", "[J");
            m.visitVarInsn(Opcodes.ASTORE, 3);
            insnInt("reg");
            m.visitInsn(Opcodes.ICONST_2);
            m.visitInsn(Opcodes.ISHL);
            m.visitVarInsn(Opcodes.ISTORE, 4);
            for (int k = 0; k < 2; k++) {
                for (int twice = 0; twice < 2; twice++) {
                    m.visitVarInsn(Opcodes.ALOAD, 3);
                    m.visitVarInsn(Opcodes.ILOAD, 4);
                    constant(k);
                    m.visitInsn(Opcodes.IADD);
                }
                m.visitInsn(Opcodes.LALOAD);
                lane(k == 0 ? "t0" : "t1");
                m.visitInsn(Opcodes.LASTORE);
            }
        }

        /** Applies the lane function to the value on the stack and a scratch field. */
        private void lane(String scratch) {
            cpu();
            m.visitFieldInsn(Opcodes.GETFIELD, CPU, scratch, "J");
            m.visitMethodInsn(Opcodes.INVOKESTATIC, Type.getInternalName(op.owner()), op.method(), "(JJ)J", false);
        }

        private void value() {
            var operands = op.operands();
            Operand destination = operands.get(0);
            boolean writes = op.writesDestination();
            int destinationSize = destination.size(opSize);
            boolean rmw = false;
            for (int k = 0; k < operands.size(); k++) {
                Operand o = operands.get(k);
                if (isMemory(o)) {
                    boolean write = k == 0 && writes;
                    rmw = write && op.readsDestination();
                    address(o.size(opSize), write);
                }
            }
            int first = op.readsDestination() ? 0 : 1;
            int count = operands.size() - first;
            Class<?>[] parameters = new Class<?>[count];
            for (int k = 0; k < count; k++) {
                parameters[k] = parameter(operands.get(first + k), opSize);
            }
            Class<?> result = !writes ? void.class : destinationSize == 8 ? long.class : int.class;
            boolean plainMove = op.method().equals("mov");
            boolean lazyCompare = !writes && op.flagOp() >= 0 && (op.flagOp() & ~3) != Flags.LOGIC;
            Method method = plainMove || lazyCompare
                    ? null
                    : find(op, !writes && op.flagOp() >= 0 ? (parameters[0]) : result, parameters, destinationSize * 8);
            boolean takesCpu =
                    method != null && method.getParameterCount() > 0 && method.getParameterTypes()[0] == Cpu.class;
            boolean records = op.flagOp() >= 0;
            Label again = null;
            if (locked) {
                again = new Label();
                if (takesCpu) {
                    saveFlags();
                }
                m.visitLabel(again);
                if (takesCpu) {
                    restoreFlags();
                }
            }
            // The operands, kept in locals where the flags need them.
            for (int k = 0; k < count; k++) {
                Operand o = operands.get(first + k);
                if (rmw && first + k == 0) {
                    rmwLoad(destinationSize);
                } else {
                    load(o, o.size(opSize));
                }
                int local = k == 0 ? LOCAL_A : k == 1 ? LOCAL_B : LOCAL_RESULT + 2 + 2 * (k - 2);
                m.visitVarInsn(parameters[k] == long.class ? Opcodes.LSTORE : Opcodes.ISTORE, local);
            }
            if (lazyCompare) {
                record(parameters);
                return;
            }
            if (takesCpu) {
                cpu();
            }
            for (int k = 0; k < count; k++) {
                int local = k == 0 ? LOCAL_A : k == 1 ? LOCAL_B : LOCAL_RESULT + 2 + 2 * (k - 2);
                m.visitVarInsn(parameters[k] == long.class ? Opcodes.LLOAD : Opcodes.ILOAD, local);
            }
            Class<?> returned;
            if (method != null) {
                m.visitMethodInsn(
                        Opcodes.INVOKESTATIC,
                        Type.getInternalName(op.owner()),
                        method.getName(),
                        Type.getMethodDescriptor(method),
                        false);
                returned = method.getReturnType();
            } else {
                returned = parameters[0];
            }
            if (returned == void.class) {
                return;
            }
            m.visitVarInsn(returned == long.class ? Opcodes.LSTORE : Opcodes.ISTORE, LOCAL_RESULT);
            if (locked) {
                storeLocked(destinationSize, again);
            } else if (writes) {
                store(destination, destinationSize);
            }
            if (records) {
                record(parameters);
            }
        }

        private void saveFlags() {
            cpu();
            m.visitFieldInsn(Opcodes.GETFIELD, CPU, "fop", "I");
            m.visitVarInsn(Opcodes.ISTORE, LOCAL_FOP);
            cpu();
            m.visitFieldInsn(Opcodes.GETFIELD, CPU, "fa", "J");
            m.visitVarInsn(Opcodes.LSTORE, LOCAL_FA);
            cpu();
            m.visitFieldInsn(Opcodes.GETFIELD, CPU, "fb", "J");
            m.visitVarInsn(Opcodes.LSTORE, LOCAL_FB);
        }

        /** A second try must find the flags as they were. */
        private void restoreFlags() {
            cpu();
            m.visitVarInsn(Opcodes.ILOAD, LOCAL_FOP);
            m.visitVarInsn(Opcodes.LLOAD, LOCAL_FA);
            m.visitVarInsn(Opcodes.LLOAD, LOCAL_FB);
            m.visitMethodInsn(Opcodes.INVOKEVIRTUAL, CPU, "setLazy", "(IJJ)V", false);
        }

        /** Stores where memory still holds what was read, else goes back to the reading. */
        private void storeLocked(int size, Label again) {
            int load = size == 8 ? Opcodes.LLOAD : Opcodes.ILOAD;
            String t = size == 8 ? "J" : "I";
            cpu();
            m.visitVarInsn(Opcodes.LLOAD, LOCAL_ADDRESS);
            m.visitVarInsn(load, LOCAL_A);
            m.visitVarInsn(load, LOCAL_RESULT);
            m.visitMethodInsn(Opcodes.INVOKEVIRTUAL, CPU, "cas" + size * 8, "(J" + t + t + ")Z", false);
            m.visitJumpInsn(Opcodes.IFEQ, again);
        }

        private void record(Class<?>[] parameters) {
            int size = op.operands().get(0).size(opSize);
            int kind = op.flagOp() & ~3;
            int flagOp = kind | (size == 1 ? 0 : size == 2 ? 1 : size == 4 ? 2 : 3);
            cpu();
            constant(flagOp);
            flagOperands(kind, size, parameters);
            m.visitMethodInsn(Opcodes.INVOKEVIRTUAL, CPU, "setLazy", "(IJJ)V", false);
            if (jumpCondition >= 0) {
                cpu();
                insn();
                if (jumpCondition == ANY_CONDITION) {
                    insn();
                    m.visitFieldInsn(Opcodes.GETFIELD, INSN, "jumpCondition", "B");
                } else {
                    constant(jumpCondition);
                }
                constant(flagOp);
                flagOperands(kind, size, parameters);
                m.visitMethodInsn(
                        Opcodes.INVOKESTATIC,
                        BRANCH,
                        codeBits == 64 ? "fused64" : "fused",
                        "(L" + CPU + ";L" + INSN + ";IIJJ)V",
                        false);
            }
        }

        private void flagOperands(int kind, int size, Class<?>[] parameters) {
            if (kind == Flags.LOGIC) {
                longLocal(LOCAL_RESULT, size == 8 ? long.class : int.class);
                m.visitInsn(Opcodes.LCONST_0);
            } else {
                longLocal(LOCAL_A, parameters[0]);
                longLocal(LOCAL_B, parameters[1]);
            }
        }

        private void longLocal(int local, Class<?> type) {
            if (type == long.class) {
                m.visitVarInsn(Opcodes.LLOAD, local);
            } else {
                m.visitVarInsn(Opcodes.ILOAD, local);
                m.visitInsn(Opcodes.I2L);
            }
        }

        private boolean isMemory(Operand o) {
            return form != FORM_REGISTER && (o.mayBeMemory() || o == Operand.Ob || o == Operand.Ov);
        }

        /** Leaves the linear address in its local. */
        private void address(int size, boolean write) {
            if (form == FORM_SEGMENTED) {
                cpu();
                insn();
                constant(size);
                m.visitMethodInsn(
                        Opcodes.INVOKEVIRTUAL, CPU, write ? "eaWrite" : "eaRead", "(L" + INSN + ";I)J", false);
            } else {
                register("base");
                if (form == FORM_FULL) {
                    register("index");
                    insnInt("scale");
                    m.visitInsn(Opcodes.LSHL);
                    m.visitInsn(Opcodes.LADD);
                }
                insn();
                field("disp", "J");
                m.visitInsn(Opcodes.LADD);
            }
            m.visitVarInsn(Opcodes.LSTORE, LOCAL_ADDRESS);
        }

        /** Pushes a whole general register named by a field of the instruction. */
        private void register(String fieldName) {
            cpu();
            m.visitFieldInsn(Opcodes.GETFIELD, CPU, "r", "[J");
            insnInt(fieldName);
            m.visitInsn(Opcodes.LALOAD);
        }

        private void rmwLoad(int size) {
            cpu();
            m.visitVarInsn(Opcodes.LLOAD, LOCAL_ADDRESS);
            m.visitMethodInsn(Opcodes.INVOKEVIRTUAL, CPU, "rmw" + size * 8, size == 8 ? "(J)J" : "(J)I", false);
        }

        private void load(Operand o, int size) {
            if (isMemory(o)) {
                cpu();
                m.visitVarInsn(Opcodes.LLOAD, LOCAL_ADDRESS);
                m.visitMethodInsn(Opcodes.INVOKEVIRTUAL, CPU, "read" + size * 8, size == 8 ? "(J)J" : "(J)I", false);
                return;
            }
            switch (o) {
                case Eb, Ew, Ed, Eq, Ev, Ey -> general("rm", size);
                case Gb, Gw, Gd, Gq, Gv, Gy, Zb, Zv -> general("reg", size);
                case By -> general("vvvv", size);
                case Ib, Ibs, Iw, Iz, Iv -> {
                    insn();
                    field("imm", "J");
                    if (size != 8 || o == Operand.Ib) {
                        m.visitInsn(Opcodes.L2I);
                        if (size == 1) {
                            constant(255);
                            m.visitInsn(Opcodes.IAND);
                        } else if (size == 2) {
                            m.visitLdcInsn(0xFFFF);
                            m.visitInsn(Opcodes.IAND);
                        }
                    }
                }
                case AL, CL -> {
                    cpu();
                    m.visitFieldInsn(Opcodes.GETFIELD, CPU, "r", "[J");
                    constant(o == Operand.AL ? Cpu.RAX : Cpu.RCX);
                    m.visitInsn(Opcodes.LALOAD);
                    m.visitInsn(Opcodes.L2I);
                    m.visitIntInsn(Opcodes.SIPUSH, 255);
                    m.visitInsn(Opcodes.IAND);
                }
                case rAX -> {
                    cpu();
                    m.visitFieldInsn(Opcodes.GETFIELD, CPU, "r", "[J");
                    constant(Cpu.RAX);
                    m.visitInsn(Opcodes.LALOAD);
                    cut(size);
                }
                case One -> m.visitInsn(Opcodes.ICONST_1);
                default -> throw new IllegalStateException(o + " as a value operand of " + op);
            }
        }

        private void cut(int size) {
            if (size != 8) {
                m.visitInsn(Opcodes.L2I);
                if (size == 2) {
                    m.visitLdcInsn(0xFFFF);
                    m.visitInsn(Opcodes.IAND);
                }
            }
        }

        private void general(String fieldName, int size) {
            if (size == 1) {
                cpu();
                insnInt(fieldName);
                m.visitMethodInsn(Opcodes.INVOKEVIRTUAL, CPU, "get8", "(I)I", false);
            } else {
                register(fieldName);
                cut(size);
            }
        }

        /** Stores the result local. */
        private void store(Operand o, int size) {
            int load = size == 8 ? Opcodes.LLOAD : Opcodes.ILOAD;
            String t = size == 8 ? "J" : "I";
            if (isMemory(o)) {
                cpu();
                m.visitVarInsn(Opcodes.LLOAD, LOCAL_ADDRESS);
                m.visitVarInsn(load, LOCAL_RESULT);
                m.visitMethodInsn(Opcodes.INVOKEVIRTUAL, CPU, "write" + size * 8, "(J" + t + ")V", false);
                return;
            }
            String register = switch (o) {
                case Eb, Ew, Ed, Eq, Ev, Ey -> "rm";
                case Gb, Gw, Gd, Gq, Gv, Gy, Zb, Zv -> "reg";
                case By -> "vvvv";
                case AL, rAX -> null;
                default -> throw new IllegalStateException(o + " as the destination of " + op);
            };
            if (size == 8) {
                cpu();
                m.visitFieldInsn(Opcodes.GETFIELD, CPU, "r", "[J");
            } else {
                cpu();
            }
            if (register == null) {
                constant(Cpu.RAX);
            } else {
                insnInt(register);
            }
            m.visitVarInsn(load, LOCAL_RESULT);
            if (size == 8) {
                m.visitInsn(Opcodes.LASTORE);
            } else {
                m.visitMethodInsn(Opcodes.INVOKEVIRTUAL, CPU, "set" + size * 8, "(II)V", false);
            }
        }
    }
}
