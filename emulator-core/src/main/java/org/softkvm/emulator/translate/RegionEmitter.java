package org.softkvm.emulator.translate;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import org.objectweb.asm.ClassWriter;
import org.objectweb.asm.Label;
import org.objectweb.asm.MethodVisitor;
import org.objectweb.asm.Opcodes;
import org.objectweb.asm.Type;
import org.softkvm.emulator.cpu.Cpu;
import org.softkvm.emulator.cpu.Flags;
import org.softkvm.emulator.decode.Insn;
import org.softkvm.emulator.decode.Op;
import org.softkvm.emulator.exec.Branch;

/**
 * Writes the class of a region: one method in which the blocks of the plan are joined by plain jumps, so that HotSpot
 * sees the guest's own loops.
 */
final class RegionEmitter {
    private static final String REGION = Type.getInternalName(Region.class);
    private static final String HANDLER = "org/softkvm/emulator/exec/Handler";
    private static final String FLAGS = Type.getInternalName(Flags.class);
    /** Candidates of an indirect branch that are compared with. */
    private static final int MAX_TARGETS = 6;
    /** Pages kept in locals at most. */
    private static final int MAX_PAGES = 6;
    /** With more candidates than these, a switch chooses. */
    private static final int COMPARED = 3;

    /** Internal name of the class. */
    private final String name;

    private final Plan plan;
    private final List<Plan.Piece> pieces;
    /** Blocks in the order of emission, by index in the plan. */
    private final int[] order;
    /** Place in the order by index in the plan. */
    private final int[] place;

    /** By block: the blocks of the plan that may follow; negative for others. */
    private final int[][] followers;

    private final Label[] labels;
    private final long[] dirtyIn;
    /** Blocks behind a CALL that {@link GuestCall} executes. */
    private final List<Integer> entries = new ArrayList<>();
    /** By block: the flag operation known at its end, or -1. */
    private final int[] leaving;

    private long used;
    private long written;
    private VectorUse vectors;
    private Code c;
    private IntegerEmitter integer;
    private VectorEmitter vector;
    private FloatEmitter floats;
    private X87Emitter x87;
    private VexEmitter vex;
    private int current;
    /** The stack is accessed by {@link GuestStack}. */
    private final boolean stack;

    /** What was emitted. */
    byte[] bytes;

    int codeSize;

    RegionEmitter(Plan plan) {
        this.plan = plan;
        name = REGION + (plan.narrow ? "$Narrow" : "$Code");
        this.pieces = plan.pieces;
        stack = plan.narrow && plan.codeBits == 64;
        int n = pieces.size();
        List<Integer> byRip = new ArrayList<>();
        for (int k = 0; k < n; k++) {
            byRip.add(k);
        }
        byRip.sort(Comparator.comparingLong(k -> pieces.get(k).rip()));
        order = byRip.stream().mapToInt(Integer::intValue).toArray();
        place = new int[n];
        for (int k = 0; k < n; k++) {
            place[order[k]] = k;
        }
        labels = new Label[n];
        dirtyIn = new long[n];
        leaving = new int[n];
        for (int k = 0; k < n; k++) {
            labels[k] = new Label();
        }
        followers = new int[n][];
        for (int k = 0; k < n; k++) {
            Insn last = lastOf(pieces.get(k));
            if (continues(last)) {
                int behind = plan.find(last.nextRip);
                followers[k] = new int[] {behind};
                if (!entries.contains(behind)) {
                    entries.add(behind);
                }
            } else {
                followers[k] = successors(pieces.get(k));
            }
        }
        analyse();
    }

    // ---------------------------------------------------------------- analysis

    private static boolean branchInlined(Insn i) {
        return switch (i.op.kind()) {
            case JCC, JMP -> true;
            case STATE -> i.op.owner() == Branch.class;
            default -> false;
        };
    }

    boolean inlined(Insn i) {
        return IntegerEmitter.inlined(i)
                || branchInlined(i)
                || VectorEmitter.inlined(i)
                || plan.narrow && VexEmitter.inlined(i)
                || !plan.narrow && (FloatEmitter.inlined(i) || X87Emitter.inlined(i));
    }

    private void analyse() {
        int n = pieces.size();
        long[] generated = new long[n];
        boolean[] spills = new boolean[n];
        vectors = VectorUse.of(pieces, loops(), plan.narrow);
        for (int k = 0; k < n; k++) {
            for (Insn i : pieces.get(k).insns()) {
                if (inlined(i)) {
                    long changed = RegisterUse.written(i) | Code.halves(VectorUse.written(i) & vectors.locals());
                    used |= RegisterUse.used(i);
                    written |= changed;
                    generated[k] |= changed;
                } else {
                    spills[k] = true;
                    generated[k] = 0;
                }
            }
        }
        boolean changed = true;
        while (changed) {
            changed = false;
            for (int k = 0; k < n; k++) {
                long out = (spills[k] ? 0 : dirtyIn[k]) | generated[k];
                for (int s : followers[k]) {
                    if (s >= 0 && (dirtyIn[s] | out) != dirtyIn[s]) {
                        dirtyIn[s] |= out;
                        changed = true;
                    }
                }
            }
        }
    }

    private static Insn lastOf(Plan.Piece p) {
        return p.insns()[p.insns().length - 1];
    }

    /** Whether an instruction is a CALL of another region behind which this one goes on. */
    private boolean continues(Insn i) {
        if (!stack || i.op.owner() != Branch.class || i.opSize != 8 || plan.find(i.nextRip) < 0) {
            return false;
        }
        return switch (i.op.method()) {
            case "call" -> plan.find(i.target) < 0 && !targetOutside(i.target);
            case "callIndirect" -> true;
            default -> false;
        };
    }

    /** Blocks of the plan that may follow. */
    private int[] successors(Plan.Piece p) {
        Insn last = lastOf(p);
        if (!last.op.endsBlock() || plan.goesOnBehind(last)) {
            return new int[] {plan.find(p.endRip())};
        }
        return switch (last.op.kind()) {
            case JCC -> new int[] {plan.find(last.target), plan.find(last.nextRip)};
            case JMP -> new int[] {plan.find(last.target)};
            default -> {
                if (last.op.owner() != Branch.class) {
                    yield new int[0];
                }
                yield switch (last.op.method()) {
                    case "call" -> new int[] {plan.find(last.target)};
                    case "loop", "loope", "loopne", "jcxz" ->
                        new int[] {plan.find(last.target), plan.find(last.nextRip)};
                    default -> {
                        int[] s = new int[p.targets().length];
                        for (int k = 0; k < s.length; k++) {
                            s[k] = plan.find(p.targets()[k]);
                        }
                        yield s;
                    }
                };
            }
        };
    }

    // ---------------------------------------------------------------- the class

    void emit() {
        ClassWriter w = new ClassWriter(ClassWriter.COMPUTE_MAXS);
        w.visit(Opcodes.V21, Opcodes.ACC_FINAL | Opcodes.ACC_SUPER, name, null, REGION, null);
        MethodVisitor init = w.visitMethod(0, "<init>", "()V", null, null);
        init.visitCode();
        init.visitVarInsn(Opcodes.ALOAD, 0);
        init.visitMethodInsn(Opcodes.INVOKESPECIAL, REGION, "<init>", "()V", false);
        init.visitInsn(Opcodes.RETURN);
        init.visitMaxs(0, 0);
        init.visitEnd();
        MethodVisitor m = w.visitMethod(Opcodes.ACC_PUBLIC, "run", "(I)I", null, null);
        m.visitCode();
        c = new Code(m, plan, name, used, written, pageKeys(), vectors);
        integer = new IntegerEmitter(c);
        vector = new VectorEmitter(c);
        floats = new FloatEmitter(c, vector);
        x87 = new X87Emitter(c);
        vex = new VexEmitter(c);
        c.prologue();
        if (!entries.isEmpty()) {
            Label further = new Label();
            c.loadNext();
            c.op(Opcodes.L2I);
            m.visitJumpInsn(Opcodes.IFNE, further);
            c.cold(() -> furtherEntries(further));
        }
        if (order[0] != 0) {
            m.visitJumpInsn(Opcodes.GOTO, labels[0]);
        }
        for (int k : order) {
            piece(k);
        }
        c.epilogue();
        Label end = new Label();
        m.visitLabel(end);
        m.visitMaxs(0, 0);
        m.visitEnd();
        c.constants.define(w);
        w.visitEnd();
        bytes = w.toByteArray();
        codeSize = end.getOffset();
    }

    private void furtherEntries(Label here) {
        c.at(here);
        c.loadNext();
        c.op(Opcodes.L2I);
        Label[] to = entries.stream().map(k -> labels[k]).toArray(Label[]::new);
        c.m.visitTableSwitchInsn(1, to.length, labels[0], to);
    }

    /** What {@link Region#entryBlocks} needs. */
    int[] entryBlocks() {
        return entries.stream().mapToInt(Integer::intValue).toArray();
    }

    /** The instructions that {@link Region#siteInsns} needs. */
    Insn[] siteInsns() {
        return c.siteInsns.toArray(new Insn[0]);
    }

    List<int[]> sites() {
        return c.sites;
    }

    /** Whether control may go round inside the region. */
    private boolean loops() {
        for (int k = 0; k < pieces.size(); k++) {
            for (int s : followers[k]) {
                if (s >= 0 && place[s] <= place[k]) {
                    return true;
                }
            }
        }
        return false;
    }

    // ---------------------------------------------------------------- pages in locals

    /**
     * The base registers whose last page is worth two locals: those that most accesses of a loop go through, by
     * {@link Code#key}. Straight code looks into the TLB.
     */
    private int[] pageKeys() {
        if (plan.narrow || plan.codeBits != 64 || !loops()) {
            return new int[0];
        }
        int[] uses = new int[Code.KEYS];
        for (Plan.Piece p : pieces) {
            for (Insn i : p.insns()) {
                if (inlined(i) && i.mem && i.seg < Cpu.FS && !"lea".equals(i.op.method())) {
                    boolean write =
                            i.op.writesDestination() && i.op.operands().get(0).mayBeMemory();
                    uses[Code.key(i.base, write)]++;
                }
                if (inlined(i) && (RegisterUse.written(i) & 1 << Cpu.RSP) != 0 && i.op.kind() == Op.Kind.STATE) {
                    String method = i.op.method();
                    uses[Code.key(Cpu.RSP, method.startsWith("push") || method.startsWith("call"))]++;
                }
            }
        }
        return java.util.stream.IntStream.range(0, uses.length)
                .filter(k -> uses[k] > 0)
                .boxed()
                .sorted(Comparator.comparingInt(k -> -uses[k]))
                .limit(MAX_PAGES)
                .mapToInt(Integer::intValue)
                .toArray();
    }

    // ---------------------------------------------------------------- blocks

    private void piece(int k) {
        Plan.Piece p = pieces.get(k);
        current = k;
        c.at(labels[k]);
        c.begin(k, dirtyIn[k]);
        c.knownFlags = flagsAtEntry(k);
        Insn[] insns = p.insns();
        // Instructions of a run on the stack that have been emitted with its first one.
        long done = 0;
        for (int n = 0; n < insns.length; n++) {
            Insn i = insns[n];
            if ((done >> n & 1) != 0) {
                c.pending++;
                continue;
            }
            c.begin(i, n);
            StackRun run = stack ? StackRun.at(insns, n, !plan.shared && !staysInside(p)) : null;
            if (run != null && run.ret()) {
                leaveByRet(run.registers(), run.last() + 2 - n);
                return;
            }
            if (run != null) {
                stackRun(run, StackRun.isPush(i));
                done |= run.members();
                c.pending++;
                continue;
            }
            if (branchInlined(i)) {
                branch(p, i);
                leaving[k] = c.knownFlags;
                return;
            }
            c.flagsDead = flagsDead(p, n + 1);
            if (IntegerEmitter.inlined(i)) {
                integer.emit(i);
                c.pending++;
            } else if (VectorEmitter.inlined(i)) {
                vector.emit(i);
                c.pending++;
            } else if (FloatEmitter.inlined(i) && !plan.narrow) {
                floats.emit(i);
                c.pending++;
            } else if (X87Emitter.inlined(i) && !plan.narrow) {
                x87.emit(i);
                c.pending++;
            } else if (plan.narrow && VexEmitter.inlined(i)) {
                vex.emit(i);
                c.pending++;
            } else if (plan.goesOnBehind(i) && plan.find(p.endRip()) >= 0) {
                sti();
            } else if (call(i)) {
                return;
            }
        }
        c.flushCount();
        settleFlags(p.endRip(), p.endRip());
        leaving[k] = c.knownFlags;
        edge(p.endRip());
    }

    /** Whether the targets of the indirect branch at the end of a block, as far as they are known, lie in the region. */
    private boolean staysInside(Plan.Piece p) {
        for (long target : p.targets()) {
            if (plan.find(target) >= 0) {
                return true;
            }
        }
        return false;
    }

    /** All accesses of a run at once. */
    private void stackRun(StackRun run, boolean push) {
        c.cpu();
        c.intConstant(run.registers());
        c.intConstant(c.site());
        c.stack(push ? "push" : "pop", "(L" + Code.CPU + ";II)Z");
        c.m.visitJumpInsn(Opcodes.IFNE, c.sideExit());
        c.reload(1 << Cpu.RSP | (push ? 0 : GuestStack.set(run.registers())));
    }

    /** POPs and RET, and out. */
    private void leaveByRet(int registers, int instructions) {
        c.cpu();
        c.intConstant(registers);
        c.intConstant(c.site());
        c.stack("ret", "(L" + Code.CPU + ";II)I");
        leaveBy(instructions);
    }

    /** Leaves with the result of {@link GuestStack#ret} or {@link GuestStack#call}, behind which RIP is set. */
    private void leaveBy(int instructions) {
        if (plan.counted) {
            c.leaveIfSite();
            c.pending += instructions;
            c.flushCount();
            c.intConstant(Region.LEFT);
        }
        c.op(Opcodes.IRETURN);
    }

    /** The flag operation that all blocks recorded from which a block is reached, or -1. */
    private int flagsAtEntry(int k) {
        if (k == 0) {
            return -1;
        }
        int known = -2;
        for (int from = 0; from < pieces.size(); from++) {
            for (int s : followers[from]) {
                if (s == k) {
                    if (place[from] >= place[k] || known != -2 && known != leaving[from]) {
                        return -1;
                    }
                    known = leaving[from];
                }
            }
        }
        return Math.max(known, -1);
    }

    /** Whether all flags are set before anything may look at them, from an instruction of a block on. */
    private boolean flagsDead(Plan.Piece p, int from) {
        Insn[] insns = p.insns();
        for (int n = from; n < insns.length; n++) {
            Insn i = insns[n];
            if (i.op.kind() == Op.Kind.JMP) {
                return setsFlagsFirst(i.target);
            }
            if (RegisterUse.mayLeave(i) || !inlined(i)) {
                return false;
            }
            if (RegisterUse.setsAllFlags(i)) {
                return true;
            }
            if (!RegisterUse.ignoresFlags(i)) {
                return false;
            }
        }
        return !insns[insns.length - 1].op.endsBlock() && setsFlagsFirst(p.endRip());
    }

    /** At the end of a block of a narrow region: the Cpu gets the flags, unless both successors set them first. */
    private void settleFlags(long a, long b) {
        if (!c.resident) {
            return;
        }
        if (setsFlagsFirst(a) && setsFlagsFirst(b)) {
            c.forgetFlags();
        } else {
            c.spillFlags();
        }
    }

    /** Whether a place is a block further on that sets all flags before anything may look at them. */
    private boolean setsFlagsFirst(long rip) {
        if (!forward(rip)) {
            return false;
        }
        for (Insn i : pieces.get(plan.find(rip)).insns()) {
            if (RegisterUse.mayLeave(i) || !inlined(i)) {
                return false;
            }
            if (RegisterUse.setsAllFlags(i)) {
                return true;
            }
            if (!RegisterUse.ignoresFlags(i)) {
                return false;
            }
        }
        return false;
    }

    /** Calls an instruction's state method, or its handler where it has none. True where the block ends. */
    private boolean call(Insn i) {
        Op op = i.op;
        boolean state = op.kind() == Op.Kind.STATE && op.vectorForm() == Op.VectorForm.NONE;
        boolean ends = op.endsBlock();
        boolean repeats = i.rep != 0 && op.isCommitsParts();
        boolean mayStop = ends || repeats || StateEffects.mayStop(i);
        c.spill();
        c.flushCount();
        c.vexChecked = false;
        int site = c.site();
        c.cpu();
        c.intConstant(site);
        c.m.visitFieldInsn(Opcodes.PUTFIELD, Code.CPU, "site", "I");
        if (mayStop) {
            c.setRip(i.nextRip);
        }
        if (!state) {
            insn(site);
            c.m.visitFieldInsn(Opcodes.GETFIELD, Code.INSN, "handler", "L" + HANDLER + ";");
        }
        c.cpu();
        insn(site);
        if (state) {
            c.m.visitMethodInsn(Opcodes.INVOKESTATIC, Type.getInternalName(op.owner()), op.method(), Code.EXEC, false);
        } else {
            c.m.visitMethodInsn(Opcodes.INVOKEVIRTUAL, HANDLER, "exec", Code.EXEC, false);
        }
        c.pending = 1;
        if (ends) {
            c.flushCount();
            c.leaveStopped();
            return true;
        }
        if (mayStop) {
            c.flushCount();
            c.leaveIfStopped();
            if (repeats && plan.counted) {
                // Its iterations count; the way to the next look at the limit may be too long now.
                c.reload(StateEffects.registersWritten(i));
                if ((used & Code.FLAGS) != 0) {
                    c.reloadFlags();
                }
                poll(i.nextRip);
            }
        }
        if (StateEffects.writesVectors(i)) {
            c.reloadVectors();
        }
        if (StateEffects.changesReadiness(i)) {
            c.reloadReady();
        }
        if (StateEffects.changesTag(i)) {
            c.reloadTag();
        }
        c.reload(StateEffects.registersWritten(i));
        if ((used & Code.FLAGS) != 0 && op.flagsWritten() != 0) {
            c.reloadFlags();
        }
        return false;
    }

    /**
     * STI where nothing waits for it: the next instruction follows in the same region, which looks for requests behind it
     * at the earliest, as the shadow of STI demands. Else the interpreter executes it.
     */
    private void sti() {
        c.spill();
        c.vexChecked = false;
        c.cpu();
        c.m.visitMethodInsn(
                Opcodes.INVOKESTATIC,
                Type.getInternalName(GuestInterrupts.class),
                "sti",
                "(L" + Code.CPU + ";)Z",
                false);
        c.m.visitJumpInsn(Opcodes.IFNE, c.sideExit());
        c.pending++;
    }

    private void insn(int site) {
        c.constants.push(c.m, "I");
        c.intConstant(site);
        c.op(Opcodes.AALOAD);
    }

    // ---------------------------------------------------------------- branches

    private boolean targetOutside(long target) {
        return plan.codeBits == 64 ? target << 16 >> 16 != target : target > plan.codeLimit;
    }

    /** Goes to a known place: a block of the region or the way out. */
    private void edge(long rip) {
        int k = plan.find(rip);
        if (k < 0) {
            c.leave(rip);
        } else if (place[k] == place[current] + 1) {
            // The next block in the order: fall through where nothing stands between.
            c.m.visitJumpInsn(Opcodes.GOTO, labels[k]);
        } else {
            if (place[k] <= place[current]) {
                poll(rip);
            }
            c.m.visitJumpInsn(Opcodes.GOTO, labels[k]);
        }
    }

    /** Every cycle has an edge that goes up in the order, and each of these looks for requests. */
    private void poll(long rip) {
        Label on = new Label();
        if (plan.counted) {
            c.cpu();
            c.intConstant(plan.size());
            c.support("stop", "(L" + Code.CPU + ";I)Z");
        } else if (plan.narrow) {
            c.requested();
        } else {
            c.cpu();
            c.m.visitMethodInsn(Opcodes.INVOKEVIRTUAL, Code.CPU, "requests", "()I", false);
        }
        c.m.visitJumpInsn(Opcodes.IFEQ, on);
        c.leave(rip);
        c.at(on);
    }

    private boolean forward(long rip) {
        int k = plan.find(rip);
        return k >= 0 && place[k] > place[current];
    }

    private void branch(Plan.Piece p, Insn i) {
        c.pending++;
        switch (i.op.kind()) {
            case JCC -> {
                if (targetOutside(i.target)) {
                    leaveHere();
                    return;
                }
                c.flushCount();
                settleFlags(i.target, i.nextRip);
                conditional(i, label -> Conditions.jump(c, i.op.condition(), label));
            }
            case JMP -> {
                if (targetOutside(i.target)) {
                    leaveHere();
                    return;
                }
                c.flushCount();
                settleFlags(i.target, i.target);
                edge(i.target);
            }
            default -> {
                switch (i.op.method()) {
                    case "call" -> {
                        if (targetOutside(i.target)) {
                            leaveHere();
                            return;
                        }
                        c.pending--;
                        if (continues(i)) {
                            c.longConstant(i.target);
                            callAndContinue(i);
                            return;
                        }
                        if (stack && i.opSize == 8 && plan.find(i.target) < 0) {
                            c.longConstant(i.target);
                            c.longConstant(i.nextRip);
                            c.cpu();
                            c.intConstant(c.site());
                            c.stack("call", "(JJL" + Code.CPU + ";I)I");
                            leaveBy(1);
                            return;
                        }
                        integer.push(i.opSize, () -> c.longConstant(i.nextRip));
                        c.pending++;
                        c.flushCount();
                        edge(i.target);
                    }
                    case "callIndirect", "jmpIndirect" -> indirect(p, i);
                    case "ret" -> ret(p, i);
                    default -> loop(i);
                }
            }
        }
    }

    /** A CALL whose target is on the stack; the region goes on behind it. */
    private void callAndContinue(Insn i) {
        c.longConstant(i.nextRip);
        c.cpu();
        c.m.visitVarInsn(Opcodes.ALOAD, 0);
        c.intConstant(c.site());
        String method = "call";
        String count = "";
        if (plan.counted) {
            c.intConstant(c.pending + 1);
            method = "countedCall";
            count = "I";
        } else if (plan.shared) {
            method = "sharedCall";
        }
        String descriptor = "(JJL" + Code.CPU + ";L" + REGION + ";I" + count + ")I";
        c.m.visitMethodInsn(Opcodes.INVOKESTATIC, Type.getInternalName(GuestCall.class), method, descriptor, false);
        c.leaveUnlessReturned();
        edge(i.nextRip);
    }

    /** Lets the interpreter execute the branch. */
    private void leaveHere() {
        if (c.resident) {
            c.spillFlags();
        }
        c.pending--;
        c.m.visitJumpInsn(Opcodes.GOTO, c.sideExit());
    }

    private interface Jump {
        void to(Label label);
    }

    private void conditional(Insn i, Jump jump) {
        if (forward(i.target)) {
            jump.to(labels[plan.find(i.target)]);
            edge(i.nextRip);
            return;
        }
        Label taken = new Label();
        jump.to(taken);
        edge(i.nextRip);
        c.at(taken);
        edge(i.target);
    }

    private void loop(Insn i) {
        if (targetOutside(i.target)) {
            leaveHere();
            return;
        }
        c.flushCount();
        boolean jcxz = i.op.method().equals("jcxz");
        if (!jcxz) {
            c.register(Cpu.RCX);
            c.op(Opcodes.LCONST_1);
            c.op(Opcodes.LSUB);
            c.setRegister(Cpu.RCX, i.addrSize);
        }
        conditional(i, label -> {
            if (i.op.method().equals("loop") || jcxz) {
                counter(i);
                c.m.visitJumpInsn(jcxz ? Opcodes.IFEQ : Opcodes.IFNE, label);
                return;
            }
            Label no = new Label();
            counter(i);
            c.m.visitJumpInsn(Opcodes.IFEQ, no);
            c.loadFlags();
            c.m.visitMethodInsn(Opcodes.INVOKESTATIC, FLAGS, "zf", "(IJJ)Z", false);
            c.m.visitJumpInsn(i.op.method().equals("loope") ? Opcodes.IFNE : Opcodes.IFEQ, label);
            c.at(no);
        });
    }

    private void counter(Insn i) {
        c.register(Cpu.RCX);
        if (i.addrMask != -1L) {
            c.longConstant(i.addrMask);
            c.op(Opcodes.LAND);
        }
        c.op(Opcodes.LCONST_0);
        c.op(Opcodes.LCMP);
    }

    /** Leaves in front of the instruction where the target in the temporary is not allowed. */
    private void checkTarget(int slot) {
        c.loadLong(slot);
        if (plan.codeBits == 64) {
            c.support("notCanonical", "(J)Z");
            c.m.visitJumpInsn(Opcodes.IFNE, c.sideExit());
        } else {
            c.longConstant(plan.codeLimit);
            c.op(Opcodes.LCMP);
            c.m.visitJumpInsn(Opcodes.IFGT, c.sideExit());
        }
    }

    private static final int TARGET = 3;

    private void indirect(Plan.Piece p, Insn i) {
        int target = c.temporary(TARGET);
        c.pending--;
        integer.branchOperand(i);
        c.storeLong(target);
        checkTarget(target);
        if (continues(i)) {
            c.loadLong(target);
            callAndContinue(i);
            return;
        }
        if (i.op.method().equals("callIndirect")) {
            integer.push(i.opSize, () -> c.longConstant(i.nextRip));
        }
        c.pending++;
        c.flushCount();
        dispatch(p, target);
    }

    private void ret(Plan.Piece p, Insn i) {
        int target = c.temporary(TARGET);
        c.pending--;
        if (stack && StackRun.isRet(i) && !staysInside(p)) {
            leaveByRet(0, 1);
            return;
        }
        integer.stackPointer();
        integer.pop(i.opSize);
        c.storeLong(target);
        checkTarget(target);
        integer.popped(i.opSize, (int) (i.imm & 0xFFFF));
        c.pending++;
        c.flushCount();
        dispatch(p, target);
    }

    /** Goes to the place in the temporary: by comparison or by a switch where it is in the region. */
    private void dispatch(Plan.Piece p, int target) {
        c.loadLong(target);
        c.storeNext();
        long[] inside = java.util.Arrays.stream(p.targets())
                .filter(t -> plan.find(t) >= 0)
                .distinct()
                .toArray();
        boolean near = java.util.Arrays.stream(inside).allMatch(t -> t >>> 32 == inside[0] >>> 32);
        if (inside.length > COMPARED && near) {
            choose(inside);
        } else {
            for (int k = 0; k < Math.min(MAX_TARGETS, inside.length); k++) {
                c.loadNext();
                c.longConstant(inside[k]);
                c.op(Opcodes.LCMP);
                if (forward(inside[k])) {
                    c.m.visitJumpInsn(Opcodes.IFEQ, labels[plan.find(inside[k])]);
                } else {
                    Label no = new Label();
                    c.m.visitJumpInsn(Opcodes.IFNE, no);
                    edge(inside[k]);
                    c.at(no);
                }
            }
        }
        c.leaveNext();
    }

    /** A switch over many targets, all in the same 4 GiB. */
    private void choose(long[] targets) {
        Label outside = new Label();
        c.loadNext();
        c.intConstant(32);
        c.op(Opcodes.LUSHR);
        c.longConstant(targets[0] >>> 32);
        c.op(Opcodes.LCMP);
        c.m.visitJumpInsn(Opcodes.IFNE, outside);
        long[] sorted = java.util.Arrays.stream(targets)
                .boxed()
                .sorted(Comparator.comparingInt(Long::intValue))
                .mapToLong(Long::longValue)
                .toArray();
        int[] keys = new int[sorted.length];
        Label[] ways = new Label[sorted.length];
        for (int k = 0; k < sorted.length; k++) {
            keys[k] = (int) sorted[k];
            ways[k] = forward(sorted[k]) ? labels[plan.find(sorted[k])] : new Label();
        }
        c.loadNext();
        c.op(Opcodes.L2I);
        c.m.visitLookupSwitchInsn(outside, keys, ways);
        for (int k = 0; k < sorted.length; k++) {
            if (!forward(sorted[k])) {
                c.at(ways[k]);
                edge(sorted[k]);
            }
        }
        c.at(outside);
    }
}
