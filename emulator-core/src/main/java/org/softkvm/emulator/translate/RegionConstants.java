package org.softkvm.emulator.translate;

import java.util.List;
import org.objectweb.asm.ClassWriter;
import org.objectweb.asm.MethodVisitor;
import org.objectweb.asm.Opcodes;
import org.objectweb.asm.Type;
import org.softkvm.emulator.cpu.Cpu;
import org.softkvm.emulator.decode.Insn;

/**
 * What is constant in the code of a region: its vcpu, the vcpu's arrays, and the instructions that it may be left in front
 * of. The code reads them from static final fields, which HotSpot turns into addresses.
 *
 * <p>A region's class sets its fields from {@link Translator#handover} while it is initialized, and leaves its only
 * instance there. Class data and reflection, which do the same, had a sixth of the translator's samples.
 */
final class RegionConstants {
    private static final String ARRAY = "[J";

    private record Constant(String name, String descriptor) {}

    private static final List<Constant> ALL = List.of(
            new Constant("CPU", "L" + Code.CPU + ";"),
            new Constant("I", "[L" + Code.INSN + ";"),
            new Constant("R", ARRAY),
            new Constant("TR", ARRAY),
            new Constant("TW", ARRAY),
            new Constant("SB", ARRAY),
            new Constant("RL", ARRAY),
            new Constant("RH", ARRAY),
            new Constant("WL", ARRAY),
            new Constant("WH", ARRAY),
            new Constant("V", ARRAY));

    /** Internal name of the region's class. */
    private final String owner;
    /** Bits by index: what the code reads. */
    private int used;

    RegionConstants(String owner) {
        this.owner = owner;
    }

    /** The values for a vcpu and the instructions of a region, and a place behind them for the instance. */
    static Object[] handover(Cpu c, Insn[] insns) {
        return new Object[] {
            c,
            insns,
            c.r,
            c.tlbRead,
            c.tlbWrite,
            c.segBase,
            c.segReadLow,
            c.segReadHigh,
            c.segWriteLow,
            c.segWriteHigh,
            c.v,
            null
        };
    }

    /** What the region's class has left in its {@link #handover}. */
    static Region instance(Object[] handover) {
        return (Region) handover[ALL.size()];
    }

    /** Pushes a constant. */
    void push(MethodVisitor m, String name) {
        int k = 0;
        while (!ALL.get(k).name.equals(name)) {
            k++;
        }
        used |= 1 << k;
        m.visitFieldInsn(Opcodes.GETSTATIC, owner, name, ALL.get(k).descriptor);
    }

    /** Adds the fields that were pushed, and the static initializer. */
    void define(ClassWriter w) {
        MethodVisitor m = w.visitMethod(Opcodes.ACC_STATIC, "<clinit>", "()V", null, null);
        m.visitCode();
        m.visitFieldInsn(Opcodes.GETSTATIC, Type.getInternalName(Translator.class), "handover", "[Ljava/lang/Object;");
        m.visitVarInsn(Opcodes.ASTORE, 0);
        for (int k = 0; k < ALL.size(); k++) {
            if ((used >> k & 1) != 0) {
                Constant field = ALL.get(k);
                int access = Opcodes.ACC_STATIC | Opcodes.ACC_FINAL | Opcodes.ACC_PRIVATE;
                w.visitField(access, field.name, field.descriptor, null, null).visitEnd();
                m.visitVarInsn(Opcodes.ALOAD, 0);
                m.visitIntInsn(Opcodes.BIPUSH, k);
                m.visitInsn(Opcodes.AALOAD);
                m.visitTypeInsn(
                        Opcodes.CHECKCAST, Type.getType(field.descriptor).getInternalName());
                m.visitFieldInsn(Opcodes.PUTSTATIC, owner, field.name, field.descriptor);
            }
        }
        m.visitVarInsn(Opcodes.ALOAD, 0);
        m.visitIntInsn(Opcodes.BIPUSH, ALL.size());
        m.visitTypeInsn(Opcodes.NEW, owner);
        m.visitInsn(Opcodes.DUP);
        m.visitMethodInsn(Opcodes.INVOKESPECIAL, owner, "<init>", "()V", false);
        m.visitInsn(Opcodes.AASTORE);
        m.visitInsn(Opcodes.RETURN);
        m.visitMaxs(0, 0);
        m.visitEnd();
    }
}
