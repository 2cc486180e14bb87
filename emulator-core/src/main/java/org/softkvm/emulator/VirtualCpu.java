package org.softkvm.emulator;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.List;
import org.softkvm.emulator.cpu.Breakpoints;
import org.softkvm.emulator.cpu.CodeListener;
import org.softkvm.emulator.cpu.Control;
import org.softkvm.emulator.cpu.Cpu;
import org.softkvm.emulator.cpu.ExitInfo;
import org.softkvm.emulator.cpu.Mmu;
import org.softkvm.emulator.cpu.Msrs;
import org.softkvm.emulator.cpu.OutsideDebug;
import org.softkvm.emulator.cpu.Reset;
import org.softkvm.emulator.cpu.Smm;
import org.softkvm.emulator.cpu.Vector;
import org.softkvm.emulator.run.Interpreter;
import org.softkvm.emulator.simd.XsaveArea;

/**
 * One virtual CPU. It is used by one thread at a time; only {@link #kick}, {@link #requestInterruptCheck} and
 * {@link #postNmi} may be called by others at any time.
 *
 * <p>{@link #run} executes until there is something for the caller to do and returns KVM's exit number.
 */
public final class VirtualCpu implements AutoCloseable {
    /** Exit: port I/O, see {@link #ioPort()} and following. */
    public static final int EXIT_IO = 2;
    /** Exit: debug event. */
    public static final int EXIT_DEBUG = 4;
    /** Exit: HLT, and nothing to deliver. */
    public static final int EXIT_HLT = 5;
    /** Exit: memory-mapped I/O, see {@link #mmioAddress()} and following. */
    public static final int EXIT_MMIO = 6;
    /** Exit: an interrupt can be injected now. */
    public static final int EXIT_IRQ_WINDOW_OPEN = 7;
    /** Exit: triple fault. */
    public static final int EXIT_SHUTDOWN = 8;
    /** Exit: kicked, or the instruction limit is reached. */
    public static final int EXIT_INTR = 10;
    /** Exit: access to the TPR that is to be reported, see {@link #setTprReporting}. */
    public static final int EXIT_TPR_ACCESS = 12;
    /** Exit: RDMSR, see {@link #msrIndex()} and following. */
    public static final int EXIT_X86_RDMSR = 29;
    /** Exit: WRMSR. */
    public static final int EXIT_X86_WRMSR = 30;
    /** Exit: something that the emulator cannot do (fetch from MMIO), see {@link #suberror()}. */
    public static final int EXIT_INTERNAL_ERROR = 17;

    /** Executions of a block after which the tiered engine translates it: RATIONALE.md says what was measured. */
    public static final int DEFAULT_TRANSLATION_THRESHOLD = Integer.getInteger("softkvm.threshold", 8_000);

    private final Cpu cpu;
    private final GuestMemory memory;
    private final Interpreter interpreter;
    private final CodeNotes codeNotes = new CodeNotes();
    private final CodeNotes.Reader codeReader = new CodeReader();

    private volatile boolean running;
    private volatile boolean flushAsked;
    private volatile boolean paused;

    /**
     * Creates a vcpu in its reset state.
     *
     * @param id number, also the initial APIC id
     * @param memory the VM's memory
     * @param model what CPU it is
     * @param lapic its local APIC, or {@link LocalInterruptController#NONE}
     * @param time its clock
     */
    public VirtualCpu(int id, GuestMemory memory, CpuModel model, LocalInterruptController lapic, TimeSource time) {
        this.memory = memory;
        cpu = new Cpu(id, memory, model, lapic, time);
        interpreter = new Interpreter(cpu);
        interpreter.flushServed = () -> flushAsked = false;
        interpreter.invalidations = () -> codeNotes.serve(codeReader);
        interpreter.pausePoint = () -> memory.pauseWhileExclusive(cpu);
        memory.attach(this);
    }

    /**
     * Runs the guest until an exit. Answers of the previous exit ({@link #setIoData}, {@link #setMmioData}) are taken
     * first.
     *
     * @return EXIT_*
     */
    public int run() {
        running = true;
        try {
            // What others asked for before they saw the vcpu run takes effect before its first access to memory. The
            // read
            // is a volatile one: whoever asks writes a request and then reads 'running'.
            interpreter.serveOthers();
            if (memory.exclusiveHeld()) {
                memory.pauseWhileExclusive(cpu);
            }
            return interpreter.run();
        } finally {
            running = false;
        }
    }

    /**
     * Chooses when guest code is translated to JVM bytecode. Own thread only, not while it runs.
     *
     * @param threshold executions of a block by the interpreter after which it becomes the entry of a translated
     *     region; 0 for before its first execution, where translation is synchronous; {@code Integer.MAX_VALUE} for never
     * @param synchronous translate at once on the vcpu's own thread rather than in the background
     */
    public void setTranslation(int threshold, boolean synchronous) {
        interpreter.setTranslation(threshold, synchronous);
    }

    /**
     * Chooses the form of regions that are translated synchronously, for tests. In the background both forms are made:
     * narrow ones first, and wide ones where the guest spends its time.
     *
     * @param narrow true for regions within a function, whose registers stay in the vcpu; false for wide ones, the
     *     default (system property {@code softkvm.narrow}, in which {@code half} means some of each)
     */
    public void setNarrow(boolean narrow) {
        interpreter.setNarrow(narrow);
    }

    /**
     * Translated regions made so far.
     *
     * @return count
     */
    public long regionsTranslated() {
        return interpreter.regionsTranslated();
    }

    /**
     * Translated regions that took the place of others because much time was spent there.
     *
     * @return count
     */
    public long regionsWidened() {
        return interpreter.regionsWidened();
    }

    /**
     * Instructions that the interpreter executed, an iteration of REP not being one; translated code executed the others.
     *
     * @return count
     */
    public long interpreted() {
        return interpreter.interpreted;
    }

    /**
     * Those of {@link #interpreted()} that translated code should have executed: behind a side exit, in a block whose
     * region cannot be entered, or in one that cannot be translated.
     *
     * @return count
     */
    public long fallbacks() {
        return interpreter.fallbacks;
    }

    /**
     * Times that translated code left an instruction to the interpreter.
     *
     * @return count
     */
    public long sideExits() {
        return interpreter.sideExits;
    }

    /**
     * Bytes of bytecode made so far.
     *
     * @return count
     */
    public long regionBytes() {
        return interpreter.regionBytes();
    }

    /**
     * Host time spent on translation, on whatever thread.
     *
     * @return nanoseconds
     */
    public long translationNanos() {
        return interpreter.translationNanos();
    }

    /**
     * Regions that could not be translated.
     *
     * @return count
     */
    public long regionsFailed() {
        return interpreter.regionsFailed();
    }

    /**
     * Regions that the JVM had compiled to machine code before they ran for the first time: none where it was not started
     * with its testing interface, as the launcher does.
     *
     * @return count
     */
    public long regionsCompiled() {
        return interpreter.regionsCompiled();
    }

    /**
     * Regions given up because there were too many.
     *
     * @return count
     */
    public long regionsDropped() {
        return interpreter.regionsDropped();
    }

    /** Makes the run in progress, or the next one, return {@link #EXIT_INTR}. Any thread. */
    public void kick() {
        cpu.request(Cpu.REQ_KICK);
    }

    /** Takes a kick back that has not been seen yet. Own thread only. */
    public void clearKick() {
        cpu.takeRequests(Cpu.REQ_KICK);
    }

    /** Says that the local APIC or an injected event may have something to deliver. Any thread. */
    public void requestInterruptCheck() {
        cpu.request(Cpu.REQ_INTERRUPT);
    }

    private final class CodeReader implements CodeNotes.Reader {
        @Override
        public void marked(long hostPage) {
            cpu.dropWriteEntries(hostPage);
        }

        @Override
        public void written(long host, long length) {
            interpreter.codeWritten(host, length);
        }

        @Override
        public void everything() {
            interpreter.close();
            cpu.flushTlb();
        }
    }

    void requestFlush() {
        flushAsked = true;
        cpu.request(Cpu.REQ_FLUSH);
    }

    /** Whether a running vcpu has yet to drop its TLB. */
    boolean flushOutstanding() {
        return running && flushAsked;
    }

    void requestPause(Cpu self) {
        if (cpu != self) {
            cpu.request(Cpu.REQ_PAUSE);
        }
    }

    /** Whether this vcpu may execute while another one wants to be alone. */
    boolean runsBeside(Cpu self) {
        return cpu != self && running && !paused;
    }

    void setPaused(boolean on) {
        paused = on;
    }

    boolean listensWith(CodeListener listener) {
        return cpu.codeListener == listener;
    }

    void codePageMarked(long hostPage) {
        codeNotes.marked(hostPage);
        cpu.request(Cpu.REQ_INVALIDATE);
    }

    /** How many notes about code this vcpu has been given. */
    long codeNotesPosted() {
        return codeNotes.posted();
    }

    /** Whether as many notes as that have taken effect, or will have before this vcpu executes anything. */
    boolean hasTaken(long notes) {
        return !running || codeNotes.served() >= notes;
    }

    void codeWrittenByOther(CodeListener self, long host, long length) {
        if (cpu.codeListener != self) {
            codeNotes.written(host, length);
            cpu.request(Cpu.REQ_INVALIDATE);
        }
    }

    /**
     * Chooses who serves VMCALL and VMMCALL; at first {@link Hypercalls#NONE}.
     *
     * @param hypercalls who does
     */
    public void setHypercalls(Hypercalls hypercalls) {
        cpu.hypercalls = hypercalls;
    }

    /** Back to the state after power-up. */
    public void reset() {
        Reset.reset(cpu);
    }

    /** INIT: as reset, but FPU, SSE and MSRs keep their state. */
    public void init() {
        Reset.init(cpu);
    }

    // ------------------------------------------------------------ exits

    /**
     * I/O exit: the port.
     *
     * @return 0 to FFFFh
     */
    public int ioPort() {
        return cpu.exitInfo.ioPort;
    }

    /**
     * I/O exit: bytes an item.
     *
     * @return 1, 2 or 4
     */
    public int ioSize() {
        return cpu.exitInfo.ioSize;
    }

    /**
     * I/O exit: number of items.
     *
     * @return 1 or more
     */
    public int ioCount() {
        return cpu.exitInfo.ioCount;
    }

    /**
     * I/O exit: direction.
     *
     * @return true for OUT and OUTS
     */
    public boolean ioOut() {
        return cpu.exitInfo.ioOut;
    }

    /**
     * I/O exit: the data, ioSize times ioCount bytes, little-endian; IN and INS: to be filled.
     *
     * @return the buffer
     */
    public byte[] ioBuffer() {
        return cpu.exitInfo.ioData;
    }

    /**
     * I/O exit of OUT: the first item.
     *
     * @return zero-extended
     */
    public int ioData() {
        byte[] d = cpu.exitInfo.ioData;
        return switch (cpu.exitInfo.ioSize) {
            case 1 -> d[0] & 0xFF;
            case 2 -> d[0] & 0xFF | (d[1] & 0xFF) << 8;
            default -> d[0] & 0xFF | (d[1] & 0xFF) << 8 | (d[2] & 0xFF) << 16 | d[3] << 24;
        };
    }

    /**
     * I/O exit of IN: answers with one item.
     *
     * @param value low ioSize bytes count
     */
    public void setIoData(int value) {
        byte[] d = cpu.exitInfo.ioData;
        d[0] = (byte) value;
        d[1] = (byte) (value >> 8);
        d[2] = (byte) (value >> 16);
        d[3] = (byte) (value >> 24);
    }

    /**
     * MMIO exit: guest-physical address.
     *
     * @return address
     */
    public long mmioAddress() {
        return cpu.exitInfo.mmioAddress;
    }

    /**
     * MMIO exit: bytes.
     *
     * @return 1 to 8
     */
    public int mmioSize() {
        return cpu.exitInfo.mmioSize;
    }

    /**
     * MMIO exit: direction.
     *
     * @return true for a write
     */
    public boolean mmioWrite() {
        return cpu.exitInfo.mmioWrite;
    }

    /**
     * MMIO exit: data of a write.
     *
     * @return low bytes count
     */
    public long mmioData() {
        return cpu.exitInfo.mmioData;
    }

    /**
     * MMIO exit of a read: the answer.
     *
     * @param value low bytes count
     */
    public void setMmioData(long value) {
        cpu.exitInfo.mmioData = value;
    }

    /**
     * Debug exit: what it is.
     *
     * @return vector: 1 = debug exception, 3 = INT3
     */
    public int debugVector() {
        return cpu.exitInfo.debugVector;
    }

    /**
     * Debug exit: where the vcpu stands.
     *
     * @return linear address
     */
    public long debugPc() {
        return cpu.exitInfo.debugPc;
    }

    /**
     * Debug exit: why.
     *
     * @return DR6 as the exception would leave it
     */
    public long debugDr6() {
        return cpu.exitInfo.debugDr6;
    }

    /**
     * Debug exit: DR7 in effect.
     *
     * @return its value
     */
    public long debugDr7() {
        return cpu.exitInfo.debugDr7;
    }

    /**
     * MSR exit: why, a reason of {@link MsrGate}.
     *
     * @return one bit
     */
    public int msrReason() {
        return cpu.exitInfo.msrReason;
    }

    /**
     * MSR exit: which.
     *
     * @return MSR number
     */
    public int msrIndex() {
        return cpu.exitInfo.msrIndex;
    }

    /**
     * MSR exit: what WRMSR writes.
     *
     * @return the value
     */
    public long msrData() {
        return cpu.exitInfo.msrData;
    }

    /**
     * MSR exit: the answer.
     *
     * @param data what RDMSR reads
     * @param error true for #GP
     */
    public void setMsrAnswer(long data, boolean error) {
        cpu.exitInfo.msrData = data;
        cpu.exitInfo.msrError = error;
    }

    /**
     * TPR exit: direction.
     *
     * @return true for a write
     */
    public boolean tprWrite() {
        return cpu.exitInfo.tprWrite;
    }

    /**
     * Decides about accesses to MSRs.
     *
     * @param gate asked at each RDMSR and WRMSR
     */
    public void setMsrGate(MsrGate gate) {
        cpu.msrGate = gate;
    }

    /**
     * Makes accesses to the TPR in the local APIC's page exits, before they happen.
     *
     * @param on whether
     */
    public void setTprReporting(boolean on) {
        cpu.tprReporting = on;
        cpu.tprReported = false;
    }

    /**
     * Internal error: KVM's suberror (1 = emulation).
     *
     * @return suberror
     */
    public int suberror() {
        return cpu.exitInfo.suberror;
    }

    // ------------------------------------------------------------ state for the KVM API

    /**
     * The state behind this vcpu, for the parts of this module.
     *
     * @return the CPU
     */
    @SuppressWarnings("exports")
    public Cpu cpu() {
        return cpu;
    }

    /**
     * Instructions executed since creation.
     *
     * @return count
     */
    public long instructions() {
        return cpu.instructions;
    }

    /**
     * Stops {@link #run} with {@link #EXIT_INTR} when this many instructions have been executed since creation.
     *
     * @param limit count, or {@code Long.MAX_VALUE} for none
     */
    public void setInstructionLimit(long limit) {
        cpu.instructionLimit = limit;
    }

    /**
     * Says that time advances with executed instructions: {@link #instructions()} is then exact whenever the
     * {@link TimeSource} or the local interrupt controller is asked something.
     *
     * @param on whether
     */
    public void setVirtualTime(boolean on) {
        cpu.virtualTime = on;
    }

    /**
     * TLB misses since creation.
     *
     * @return count
     */
    public long tlbMisses() {
        return cpu.tlbMisses;
    }

    /**
     * TLB flushes since creation.
     *
     * @return count
     */
    public long tlbFlushes() {
        return cpu.tlbFlushes;
    }

    /**
     * Blocks decoded since creation.
     *
     * @return count
     */
    public long blocksDecoded() {
        return interpreter.blocksDecoded();
    }

    /**
     * Guest faults delivered since creation.
     *
     * @return count
     */
    public long faults() {
        return interpreter.faults;
    }

    /**
     * A general register.
     *
     * @param n 0 = RAX to 15 = R15
     * @return value
     */
    public long register(int n) {
        return cpu.r[n];
    }

    /**
     * Sets a general register.
     *
     * @param n 0 to 15
     * @param value new value
     */
    public void setRegister(int n, long value) {
        cpu.r[n] = value;
    }

    /**
     * RIP.
     *
     * @return offset in CS
     */
    public long rip() {
        return cpu.rip;
    }

    /**
     * Sets RIP.
     *
     * @param value offset in CS
     */
    public void setRip(long value) {
        cpu.rip = value;
    }

    /**
     * RFLAGS.
     *
     * @return flags
     */
    public long rflags() {
        return cpu.flags();
    }

    /**
     * Sets RFLAGS without checks.
     *
     * @param value flags
     */
    public void setRflags(long value) {
        boolean vm = cpu.v86();
        cpu.setFlags((int) value);
        if (vm != cpu.v86()) {
            cpu.deriveSegments();
        }
        cpu.request(Cpu.REQ_INTERRUPT);
    }

    /**
     * A segment register's selector.
     *
     * @param seg 0 ES, 1 CS, 2 SS, 3 DS, 4 FS, 5 GS, 6 LDTR, 7 TR
     * @return selector
     */
    public int segmentSelector(int seg) {
        return cpu.segSel[seg];
    }

    /**
     * A segment's base.
     *
     * @param seg see segmentSelector
     * @return linear address
     */
    public long segmentBase(int seg) {
        return cpu.segBase[seg];
    }

    /**
     * A segment's limit in bytes.
     *
     * @param seg see segmentSelector
     * @return limit
     */
    public long segmentLimit(int seg) {
        return cpu.segLimit[seg];
    }

    /**
     * A segment's attributes: bits 8 to 23 of the descriptor's upper half, bit 16 = unusable.
     *
     * @param seg see segmentSelector
     * @return attributes
     */
    public int segmentAttributes(int seg) {
        return cpu.segAttr[seg];
    }

    /**
     * Sets a segment register with its hidden part, without checks. The CPL follows SS.
     *
     * @param seg see segmentSelector
     * @param selector selector
     * @param base base
     * @param limit limit in bytes
     * @param attributes see segmentAttributes
     */
    public void setSegment(int seg, int selector, long base, long limit, int attributes) {
        if (seg == Cpu.SS) {
            cpu.cpl = cpu.protectedMode() ? cpu.v86() ? 3 : attributes >> Cpu.ATTR_DPL_SHIFT & 3 : 0;
        }
        cpu.setSegment(seg, selector, base, limit & 0xFFFFFFFFL, attributes);
        cpu.updateMode();
    }

    /**
     * GDTR base.
     *
     * @return linear address
     */
    public long gdtBase() {
        return cpu.gdtBase;
    }

    /**
     * GDTR limit.
     *
     * @return limit
     */
    public int gdtLimit() {
        return cpu.gdtLimit;
    }

    /**
     * IDTR base.
     *
     * @return linear address
     */
    public long idtBase() {
        return cpu.idtBase;
    }

    /**
     * IDTR limit.
     *
     * @return limit
     */
    public int idtLimit() {
        return cpu.idtLimit;
    }

    /**
     * Sets GDTR.
     *
     * @param base linear address
     * @param limit limit
     */
    public void setGdt(long base, int limit) {
        cpu.gdtBase = base;
        cpu.gdtLimit = limit & 0xFFFF;
    }

    /**
     * Sets IDTR.
     *
     * @param base linear address
     * @param limit limit
     */
    public void setIdt(long base, int limit) {
        cpu.idtBase = base;
        cpu.idtLimit = limit & 0xFFFF;
    }

    /**
     * CR0.
     *
     * @return value
     */
    public long cr0() {
        return cpu.cr0 & 0xFFFFFFFFL;
    }

    /**
     * CR2.
     *
     * @return value
     */
    public long cr2() {
        return cpu.cr2;
    }

    /**
     * CR3.
     *
     * @return value
     */
    public long cr3() {
        return cpu.cr3;
    }

    /**
     * CR4.
     *
     * @return value
     */
    public long cr4() {
        return cpu.cr4;
    }

    /**
     * EFER.
     *
     * @return value
     */
    public long efer() {
        return cpu.efer;
    }

    /**
     * Sets the control registers together, without the checks of a guest's MOV; the caller has validated them.
     *
     * @param cr0 CR0
     * @param cr2 CR2
     * @param cr3 CR3
     * @param cr4 CR4
     * @param efer EFER
     */
    public void setControl(long cr0, long cr2, long cr3, long cr4, long efer) {
        cpu.cr0 = (int) cr0 | Cpu.CR0_ET;
        cpu.cr2 = cr2;
        cpu.cr3 = cr3;
        cpu.cr4 = cr4;
        cpu.efer = efer;
        cpu.deriveSegments();
        cpu.flushTlb();
    }

    /**
     * A PAE page-directory pointer.
     *
     * @param n 0 to 3
     * @return entry
     */
    public long pdptr(int n) {
        return cpu.pdptr[n];
    }

    /**
     * Sets a PAE page-directory pointer.
     *
     * @param n 0 to 3
     * @param value entry
     */
    public void setPdptr(int n, long value) {
        cpu.pdptr[n] = value;
    }

    /**
     * A debug register.
     *
     * @param n 0 to 3, 6, 7
     * @return value
     */
    public long debugRegister(int n) {
        return cpu.dr[n];
    }

    /**
     * Sets a debug register.
     *
     * @param n 0 to 3, 6, 7
     * @param value new value
     */
    public void setDebugRegister(int n, long value) {
        cpu.dr[n] = value;
        Breakpoints.update(cpu);
    }

    /**
     * XCR0.
     *
     * @return value
     */
    public long xcr0() {
        return cpu.xcr0;
    }

    /**
     * Sets XCR0 without a check.
     *
     * @param value new value
     */
    public void setXcr0(long value) {
        cpu.xcr0 = value;
    }

    /**
     * Whether XSETBV takes a value: x87 is on, AVX only with SSE, nothing that the model lacks.
     *
     * @param value a value of XCR0
     * @return true where it is valid
     */
    public boolean xcr0Valid(long value) {
        return XsaveArea.allowed(cpu.model, value);
    }

    /**
     * The state components that the model has.
     *
     * @return bits of XCR0
     */
    public long xcr0Supported() {
        return XsaveArea.supported(cpu.model);
    }

    /**
     * The size of the XSAVE image of this vcpu.
     *
     * @return 576 bytes, or 832 with AVX
     */
    public int xsaveSize() {
        return XsaveArea.size(XsaveArea.supported(cpu.model));
    }

    /**
     * Writes the image of x87, SSE and AVX state in the standard XSAVE format with 64-bit x87 pointers, as KVM_GET_XSAVE
     * gives it. All registers are in it whatever XCR0 and the mode are; XSTATE_BV leaves AVX out while all upper halves
     * are 0.
     *
     * @param area receives the first {@link #xsaveSize()} bytes (fewer where it is shorter)
     */
    public void getXsave(byte[] area) {
        cpu.xsaveArea.take(cpu);
        ByteBuffer.wrap(area)
                .order(ByteOrder.LITTLE_ENDIAN)
                .asLongBuffer()
                .put(cpu.xsaveArea.w, 0, Math.min(area.length, xsaveSize()) / 8);
    }

    /**
     * Loads x87, SSE and AVX state from an image in the standard XSAVE format, as KVM_SET_XSAVE does. A component that is
     * not in XSTATE_BV goes to its initial state; MXCSR is loaded in any case.
     *
     * @param area the image; what is missing behind its end counts as 0
     * @return false, with nothing changed, where the image is invalid: XSTATE_BV with components that the model lacks,
     *     XCOMP_BV not 0, or bits of MXCSR that do not exist
     */
    public boolean setXsave(byte[] area) {
        long[] words = cpu.xsaveArea.w;
        Arrays.fill(words, 0);
        ByteBuffer.wrap(area)
                .order(ByteOrder.LITTLE_ENDIAN)
                .asLongBuffer()
                .get(words, 0, Math.min(area.length, XsaveArea.SIZE) / 8);
        return cpu.xsaveArea.give(cpu);
    }

    /**
     * A quarter of a vector register.
     *
     * @param n 0 to 15
     * @param quarter 0 to 3
     * @return 64 bits
     */
    public long vector(int n, int quarter) {
        return cpu.v[4 * n + quarter];
    }

    /**
     * Sets a quarter of a vector register.
     *
     * @param n 0 to 15
     * @param quarter 0 to 3
     * @param value 64 bits
     */
    public void setVector(int n, int quarter, long value) {
        cpu.v[4 * n + quarter] = value;
    }

    /**
     * MXCSR.
     *
     * @return value
     */
    public int mxcsr() {
        return cpu.mxcsr;
    }

    /**
     * Sets MXCSR.
     *
     * @param value new value
     */
    public void setMxcsr(int value) {
        cpu.mxcsr = value;
    }

    /**
     * The x87 control word.
     *
     * @return 16 bits
     */
    public int fpuControlWord() {
        return cpu.fpu.controlWord();
    }

    /**
     * Sets the x87 control word.
     *
     * @param value 16 bits; reserved ones are as the CPU has them
     */
    public void setFpuControlWord(int value) {
        cpu.fpu.setControlWord(value);
    }

    /**
     * The x87 status word with TOP.
     *
     * @return 16 bits
     */
    public int fpuStatusWord() {
        return cpu.fpu.statusWord();
    }

    /**
     * Sets the x87 status word and TOP; ES and B follow from the exceptions and their masks.
     *
     * @param value 16 bits
     */
    public void setFpuStatusWord(int value) {
        cpu.fpu.setStatusWord(value);
    }

    /**
     * The x87 tag word as FXSAVE stores it.
     *
     * @return 8 bits, 1 for a physical register that is not empty
     */
    public int fpuAbridgedTag() {
        return cpu.fpu.abridgedTag();
    }

    /**
     * Sets the x87 tag word.
     *
     * @param value see fpuAbridgedTag
     */
    public void setFpuAbridgedTag(int value) {
        cpu.fpu.setAbridgedTag(value);
    }

    /**
     * The opcode of the last x87 instruction.
     *
     * @return 11 bits
     */
    public int fpuOpcode() {
        return cpu.fpu.opcode;
    }

    /**
     * Sets the opcode of the last x87 instruction.
     *
     * @param value 11 bits
     */
    public void setFpuOpcode(int value) {
        cpu.fpu.opcode = value & 0x7FF;
    }

    /**
     * The address of the last x87 instruction.
     *
     * @return offset
     */
    public long fpuInstructionPointer() {
        return cpu.fpu.instructionPointer;
    }

    /**
     * The code segment of the last x87 instruction.
     *
     * @return selector
     */
    public int fpuInstructionSelector() {
        return cpu.fpu.instructionSelector;
    }

    /**
     * Sets the address of the last x87 instruction.
     *
     * @param selector code segment
     * @param offset offset
     */
    public void setFpuInstruction(int selector, long offset) {
        cpu.fpu.instructionSelector = selector & 0xFFFF;
        cpu.fpu.instructionPointer = offset;
    }

    /**
     * The address of the last x87 operand in memory.
     *
     * @return offset
     */
    public long fpuDataPointer() {
        return cpu.fpu.dataPointer;
    }

    /**
     * The segment of the last x87 operand in memory.
     *
     * @return selector
     */
    public int fpuDataSelector() {
        return cpu.fpu.dataSelector;
    }

    /**
     * Sets the address of the last x87 operand in memory.
     *
     * @param selector segment
     * @param offset offset
     */
    public void setFpuData(int selector, long offset) {
        cpu.fpu.dataSelector = selector & 0xFFFF;
        cpu.fpu.dataPointer = offset;
    }

    /**
     * The significand of an x87 register.
     *
     * @param i 0 to 7: ST(i)
     * @return bits 63 to 0 of the register
     */
    public long fpuSignificand(int i) {
        return cpu.fpu.stackSignificand(i);
    }

    /**
     * Sign and exponent of an x87 register.
     *
     * @param i 0 to 7: ST(i)
     * @return bits 79 to 64 of the register
     */
    public int fpuSignExponent(int i) {
        return cpu.fpu.stackSignExponent(i);
    }

    /**
     * Sets an x87 register; whether it is empty stays.
     *
     * @param i 0 to 7: ST(i)
     * @param signExponent bits 79 to 64
     * @param significand bits 63 to 0
     */
    public void setFpuRegister(int i, int signExponent, long significand) {
        int tag = cpu.fpu.abridgedTag();
        cpu.fpu.setStack(i, signExponent & 0xFFFF, significand);
        cpu.fpu.setAbridgedTag(tag);
    }

    /**
     * The bits of CR4 that this CPU has.
     *
     * @return mask
     */
    public long cr4Supported() {
        return Control.cr4Allowed(cpu);
    }

    /**
     * The bits of EFER that this CPU has.
     *
     * @return mask
     */
    public long eferSupported() {
        return Msrs.eferAllowed(cpu);
    }

    /**
     * Chooses what FERR# is wired to: called on the vcpu's thread, in {@link #run}, when an x87 instruction meets an
     * unmasked exception while CR0.NE is 0. The run then ends with {@link #EXIT_INTR}.
     *
     * @param action what to do; null for nothing
     */
    public void setFpuErrorLine(Runnable action) {
        cpu.fpu.errorLine = action;
    }

    /**
     * Chooses where RDRAND and RDSEED get their numbers; the host's generator until then. While the vcpu does not run.
     *
     * @param source the source, for this vcpu alone
     */
    public void setRandomSource(RandomSource source) {
        cpu.random = source;
    }

    /**
     * Reads a model-specific register as the host: no privilege check.
     *
     * @param index MSR number
     * @return the value
     * @throws IllegalArgumentException where it does not exist
     */
    public long readMsr(int index) {
        if (index == Msrs.SMBASE) {
            return Integer.toUnsignedLong(cpu.smbase);
        }
        if (!cpu.msrs.read(cpu, index)) {
            throw new IllegalArgumentException("MSR " + Integer.toHexString(index));
        }
        return cpu.msrs.value;
    }

    /**
     * The time-stamp counter as the guest reads it. Any thread.
     *
     * @return ticks
     */
    public long tsc() {
        return Msrs.tsc(cpu);
    }

    /**
     * Whether an MSR can be read.
     *
     * @param index MSR number
     * @return true where readMsr works
     */
    public boolean hasMsr(int index) {
        return index == Msrs.SMBASE || cpu.msrs.read(cpu, index);
    }

    /**
     * Writes a model-specific register as the host: values are checked, privilege is not; EFER.LMA may be set.
     *
     * @param index MSR number
     * @param value new value
     * @return false where it does not exist or the value is not allowed
     */
    public boolean writeMsr(int index, long value) {
        if (!Msrs.exists(cpu, index)) {
            return false;
        }
        switch (index) {
            case Msrs.EFER -> {
                if ((value & ~Msrs.eferAllowed(cpu)) != 0) {
                    return false;
                }
                setControl(cr0(), cpu.cr2, cpu.cr3, cpu.cr4, value);
                return true;
            }
            // From outside the two are independent of each other, so that any order restores both.
            case Msrs.TSC -> {
                cpu.msrs.tscOffset = value - cpu.time.tsc();
                return true;
            }
            case Msrs.TSC_ADJUST -> {
                cpu.msrs.tscAdjust = value;
                return true;
            }
            case Msrs.SMBASE -> {
                cpu.smbase = (int) value;
                return value >>> 32 == 0;
            }
            case Msrs.SMI_COUNT -> {
                cpu.smiCount = (int) value;
                return value >>> 32 == 0;
            }
            default -> {
                // As the guest's own write.
            }
        }
        return cpu.msrs.writeHost(cpu, index, value);
    }

    /**
     * The MSRs that a vcpu stores, besides those of its local APIC.
     *
     * @return MSR numbers
     */
    public static int[] msrs() {
        return Msrs.stored();
    }

    /**
     * The MSRs that say what CPU this is.
     *
     * @return MSR numbers
     */
    public static int[] featureMsrs() {
        return new int[] {Msrs.BIOS_SIGN_ID, Msrs.PLATFORM_INFO, Msrs.ARCH_CAPABILITIES};
    }

    /**
     * Whether an MSR says what CPU this is.
     *
     * @param index MSR number
     * @return true for those of {@link #featureMsrs()}
     */
    public static boolean isFeatureMsr(int index) {
        return Msrs.feature(index) != -1;
    }

    /**
     * The value of an MSR that says what CPU this is.
     *
     * @param index one of {@link #featureMsrs()}
     * @return the value on model max
     */
    public static long featureMsr(int index) {
        return Msrs.feature(index);
    }

    /**
     * What CPUID returns from now on. The APIC id, OSXSAVE, and the APIC bits are filled in at execution.
     *
     * @param entries leaves
     */
    public void setCpuid(List<CpuidEntry> entries) {
        cpu.cpuid = entries.toArray(new CpuidEntry[0]);
    }

    /**
     * What CPUID returns.
     *
     * @return leaves
     */
    public List<CpuidEntry> cpuid() {
        return List.of(cpu.cpuid);
    }

    /**
     * CR8 where there is no local APIC.
     *
     * @return 0 to 15
     */
    public int cr8() {
        return cpu.lapic == LocalInterruptController.NONE ? cpu.cr8 : cpu.lapic.cr8();
    }

    /**
     * Sets CR8.
     *
     * @param value 0 to 15
     */
    public void setCr8(int value) {
        cpu.cr8 = value & 15;
        cpu.lapic.setCr8(value & 15);
        cpu.request(Cpu.REQ_INTERRUPT);
    }

    // ------------------------------------------------------------ debugging from outside

    /**
     * Changes what a debugger outside wants (KVM_SET_GUEST_DEBUG).
     *
     * @param control KVM_GUESTDBG_ENABLE 1, SINGLESTEP 2, USE_SW_BP 10000h, USE_HW_BP 20000h, BLOCKIRQ 100000h
     * @param registers with USE_HW_BP: DR0 to DR3 and, at 7, DR7
     */
    public void setOutsideDebug(int control, long[] registers) {
        OutsideDebug.set(cpu, control, registers);
    }

    /** Injects the exception of the INT3 at RIP. */
    public void injectBreakpoint() {
        cpu.injectedException = Vector.BP | Cpu.INJECTED_INT3;
        cpu.request(Cpu.REQ_INTERRUPT);
    }

    // ------------------------------------------------------------ events

    /**
     * Injects an external interrupt (KVM_INTERRUPT).
     *
     * @param vector 0 to 255
     */
    public void injectInterrupt(int vector) {
        cpu.injectedVector = vector;
        cpu.request(Cpu.REQ_INTERRUPT);
    }

    /**
     * An injected interrupt that has not been delivered.
     *
     * @return vector or -1
     */
    public int injectedInterrupt() {
        return cpu.injectedVector;
    }

    /** Takes an injected interrupt back. */
    public void clearInjectedInterrupt() {
        cpu.injectedVector = -1;
    }

    /**
     * Injects an exception, which is delivered before the next instruction.
     *
     * @param vector 0 to 31
     * @param hasError whether it has an error code
     * @param error error code
     */
    public void injectException(int vector, boolean hasError, int error) {
        cpu.injectedException = vector | (hasError ? Cpu.INJECTED_HAS_ERROR : 0);
        cpu.injectedError = error;
        cpu.request(Cpu.REQ_INTERRUPT);
    }

    /**
     * An injected exception that has not been delivered.
     *
     * @return vector or -1
     */
    public int injectedException() {
        return cpu.injectedException < 0 ? -1 : cpu.injectedException & 0xFF;
    }

    /**
     * Whether the injected exception has an error code.
     *
     * @return true where it has
     */
    public boolean injectedExceptionHasError() {
        return cpu.injectedException >= 0 && (cpu.injectedException & Cpu.INJECTED_HAS_ERROR) != 0;
    }

    /**
     * The error code of the injected exception.
     *
     * @return error code
     */
    public int injectedExceptionError() {
        return cpu.injectedError;
    }

    /** Takes an injected exception back. */
    public void clearInjectedException() {
        cpu.injectedException = -1;
    }

    /** Posts an SMI. Own thread, or while the vcpu does not run. Dropped by CPUs without system-management mode. */
    public void postSmi() {
        cpu.smiPending = Smm.exists(cpu);
        cpu.request(Cpu.REQ_INTERRUPT);
    }

    /**
     * Whether an SMI waits.
     *
     * @return true while pending
     */
    public boolean smiPending() {
        return cpu.smiPending;
    }

    /**
     * SMIs taken since reset.
     *
     * @return count
     */
    public int smiCount() {
        return cpu.smiCount;
    }

    /**
     * Whether the vcpu is in system-management mode.
     *
     * @return true between SMI and RSM
     */
    public boolean inSmm() {
        return cpu.smm;
    }

    /**
     * Whether NMIs were blocked when the SMI was taken.
     *
     * @return true where RSM leaves them so
     */
    public boolean smmInsideNmi() {
        return cpu.smmInsideNmi;
    }

    /**
     * Sets the state of system-management mode (KVM_SET_VCPU_EVENTS); registers stay as they are.
     *
     * @param in the vcpu is in it: it sees memory of address space 1
     * @param pending an SMI waits
     * @param insideNmi NMIs were blocked when the SMI was taken
     */
    public void setSmmState(boolean in, boolean pending, boolean insideNmi) {
        Smm.change(cpu, in);
        cpu.smiPending = pending;
        cpu.smmInsideNmi = in && insideNmi;
        cpu.request(Cpu.REQ_INTERRUPT);
    }

    /**
     * Whether this CPU has system-management mode.
     *
     * @return true where SMIs are not dropped
     */
    public boolean hasSmm() {
        return Smm.exists(cpu);
    }

    /**
     * Decides what happens when RSM has left system-management mode.
     *
     * @param action called on the vcpu's thread
     */
    public void onRsm(Runnable action) {
        cpu.rsmAction = action;
    }

    /**
     * Posts an NMI. One more waits while NMIs are blocked, two while they are not: the first is as good as under way.
     * Own thread, or while the vcpu does not run.
     */
    public void postNmi() {
        cpu.nmiSecond = cpu.nmiPending && !cpu.nmiBlocked;
        cpu.nmiPending = true;
        cpu.request(Cpu.REQ_INTERRUPT);
    }

    /**
     * Whether an NMI waits.
     *
     * @return true while pending
     */
    public boolean nmiPending() {
        return cpu.nmiPending;
    }

    /**
     * Whether NMIs are blocked until IRET.
     *
     * @return true while blocked
     */
    public boolean nmiBlocked() {
        return cpu.nmiBlocked;
    }

    /**
     * Sets NMI state.
     *
     * @param pending one waits
     * @param blocked blocked until IRET
     */
    public void setNmiState(boolean pending, boolean blocked) {
        cpu.nmiPending = pending;
        cpu.nmiSecond = false;
        cpu.nmiBlocked = blocked;
        cpu.request(Cpu.REQ_INTERRUPT);
    }

    /**
     * The interrupt shadow: 1 = STI, 2 = MOV SS, as KVM_X86_SHADOW_INT.
     *
     * @return bits
     */
    public int interruptShadow() {
        return cpu.shadow;
    }

    /**
     * Sets the interrupt shadow.
     *
     * @param bits see interruptShadow
     */
    public void setInterruptShadow(int bits) {
        cpu.shadow = bits & 3;
    }

    /**
     * Whether an external interrupt could be delivered now.
     *
     * @return IF is set and nothing shadows it
     */
    public boolean interruptsEnabled() {
        return (cpu.eflags & 0x200) != 0 && cpu.shadow == 0;
    }

    /**
     * Asks for EXIT_IRQ_WINDOW_OPEN.
     *
     * @param on whether
     */
    public void setInterruptWindowRequested(boolean on) {
        cpu.interruptWindowRequested = on;
        if (on) {
            cpu.request(Cpu.REQ_INTERRUPT);
        }
    }

    /**
     * HLT was executed and nothing has woken the vcpu.
     *
     * @return true while halted
     */
    public boolean halted() {
        return cpu.halted;
    }

    /**
     * Sets or clears the halted state.
     *
     * @param on whether
     */
    public void setHalted(boolean on) {
        cpu.halted = on;
        cpu.request(Cpu.REQ_INTERRUPT);
    }

    /**
     * Translates a linear address as KVM_TRANSLATE does.
     *
     * @param linear address
     * @return guest-physical, or -1
     */
    public long translate(long linear) {
        return Mmu.probe(cpu, linear);
    }

    /**
     * MMIO fragments and I/O completions that still wait for {@link #run}.
     *
     * @return true where state is in flight
     */
    public boolean completionPending() {
        ExitInfo info = cpu.exitInfo;
        return info.ioCompletion != null || info.hasWrites() || info.replaying();
    }

    @Override
    public void close() {
        memory.detach(this);
        interpreter.close();
    }
}
