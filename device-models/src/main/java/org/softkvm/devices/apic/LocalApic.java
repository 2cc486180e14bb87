package org.softkvm.devices.apic;

import static org.softkvm.devices.apic.ApicRegister.APR;
import static org.softkvm.devices.apic.ApicRegister.DFR;
import static org.softkvm.devices.apic.ApicRegister.EOI;
import static org.softkvm.devices.apic.ApicRegister.ESR;
import static org.softkvm.devices.apic.ApicRegister.ICR;
import static org.softkvm.devices.apic.ApicRegister.ICR2;
import static org.softkvm.devices.apic.ApicRegister.ID;
import static org.softkvm.devices.apic.ApicRegister.IRR;
import static org.softkvm.devices.apic.ApicRegister.LDR;
import static org.softkvm.devices.apic.ApicRegister.LVT_ERROR;
import static org.softkvm.devices.apic.ApicRegister.LVT_LINT0;
import static org.softkvm.devices.apic.ApicRegister.LVT_TIMER;
import static org.softkvm.devices.apic.ApicRegister.PPR;
import static org.softkvm.devices.apic.ApicRegister.SELF_IPI;
import static org.softkvm.devices.apic.ApicRegister.SVR;
import static org.softkvm.devices.apic.ApicRegister.TIMER_CURRENT;
import static org.softkvm.devices.apic.ApicRegister.TIMER_DIVIDE;
import static org.softkvm.devices.apic.ApicRegister.TIMER_INITIAL;
import static org.softkvm.devices.apic.ApicRegister.TMR;
import static org.softkvm.devices.apic.ApicRegister.TPR;
import static org.softkvm.devices.apic.ApicRegister.VERSION;

import java.util.Arrays;
import java.util.concurrent.atomic.AtomicInteger;
import org.softkvm.devices.BusDevice;
import org.softkvm.devices.InterruptLine;
import org.softkvm.devices.StatefulDevice;
import org.softkvm.devices.time.DeviceClock;
import org.softkvm.devices.time.TscSource;

/**
 * The local APIC of one processor, in xAPIC mode (a 4 KiB page of registers) and x2APIC mode (MSRs 800h-83Fh), as
 * Intel SDM volume 3, "Advanced Programmable Interrupt Controller (APIC)" describes it for processors with version
 * 14h: seven LVT entries, no focus processor checking, trigger mode of IPIs ignored.
 *
 * <p>Threads: registers, MSRs and the processor's methods ({@link #pendingVector()} and so on) belong to the thread of
 * the processor. Messages ({@link #matches}, {@link #accept}), the LINT pins, {@link #isExtIntPending()},
 * {@link #setEoiExitVectors} and the timer's expiry come from any thread. No lock of the local APIC is held when it
 * calls the bus or its processor.
 *
 * <p>The LINT pins carry the asserted state; the polarity bit of their LVT entries is kept and has no effect.
 */
public final class LocalApic implements BusDevice, ApicBus.Receiver, StatefulDevice<LocalApic.State> {
    /** The address of the register page after reset. */
    public static final long DEFAULT_BASE = 0xFEE00000L;

    /** The length of the register page in bytes. */
    public static final int PAGE_SIZE = 0x1000;

    /** The length in bytes of the part of the page that has registers, and of {@code struct kvm_lapic_state}. */
    public static final int REGISTERS_SIZE = 0x400;

    /** The MSR IA32_APIC_BASE. */
    public static final int IA32_APIC_BASE = 0x1B;

    /** The MSR IA32_TSC_DEADLINE. */
    public static final int IA32_TSC_DEADLINE = 0x6E0;

    /** The first MSR of the x2APIC registers; the register at page offset N is at this MSR plus N/16. */
    public static final int X2APIC_FIRST_MSR = 0x800;

    /** The last MSR of the range that belongs to the x2APIC; those without a register fault. */
    public static final int X2APIC_LAST_MSR = 0x8FF;

    /** IA32_APIC_BASE: this is the bootstrap processor. */
    public static final long BASE_BSP = 1 << 8;

    /** IA32_APIC_BASE: x2APIC mode. */
    public static final long BASE_EXTD = 1 << 10;

    /** IA32_APIC_BASE: the local APIC is enabled. */
    public static final long BASE_ENABLE = 1 << 11;

    private static final int VERSION_VALUE = 0x14 | 6 << 16;
    private static final int VERSION_EOI_SUPPRESSION = 1 << 24;
    private static final int SVR_ENABLE = 1 << 8;
    private static final int SVR_EOI_SUPPRESSION = 1 << 12;
    private static final int SVR_RESET = 0xFF;

    private static final int ESR_SEND_ILLEGAL_VECTOR = 1 << 5;
    private static final int ESR_RECEIVE_ILLEGAL_VECTOR = 1 << 6;
    private static final int ESR_ILLEGAL_REGISTER = 1 << 7;

    private final Config config;
    private final ApicBus bus;
    private final CpuSignals signals;
    private final ApicTimer timer;
    private final LocalVectorTable lvt;

    private final VectorSet isr = new VectorSet();
    private final VectorSet irr = new VectorSet();
    private final VectorSet tmr = new VectorSet();

    private volatile long apicBase;
    private volatile int id;
    private volatile int ldr;
    private volatile int dfr;
    private volatile int svr;
    private volatile int ppr;
    private int tpr;
    private long icr;

    /** What reads of the ESR give. */
    private int esr;

    /** Errors since the last write to the ESR. */
    private final AtomicInteger errors = new AtomicInteger();

    /** 1 when the next error raises the error interrupt, 0 from then to the next write to the ESR. */
    private final AtomicInteger errorArmed = new AtomicInteger(1);

    /** An ExtINT message of the bus waits for its INTA cycle. */
    private volatile boolean extIntLatched;

    private volatile long[] eoiExitVectors = new long[4];

    private final InterruptLine[] lint;

    /**
     * What distinguishes one local APIC from another.
     *
     * @param apicId the initial APIC id; above 254 only with x2APIC
     * @param bootstrap whether its processor is the bootstrap processor
     * @param x2apic whether x2APIC mode exists
     * @param eoiSuppression whether bit 12 of the spurious-interrupt register can suppress EOI broadcasts
     * @param busNanos nanoseconds of one timer tick at division 1: KVM's bus clock is 1 GHz
     * @param physicalAddressBits the processor's physical address width, 32..52
     */
    public record Config(
            int apicId,
            boolean bootstrap,
            boolean x2apic,
            boolean eoiSuppression,
            int busNanos,
            int physicalAddressBits) {
        /**
         * Checks the values.
         *
         * @throws IllegalArgumentException when one is out of range
         */
        public Config {
            if (apicId < 0 || apicId > 254 && !x2apic) {
                throw new IllegalArgumentException("APIC id " + apicId + " is out of range");
            }
            if (busNanos < 1 || busNanos > 1_000_000) {
                throw new IllegalArgumentException("a bus cycle of " + busNanos + " ns is out of range");
            }
            if (physicalAddressBits < 32 || physicalAddressBits > 52) {
                throw new IllegalArgumentException(
                        "a physical address width of " + physicalAddressBits + " bits is out of range");
            }
        }

        /**
         * A local APIC with x2APIC, without EOI suppression, with a timer of 1 GHz and 52 physical address bits.
         *
         * @param apicId the initial APIC id
         * @param bootstrap whether its processor is the bootstrap processor
         */
        public Config(int apicId, boolean bootstrap) {
            this(apicId, bootstrap, true, false, 1, 52);
        }
    }

    /**
     * The state of a local APIC. Registers are those of the data sheet; the ISR, IRR and TMR have eight words each.
     *
     * @param apicBase IA32_APIC_BASE
     * @param id the ID register in xAPIC format
     * @param tpr task priority
     * @param ldr logical destination in xAPIC format
     * @param dfr destination format
     * @param svr spurious-interrupt vector
     * @param icr interrupt command, 64 bits
     * @param esr error status as it reads
     * @param errors errors since the last write to the ESR
     * @param errorArmed whether the next error raises the error interrupt
     * @param isr in-service
     * @param irr interrupt request
     * @param tmr trigger mode
     * @param lvt the entries CMCI, timer, thermal, performance, LINT0, LINT1, error, without status bits
     * @param timerMode 0 one-shot, 1 periodic, 2 TSC-deadline
     * @param timerDivide divide configuration
     * @param timerInitialCount initial count
     * @param timerRunning whether the count is above 0
     * @param timerElapsedNanos nanoseconds since the count stood at {@code timerStartCount}
     * @param timerStartCount see there
     * @param tscDeadline IA32_TSC_DEADLINE
     * @param pins bit 0 and 1: LINT0 and LINT1 asserted
     * @param pinsRemoteIrr bit 0 and 1: level-triggered interrupt of that pin not yet ended
     * @param extIntLatched whether an ExtINT message waits for its INTA cycle
     * @param eoiExitVectors the set of {@link #setEoiExitVectors}, four words
     */
    public record State(
            long apicBase,
            int id,
            int tpr,
            int ldr,
            int dfr,
            int svr,
            long icr,
            int esr,
            int errors,
            boolean errorArmed,
            int[] isr,
            int[] irr,
            int[] tmr,
            int[] lvt,
            int timerMode,
            int timerDivide,
            long timerInitialCount,
            boolean timerRunning,
            long timerElapsedNanos,
            long timerStartCount,
            long tscDeadline,
            int pins,
            int pinsRemoteIrr,
            boolean extIntLatched,
            long[] eoiExitVectors) {}

    /**
     * Creates a local APIC in its state after power-up. The caller attaches it to the bus.
     *
     * @param config its identity and features
     * @param clock the clock of the timer
     * @param tsc the processor's time-stamp counter
     * @param bus where its messages go
     * @param signals its processor
     */
    public LocalApic(Config config, DeviceClock clock, TscSource tsc, ApicBus bus, CpuSignals signals) {
        this.config = config;
        this.bus = bus;
        this.signals = signals;
        lvt = new LocalVectorTable(
                new LocalVectorTable.Owner() {
                    @Override
                    public boolean isEnabled() {
                        return LocalApic.this.isEnabled();
                    }

                    @Override
                    public void request(int vector, boolean level) {
                        LocalApic.this.request(vector, level);
                    }
                },
                signals);
        lint = new InterruptLine[] {level -> lvt.setPin(0, level), level -> lvt.setPin(1, level)};
        timer = new ApicTimer(clock, tsc, config.busNanos, () -> lvt.deliver(LVT_TIMER));
        reset();
    }

    /** Power-up or RESET: as {@link #init()}, and IA32_APIC_BASE and the APIC id as well. */
    public void reset() {
        apicBase = DEFAULT_BASE | BASE_ENABLE | (config.bootstrap ? BASE_BSP : 0);
        id = config.apicId << 24;
        init();
    }

    /**
     * The state after INIT (SDM, "Local APIC State After It Receives an INIT Reset (Wait-for-SIPI Reset)"): everything
     * but IA32_APIC_BASE and the APIC id.
     */
    public void init() {
        timer.reset();
        isr.clear();
        irr.clear();
        tmr.clear();
        icr = 0;
        ldr = 0;
        dfr = -1;
        tpr = 0;
        svr = SVR_RESET;
        lvt.reset();
        esr = 0;
        errors.set(0);
        errorArmed.set(1);
        extIntLatched = false;
        updatePpr();
        signals.extIntChanged();
    }

    /**
     * Unmasks LINT0 as ExtINT, so that an 8259A at that pin reaches the processor: what firmware does on the bootstrap
     * processor ("virtual wire mode"), and KVM after reset. Call it after reset where there is no firmware.
     */
    public void useVirtualWire() {
        lvt.set(LVT_LINT0, ApicMessage.EXTINT << 8);
        signals.extIntChanged();
    }

    @Override
    public String name() {
        return "local-apic-" + config.apicId;
    }

    // ---- The processor's side

    /**
     * The vector to be delivered next.
     *
     * @return the highest requested vector whose priority class is above the processor priority, or -1
     */
    public int pendingVector() {
        int vector = irr.highest();
        return vector >= 0 && vector >>> 4 > ppr >>> 4 && isEnabled() ? vector : -1;
    }

    /**
     * The processor takes a vector: it moves from request to in-service.
     *
     * @param vector what {@link #pendingVector()} returned
     */
    public void acknowledge(int vector) {
        irr.remove(vector);
        isr.add(vector);
        updatePpr();
    }

    /**
     * The task priority register.
     *
     * @return 0..255; bits 7-4 are what CR8 reads
     */
    public int tpr() {
        return tpr;
    }

    /**
     * Sets the task priority register.
     *
     * @param value 0..255: for CR8, its value shifted left by 4
     */
    public void setTpr(int value) {
        tpr = value & 0xFF;
        updatePpr();
        signalIfPending();
    }

    /**
     * Whether an 8259A asks for an INTA cycle: by an ExtINT message, or by a LINT pin that is programmed for it or,
     * while the local APIC is disabled by IA32_APIC_BASE, by LINT0.
     *
     * @return true when the processor may run the cycle; it then calls {@link #acknowledgeExtInt()}
     */
    public boolean isExtIntPending() {
        return extIntLatched && isEnabled() || lvt.isExtIntAsserted();
    }

    /** The processor runs an INTA cycle. */
    public void acknowledgeExtInt() {
        extIntLatched = false;
    }

    /**
     * Sets which vectors make {@link CpuSignals#eoiExit} when they are ended: those of level-triggered routes when the
     * IOAPIC is out of reach of the bus. May be called from any thread.
     *
     * @param word0 vectors 0 to 63, one a bit
     * @param word1 vectors 64 to 127
     * @param word2 vectors 128 to 191
     * @param word3 vectors 192 to 255
     */
    public void setEoiExitVectors(long word0, long word1, long word2, long word3) {
        eoiExitVectors = new long[] {word0, word1, word2, word3};
    }

    /**
     * A LINT pin. The line is thread-safe.
     *
     * @param pin 0 or 1
     * @return the input
     */
    public InterruptLine lint(int pin) {
        return lint[pin];
    }

    /** The processor's TSC was written or its rate changed: looks at the deadline of the timer again. */
    public void tscChanged() {
        timer.tscChanged();
    }

    // ---- IA32_APIC_BASE and the modes

    /**
     * IA32_APIC_BASE.
     *
     * @return the MSR
     */
    public long apicBase() {
        return apicBase;
    }

    /**
     * Whether IA32_APIC_BASE enables the local APIC, in either mode. CPUID.01H:EDX.APIC follows it.
     *
     * @return true when enabled
     */
    public boolean isEnabled() {
        return (apicBase & BASE_ENABLE) != 0;
    }

    /**
     * Whether the register page is there.
     *
     * @return true in xAPIC mode
     */
    public boolean isXapicMode() {
        return (apicBase & (BASE_ENABLE | BASE_EXTD)) == BASE_ENABLE;
    }

    /**
     * Whether the MSRs 800h-83Fh are there.
     *
     * @return true in x2APIC mode
     */
    public boolean isX2apicMode() {
        return (apicBase & BASE_EXTD) != 0;
    }

    /**
     * The address of the register page.
     *
     * @return the guest-physical address, a multiple of 4096
     */
    public long pageAddress() {
        return apicBase & -PAGE_SIZE;
    }

    /**
     * A guest's write to IA32_APIC_BASE.
     *
     * @param value the value
     * @return false when the processor raises #GP(0): reserved bits, or a mode change that does not exist (SDM,
     *     "x2APIC State Transitions")
     */
    public boolean writeApicBase(long value) {
        if ((value & BASE_EXTD) != 0) {
            // x2APIC without enable does not exist, and from disabled the way leads through xAPIC mode.
            if ((value & BASE_ENABLE) == 0 || !isEnabled()) {
                return false;
            }
        } else if (isX2apicMode() && (value & BASE_ENABLE) != 0) {
            return false;
        }
        return setApicBase(value);
    }

    /**
     * Sets IA32_APIC_BASE without regard to mode changes, as the owner of the virtual machine may.
     *
     * @param value the value
     * @return false, with nothing changed, when reserved bits are set or x2APIC mode is set without enable
     */
    public boolean setApicBase(long value) {
        long allowed = (1L << config.physicalAddressBits) - PAGE_SIZE
                | BASE_BSP
                | BASE_ENABLE
                | (config.x2apic ? BASE_EXTD : 0);
        if ((value & ~allowed) != 0 || (value & (BASE_EXTD | BASE_ENABLE)) == BASE_EXTD) {
            return false;
        }
        long before = apicBase;
        if ((before & BASE_ENABLE) != 0 && (value & BASE_ENABLE) == 0) {
            // Enabled again it is as after power-up, with its first id.
            init();
            id = config.apicId << 24;
        }
        apicBase = value;
        if ((value & BASE_EXTD) != 0) {
            // The id that software may have given it in xAPIC mode is gone for good.
            id = config.apicId << 24;
        }
        signals.extIntChanged();
        signalIfPending();
        return true;
    }

    // ---- MSRs

    /**
     * Whether an MSR of the local APIC can be read now.
     *
     * @param msr IA32_APIC_BASE, IA32_TSC_DEADLINE or 800h-8FFh
     * @return false when RDMSR raises #GP(0)
     */
    public boolean canReadMsr(int msr) {
        if (msr == IA32_APIC_BASE || msr == IA32_TSC_DEADLINE) {
            return true;
        }
        if (!isX2apicMode()) {
            return false;
        }
        return ApicRegister.isX2apicReadable(msr - X2APIC_FIRST_MSR);
    }

    /**
     * Reads an MSR of the local APIC.
     *
     * @param msr an MSR that {@link #canReadMsr} allows
     * @return its value; 0 where it cannot be read
     */
    public long readMsr(int msr) {
        if (msr == IA32_APIC_BASE) {
            return apicBase;
        }
        if (msr == IA32_TSC_DEADLINE) {
            return timer.deadline();
        }
        if (!canReadMsr(msr)) {
            return 0;
        }
        int register = msr - X2APIC_FIRST_MSR;
        return register == ICR ? icr : Integer.toUnsignedLong(readRegister(register));
    }

    /**
     * A guest's write to an MSR of the local APIC.
     *
     * @param msr IA32_APIC_BASE, IA32_TSC_DEADLINE or 800h-8FFh
     * @param value the value
     * @return false when WRMSR raises #GP(0): no such register, read-only, or reserved bits set
     */
    public boolean writeMsr(int msr, long value) {
        if (msr == IA32_APIC_BASE) {
            return writeApicBase(value);
        }
        if (msr == IA32_TSC_DEADLINE) {
            timer.setDeadline(value);
            return true;
        }
        if (!isX2apicMode()) {
            return false;
        }
        int register = msr - X2APIC_FIRST_MSR;
        if (register == ICR) {
            if ((value & 0xFFFFFFFFL & ~ApicRegister.ICR_NOT_RESERVED) != 0) {
                return false;
            }
            icr = value & (0xFFFFFFFFL << 32 | ApicRegister.ICR_WRITABLE);
            sendIpi((int) icr, (int) (icr >>> 32));
            return true;
        }
        if (register == SELF_IPI) {
            if (value >>> 8 != 0) {
                return false;
            }
            sendIpi(1 << 18 | (int) value, 0);
            return true;
        }
        if (!ApicRegister.isX2apicWritable(register)
                || (value & ~ApicRegister.x2apicBits(register, svrWritable())) != 0) {
            return false;
        }
        writeRegister(register, (int) value);
        return true;
    }

    // ---- The register page

    /** {@inheritDoc} The registers are 32 bits wide. */
    @Override
    public int maxAccessSize() {
        return 4;
    }

    /**
     * Reads from the register page. Each register is in the first four bytes of its 16; the rest reads as zero.
     * Outside xAPIC mode nothing answers.
     */
    @Override
    public long read(int offset, int size) {
        if (!isXapicMode()) {
            return -1;
        }
        int shift = offset & 0xF;
        if (shift >= 4) {
            return 0;
        }
        return Integer.toUnsignedLong(readRegister(offset >>> 4 & 0xFF)) >>> 8 * shift;
    }

    /** Writes to the register page. Only aligned writes of 32 bits (or more, of which 32 count) have an effect. */
    @Override
    public void write(int offset, int size, long value) {
        if (isXapicMode() && (offset & 0xF) == 0 && size >= 4) {
            writeRegister(offset >>> 4 & 0xFF, (int) value);
        }
    }

    private int readRegister(int register) {
        switch (register) {
            case ID:
                return isX2apicMode() ? config.apicId : id;
            case VERSION:
                return VERSION_VALUE | (config.eoiSuppression ? VERSION_EOI_SUPPRESSION : 0);
            case TPR:
                return tpr;
            case APR:
                return arbitrationPriority();
            case PPR:
                return ppr;
            case EOI:
                return 0;
            case LDR:
                return logicalId();
            case DFR:
                return dfr;
            case SVR:
                return svr;
            case ESR:
                return esr;
            case ICR:
                return (int) icr;
            case ICR2:
                return (int) (icr >>> 32);
            case TIMER_INITIAL:
                return timer.initialCount();
            case TIMER_CURRENT:
                return timer.currentCount();
            case TIMER_DIVIDE:
                return timer.divideConfiguration();
            default:
                break;
        }
        if (ApicRegister.isLvt(register)) {
            return lvt.read(register);
        }
        if (ApicRegister.isVectorWord(register)) {
            VectorSet set = register < TMR ? isr : register < IRR ? tmr : irr;
            return set.word(register & 7);
        }
        error(ESR_ILLEGAL_REGISTER);
        return 0;
    }

    private void writeRegister(int register, int value) {
        switch (register) {
            case ID -> id = value & 0xFF000000;
            case TPR -> setTpr(value);
            case EOI -> endOfInterrupt();
            case LDR -> ldr = value & 0xFF000000;
            case DFR -> dfr = value | 0x0FFFFFFF;
            case SVR -> writeSvr(value);
            case ESR -> {
                errorArmed.set(1);
                esr = errors.getAndSet(0);
            }
            case ICR -> {
                icr = icr & 0xFFFFFFFFL << 32 | value & ApicRegister.ICR_WRITABLE;
                sendIpi((int) icr, ApicMessage.widenDestination((int) (icr >>> 56)));
            }
            case ICR2 -> icr = (value & 0xFF000000L) << 32 | icr & 0xFFFFFFFFL;
            case TIMER_INITIAL -> {
                timer.catchUp();
                timer.setInitialCount(value);
            }
            case TIMER_DIVIDE -> timer.setDivideConfiguration(value);
            case VERSION, APR, PPR, TIMER_CURRENT -> {
                // Read-only, and no error.
            }
            default -> {
                if (ApicRegister.isLvt(register)) {
                    writeLvt(register, value);
                } else if (!ApicRegister.isVectorWord(register)) {
                    error(ESR_ILLEGAL_REGISTER);
                }
            }
        }
    }

    private void writeSvr(int value) {
        timer.catchUp();
        svr = value & svrWritable();
        if ((value & SVR_ENABLE) == 0) {
            lvt.maskAll();
            signals.extIntChanged();
        }
    }

    private int svrWritable() {
        return 0x3FF | (config.eoiSuppression ? SVR_EOI_SUPPRESSION : 0);
    }

    private void writeLvt(int register, int value) {
        if (register == LVT_TIMER) {
            timer.catchUp();
        }
        lvt.write(register, (svr & SVR_ENABLE) == 0 ? value | LocalVectorTable.MASKED : value);
        if (register == LVT_TIMER) {
            timer.setMode(value >>> 17 & 3);
        }
    }

    // ---- Messages

    @Override
    public boolean matches(long message) {
        long base = apicBase;
        if ((base & BASE_ENABLE) == 0) {
            return false;
        }
        int destination = ApicMessage.destination(message);
        if (destination == ApicMessage.BROADCAST) {
            return true;
        }
        boolean x2apic = (base & BASE_EXTD) != 0;
        if (!ApicMessage.isLogical(message)) {
            // A processor whose id does not fit in eight bits has to be reachable before it is in x2APIC mode.
            return destination == (x2apic || config.apicId > 0xFF ? config.apicId : id >>> 24);
        }
        if (x2apic) {
            int own = logicalId();
            return destination >>> 16 == own >>> 16 && (destination & own & 0xFFFF) != 0;
        }
        int own = ldr >>> 24;
        if (destination >>> 8 != 0) {
            return false;
        }
        return switch (dfr >>> 28) {
            case 0xF -> (destination & own) != 0;
            case 0 -> destination >>> 4 == own >>> 4 && (destination & own & 0xF) != 0;
            default -> false;
        };
    }

    @Override
    public boolean isSoftwareEnabled() {
        return isEnabled() && (svr & SVR_ENABLE) != 0;
    }

    @Override
    public int processorPriority() {
        return ppr;
    }

    @Override
    public boolean accept(long message) {
        switch (ApicMessage.deliveryMode(message)) {
            case ApicMessage.FIXED, ApicMessage.LOWEST_PRIORITY -> {
                if (!isSoftwareEnabled()) {
                    return false;
                }
                request(ApicMessage.vector(message), ApicMessage.isLevelTriggered(message));
            }
            case ApicMessage.SMI -> signals.smi();
            case ApicMessage.NMI -> signals.nmi();
            case ApicMessage.INIT -> {
                // A level deassert only synchronises arbitration ids, which these processors do not have.
                if (ApicMessage.isAsserted(message) || !ApicMessage.isLevelTriggered(message)) {
                    signals.init();
                }
            }
            case ApicMessage.STARTUP -> signals.startup(ApicMessage.vector(message));
            case ApicMessage.EXTINT -> {
                extIntLatched = true;
                signals.extIntChanged();
            }
            default -> {
                return false;
            }
        }
        return true;
    }

    private void request(int vector, boolean level) {
        if (vector < 16) {
            error(ESR_RECEIVE_ILLEGAL_VECTOR);
            return;
        }
        if (level) {
            tmr.add(vector);
        } else {
            tmr.remove(vector);
        }
        if (irr.add(vector)) {
            signals.interruptChanged();
        }
    }

    /** Sends what the interrupt command register says; the trigger mode counts for INIT only. */
    private void sendIpi(int low, int destination) {
        int mode = low >>> 8 & 7;
        boolean hasVector = mode == ApicMessage.FIXED || mode == ApicMessage.LOWEST_PRIORITY;
        if (mode == 3 || mode == ApicMessage.EXTINT) {
            return;
        }
        if (hasVector && (low & 0xFF) < 16) {
            error(ESR_SEND_ILLEGAL_VECTOR);
            return;
        }
        int bits = mode == ApicMessage.INIT ? low : low & ~ApicMessage.TRIGGER_LEVEL | ApicMessage.LEVEL_ASSERT;
        switch (low >>> 18 & 3) {
            case 0 -> bus.send(ApicMessage.ofRegister(bits, destination));
            case 1 -> accept(ApicMessage.ofRegister(bits, config.apicId));
            case 2 -> bus.send(ApicMessage.ofRegister(bits, ApicMessage.BROADCAST));
            default -> bus.sendToOthers(ApicMessage.ofRegister(bits, ApicMessage.BROADCAST), this);
        }
    }

    /**
     * Whether the end of the interrupt in service is nobody's concern but this local APIC's: it is edge-triggered, no
     * one asked to be told of it, and nothing is requested that could be delivered after it. Then it may come later than
     * the guest means it to, at the latest before anything of this local APIC is looked at (KVM's paravirtual EOI).
     *
     * @return true where an interrupt is in service and its end can be put off
     */
    public boolean canDeferEnd() {
        int vector = isr.highest();
        return vector >= 0
                && irr.highest() < 0
                && !tmr.contains(vector)
                && (eoiExitVectors[vector >>> 6] & 1L << vector) == 0;
    }

    /** Ends the interrupt in service of the highest priority, as a write to the EOI register does in either mode. */
    public void endOfInterrupt() {
        int vector = isr.highest();
        if (vector < 0) {
            return;
        }
        isr.remove(vector);
        updatePpr();
        if ((svr & SVR_EOI_SUPPRESSION) == 0) {
            if ((eoiExitVectors[vector >>> 6] & 1L << vector) != 0) {
                signals.eoiExit(vector);
            }
            if (tmr.contains(vector)) {
                bus.endOfInterrupt(vector);
            }
        }
        lvt.endOfInterrupt(vector);
        signalIfPending();
    }

    /** Notes an error; the first since the last write to the ESR raises the error interrupt. */
    private void error(int bit) {
        errors.accumulateAndGet(bit, (a, b) -> a | b);
        if (errorArmed.compareAndSet(1, 0)) {
            lvt.deliver(LVT_ERROR);
        }
    }

    // ---- Priorities

    private void updatePpr() {
        int inService = Math.max(isr.highest(), 0);
        ppr = tpr >>> 4 >= inService >>> 4 ? tpr : inService & 0xF0;
    }

    private int arbitrationPriority() {
        int requested = Math.max(irr.highest(), 0) & 0xF0;
        int inService = Math.max(isr.highest(), 0) & 0xF0;
        int task = tpr & 0xF0;
        if (task >= requested && task > inService) {
            return tpr;
        }
        return Math.max(task & inService, requested);
    }

    private void signalIfPending() {
        if (pendingVector() >= 0) {
            signals.interruptChanged();
        }
    }

    private int logicalId() {
        return isX2apicMode() ? config.apicId >>> 4 << 16 | 1 << (config.apicId & 0xF) : ldr;
    }

    // ---- State

    /**
     * Writes the registers in the layout of KVM's {@code struct kvm_lapic_state}: each at its page offset, 32 bits,
     * little-endian.
     *
     * @param page at least 1024 bytes; the first 1024 are written
     * @param wideIds in x2APIC mode, whether the ID register holds 32 bits (KVM_X2APIC_API_USE_32BIT_IDS) or the low
     *     eight in bits 31-24
     */
    public void exportPage(byte[] page, boolean wideIds) {
        Arrays.fill(page, 0, REGISTERS_SIZE, (byte) 0);
        for (int register = 0; register < REGISTERS_SIZE / 16; register++) {
            if (register == ICR2 || register == DFR && !isX2apicMode() || ApicRegister.isX2apicReadable(register)) {
                ApicPage.set(page, register, readRegister(register));
            }
        }
        if (isX2apicMode() && !wideIds) {
            ApicPage.set(page, ID, config.apicId << 24);
        }
    }

    /**
     * Sets the registers from the layout of {@link #exportPage}. The mode is that of IA32_APIC_BASE, which is set
     * first; in x2APIC mode the APIC id and the logical id stay what they are. Nothing is sent, and the timer goes on
     * from the current count.
     *
     * @param page at least 1024 bytes
     * @param wideIds as for {@link #exportPage}
     * @return false, with nothing changed, when the page holds another APIC id in x2APIC mode
     */
    public boolean importPage(byte[] page, boolean wideIds) {
        if (isX2apicMode() && ApicPage.get(page, ID) != (wideIds ? config.apicId : config.apicId << 24)) {
            return false;
        }
        restore(ApicPage.toState(page, save()));
        return true;
    }

    @Override
    public State save() {
        ApicTimer.State time = timer.save();
        return new State(
                apicBase,
                id,
                tpr,
                ldr,
                dfr,
                svr,
                icr,
                esr,
                errors.get(),
                errorArmed.get() != 0,
                isr.toArray(),
                irr.toArray(),
                tmr.toArray(),
                lvt.entries(),
                time.mode(),
                time.divideConfiguration(),
                time.initialCount(),
                time.running(),
                time.elapsedNanos(),
                time.startCount(),
                time.deadlineTsc(),
                lvt.pins(),
                lvt.remoteIrr(),
                extIntLatched,
                eoiExitVectors.clone());
    }

    @Override
    public void restore(State state) {
        if (state.isr.length != VectorSet.WORDS
                || state.irr.length != VectorSet.WORDS
                || state.tmr.length != VectorSet.WORDS
                || state.lvt.length != LocalVectorTable.ENTRIES
                || state.eoiExitVectors.length != 4) {
            throw new IllegalArgumentException("a local APIC has 8 words of ISR, IRR and TMR and 7 LVT entries");
        }
        if (!setApicBase(state.apicBase)) {
            throw new IllegalArgumentException("IA32_APIC_BASE cannot be 0x%x".formatted(state.apicBase));
        }
        id = state.id & 0xFF000000;
        tpr = state.tpr & 0xFF;
        ldr = state.ldr & 0xFF000000;
        dfr = state.dfr | 0x0FFFFFFF;
        svr = state.svr & svrWritable();
        icr = state.icr & (0xFFFFFFFFL << 32 | ApicRegister.ICR_WRITABLE);
        esr = state.esr & 0xFF;
        errors.set(state.errors & 0xFF);
        errorArmed.set(state.errorArmed ? 1 : 0);
        isr.set(state.isr);
        irr.set(state.irr);
        tmr.set(state.tmr);
        lvt.restore(state.lvt, state.pins, state.pinsRemoteIrr);
        extIntLatched = state.extIntLatched;
        eoiExitVectors = state.eoiExitVectors.clone();
        updatePpr();
        timer.restore(new ApicTimer.State(
                state.timerMode,
                state.timerDivide,
                state.timerInitialCount,
                state.timerRunning,
                state.timerElapsedNanos,
                state.timerStartCount,
                state.tscDeadline));
        signals.extIntChanged();
        signalIfPending();
    }
}
