package org.softkvm.emulator.cpu;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import org.softkvm.emulator.CpuModel;
import org.softkvm.emulator.CpuidEntry;
import org.softkvm.emulator.GuestMemory;
import org.softkvm.emulator.HostMemory;
import org.softkvm.emulator.Hypercalls;
import org.softkvm.emulator.LocalInterruptController;
import org.softkvm.emulator.MsrGate;
import org.softkvm.emulator.RandomSource;
import org.softkvm.emulator.TimeSource;
import org.softkvm.emulator.decode.Insn;

/**
 * The architectural and micro-architectural state of one vcpu, and the accesses to registers and memory that the
 * semantics use. Owned by the thread that runs the vcpu; only {@link #request} may be called from others.
 *
 * <p>Fields are public because semantics live in several packages of this module and no accessor would add meaning;
 * the packages are not exported.
 */
public final class Cpu {
    /** Segment register numbers, as in instruction encodings; LDTR and TR follow. */
    public static final int ES = 0;
    /** Code segment. */
    public static final int CS = 1;
    /** Stack segment. */
    public static final int SS = 2;
    /** Data segment. */
    public static final int DS = 3;
    /** FS. */
    public static final int FS = 4;
    /** GS. */
    public static final int GS = 5;
    /** Local descriptor table register. */
    public static final int LDTR = 6;
    /** Task register. */
    public static final int TR = 7;

    /** General register numbers. */
    public static final int RAX = 0;
    /** RCX. */
    public static final int RCX = 1;
    /** RDX. */
    public static final int RDX = 2;
    /** RBX. */
    public static final int RBX = 3;
    /** RSP. */
    public static final int RSP = 4;
    /** RBP. */
    public static final int RBP = 5;
    /** RSI. */
    public static final int RSI = 6;
    /** RDI. */
    public static final int RDI = 7;
    /** The pseudo register that is always 0: an absent base or index. */
    public static final int ZERO = 16;

    /** Attribute bits of a segment as in bits 8 to 23 of a descriptor's high half: type. */
    public static final int ATTR_TYPE = 0xF;
    /** Code or data (1) against system (0). */
    public static final int ATTR_S = 0x10;
    /** Shift of the DPL. */
    public static final int ATTR_DPL_SHIFT = 5;
    /** Present. */
    public static final int ATTR_P = 0x80;
    /** Available to software. */
    public static final int ATTR_AVL = 0x1000;
    /** 64-bit code. */
    public static final int ATTR_L = 0x2000;
    /** Default size or big. */
    public static final int ATTR_DB = 0x4000;
    /** Granularity. */
    public static final int ATTR_G = 0x8000;
    /** Loaded with a null selector or otherwise unusable (not a descriptor bit; bit 16 as in VMX access rights). */
    public static final int ATTR_UNUSABLE = 0x10000;

    /** CR0 bits. */
    public static final int CR0_PE = 1;
    /** Monitor coprocessor. */
    public static final int CR0_MP = 2;
    /** Emulate the FPU. */
    public static final int CR0_EM = 4;
    /** Task switched. */
    public static final int CR0_TS = 8;
    /** Extension type. */
    public static final int CR0_ET = 0x10;
    /** Numeric error. */
    public static final int CR0_NE = 0x20;
    /** Write protect. */
    public static final int CR0_WP = 0x10000;
    /** Alignment mask. */
    public static final int CR0_AM = 0x40000;
    /** Not write-through. */
    public static final int CR0_NW = 0x20000000;
    /** Cache disable. */
    public static final int CR0_CD = 0x40000000;
    /** Paging. */
    public static final int CR0_PG = 0x80000000;

    /** CR4 bits. */
    public static final int CR4_VME = 1;
    /** Protected-mode virtual interrupts. */
    public static final int CR4_PVI = 2;
    /** Time-stamp disable. */
    public static final int CR4_TSD = 4;
    /** Debugging extensions. */
    public static final int CR4_DE = 8;
    /** Page-size extensions. */
    public static final int CR4_PSE = 0x10;
    /** Physical-address extension. */
    public static final int CR4_PAE = 0x20;
    /** Machine-check enable. */
    public static final int CR4_MCE = 0x40;
    /** Page-global enable. */
    public static final int CR4_PGE = 0x80;
    /** Performance counters at any level. */
    public static final int CR4_PCE = 0x100;
    /** FXSAVE and SSE. */
    public static final int CR4_OSFXSR = 0x200;
    /** SIMD exceptions. */
    public static final int CR4_OSXMMEXCPT = 0x400;
    /** User-mode instruction prevention. */
    public static final int CR4_UMIP = 0x800;
    /** FSGSBASE instructions. */
    public static final int CR4_FSGSBASE = 0x10000;
    /** Process-context identifiers. */
    public static final int CR4_PCIDE = 0x20000;
    /** XSAVE. */
    public static final int CR4_OSXSAVE = 0x40000;
    /** Supervisor-mode execution prevention. */
    public static final int CR4_SMEP = 0x100000;
    /** Supervisor-mode access prevention. */
    public static final int CR4_SMAP = 0x200000;

    /** EFER bits. */
    public static final int EFER_SCE = 1;
    /** Long mode enable. */
    public static final int EFER_LME = 0x100;
    /** Long mode active. */
    public static final int EFER_LMA = 0x400;
    /** No-execute enable. */
    public static final int EFER_NXE = 0x800;

    /** Request bits: look at interrupts. */
    public static final int REQ_INTERRUPT = 1;
    /** Leave run(): kick or immediate exit. */
    public static final int REQ_KICK = 2;
    /** Drop the TLB and re-validate blocks: the memory slots changed. */
    public static final int REQ_FLUSH = 4;
    /** Some code page was written by another party: see the invalidation queue. */
    public static final int REQ_INVALIDATE = 8;
    /** Another vcpu makes an access that must be alone: wait until it is done. */
    public static final int REQ_PAUSE = 16;

    /** Under a virtual clock: the next instruction reads the time or sets a timer, so it has to run alone. */
    public static final int REQ_EXACT = 0x100;
    /** A region was translated in the background: take it over. */
    public static final int REQ_REGION = 0x200;

    /** Entries of each TLB; a power of two. */
    public static final int TLB_SIZE = 4096;

    private static final int TLB_INDEX_MASK = (TLB_SIZE - 1) << 1;
    /** Bits of the tag below the page number: generation (10 bits), SMAP enforced, user. */
    private static final int TAG_GENERATION_SHIFT = 2;

    /** Set in the tags of a supervisor's entries while SMAP is enforced. */
    private static final int TAG_SMAP = 2;
    /** Set while alignment is checked: no entry ever has it, so that every access takes the slow path. */
    private static final int TAG_ALIGN = 1 << 11;

    private static final VarHandle REQUESTS;

    static {
        try {
            REQUESTS = MethodHandles.lookup().findVarHandle(Cpu.class, "requests", int.class);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    /** General registers; [16] is always 0. */
    public final long[] r = new long[17];
    /** Offset of the next instruction in CS, exact between instructions (inside one: see {@link Insn#rip}). */
    public long rip;
    /** Lazy flags: operation (see {@link Flags}). */
    public int fop;
    /** Lazy flags: first operand. */
    public long fa;
    /** Lazy flags: second operand. */
    public long fb;
    /** EFLAGS without the six arithmetic flags (bit 1 always set). */
    public int eflags = 2;

    /** Segment selectors, indexed by segment number. */
    public final int[] segSel = new int[8];
    /** Segment bases. */
    public final long[] segBase = new long[8];
    /** Segment limits in bytes, 32-bit, zero-extended. */
    public final long[] segLimit = new long[8];
    /** Segment attributes, ATTR_*. */
    public final int[] segAttr = new int[8];
    /** Lowest and highest offset that reads accept; low above high where none does. */
    public final long[] segReadLow = new long[8];
    /** See segReadLow. */
    public final long[] segReadHigh = new long[8];
    /** Lowest and highest offset that writes accept. */
    public final long[] segWriteLow = new long[8];
    /** See segWriteLow. */
    public final long[] segWriteHigh = new long[8];

    /** GDTR base. */
    public long gdtBase;
    /** GDTR limit. */
    public int gdtLimit = 0xFFFF;
    /** IDTR base. */
    public long idtBase;
    /** IDTR limit. */
    public int idtLimit = 0xFFFF;

    /** CR0 (upper half is 0). */
    public int cr0 = 0x60000010;
    /** CR2. */
    public long cr2;
    /** CR3. */
    public long cr3;
    /** CR4. */
    public long cr4;
    /** CR8 where there is no local APIC. */
    public int cr8;
    /** XCR0. */
    public long xcr0 = 1;
    /** EFER. */
    public long efer;
    /** Debug registers 0 to 3, 6, 7. */
    public final long[] dr = {0, 0, 0, 0, 0, 0, 0xFFFF0FF0L, 0x400};
    /** PAE page-directory pointers, loaded with CR3 outside long mode. */
    public final long[] pdptr = new long[4];

    /**
     * Vector registers: 4 longs (256 bits) each, 16 registers; register n starts at 4 n. From 64 on: scratch of
     * {@link org.softkvm.emulator.simd.Vex}, no state.
     */
    public final long[] v = new long[80];
    /** Scratch of SIMD semantics: the source operand's low half. */
    public long t0;
    /** Scratch of SIMD semantics: the source operand's high half. */
    public long t1;
    /** Scratch of SIMD semantics: the third quarter of 256 bits. */
    public long t2;
    /** Scratch of SIMD semantics: the last quarter of 256 bits. */
    public long t3;
    /** The image that FXSAVE and XSAVE move. */
    public final org.softkvm.emulator.simd.XsaveArea xsaveArea = new org.softkvm.emulator.simd.XsaveArea();
    /** MXCSR. */
    public int mxcsr = 0x1F80;
    /** MXCSR taken apart while a floating-point SSE instruction runs. */
    public final org.softkvm.emulator.fpu.FpEnv fpEnv = new org.softkvm.emulator.fpu.FpEnv();
    /** x87 and MMX state. */
    public final org.softkvm.emulator.fpu.FpuState fpu = new org.softkvm.emulator.fpu.FpuState();
    /** Model-specific registers without a home of their own. */
    public final Msrs msrs;

    /** Current privilege level. */
    public int cpl;
    /** In 64-bit mode (EFER.LMA and CS.L). */
    public boolean mode64;

    /** Physical address mask: the model's address width. */
    public final long physicalMask;

    /** Vector of the fault in flight. */
    public int faultVector;
    /** Error code of the fault in flight. */
    public int faultError;
    /** Whether the fault in flight came from a non-canonical access, whose vector depends on the segment. */
    public boolean faultNonCanonical;

    /** Instructions left in the running block; anything that must stop after the current instruction sets 0. */
    public int limit;
    /** Set by STI, MOV SS and POP SS: interrupts (and for SS: debug traps, NMI) wait for one more instruction. */
    public int shadow;
    /** Shadow of STI. */
    public static final int SHADOW_STI = 1;
    /** Shadow of MOV SS and POP SS. */
    public static final int SHADOW_SS = 2;
    /** NMIs are blocked until IRET. */
    public boolean nmiBlocked;
    /** An NMI waits. */
    public boolean nmiPending;

    /** Another NMI that came while one was pending and none was blocked: it is latched when that one is taken. */
    public boolean nmiSecond;
    /** In system-management mode. */
    public boolean smm;
    /** An SMI waits. */
    public boolean smiPending;
    /** NMIs were blocked when the SMI was taken. */
    public boolean smmInsideNmi;
    /** The state on its way to or from memory. */
    final byte[] smmArea = new byte[512];
    /** SMBASE. */
    public int smbase = Smm.DEFAULT_SMBASE;
    /** Called when RSM has left system-management mode. */
    public Runnable rsmAction = () -> {};
    /** SMIs taken: MSR_SMI_COUNT. */
    public int smiCount;
    /** HLT was executed and nothing has woken the vcpu yet. */
    public boolean halted;
    /** A debug trap (single step) to be delivered after the current instruction; DR6 bits, 0 = none. */
    public int pendingDebug;
    /** The instruction that runs now is to be followed by a single-step trap; event delivery clears it. */
    public boolean stepArmed;
    /** Breakpoints that the running instruction has hit; they become {@link #pendingDebug} when it completes. */
    public int debugHits;
    /** What a debugger outside the guest wants; see {@link OutsideDebug}. */
    public int outsideDebug;
    /** The debug registers that it gave. */
    public final long[] outsideDr = new long[8];
    /** The debug registers in effect: {@link #dr} or {@link #outsideDr}. */
    public long[] activeDr = dr;
    /** The instruction that runs now is to be followed by an exit to the debugger outside. */
    public boolean outsideStep;
    /** DR6 bits of an exit to it that is due. */
    public int outsideHits;
    /** Armed instruction breakpoints, one bit each; see {@link Breakpoints}. */
    public int breakCode;
    /** Armed data breakpoints. */
    public int breakData;
    /** Armed I/O breakpoints. */
    public int breakIo;
    /** Vector injected by user space (KVM_INTERRUPT), or -1. */
    public int injectedVector = -1;

    /** Leave with {@link ExitCode#IRQ_WINDOW_OPEN} as soon as an interrupt could be injected. */
    public boolean interruptWindowRequested;
    /** Exception injected by user space: vector and INJECTED_HAS_ERROR, or -1. */
    public int injectedException = -1;
    /** Its error code. */
    public int injectedError;
    /** Flag of {@link #injectedException}: it has an error code. */
    public static final int INJECTED_HAS_ERROR = 0x100;
    /** Flag of {@link #injectedException}: it is that of the INT3 at RIP, which counts as executed. */
    public static final int INJECTED_INT3 = 0x200;

    /** PAUSE instructions executed. */
    public int pauses;

    /**
     * Instructions executed since creation; each iteration of a repeated string instruction is one. Inside a block it
     * is the number at the block's start, but see {@link #exactly}.
     */
    public long instructions;
    /** Where a translated region is: the number of the instruction that its state method belongs to. */
    public int site;

    /** The number of instructions at which the run ends; {@code Long.MAX_VALUE} for no limit. */
    public long instructionLimit = Long.MAX_VALUE;

    /** Time advances with {@link #instructions}: whoever reads it has to call {@link #exactly} first. */
    public boolean virtualTime;

    /** Under a virtual clock: a block of several instructions runs, so that {@link #instructions} lags behind. */
    public boolean inexact;

    /** The exit in progress, {@link ExitCode}; 0 = none. */
    public int exit;
    /** Details of I/O and MMIO exits. */
    public final ExitInfo exitInfo = new ExitInfo();

    /** Guest-physical memory as the vcpu sees it now: another view of it in system-management mode. */
    public GuestMemory memory;
    /** What this CPU is. */
    public final CpuModel model;
    /** Its local APIC. */
    public final LocalInterruptController lapic;
    /** Its clock. */
    public final TimeSource time;
    /** Who serves VMCALL and VMMCALL. */
    public Hypercalls hypercalls = Hypercalls.NONE;
    /** Where RDRAND gets its numbers. */
    public RandomSource random = RandomSource.host();
    /** Number of the vcpu, its initial APIC id. */
    public final int id;

    /** What CPUID returns. */
    public CpuidEntry[] cpuid;

    /** What the VM says about accesses to MSRs. */
    public MsrGate msrGate = MsrGate.OPEN;
    /** Whether accesses to the TPR in the local APIC's page are reported. */
    public boolean tprReporting;
    /** The access of the instruction that runs next was reported and goes through. */
    public boolean tprReported;

    /** The frame that far calls and events push. */
    public final StackFrame frame = new StackFrame(this);

    /** The block cache asks to be told of writes to code. */
    public CodeListener codeListener;

    /** TLB of reads: tag at 2 i, host offset minus linear address at 2 i + 1. */
    public final long[] tlbRead = new long[2 * TLB_SIZE];
    /** TLB of writes. */
    public final long[] tlbWrite = new long[2 * TLB_SIZE];
    /** TLB of instruction fetches. */
    public final long[] tlbExec = new long[2 * TLB_SIZE];
    /** Low 12 bits of a valid tag: generation, privilege, SMAP. */
    public long tlbTag = 1 << TAG_GENERATION_SHIFT;

    private final TlbKeys keys = new TlbKeys(this);
    /** Whether the last walk ended at a global page, whose translation MOV to CR3 leaves alone. */
    boolean walkedGlobal;

    /** TLB flushes so far (statistics). */
    public long tlbFlushes;
    /** TLB misses so far (statistics). */
    public long tlbMisses;

    /** Key of blocks that may run without further checks: stamp and mode bits. */
    public long context;

    @SuppressWarnings("unused") // through REQUESTS
    private volatile int requests;

    private final GuestFault fault = new GuestFault();
    private final GuestExit guestExit = new GuestExit();

    /**
     * A vcpu in its reset state.
     *
     * @param id vcpu number
     * @param memory guest-physical memory
     * @param model CPU model
     * @param lapic local APIC port
     * @param time clock port
     */
    public Cpu(int id, GuestMemory memory, CpuModel model, LocalInterruptController lapic, TimeSource time) {
        this.id = id;
        this.memory = memory;
        this.model = model;
        this.lapic = lapic;
        this.time = time;
        this.msrs = new Msrs(model);
        this.cpuid = model.cpuid().toArray(new CpuidEntry[0]);
        this.physicalMask = (1L << model.physicalAddressBits()) - 1;
        Reset.reset(this);
    }

    // ---------------------------------------------------------------- requests from other threads

    /**
     * Sets request bits; any thread may.
     *
     * @param bits REQ_*
     */
    public void request(int bits) {
        REQUESTS.getAndBitwiseOr(this, bits);
    }

    /**
     * The request bits, without ordering: for the check between blocks.
     *
     * @return REQ_* bits
     */
    public int requests() {
        return (int) REQUESTS.getOpaque(this);
    }

    /**
     * The request bits, ordered with all other volatile accesses: for a first look.
     *
     * @return REQ_* bits
     */
    public int requestsInOrder() {
        return requests;
    }

    /**
     * Takes request bits.
     *
     * @param bits bits to clear
     * @return the bits that were set
     */
    public int takeRequests(int bits) {
        return (int) REQUESTS.getAndBitwiseAnd(this, ~bits) & bits;
    }

    // ---------------------------------------------------------------- faults

    /**
     * Prepares a fault with an error code (or none, for vectors that have none): {@code throw c.fault(...)}.
     *
     * @param vector exception vector
     * @param error error code, ignored where the vector has none
     * @return the exception to throw
     */
    public GuestFault fault(int vector, int error) {
        faultVector = vector;
        faultError = error;
        faultNonCanonical = false;
        return fault;
    }

    /**
     * Invalid opcode.
     *
     * @return the exception to throw
     */
    public GuestFault ud() {
        return fault(Vector.UD, 0);
    }

    /**
     * General protection.
     *
     * @param error error code
     * @return the exception to throw
     */
    public GuestFault gp(int error) {
        return fault(Vector.GP, error);
    }

    /** A non-canonical address: #SS(0) where the operand's segment is SS, else #GP(0); the run loop decides. */
    GuestFault nonCanonical() {
        fault(Vector.GP, 0);
        faultNonCanonical = true;
        return fault;
    }

    /**
     * Leaves the instruction to user space before anything was committed.
     *
     * @param exitCode see {@link ExitCode}
     * @return the exception to throw
     */
    public GuestExit leave(int exitCode) {
        exit = exitCode;
        return guestExit;
    }

    /** What a serializing instruction does to memory (SDM volume 3, 10.3): later accesses come after all earlier ones. */
    public void serialize() {
        if (memory.isShared()) {
            VarHandle.fullFence();
        }
    }

    /**
     * Makes {@link #instructions} the exact number of instructions before the current one, where time advances with
     * it. Inside a block of several, the current instruction is left before anything was committed and runs again
     * alone; the call belongs before the first visible effect.
     */
    public void exactly() {
        if (inexact) {
            request(REQ_EXACT);
            throw leave(ExitCode.NONE);
        }
    }

    /**
     * How many iterations a repeated string instruction may make before the limit of instructions is reached. Exact
     * where there is a limit: the instruction then runs alone.
     *
     * @return at least 1
     */
    public long iterationsLeft() {
        return Math.max(1, instructionLimit - instructions);
    }

    /** Ends the running block after the current instruction. */
    public void stopAfterInsn() {
        limit = 0;
    }

    /**
     * Whether the instruction that runs now is a step: of REP it does one iteration.
     *
     * @return true under TF, or when stepped from outside
     */
    public boolean stepping() {
        return stepArmed || outsideStep;
    }

    // ---------------------------------------------------------------- flags

    /**
     * The whole EFLAGS image.
     *
     * @return EFLAGS
     */
    public int flags() {
        return eflags | Flags.bits(fop, fa, fb);
    }

    /**
     * Sets all of EFLAGS without checks; callers apply the rules of their instruction.
     *
     * @param value new EFLAGS
     */
    public void setFlags(int value) {
        int changed = eflags ^ value;
        setArith(value);
        eflags = value & ~Flags.ARITH & 0x3F7F00 | 2 | model.eflagsFixed();
        if ((changed & (Flags.AC | Flags.VM)) != 0) {
            updateMode();
        }
        if ((changed & (Flags.IF | Flags.TF)) != 0) {
            request(REQ_INTERRUPT);
            limit = 0;
        }
    }

    /**
     * Sets the six arithmetic flags from an EFLAGS image.
     *
     * @param value flag bits
     */
    public void setArith(int value) {
        fop = Flags.RAW;
        fa = value & Flags.ARITH;
    }

    /**
     * The arithmetic flags as EFLAGS bits.
     *
     * @return bits
     */
    public int arith() {
        return Flags.bits(fop, fa, fb);
    }

    /**
     * The carry flag as a number.
     *
     * @return 0 or 1
     */
    public int carry() {
        return Flags.cf(fop, fa, fb) ? 1 : 0;
    }

    /**
     * Records a lazy flag operation.
     *
     * @param op kind and size, see {@link Flags}
     * @param a first operand
     * @param b second operand
     */
    public void setLazy(int op, long a, long b) {
        fop = op;
        fa = a;
        fb = b;
    }

    // ---------------------------------------------------------------- mode

    /** In protected mode (V86 included). */
    public boolean protectedMode() {
        return (cr0 & CR0_PE) != 0;
    }

    /** In virtual-8086 mode. */
    public boolean v86() {
        return (eflags & Flags.VM) != 0;
    }

    /** In real or virtual-8086 mode, where selectors are paragraphs. */
    public boolean realOrV86() {
        return (cr0 & CR0_PE) == 0 || (eflags & Flags.VM) != 0;
    }

    /** Long mode is active (64-bit or compatibility mode). */
    public boolean longMode() {
        return (efer & EFER_LMA) != 0;
    }

    /**
     * The I/O privilege level.
     *
     * @return 0 to 3
     */
    public int iopl() {
        return eflags >> 12 & 3;
    }

    /**
     * The stack pointer's width by SS and mode.
     *
     * @return 2, 4 or 8 bytes
     */
    public int stackAddressSize() {
        return mode64 ? 8 : (segAttr[SS] & ATTR_DB) != 0 ? 4 : 2;
    }

    /**
     * The code segment's default size.
     *
     * @return 16, 32 or 64
     */
    public int codeBits() {
        return mode64 ? 64 : (segAttr[CS] & ATTR_DB) != 0 ? 32 : 16;
    }

    /**
     * Derives everything that hangs on CR0, CR4, EFER, EFLAGS.AC/VM, CPL, CS and SS: the decode context and the TLB
     * tag. To be called after any of them changes. It ends the running block.
     */
    public void updateMode() {
        mode64 = (efer & EFER_LMA) != 0 && (segAttr[CS] & ATTR_L) != 0;
        int bits = mode64 ? 2 : (segAttr[CS] & ATTR_DB) != 0 ? 1 : 0;
        bits |= (segAttr[SS] & ATTR_DB) != 0 ? 4 : 0;
        bits |= realOrV86() ? 8 : 0;
        boolean user = cpl == 3;
        context = keys.stamp(user) << 8 | bits | (user ? 16 : 0);
        boolean align = user && (cr0 & CR0_AM) != 0 && (eflags & Flags.AC) != 0;
        tlbTag = user ? (long) keys.generation(false) << TAG_GENERATION_SHIFT | 1 | (align ? TAG_ALIGN : 0) : dataTag();
        limit = 0;
    }

    /** The tag of a supervisor's own accesses to data. */
    private long dataTag() {
        boolean smap = (cr4 & CR4_SMAP) != 0 && (eflags & Flags.AC) == 0;
        return (long) keys.generation(smap) << TAG_GENERATION_SHIFT | (smap ? TAG_SMAP : 0);
    }

    /** EFLAGS.AC has changed in ring 0: what {@link #updateMode} would do, but for the end of the block. */
    public void supervisorAccessChanged() {
        tlbTag = dataTag();
    }

    /**
     * The tag of accesses that the CPU makes as supervisor whatever the CPL is (descriptor tables, TSS).
     *
     * @return tag bits
     */
    long supervisorTag() {
        boolean smap = (cr4 & CR4_SMAP) != 0;
        return (long) keys.generation(smap) << TAG_GENERATION_SHIFT | (smap ? TAG_SMAP : 0);
    }

    /** Drops all TLB entries and has all blocks re-validated against the new mapping. */
    public void flushTlb() {
        tlbFlushes++;
        keys.flush();
        updateMode();
    }

    /**
     * As {@link #flushTlb} for MOV to CR3, which leaves global pages alone.
     *
     * @param keep whether what is known of the PCID in CR3 may be kept
     */
    void addressSpaceChanged(boolean keep) {
        if (keys.load((cr4 & CR4_PCIDE) != 0 ? (int) cr3 & 0xFFF : 0, keep)) {
            tlbFlushes++;
        }
        updateMode();
    }

    /**
     * Drops the translations of a PCID that is not the present one.
     *
     * @param pcid the PCID
     */
    public void forgetAddressSpace(int pcid) {
        keys.forget(pcid);
    }

    /** Has all blocks re-validated: mapping, CS base or limit may differ. */
    public void codeChanged() {
        keys.codeChanged();
        updateMode();
    }

    /** A walk has ended at a large page. */
    void noteLargePage(long linear, long offsetMask) {
        keys.noteLargePage(linear, offsetMask);
    }

    /**
     * Drops the TLB entries of one page.
     *
     * @param linear an address in it
     */
    public void flushTlbPage(long linear) {
        if (keys.mayBeLarge(linear)) {
            flushTlb();
            return;
        }
        dropTlbPage(linear);
        if (keys.pageChanged(linear)) {
            updateMode();
        }
    }

    /** Drops whatever stands where the entries of a page would. */
    void dropTlbPage(long linear) {
        int i = (int) (linear >>> 11) & TLB_INDEX_MASK;
        tlbRead[i] = 0;
        tlbWrite[i] = 0;
        tlbExec[i] = 0;
    }

    /** Drops write entries that lead to one host page, because it now holds code or is watched. */
    public void dropWriteEntries(long hostPage) {
        for (int i = 0; i < tlbWrite.length; i += 2) {
            if ((tlbWrite[i] & -4096L) + tlbWrite[i + 1] == hostPage) {
                tlbWrite[i] = 0;
            }
        }
    }

    void fillTlb(long[] tlb, long linear, long hostPage, long tag) {
        if (breakData != 0 && tlb != tlbExec && Breakpoints.watches(this, linear)) {
            return;
        }
        keys.filled(linear, tlb == tlbExec, (tag & 1) != 0, (tag & TAG_SMAP) != 0, walkedGlobal);
        int i = (int) (linear >>> 11) & TLB_INDEX_MASK;
        tlb[i] = linear & -4096L | tag & ~TAG_ALIGN;
        tlb[i + 1] = hostPage - (linear & -4096L);
    }

    // ---------------------------------------------------------------- data memory by linear address

    /**
     * Reads a byte at the present privilege.
     *
     * @param la linear address
     * @return zero-extended
     */
    public int read8(long la) {
        int i = (int) (la >>> 11) & TLB_INDEX_MASK;
        if (tlbRead[i] == (la & -4096L | tlbTag)) {
            return HostMemory.getByte(la + tlbRead[i + 1]);
        }
        return (int) Mmu.readSlow(this, la, 1);
    }

    /**
     * Reads a 16-bit word.
     *
     * @param la linear address
     * @return zero-extended
     */
    public int read16(long la) {
        int i = (int) (la >>> 11) & TLB_INDEX_MASK;
        if (tlbRead[i] == (la + 1 & -4096L | tlbTag)) {
            return HostMemory.getShort(la + tlbRead[i + 1]);
        }
        return (int) Mmu.readSlow(this, la, 2);
    }

    /**
     * Reads a 32-bit word.
     *
     * @param la linear address
     * @return the word
     */
    public int read32(long la) {
        int i = (int) (la >>> 11) & TLB_INDEX_MASK;
        if (tlbRead[i] == (la + 3 & -4096L | tlbTag)) {
            return HostMemory.getInt(la + tlbRead[i + 1]);
        }
        return (int) Mmu.readSlow(this, la, 4);
    }

    /**
     * Reads a 64-bit word.
     *
     * @param la linear address
     * @return the word
     */
    public long read64(long la) {
        int i = (int) (la >>> 11) & TLB_INDEX_MASK;
        if (tlbRead[i] == (la + 7 & -4096L | tlbTag)) {
            return HostMemory.getLong(la + tlbRead[i + 1]);
        }
        return Mmu.readSlow(this, la, 8);
    }

    /**
     * Writes a byte.
     *
     * @param la linear address
     * @param value low 8 bits
     */
    public void write8(long la, int value) {
        int i = (int) (la >>> 11) & TLB_INDEX_MASK;
        if (tlbWrite[i] == (la & -4096L | tlbTag)) {
            HostMemory.putByte(la + tlbWrite[i + 1], value);
        } else {
            Mmu.writeSlow(this, la, 1, value);
        }
    }

    /**
     * Writes a 16-bit word.
     *
     * @param la linear address
     * @param value low 16 bits
     */
    public void write16(long la, int value) {
        int i = (int) (la >>> 11) & TLB_INDEX_MASK;
        if (tlbWrite[i] == (la + 1 & -4096L | tlbTag)) {
            HostMemory.putShort(la + tlbWrite[i + 1], value);
        } else {
            Mmu.writeSlow(this, la, 2, value);
        }
    }

    /**
     * Writes a 32-bit word.
     *
     * @param la linear address
     * @param value the word
     */
    public void write32(long la, int value) {
        int i = (int) (la >>> 11) & TLB_INDEX_MASK;
        if (tlbWrite[i] == (la + 3 & -4096L | tlbTag)) {
            HostMemory.putInt(la + tlbWrite[i + 1], value);
        } else {
            Mmu.writeSlow(this, la, 4, value);
        }
    }

    /**
     * Writes a 64-bit word.
     *
     * @param la linear address
     * @param value the word
     */
    public void write64(long la, long value) {
        int i = (int) (la >>> 11) & TLB_INDEX_MASK;
        if (tlbWrite[i] == (la + 7 & -4096L | tlbTag)) {
            HostMemory.putLong(la + tlbWrite[i + 1], value);
        } else {
            Mmu.writeSlow(this, la, 8, value);
        }
    }

    /**
     * Makes sure that a later write cannot fault: the first half of a read-modify-write.
     *
     * @param la linear address
     * @param size bytes, at most a page
     */
    public void checkWrite(long la, int size) {
        int i = (int) (la >>> 11) & TLB_INDEX_MASK;
        if (tlbWrite[i] != (la + size - 1 & -4096L | tlbTag)) {
            Mmu.checkWriteSlow(this, la, size);
        }
    }

    /**
     * Reads a byte that will be written: the first half of a read-modify-write. The later write cannot fault.
     *
     * @param la linear address
     * @return zero-extended
     */
    public int rmw8(long la) {
        int i = (int) (la >>> 11) & TLB_INDEX_MASK;
        if (tlbWrite[i] == (la & -4096L | tlbTag)) {
            return HostMemory.getByte(la + tlbWrite[i + 1]);
        }
        Mmu.checkWriteSlow(this, la, 1);
        return read8(la);
    }

    /** As {@link #rmw8} for 16 bits. */
    public int rmw16(long la) {
        int i = (int) (la >>> 11) & TLB_INDEX_MASK;
        if (tlbWrite[i] == (la + 1 & -4096L | tlbTag)) {
            return HostMemory.getShort(la + tlbWrite[i + 1]);
        }
        Mmu.checkWriteSlow(this, la, 2);
        return read16(la);
    }

    /** As {@link #rmw8} for 32 bits. */
    public int rmw32(long la) {
        int i = (int) (la >>> 11) & TLB_INDEX_MASK;
        if (tlbWrite[i] == (la + 3 & -4096L | tlbTag)) {
            return HostMemory.getInt(la + tlbWrite[i + 1]);
        }
        Mmu.checkWriteSlow(this, la, 4);
        return read32(la);
    }

    /** As {@link #rmw8} for 64 bits. */
    public long rmw64(long la) {
        int i = (int) (la >>> 11) & TLB_INDEX_MASK;
        if (tlbWrite[i] == (la + 7 & -4096L | tlbTag)) {
            return HostMemory.getLong(la + tlbWrite[i + 1]);
        }
        Mmu.checkWriteSlow(this, la, 8);
        return read64(la);
    }

    // ---------------------------------------------------------------- LOCK

    /**
     * The second half of a locked read-modify-write of 32 bits: stores where the word still has the value that rmw32 read.
     *
     * @param la linear address
     * @param expected what was read
     * @param value what to store
     * @return false where another vcpu came in between: read again
     */
    public boolean cas32(long la, int expected, int value) {
        int i = (int) (la >>> 11) & TLB_INDEX_MASK;
        if (tlbWrite[i] == (la & -4096L | tlbTag) && (la & 3) == 0) {
            return HostMemory.compareAndSetInt(la + tlbWrite[i + 1], expected, value);
        }
        return Locked.compareAndSet(this, la, 4, expected & 0xFFFFFFFFL, value & 0xFFFFFFFFL);
    }

    /** As {@link #cas32} for 64 bits. */
    public boolean cas64(long la, long expected, long value) {
        int i = (int) (la >>> 11) & TLB_INDEX_MASK;
        if (tlbWrite[i] == (la & -4096L | tlbTag) && (la & 7) == 0) {
            return HostMemory.compareAndSetLong(la + tlbWrite[i + 1], expected, value);
        }
        return Locked.compareAndSet(this, la, 8, expected, value);
    }

    /** As {@link #cas32} for 16 bits. */
    public boolean cas16(long la, int expected, int value) {
        return Locked.compareAndSet(this, la, 2, expected & 0xFFFF, value & 0xFFFF);
    }

    /** As {@link #cas32} for 8 bits. */
    public boolean cas8(long la, int expected, int value) {
        return Locked.compareAndSet(this, la, 1, expected & 0xFF, value & 0xFF);
    }

    /**
     * As {@link #cas32} by size.
     *
     * @param la linear address
     * @param size 1, 2, 4 or 8
     * @param expected what was read, zero-extended
     * @param value what to store; low bytes count
     * @return false where another vcpu came in between
     */
    public boolean cas(long la, int size, long expected, long value) {
        return switch (size) {
            case 1 -> cas8(la, (int) expected, (int) value);
            case 2 -> cas16(la, (int) expected, (int) value);
            case 4 -> cas32(la, (int) expected, (int) value);
            default -> cas64(la, expected, value);
        };
    }

    /**
     * Reads by size.
     *
     * @param la linear address
     * @param size 1, 2, 4 or 8
     * @return zero-extended value
     */
    public long read(long la, int size) {
        return switch (size) {
            case 1 -> read8(la);
            case 2 -> read16(la);
            case 4 -> read32(la) & 0xFFFFFFFFL;
            default -> read64(la);
        };
    }

    /**
     * Writes by size.
     *
     * @param la linear address
     * @param size 1, 2, 4 or 8
     * @param value low bytes are stored
     */
    public void write(long la, int size, long value) {
        switch (size) {
            case 1 -> write8(la, (int) value);
            case 2 -> write16(la, (int) value);
            case 4 -> write32(la, (int) value);
            default -> write64(la, value);
        }
    }

    /**
     * Reads a system structure (descriptor, TSS, IDT) as supervisor whatever the CPL is.
     *
     * @param la linear address
     * @param size 1, 2, 4 or 8
     * @return zero-extended value
     */
    public long sysRead(long la, int size) {
        long saved = tlbTag;
        tlbTag = supervisorTag();
        try {
            return read(la, size);
        } finally {
            tlbTag = saved;
        }
    }

    /**
     * Writes a system structure as supervisor.
     *
     * @param la linear address
     * @param size 1, 2, 4 or 8
     * @param value low bytes are stored
     */
    public void sysWrite(long la, int size, long value) {
        long saved = tlbTag;
        tlbTag = supervisorTag();
        try {
            write(la, size, value);
        } finally {
            tlbTag = saved;
        }
    }

    /** The tag's user bit: whether the access in progress is a user access. */
    boolean tagUser() {
        return (tlbTag & 1) != 0;
    }

    boolean tagSmap() {
        return (tlbTag & TAG_SMAP) != 0;
    }

    boolean tagAlign() {
        return (tlbTag & TAG_ALIGN) != 0;
    }

    // ---------------------------------------------------------------- segmented addresses

    /**
     * The linear address of a read, after the segment's checks.
     *
     * @param seg segment number
     * @param offset offset, already cut to the address size
     * @param size bytes accessed
     * @return linear address
     */
    public long segRead(int seg, long offset, int size) {
        if (mode64) {
            return seg >= FS ? segBase[seg] + offset : offset;
        }
        if (offset < segReadLow[seg] || offset + size - 1 > segReadHigh[seg]) {
            return Mmu.segmentFault(this, seg, offset, size);
        }
        return segBase[seg] + offset & 0xFFFFFFFFL;
    }

    /**
     * The linear address of a write, after the segment's checks.
     *
     * @param seg segment number
     * @param offset offset, already cut to the address size
     * @param size bytes accessed
     * @return linear address
     */
    public long segWrite(int seg, long offset, int size) {
        if (mode64) {
            return seg >= FS ? segBase[seg] + offset : offset;
        }
        if (offset < segWriteLow[seg] || offset + size - 1 > segWriteHigh[seg]) {
            return Mmu.segmentFault(this, seg, offset, size);
        }
        return segBase[seg] + offset & 0xFFFFFFFFL;
    }

    /**
     * The offset that an instruction's memory operand names.
     *
     * @param i the instruction
     * @return offset, cut to the address size
     */
    public long ea(Insn i) {
        return r[i.base] + (r[i.index] << i.scale) + i.disp & i.addrMask;
    }

    /**
     * Linear address of the memory operand for a read.
     *
     * @param i the instruction
     * @param size bytes
     * @return linear address
     */
    public long eaRead(Insn i, int size) {
        return segRead(i.seg, ea(i), size);
    }

    /**
     * Linear address of the memory operand for a write.
     *
     * @param i the instruction
     * @param size bytes
     * @return linear address
     */
    public long eaWrite(Insn i, int size) {
        return segWrite(i.seg, ea(i), size);
    }

    // ---------------------------------------------------------------- registers

    /** Reads a byte register by code: 0 to 15 low bytes, 16 to 19 AH CH DH BH. */
    public int get8(int code) {
        return code < 16 ? (int) r[code] & 0xFF : (int) (r[code - 16] >>> 8) & 0xFF;
    }

    /** Writes a byte register by code. */
    public void set8(int code, int value) {
        if (code < 16) {
            r[code] = r[code] & ~0xFFL | value & 0xFF;
        } else {
            r[code - 16] = r[code - 16] & ~0xFF00L | (value & 0xFF) << 8;
        }
    }

    /** Writes a 16-bit register. */
    public void set16(int n, int value) {
        r[n] = r[n] & ~0xFFFFL | value & 0xFFFF;
    }

    /** Writes a 32-bit register: the upper half becomes 0. */
    public void set32(int n, int value) {
        r[n] = value & 0xFFFFFFFFL;
    }

    /** Reads a general register by operand size (not 1). */
    public long get(int n, int size) {
        return switch (size) {
            case 2 -> r[n] & 0xFFFF;
            case 4 -> r[n] & 0xFFFFFFFFL;
            default -> r[n];
        };
    }

    /** Writes a general register by operand size (not 1). */
    public void set(int n, int size, long value) {
        switch (size) {
            case 2 -> set16(n, (int) value);
            case 4 -> r[n] = value & 0xFFFFFFFFL;
            default -> r[n] = value;
        }
    }

    /** Reads the register or memory operand (ModRM.rm) of 2, 4 or 8 bytes, zero-extended. */
    public long getRm(Insn i, int size) {
        return i.mem ? read(eaRead(i, size), size) : get(i.rm, size);
    }

    /** Reads the byte register or memory operand. */
    public int getRm8(Insn i) {
        return i.mem ? read8(eaRead(i, 1)) : get8(i.rm);
    }

    /** Writes the register or memory operand of 2, 4 or 8 bytes. */
    public void setRm(Insn i, int size, long value) {
        if (i.mem) {
            write(eaWrite(i, size), size, value);
        } else {
            set(i.rm, size, value);
        }
    }

    /** Writes the byte register or memory operand. */
    public void setRm8(Insn i, int value) {
        if (i.mem) {
            write8(eaWrite(i, 1), value);
        } else {
            set8(i.rm, value);
        }
    }

    // ---------------------------------------------------------------- stack

    /** The stack pointer cut to the stack's address size. */
    public long sp() {
        return mode64 ? r[RSP] : (segAttr[SS] & ATTR_DB) != 0 ? r[RSP] & 0xFFFFFFFFL : r[RSP] & 0xFFFF;
    }

    /** Sets the stack pointer in the stack's address size. */
    public void setSp(long value) {
        if (mode64) {
            r[RSP] = value;
        } else if ((segAttr[SS] & ATTR_DB) != 0) {
            r[RSP] = value & 0xFFFFFFFFL;
        } else {
            set16(RSP, (int) value);
        }
    }

    /** Cuts a stack offset to the stack's address size. */
    public long spMask(long offset) {
        return mode64 ? offset : (segAttr[SS] & ATTR_DB) != 0 ? offset & 0xFFFFFFFFL : offset & 0xFFFF;
    }

    /** Linear address of a stack read, with #SS for what a non-canonical address would be. */
    public long stackRead(long offset, int size) {
        if (mode64) {
            if (offset << 16 >> 16 != offset) {
                throw fault(Vector.SS, 0);
            }
            return offset;
        }
        return segRead(SS, offset, size);
    }

    /** Linear address of a stack write. */
    public long stackWrite(long offset, int size) {
        if (mode64) {
            if (offset << 16 >> 16 != offset) {
                throw fault(Vector.SS, 0);
            }
            return offset;
        }
        return segWrite(SS, offset, size);
    }

    /** Pushes a value of 2, 4 or 8 bytes; nothing is committed where it faults. */
    public void push(int size, long value) {
        long offset = spMask(r[RSP] - size);
        write(stackWrite(offset, size), size, value);
        setSp(offset);
    }

    /** Pops a value of 2, 4 or 8 bytes, zero-extended; the stack pointer moves after the read. */
    public long pop(int size) {
        long offset = sp();
        long value = read(stackRead(offset, size), size);
        setSp(offset + size);
        return value;
    }

    // ---------------------------------------------------------------- segments

    /**
     * Sets a segment register's hidden part and derives its access windows. Does not check anything.
     *
     * @param seg segment number
     * @param selector visible selector
     * @param base base address
     * @param limit limit in bytes (granularity applied)
     * @param attr ATTR_* bits
     */
    public void setSegment(int seg, int selector, long base, long limit, int attr) {
        boolean code = seg == CS && (segBase[CS] != base || segLimit[CS] != limit);
        segSel[seg] = selector;
        segBase[seg] = base;
        segLimit[seg] = limit;
        segAttr[seg] = attr;
        deriveSegment(seg);
        if (code) {
            codeChanged();
        } else if (seg == CS || seg == SS) {
            updateMode();
        }
    }

    /** Derives the access windows of a segment from its attributes and the mode. */
    public void deriveSegment(int seg) {
        int attr = segAttr[seg];
        long low = 0;
        long high = segLimit[seg];
        boolean readable = true;
        boolean writable = true;
        if ((cr0 & CR0_PE) != 0 && (eflags & Flags.VM) == 0 && seg < LDTR) {
            int type = attr & ATTR_TYPE;
            if ((attr & ATTR_UNUSABLE) != 0) {
                readable = false;
                writable = false;
            } else if ((type & 8) != 0) {
                readable = (type & 2) != 0;
                writable = false;
            } else {
                writable = (type & 2) != 0;
                if ((type & 4) != 0) {
                    low = high + 1;
                    high = (attr & ATTR_DB) != 0 ? 0xFFFFFFFFL : 0xFFFF;
                }
            }
        }
        segReadLow[seg] = readable ? low : 1;
        segReadHigh[seg] = readable ? high : 0;
        segWriteLow[seg] = writable ? low : 1;
        segWriteHigh[seg] = writable ? high : 0;
        if (!readable) {
            segReadLow[seg] = Long.MAX_VALUE;
        }
        if (!writable) {
            segWriteLow[seg] = Long.MAX_VALUE;
        }
    }

    /** Derives all segments' windows anew: after PE or VM changed. */
    public void deriveSegments() {
        for (int seg = 0; seg < 6; seg++) {
            deriveSegment(seg);
        }
    }
}
