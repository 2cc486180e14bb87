package org.softkvm.emulator.translate;

import java.util.ArrayList;
import java.util.List;
import org.objectweb.asm.Label;
import org.objectweb.asm.MethodVisitor;
import org.objectweb.asm.Opcodes;
import org.objectweb.asm.Type;
import org.softkvm.emulator.cpu.Cpu;
import org.softkvm.emulator.decode.Insn;

/**
 * The method under construction: where guest state lives in it, and how it is read, written and spilled.
 *
 * <p>In a wide region guest registers and the lazy flags live in JVM locals, which always hold the truth; {@code Cpu} lags
 * behind for those that are <em>dirty</em>. All locals but the temporaries exist from the entry on and have one type each,
 * so every frame of the method is the same.
 *
 * <p>A narrow region is <em>resident</em>: registers stay in the Cpu, each write goes there at once, and a local only saves
 * reading one twice between two labels. Flags are written back before anything that may look at them, and at the end of
 * each block. Nothing has to be loaded at the entry or stored at an exit, and an access of memory is one call
 * ({@link GuestAccess}), which makes the machine code of HotSpot's fast compiler a fraction as long.
 */
final class Code {
    static final String CPU = Type.getInternalName(Cpu.class);
    static final String INSN = Type.getInternalName(Insn.class);
    static final String SUPPORT = Type.getInternalName(RegionSupport.class);
    private static final String ACCESS = Type.getInternalName(GuestAccess.class);
    private static final String STACK = Type.getInternalName(GuestStack.class);
    static final String EXEC = "(L" + CPU + ";L" + INSN + ";)V";

    /** Bits of a register set: the general registers, then the flags, and from 32 on the halves of XMM registers. */
    static final long FLAGS = 1 << 16;

    /** Number of a register set's first half of an XMM register. */
    private static final int HALVES = 32;

    /** Locals. The first is the argument, the number of the entry, until the prologue is over. */
    private static final int SITE = 1;

    private static final int NEXT = 2;
    private static final int FOP = 4;
    private static final int FA = 5;
    private static final int FB = 7;
    private static final int TAG = 9;
    private static final int FIRST_REGISTER = 11;

    final MethodVisitor m;
    final Plan plan;
    /** Internal name of the class. */
    final String owner;
    /** Its constants. */
    final RegionConstants constants;
    /** Registers with a local, FLAGS among them. */
    private final long used;
    /** Of these, what some inlined instruction writes. */
    private final long written;

    private final int[] local = new int[16];
    private final int temporaries;
    /** By half of an XMM register (2 n is the low half of XMMn): its local, or 0 where it stays in its array. */
    private final int[] halfLocal = new int[32];
    /** Halves whose local is a double. */
    private final int doubles;
    /** Local of what {@link FloatSupport#ready} says, or 0 where nobody asks. */
    private final int ready;
    /** Local of what {@link org.softkvm.emulator.fpu.X87Direct#ready} says, or 0. */
    private final int x87Ready;
    /** By key: the first of its two locals, or 0. */
    private final int[] pageLocals = new int[KEYS];
    /** By temporary: the key of the address in it, or -1. */
    private final int[] keys = new int[TEMPORARIES];

    private final Object[] frame;
    private boolean framed;

    /** Registers stay in the Cpu. */
    final boolean resident;
    /** In resident code: general registers whose local has their value. */
    private int cached;
    /** In resident code: which of the flags' locals have a value, and which of these the Cpu does not have yet. */
    private int flagsLoaded;

    private int flagsDirty;

    private static final int BIT_FOP = 1;
    private static final int BIT_FA = 2;
    private static final int BIT_FB = 4;
    private static final int ALL_FLAGS = BIT_FOP | BIT_FA | BIT_FB;

    /** What differs from the Cpu at this point of the code. */
    long dirty;
    /** Halves known to be doubles that are normal or 0. */
    int tameDoubles;
    /** Halves whose low 32 bits are known to be a single that is normal or 0. */
    int tameSingles;
    /** SSE is known to be usable. */
    boolean sseChecked;
    /** The x87 is known to be usable without a fault. */
    private boolean x87Checked;
    /** AVX is known to be usable. */
    boolean vexChecked;
    /** The flag operation that the last setter in this block recorded, or -1. */
    int knownFlags = -1;
    /** Nobody looks at the flags that the present instruction leaves. */
    boolean flagsDead;
    /** Instructions of this block completed and not yet counted. */
    int pending;

    /** The instruction being emitted. */
    Insn insn;

    private int block;
    private int index;

    /** Where a side exit of each site begins; null where the site has none. */
    private final List<Label> siteLabels = new ArrayList<>();

    final List<Insn> siteInsns = new ArrayList<>();
    final List<int[]> sites = new ArrayList<>();
    private int currentSite = -1;
    private int currentSitePending = -1;

    private final Label exit = new Label();
    private final Label exitNext = new Label();
    private final Label stopped = new Label();
    private boolean usesStopped;
    /** What is emitted behind everything else. */
    private final List<Runnable> cold = new ArrayList<>();

    /** Keys of pages: base register (16 for none), times two, plus one for writes. */
    static final int KEYS = 34;

    /** Temporaries that are longs and live across the labels inside one instruction. */
    private static final int LASTING = 4;

    private static final int TEMPORARIES = 13;

    /** The key of accesses through a base register. */
    static int key(int base, boolean write) {
        return 2 * Math.min(base, Cpu.ZERO) + (write ? 1 : 0);
    }

    Code(MethodVisitor m, Plan plan, String owner, long used, long written, int[] pageKeys, VectorUse vectors) {
        this.m = m;
        this.plan = plan;
        this.owner = owner;
        constants = new RegionConstants(owner);
        this.used = used;
        this.written = written;
        resident = plan.narrow;
        int at = FIRST_REGISTER;
        int count = 7;
        for (int n = 0; n < 16; n++) {
            local[n] = -1;
            if ((used & 1 << n) != 0 && !resident) {
                local[n] = at;
                at += 2;
                count++;
            }
        }
        for (int key : pageKeys) {
            pageLocals[key] = at;
            at += 4;
            count += 2;
        }
        java.util.Arrays.fill(keys, -1);
        List<Object> types = new ArrayList<>();
        doubles = vectors.doubles();
        for (int h = 0; h < halfLocal.length; h++) {
            if ((vectors.locals() >> h & 1) != 0) {
                halfLocal[h] = at;
                at += 2;
                types.add((doubles >> h & 1) != 0 ? Opcodes.DOUBLE : Opcodes.LONG);
            }
        }
        if (vectors.any()) {
            ready = at++;
            types.add(Opcodes.INTEGER);
        } else {
            ready = 0;
        }
        if (vectors.x87()) {
            x87Ready = at++;
            types.add(Opcodes.INTEGER);
        } else {
            x87Ready = 0;
        }
        temporaries = at;
        if (resident) {
            // Behind the temporaries, in no frame; the flags' locals are in none either: their slots are seven.
            for (int n = 0; n < 16; n++) {
                local[n] = temporaries + 2 * (TEMPORARIES + n);
            }
            count += 3;
        }
        int before = count;
        count += types.size() + LASTING;
        frame = new Object[count];
        frame[0] = owner;
        frame[1] = Opcodes.INTEGER;
        frame[2] = Opcodes.LONG;
        frame[3] = Opcodes.INTEGER;
        for (int k = 4; k < count; k++) {
            frame[k] = Opcodes.LONG;
        }
        for (int k = 3; resident && k < before; k++) {
            frame[k] = Opcodes.TOP;
        }
        for (int k = 0; k < types.size(); k++) {
            frame[before + k] = types.get(k);
        }
    }

    // ---------------------------------------------------------------- constants and calls

    void op(int opcode) {
        m.visitInsn(opcode);
    }

    void intConstant(int v) {
        if (v >= -1 && v <= 5) {
            m.visitInsn(Opcodes.ICONST_0 + v);
        } else if (v == (byte) v) {
            m.visitIntInsn(Opcodes.BIPUSH, v);
        } else if (v == (short) v) {
            m.visitIntInsn(Opcodes.SIPUSH, v);
        } else {
            m.visitLdcInsn(v);
        }
    }

    void longConstant(long v) {
        if (v == 0 || v == 1) {
            m.visitInsn(v == 0 ? Opcodes.LCONST_0 : Opcodes.LCONST_1);
        } else if (v == (short) v) {
            intConstant((int) v);
            m.visitInsn(Opcodes.I2L);
        } else {
            m.visitLdcInsn(v);
        }
    }

    void support(String name, String descriptor) {
        m.visitMethodInsn(Opcodes.INVOKESTATIC, SUPPORT, name, descriptor, false);
    }

    /** Calls a method of {@link GuestStack}, or its variant that keeps the order of accesses. */
    void stack(String name, String descriptor) {
        String variant = plan.shared ? "shared" + Character.toUpperCase(name.charAt(0)) + name.substring(1) : name;
        m.visitMethodInsn(Opcodes.INVOKESTATIC, STACK, variant, descriptor, false);
    }

    void cpu() {
        constants.push(m, "CPU");
    }

    void array(String name) {
        constants.push(m, name);
    }

    /** Pushes the request bits, by a call. */
    void requested() {
        cpu();
        m.visitMethodInsn(Opcodes.INVOKESTATIC, ACCESS, "requests", "(L" + CPU + ";)I", false);
    }

    /** Label and frame of a place that is jumped to. */
    void at(Label l) {
        if (resident) {
            if (flagsDirty != 0) {
                throw new IllegalStateException("flags are lost at a label");
            }
            cached = 0;
            flagsLoaded = 0;
        }
        m.visitLabel(l);
        if (framed) {
            m.visitFrame(Opcodes.F_SAME, 0, null, 0, null);
        } else {
            m.visitFrame(Opcodes.F_FULL, frame.length, frame, 0, null);
            framed = true;
        }
    }

    // ---------------------------------------------------------------- temporaries

    /** The k-th temporary: two slots each, dead at every label. */
    int temporary(int k) {
        return temporaries + 2 * k;
    }

    /** Says through which register the address in a temporary was formed. */
    void keyed(int slot, int base, boolean write) {
        keys[(slot - temporaries) / 2] = plan.codeBits == 64 ? key(base, write) : -1;
    }

    /** The address in a temporary lies in the same page as that in another. */
    void sameKey(int from, int to) {
        keys[(to - temporaries) / 2] = keys[(from - temporaries) / 2];
    }

    /** The first local of the page that the address in a temporary goes through, or 0. */
    private int page(int slot) {
        int key = keys[(slot - temporaries) / 2];
        return key < 0 ? 0 : pageLocals[key];
    }

    void storeLong(int slot) {
        m.visitVarInsn(Opcodes.LSTORE, slot);
    }

    void loadLong(int slot) {
        m.visitVarInsn(Opcodes.LLOAD, slot);
    }

    // ---------------------------------------------------------------- registers

    /** Pushes a whole general register. */
    void register(int n) {
        if (resident && (cached & 1 << n) == 0) {
            array("R");
            intConstant(n);
            op(Opcodes.LALOAD);
            op(Opcodes.DUP2);
            storeLong(local[n]);
            cached |= 1 << n;
        } else {
            loadLong(local[n]);
        }
    }

    /** Stores the long on the stack to a whole general register. */
    private void putRegister(int n) {
        storeLong(local[n]);
        if (resident) {
            cached |= 1 << n;
            array("R");
            intConstant(n);
            loadLong(local[n]);
            op(Opcodes.LASTORE);
        } else {
            dirty |= 1 << n;
        }
    }

    /** Pushes a register operand; bits above its size are arbitrary, except that AH and its like come shifted down. */
    void registerRaw(int n, int size) {
        if (size == 1 && n >= 16) {
            register(n - 16);
            intConstant(8);
            op(Opcodes.LUSHR);
        } else {
            register(n);
        }
    }

    /** Stores the long on the stack to a register operand; bits above its size are ignored. */
    void setRegister(int n, int size) {
        int r = size == 1 && n >= 16 ? n - 16 : n;
        switch (size) {
            case 1 -> {
                register(r);
                support(n >= 16 ? "mergeHigh" : "mergeLow", "(JJ)J");
            }
            case 2 -> {
                register(r);
                support("merge16", "(JJ)J");
            }
            case 4 -> {
                m.visitLdcInsn(0xFFFFFFFFL);
                op(Opcodes.LAND);
            }
            default -> {}
        }
        putRegister(r);
    }

    /** As {@link #setRegister} where the value is known to have no bits above 32 bits. */
    void setRegisterClean(int n, int size) {
        if (size == 4) {
            putRegister(n);
        } else {
            setRegister(n, size);
        }
    }

    // ---------------------------------------------------------------- XMM registers

    /** The members of a register set that stand for halves. */
    static long halves(int set) {
        return (long) set << HALVES;
    }

    /** Pushes array and index of half a register. */
    private void element(int half) {
        array("V");
        intConstant(4 * (half >> 1) + (half & 1));
    }

    private boolean isDouble(int half) {
        return (doubles >> half & 1) != 0;
    }

    /** Pushes half a register as a long. */
    void pushLong(int half) {
        if (halfLocal[half] == 0) {
            element(half);
            op(Opcodes.LALOAD);
        } else if (isDouble(half)) {
            m.visitVarInsn(Opcodes.DLOAD, halfLocal[half]);
            toLong();
        } else {
            loadLong(halfLocal[half]);
        }
    }

    /** Pushes half a register as a double. */
    void pushDouble(int half) {
        if (halfLocal[half] != 0 && isDouble(half)) {
            m.visitVarInsn(Opcodes.DLOAD, halfLocal[half]);
        } else {
            pushLong(half);
            toDouble();
        }
    }

    /** The double on the stack becomes its bits. */
    void toLong() {
        m.visitMethodInsn(Opcodes.INVOKESTATIC, "java/lang/Double", "doubleToRawLongBits", "(D)J", false);
    }

    /** The bits on the stack become a double. */
    void toDouble() {
        m.visitMethodInsn(Opcodes.INVOKESTATIC, "java/lang/Double", "longBitsToDouble", "(J)D", false);
    }

    /** Notes that half a register changes. */
    private void changed(int half) {
        if (!resident) {
            dirty |= halves(1 << half);
        }
        tameDoubles &= ~(1 << half);
        tameSingles &= ~(1 << half);
    }

    /** Stores the long on the stack to half a register. */
    void popLong(int half) {
        changed(half);
        if (halfLocal[half] == 0) {
            int value = temporary(TEMPORARIES - 1);
            storeLong(value);
            element(half);
            loadLong(value);
            op(Opcodes.LASTORE);
        } else if (isDouble(half)) {
            toDouble();
            m.visitVarInsn(Opcodes.DSTORE, halfLocal[half]);
        } else {
            storeLong(halfLocal[half]);
        }
    }

    /** Stores the double on the stack to half a register. */
    void popDouble(int half) {
        if (halfLocal[half] != 0 && isDouble(half)) {
            changed(half);
            m.visitVarInsn(Opcodes.DSTORE, halfLocal[half]);
        } else {
            toLong();
            popLong(half);
        }
    }

    /** Copies half a register. */
    void copy(int from, int to) {
        if (from == to) {
            return;
        }
        if (halfLocal[to] != 0 && isDouble(to)) {
            pushDouble(from);
            popDouble(to);
        } else {
            pushLong(from);
            popLong(to);
        }
        tameDoubles |= (tameDoubles >> from & 1) << to;
        tameSingles |= (tameSingles >> from & 1) << to;
    }

    /** Clears half a register. */
    void clear(int half) {
        if (halfLocal[half] != 0 && isDouble(half)) {
            op(Opcodes.DCONST_0);
            popDouble(half);
        } else {
            op(Opcodes.LCONST_0);
            popLong(half);
        }
        tameDoubles |= 1 << half;
        tameSingles |= 1 << half;
    }

    /** Pushes what {@link FloatSupport#ready} said. */
    void loadReady() {
        m.visitVarInsn(Opcodes.ILOAD, ready);
    }

    /** Keeps what {@link FloatSupport#ready} says on the stack. */
    void storeReady() {
        m.visitVarInsn(Opcodes.ISTORE, ready);
    }

    /** Leaves in front of the instruction where SSE is switched off. */
    void sse() {
        if (!sseChecked) {
            loadReady();
            m.visitJumpInsn(Opcodes.IFEQ, sideExit());
            sseChecked = true;
        }
    }

    /** Leaves in front of the instruction where an x87 instruction may fault. */
    void x87() {
        if (!x87Checked) {
            m.visitVarInsn(Opcodes.ILOAD, x87Ready);
            m.visitJumpInsn(Opcodes.IFEQ, sideExit());
            x87Checked = true;
        }
    }

    /** Leaves in front of the instruction where AVX is switched off. */
    void vex() {
        if (!vexChecked) {
            cpu();
            m.visitMethodInsn(
                    Opcodes.INVOKESTATIC,
                    Type.getInternalName(GuestVector.class),
                    "refused",
                    "(L" + CPU + ";)Z",
                    false);
            m.visitJumpInsn(Opcodes.IFNE, sideExit());
            vexChecked = true;
        }
    }

    /** Emits something behind the code that is executed mostly. */
    void cold(Runnable code) {
        cold.add(code);
    }

    // ---------------------------------------------------------------- flags

    /** In resident code: makes sure that a local of the flags has its value. */
    private void loadFlag(int bit) {
        if (!resident || (flagsLoaded & bit) != 0) {
            return;
        }
        cpu();
        m.visitFieldInsn(Opcodes.GETFIELD, CPU, flagField(bit), bit == BIT_FOP ? "I" : "J");
        m.visitVarInsn(bit == BIT_FOP ? Opcodes.ISTORE : Opcodes.LSTORE, flagLocal(bit));
        flagsLoaded |= bit;
    }

    private static String flagField(int bit) {
        return bit == BIT_FOP ? "fop" : bit == BIT_FA ? "fa" : "fb";
    }

    private static int flagLocal(int bit) {
        return bit == BIT_FOP ? FOP : bit == BIT_FA ? FA : FB;
    }

    /** Notes that a local of the flags has a new value. */
    private void flagChanged(int bit) {
        if (resident) {
            flagsLoaded |= bit;
            flagsDirty |= bit;
        } else {
            dirty |= FLAGS;
        }
    }

    void loadFop() {
        if (knownFlags >= 0) {
            intConstant(knownFlags);
        } else {
            loadFlag(BIT_FOP);
            m.visitVarInsn(Opcodes.ILOAD, FOP);
        }
    }

    void loadFa() {
        loadFlag(BIT_FA);
        loadLong(FA);
    }

    void loadFb() {
        loadFlag(BIT_FB);
        loadLong(FB);
    }

    void storeFa() {
        storeLong(FA);
        flagChanged(BIT_FA);
    }

    void storeFb() {
        storeLong(FB);
        flagChanged(BIT_FB);
    }

    /** Records the flag operation. */
    void setFop(int value) {
        intConstant(value);
        m.visitVarInsn(Opcodes.ISTORE, FOP);
        knownFlags = value;
        flagChanged(BIT_FOP);
    }

    /** Records the flag operation on the stack. */
    void storeFop() {
        m.visitVarInsn(Opcodes.ISTORE, FOP);
        knownFlags = -1;
        flagChanged(BIT_FOP);
    }

    /** Pushes operation and operands. */
    void loadFlags() {
        loadFop();
        loadFa();
        loadFb();
    }

    /** A method has written all arithmetic flags in the Cpu. */
    void flagsWritten() {
        reloadFlags();
        dirty &= ~FLAGS;
    }

    /** Reads the flags that a method left in the Cpu. */
    void reloadFlags() {
        knownFlags = -1;
        if (resident) {
            flagsLoaded = 0;
            return;
        }
        cpu();
        m.visitFieldInsn(Opcodes.GETFIELD, CPU, "fop", "I");
        m.visitVarInsn(Opcodes.ISTORE, FOP);
        cpu();
        m.visitFieldInsn(Opcodes.GETFIELD, CPU, "fa", "J");
        storeLong(FA);
        cpu();
        m.visitFieldInsn(Opcodes.GETFIELD, CPU, "fb", "J");
        storeLong(FB);
    }

    // ---------------------------------------------------------------- entry, spills, exits

    /** Loads the guest state into the locals; {@link #loadNext} pushes the number of the entry behind it. */
    void prologue() {
        m.visitVarInsn(Opcodes.ILOAD, SITE);
        op(Opcodes.I2L);
        storeLong(NEXT);
        op(Opcodes.ICONST_M1);
        m.visitVarInsn(Opcodes.ISTORE, SITE);
        if (resident) {
            for (int k = 0; k < LASTING; k++) {
                op(Opcodes.LCONST_0);
                storeLong(temporary(k));
            }
            reloadReady();
            return;
        }
        if ((used & FLAGS) != 0) {
            reloadFlags();
        } else {
            op(Opcodes.ICONST_0);
            m.visitVarInsn(Opcodes.ISTORE, FOP);
            op(Opcodes.LCONST_0);
            storeLong(FA);
            op(Opcodes.LCONST_0);
            storeLong(FB);
        }
        reloadTag();
        for (int k = 0; k < LASTING; k++) {
            op(Opcodes.LCONST_0);
            storeLong(temporary(k));
        }
        reload(used);
        reloadVectors();
        reloadReady();
    }

    /** Takes the tag of accesses from the Cpu, with which no page in a local was found; narrow regions keep neither. */
    void reloadTag() {
        if (resident) {
            return;
        }
        cpu();
        m.visitFieldInsn(Opcodes.GETFIELD, CPU, "tlbTag", "J");
        storeLong(TAG);
        for (int slot : pageLocals) {
            if (slot != 0) {
                // No page begins at 1.
                op(Opcodes.LCONST_1);
                storeLong(slot);
                op(Opcodes.LCONST_0);
                storeLong(slot + 2);
            }
        }
    }

    /** Loads XMM registers from the Cpu. */
    void reloadVectors() {
        for (int h = 0; h < halfLocal.length; h++) {
            if (halfLocal[h] != 0) {
                element(h);
                op(Opcodes.LALOAD);
                popLong(h);
            }
        }
        tameDoubles = 0;
        tameSingles = 0;
    }

    /** Looks anew at what SSE instructions may do. */
    void reloadReady() {
        if (ready != 0) {
            cpu();
            m.visitMethodInsn(
                    Opcodes.INVOKESTATIC, Type.getInternalName(FloatSupport.class), "ready", "(L" + CPU + ";)I", false);
            m.visitVarInsn(Opcodes.ISTORE, ready);
            sseChecked = false;
        }
        if (x87Ready != 0) {
            cpu();
            m.visitMethodInsn(
                    Opcodes.INVOKESTATIC, "org/softkvm/emulator/fpu/X87Direct", "ready", "(L" + CPU + ";)I", false);
            m.visitVarInsn(Opcodes.ISTORE, x87Ready);
            x87Checked = false;
        }
    }

    /** Loads registers from the Cpu. */
    void reload(long set) {
        if (resident) {
            cached &= (int) ~set;
            return;
        }
        for (int n = 0; n < 16; n++) {
            if ((set & used & 1L << n) != 0) {
                array("R");
                intConstant(n);
                op(Opcodes.LALOAD);
                storeLong(local[n]);
            }
        }
    }

    /** Brings the Cpu up to date with these registers and flags. */
    private void store(long set) {
        for (int n = 0; n < 16; n++) {
            if ((set & 1 << n) != 0) {
                array("R");
                intConstant(n);
                loadLong(local[n]);
                op(Opcodes.LASTORE);
            }
        }
        for (int h = 0; h < halfLocal.length; h++) {
            if (halfLocal[h] != 0 && (set >> HALVES + h & 1) != 0) {
                element(h);
                pushLong(h);
                op(Opcodes.LASTORE);
            }
        }
        if ((set & FLAGS) != 0) {
            cpu();
            m.visitVarInsn(Opcodes.ILOAD, FOP);
            loadFa();
            loadFb();
            m.visitMethodInsn(Opcodes.INVOKEVIRTUAL, CPU, "setLazy", "(IJJ)V", false);
        }
    }

    /** Brings the Cpu up to date before a method that may read it or fault. */
    void spill() {
        if (resident) {
            spillFlags();
            return;
        }
        store(dirty);
        dirty = 0;
    }

    /** Brings the Cpu's flags up to date before a method that may read or write them; they are exact there after it. */
    void spillFlags() {
        if (resident) {
            for (int bit = BIT_FOP; bit <= BIT_FB; bit <<= 1) {
                if ((flagsDirty & bit) != 0) {
                    cpu();
                    if (bit == BIT_FOP) {
                        loadFop();
                    } else {
                        loadLong(flagLocal(bit));
                    }
                    m.visitFieldInsn(Opcodes.PUTFIELD, CPU, flagField(bit), bit == BIT_FOP ? "I" : "J");
                }
            }
            flagsDirty = 0;
            return;
        }
        store(dirty & FLAGS);
        // What the method leaves is reloaded, and equal then.
        dirty &= ~FLAGS;
    }

    /** In resident code: what the flags are does not matter from here on, until they are set again. */
    void forgetFlags() {
        flagsDirty = 0;
    }

    /** Begins a block. */
    void begin(int number, long dirtyAtEntry) {
        block = number;
        tameDoubles = 0;
        tameSingles = 0;
        sseChecked = false;
        x87Checked = false;
        vexChecked = false;
        dirty = dirtyAtEntry;
        knownFlags = -1;
        pending = 0;
    }

    /** Begins an instruction. */
    void begin(Insn i, int indexInBlock) {
        insn = i;
        index = indexInBlock;
        currentSite = -1;
        if (resident && RegisterUse.mayLeave(i)) {
            spillFlags();
        }
    }

    /** The site in front of the present instruction. */
    int site() {
        if (currentSite < 0 || currentSitePending != pending) {
            currentSite = sites.size();
            currentSitePending = pending;
            sites.add(new int[] {block, index, pending});
            siteInsns.add(insn);
            siteLabels.add(null);
        }
        return currentSite;
    }

    /** Where to jump to leave in front of the present instruction; nothing of it may have been committed. */
    Label sideExit() {
        int s = site();
        if (siteLabels.get(s) == null) {
            siteLabels.set(s, new Label());
        }
        return siteLabels.get(s);
    }

    /** Counts what has completed, where instructions are counted. */
    void flushCount() {
        if (plan.counted && pending > 0) {
            cpu();
            intConstant(pending);
            support("count", "(L" + CPU + ";I)V");
        }
        pending = 0;
    }

    /** Leaves for another place, a constant. */
    void leave(long rip) {
        longConstant(rip);
        storeLong(NEXT);
        m.visitJumpInsn(Opcodes.GOTO, exitNext);
    }

    /** Keeps a computed branch target. */
    void storeNext() {
        storeLong(NEXT);
    }

    /** Pushes the computed branch target. */
    void loadNext() {
        loadLong(NEXT);
    }

    /** Leaves in front of an instruction where the number on the stack is a site; RIP is set otherwise. */
    void leaveIfSite() {
        op(Opcodes.DUP);
        m.visitVarInsn(Opcodes.ISTORE, SITE);
        intConstant(Region.LEFT);
        m.visitJumpInsn(Opcodes.IF_ICMPNE, exit);
    }

    /** After {@link GuestCall}: leaves with the number on the stack unless the guest has returned. */
    void leaveUnlessReturned() {
        op(Opcodes.DUP);
        m.visitVarInsn(Opcodes.ISTORE, SITE);
        intConstant(GuestCall.RETURNED);
        m.visitJumpInsn(Opcodes.IF_ICMPNE, exit);
        op(Opcodes.ICONST_M1);
        m.visitVarInsn(Opcodes.ISTORE, SITE);
        reload(-1L);
        reloadFlags();
        reloadReady();
        pending = 0;
    }

    /** Leaves for the computed branch target. */
    void leaveNext() {
        m.visitJumpInsn(Opcodes.GOTO, exitNext);
    }

    /** Leaves where a method asked for it; RIP is set. */
    void leaveIfStopped() {
        usesStopped = true;
        cpu();
        m.visitFieldInsn(Opcodes.GETFIELD, CPU, "limit", "I");
        m.visitJumpInsn(Opcodes.IFEQ, stopped);
    }

    /** Leaves after a method that ends the block; RIP is set. */
    void leaveStopped() {
        intConstant(Region.STOPPED);
        op(Opcodes.IRETURN);
    }

    void setRip(long rip) {
        cpu();
        longConstant(rip);
        m.visitFieldInsn(Opcodes.PUTFIELD, CPU, "rip", "J");
    }

    /** Emits all exits. */
    void epilogue() {
        for (Runnable code : cold) {
            code.run();
        }
        for (int s = 0; s < sites.size(); s++) {
            if (siteLabels.get(s) != null) {
                at(siteLabels.get(s));
                intConstant(s);
                m.visitVarInsn(Opcodes.ISTORE, SITE);
                m.visitJumpInsn(Opcodes.GOTO, exit);
            }
        }
        if (usesStopped) {
            at(stopped);
            leaveStopped();
        }
        at(exitNext);
        cpu();
        loadLong(NEXT);
        m.visitFieldInsn(Opcodes.PUTFIELD, CPU, "rip", "J");
        at(exit);
        if (!resident) {
            store(written);
        }
        m.visitVarInsn(Opcodes.ILOAD, SITE);
        op(Opcodes.IRETURN);
    }

    // ---------------------------------------------------------------- memory

    /** Pushes the offset that the memory operand names, cut to the address size. */
    void effectiveAddress(Insn i) {
        boolean any = false;
        if (i.base != Cpu.ZERO) {
            register(i.base);
            any = true;
        }
        if (i.index != Cpu.ZERO) {
            register(i.index);
            if (i.scale != 0) {
                intConstant(i.scale);
                op(Opcodes.LSHL);
            }
            if (any) {
                op(Opcodes.LADD);
            }
            any = true;
        }
        if (!any) {
            longConstant(i.disp & i.addrMask);
            return;
        }
        if (i.disp != 0) {
            longConstant(i.disp);
            op(Opcodes.LADD);
        }
        if (i.addrMask != -1L) {
            m.visitLdcInsn(i.addrMask);
            op(Opcodes.LAND);
        }
    }

    /** Turns the offset on the stack into a linear address in a temporary, with the segment's checks. */
    void linear(int seg, int size, boolean write, int slot) {
        if (plan.codeBits == 64) {
            if (seg >= Cpu.FS) {
                array("SB");
                intConstant(seg);
                op(Opcodes.LALOAD);
                op(Opcodes.LADD);
            }
            storeLong(slot);
            return;
        }
        intConstant(seg);
        intConstant(size);
        array(write ? "WL" : "RL");
        array(write ? "WH" : "RH");
        array("SB");
        support("linear", "(JII[J[J[J)J");
        storeLong(slot);
        loadLong(slot);
        op(Opcodes.LCONST_0);
        op(Opcodes.LCMP);
        m.visitJumpInsn(Opcodes.IFLT, sideExit());
    }

    /** Pushes the instruction being emitted. */
    void insn() {
        constants.push(m, "I");
        intConstant(site());
        op(Opcodes.AALOAD);
    }

    /** The linear address of the ModRM operand goes to a temporary. */
    void address(Insn i, int size, boolean write, int slot) {
        effectiveAddress(i);
        addressOf(i, size, write, slot);
    }

    /** As {@link #address(Insn, int, boolean, int)}; the offset in the segment goes to another temporary. */
    void address(Insn i, int size, boolean write, int slot, int offset) {
        effectiveAddress(i);
        storeLong(offset);
        loadLong(offset);
        addressOf(i, size, write, slot);
    }

    private void addressOf(Insn i, int size, boolean write, int slot) {
        linear(i.seg, size, write, slot);
        keyed(slot, i.base, write);
        if (i.seg >= Cpu.FS) {
            keys[(slot - temporaries) / 2] = -1;
        }
    }

    /**
     * Leaves in front of the instruction where the access misses the TLB. Where the page of the last access through the
     * same register is kept in locals, it is looked at first, and replaced.
     */
    void check(int slot, int size, boolean write) {
        if (resident) {
            // The access itself leaves where it misses; one that is made of two must not leave between them.
            if (write && size > 8) {
                cpu();
                loadLong(slot);
                intConstant(size);
                intConstant(site());
                m.visitMethodInsn(Opcodes.INVOKESTATIC, ACCESS, "checkWrite", "(L" + CPU + ";JII)V", false);
            }
            return;
        }
        int page = page(slot);
        if (page == 0) {
            look(slot, size, write);
            return;
        }
        Label hit = new Label();
        loadLong(slot);
        if (size > 1) {
            longConstant(size - 1);
            op(Opcodes.LADD);
        }
        longConstant(-4096);
        op(Opcodes.LAND);
        loadLong(page);
        op(Opcodes.LCMP);
        m.visitJumpInsn(Opcodes.IFEQ, hit);
        look(slot, size, write);
        loadLong(slot);
        longConstant(-4096);
        op(Opcodes.LAND);
        storeLong(page);
        loadLong(slot);
        array(write ? "TW" : "TR");
        support("offset", "(J[J)J");
        storeLong(page + 2);
        at(hit);
    }

    private void look(int slot, int size, boolean write) {
        loadLong(slot);
        array(write ? "TW" : "TR");
        loadLong(TAG);
        support("miss" + size, "(J[JJ)Z");
        m.visitJumpInsn(Opcodes.IFNE, sideExit());
    }

    /** Pushes memory that {@link #check} has passed, zero-extended. */
    void load(int slot, int size, boolean fromWriteTlb) {
        if (resident) {
            cpu();
            loadLong(slot);
            intConstant(site());
            String name = fromWriteTlb ? "readToWrite" : plan.shared ? "sharedRead" : "read";
            m.visitMethodInsn(Opcodes.INVOKESTATIC, ACCESS, name + size, "(L" + CPU + ";JI)J", false);
            if (fromWriteTlb && plan.shared) {
                m.visitMethodInsn(Opcodes.INVOKESTATIC, "java/lang/invoke/VarHandle", "acquireFence", "()V", false);
            }
            return;
        }
        loadLong(slot);
        int page = page(slot);
        if (page != 0) {
            loadLong(page + 2);
            op(Opcodes.LADD);
            support((plan.shared ? "sharedLoadHost" : "loadHost") + size, "(J)J");
            return;
        }
        array(fromWriteTlb ? "TW" : "TR");
        support((plan.shared ? "sharedLoad" : "load") + size, "(J[J)J");
    }

    /** Leaves where {@link #store} would; elsewhere than in resident code {@link #check} has done so. */
    void leaveUnlessWritable(int slot, int size) {
        if (resident) {
            cpu();
            loadLong(slot);
            intConstant(size);
            m.visitMethodInsn(Opcodes.INVOKESTATIC, ACCESS, "missesWrite", "(L" + CPU + ";JI)Z", false);
            m.visitJumpInsn(Opcodes.IFNE, sideExit());
        }
    }

    /** Stores the long on the stack to memory that {@link #check} has passed. */
    void store(int slot, int size) {
        loadLong(slot);
        if (resident) {
            cpu();
            intConstant(site());
            String name = plan.shared ? "sharedWrite" : "write";
            m.visitMethodInsn(Opcodes.INVOKESTATIC, ACCESS, name + size, "(JJL" + CPU + ";I)Z", false);
            m.visitJumpInsn(Opcodes.IFNE, sideExit());
            return;
        }
        int page = page(slot);
        if (page != 0) {
            loadLong(page + 2);
            op(Opcodes.LADD);
            support((plan.shared ? "sharedStoreHost" : "storeHost") + size, "(JJ)V");
            return;
        }
        array("TW");
        support((plan.shared ? "sharedStore" : "store") + size, "(JJ[J)V");
    }
}
