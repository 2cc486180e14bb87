package org.softkvm.devices.apic;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Random;
import java.util.concurrent.locks.ReentrantLock;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.softkvm.devices.time.ManualClock;
import org.softkvm.devices.time.TscSource;

class LocalApicTest {
    private static final int ID = 0x020;
    private static final int VERSION = 0x030;
    private static final int TPR = 0x080;
    private static final int APR = 0x090;
    private static final int PPR = 0x0A0;
    private static final int EOI = 0x0B0;
    private static final int LDR = 0x0D0;
    private static final int DFR = 0x0E0;
    private static final int SVR = 0x0F0;
    private static final int ISR = 0x100;
    private static final int TMR = 0x180;
    private static final int IRR = 0x200;
    private static final int ESR = 0x280;
    private static final int CMCI = 0x2F0;
    private static final int ICR = 0x300;
    private static final int ICR2 = 0x310;
    private static final int TIMER = 0x320;
    private static final int LINT0 = 0x350;
    private static final int LINT1 = 0x360;
    private static final int ERROR = 0x370;
    private static final int TMICT = 0x380;
    private static final int TMCCT = 0x390;
    private static final int TDCR = 0x3E0;
    private static final int MASKED = 0x10000;

    private final ManualClock clock = new ManualClock(5_000);
    private final RecordingSignals signals = new RecordingSignals();
    private final RecordingBus bus = new RecordingBus();

    /** A TSC of 3 GHz that was 0 at the clock's start. */
    private final TscSource tsc = new TscSource() {
        @Override
        public long tsc() {
            return 3 * clock.nanoTime();
        }

        @Override
        public long nanoTimeAt(long value) {
            return Long.divideUnsigned(value, 3) + (Long.remainderUnsigned(value, 3) == 0 ? 0 : 1);
        }
    };

    private final LocalApic apic = apic(new LocalApic.Config(3, true));

    private LocalApic apic(LocalApic.Config config) {
        return new LocalApic(config, clock, tsc, bus, signals);
    }

    private int read(int offset) {
        return (int) apic.read(offset, 4);
    }

    private void write(int offset, int value) {
        apic.write(offset, 4, Integer.toUnsignedLong(value));
    }

    private void enable() {
        write(SVR, 0x1FF);
    }

    private void enableX2apic() {
        assertThat(apic.writeMsr(LocalApic.IA32_APIC_BASE, apic.apicBase() | LocalApic.BASE_EXTD))
                .isTrue();
    }

    private static long fixed(int vector) {
        return ApicMessage.of(ApicMessage.FIXED, vector, 3, false, false);
    }

    private static long level(int vector) {
        return ApicMessage.of(ApicMessage.FIXED, vector, 3, false, true);
    }

    /** Takes the next interrupt as a processor does. */
    private int take() {
        int vector = apic.pendingVector();
        if (vector >= 0) {
            apic.acknowledge(vector);
        }
        return vector;
    }

    @Nested
    class Registers {
        @Test
        void powerUpState() {
            assertThat(apic.apicBase()).isEqualTo(0xFEE00900L);
            assertThat(apic.isXapicMode()).isTrue();
            assertThat(apic.pageAddress()).isEqualTo(0xFEE00000L);
            assertThat(read(ID)).isEqualTo(3 << 24);
            assertThat(read(VERSION)).isEqualTo(0x60014);
            assertThat(read(SVR)).isEqualTo(0xFF);
            assertThat(read(DFR)).isEqualTo(-1);
            for (int lvt : new int[] {CMCI, TIMER, 0x330, 0x340, LINT0, LINT1, ERROR}) {
                assertThat(read(lvt)).as("LVT %x", lvt).isEqualTo(MASKED);
            }
            for (int zero : new int[] {TPR, APR, PPR, EOI, LDR, ESR, ICR, ICR2, TMICT, TMCCT, TDCR, ISR, TMR, IRR}) {
                assertThat(read(zero)).as("register %x", zero).isZero();
            }
            assertThat(apic(new LocalApic.Config(4, false)).apicBase()).isEqualTo(0xFEE00800L);
        }

        @Test
        void writableBits() {
            enable();
            int[][] masks = {
                {ID, 0xFF000000},
                {LDR, 0xFF000000},
                {DFR, -1},
                {TPR, 0xFF},
                {CMCI, 0x107FF},
                {TIMER, 0x700FF},
                {0x330, 0x107FF},
                {0x340, 0x107FF},
                {LINT0, 0x1A7FF},
                {LINT1, 0x1A7FF},
                {ERROR, 0x100FF},
                {TDCR, 0xB},
                {ICR2, 0xFF000000},
            };
            for (int[] row : masks) {
                write(row[0], -1);
                assertThat(read(row[0])).as("register %x", row[0]).isEqualTo(row[1]);
            }
            write(DFR, 0);
            assertThat(read(DFR)).isEqualTo(0x0FFFFFFF);
            write(SVR, -1);
            assertThat(read(SVR)).isEqualTo(0x3FF);
        }

        @Test
        void accessesOfPartsOfARegister() {
            write(LDR, 0xA5000000);
            assertThat(apic.read(LDR + 3, 1)).isEqualTo(0xA5);
            assertThat(apic.read(LDR + 2, 2)).isEqualTo(0xA500);
            assertThat(apic.read(LDR + 4, 4)).isZero();
            apic.write(LDR + 3, 1, 0x11);
            apic.write(LDR + 2, 2, 0x1111);
            apic.write(LDR + 4, 4, 0x11000000);
            assertThat(read(LDR)).isEqualTo(0xA5000000);
        }

        @Test
        void readOnlyRegistersIgnoreWrites() {
            for (int offset : new int[] {VERSION, APR, PPR, ISR, TMR + 0x70, IRR + 0x10, TMCCT}) {
                int before = read(offset);
                write(offset, 0x12345678);
                assertThat(read(offset)).as("register %x", offset).isEqualTo(before);
            }
            write(ESR, 0);
            assertThat(read(ESR)).isZero();
        }

        @Test
        void softwareDisableMasksTheLvt() {
            enable();
            write(LINT0, 0x700);
            write(ERROR, 0x33);
            assertThat(read(LINT0)).isEqualTo(0x700);
            write(SVR, 0xFF);
            assertThat(read(LINT0)).isEqualTo(0x10700);
            write(ERROR, 0x44);
            assertThat(read(ERROR)).isEqualTo(0x10044);
            enable();
            assertThat(read(ERROR)).isEqualTo(0x10044);
        }

        @Test
        void initKeepsBaseAndId() {
            enable();
            write(ID, 0x55000000);
            write(LDR, 0x01000000);
            write(TPR, 0x20);
            apic.accept(fixed(0x40));
            write(TMICT, 1000);
            apic.init();
            assertThat(read(ID)).isEqualTo(0x55000000);
            assertThat(read(LDR)).isZero();
            assertThat(read(TPR)).isZero();
            assertThat(read(SVR)).isEqualTo(0xFF);
            assertThat(read(IRR + 0x20)).isZero();
            assertThat(clock.nextDeadline()).isEqualTo(Long.MAX_VALUE);
            apic.reset();
            assertThat(read(ID)).isEqualTo(3 << 24);
        }

        @Test
        void configurationIsChecked() {
            assertThatThrownBy(() -> new LocalApic.Config(-1, true)).isInstanceOf(IllegalArgumentException.class);
            assertThatThrownBy(() -> new LocalApic.Config(255, true, false, false, 1, 40))
                    .isInstanceOf(IllegalArgumentException.class);
            assertThatThrownBy(() -> new LocalApic.Config(0, true, true, false, 0, 40))
                    .isInstanceOf(IllegalArgumentException.class);
            assertThatThrownBy(() -> new LocalApic.Config(0, true, true, false, 1, 53))
                    .isInstanceOf(IllegalArgumentException.class);
        }
    }

    @Nested
    class Interrupts {
        @Test
        void fixedInterruptGoesFromIrrToIsrToNothing() {
            enable();
            assertThat(apic.pendingVector()).isEqualTo(-1);
            assertThat(apic.accept(fixed(0x41))).isTrue();
            assertThat(signals.interruptChanges).isEqualTo(1);
            assertThat(read(IRR + 0x20)).isEqualTo(2);
            assertThat(apic.pendingVector()).isEqualTo(0x41);
            apic.acknowledge(0x41);
            assertThat(read(IRR + 0x20)).isZero();
            assertThat(read(ISR + 0x20)).isEqualTo(2);
            assertThat(read(PPR)).isEqualTo(0x40);
            assertThat(apic.pendingVector()).isEqualTo(-1);
            write(EOI, 0);
            assertThat(read(ISR + 0x20)).isZero();
            assertThat(read(PPR)).isZero();
            assertThat(bus.eois).as("an edge needs no broadcast").isEmpty();
        }

        @Test
        void higherClassNestsAndTheSameClassWaits() {
            enable();
            apic.accept(fixed(0x45));
            assertThat(take()).isEqualTo(0x45);
            apic.accept(fixed(0x4F));
            assertThat(take()).isEqualTo(-1);
            apic.accept(fixed(0x50));
            assertThat(take()).isEqualTo(0x50);
            apic.accept(fixed(0x45));
            write(EOI, 0);
            assertThat(read(ISR + 0x20)).isEqualTo(1 << 5);
            assertThat(take()).isEqualTo(-1);
            int before = signals.interruptChanges;
            write(EOI, 0);
            assertThat(signals.interruptChanges)
                    .as("the EOI uncovers what waits")
                    .isGreaterThan(before);
            assertThat(take()).isEqualTo(0x4F);
            write(EOI, 0);
            assertThat(take()).isEqualTo(0x45);
        }

        @Test
        void taskPriorityHoldsBack() {
            enable();
            write(TPR, 0x4F);
            assertThat(read(PPR)).isEqualTo(0x4F);
            apic.accept(fixed(0x41));
            assertThat(apic.pendingVector()).isEqualTo(-1);
            int before = signals.interruptChanges;
            apic.setTpr(0x30);
            assertThat(signals.interruptChanges).isGreaterThan(before);
            assertThat(apic.tpr()).isEqualTo(0x30);
            assertThat(take()).isEqualTo(0x41);
            // The larger class counts; the TPR keeps its low bits, the ISR's vector does not.
            assertThat(read(PPR)).isEqualTo(0x40);
            write(TPR, 0x47);
            assertThat(read(PPR)).isEqualTo(0x47);
        }

        @Test
        void arbitrationPriority() {
            enable();
            write(TPR, 0x35);
            assertThat(read(APR)).isEqualTo(0x35);
            apic.accept(fixed(0x61));
            assertThat(read(APR)).isEqualTo(0x60);
            take();
            assertThat(read(APR)).isEqualTo(0x20);
        }

        @Test
        void repeatedRequestsMerge() {
            enable();
            apic.accept(fixed(0x41));
            apic.accept(fixed(0x41));
            assertThat(signals.interruptChanges).isEqualTo(1);
            take();
            apic.accept(fixed(0x41));
            write(EOI, 0);
            assertThat(take()).isEqualTo(0x41);
            write(EOI, 0);
            assertThat(take()).isEqualTo(-1);
        }

        @Test
        void levelTriggeredBroadcastsItsEnd() {
            enable();
            apic.accept(level(0x91));
            assertThat(read(TMR + 0x40)).isEqualTo(1 << 17);
            take();
            write(EOI, 0);
            assertThat(bus.eois).containsExactly(0x91);
            apic.accept(fixed(0x91));
            assertThat(read(TMR + 0x40)).isZero();
            take();
            write(EOI, 0);
            assertThat(bus.eois).hasSize(1);
        }

        @Test
        void eoiSuppression() {
            assertThat(read(VERSION) & 1 << 24).isZero();
            LocalApic other = apic(new LocalApic.Config(3, true, true, true, 1, 40));
            assertThat(other.read(VERSION, 4)).isEqualTo(0x01060014);
            other.write(SVR, 4, 0x11FF);
            assertThat(other.read(SVR, 4)).isEqualTo(0x11FF);
            other.accept(level(0x91));
            other.acknowledge(0x91);
            other.setEoiExitVectors(-1, -1, -1, -1);
            other.write(EOI, 4, 0);
            assertThat(bus.eois).isEmpty();
            assertThat(signals.log).isEmpty();
        }

        @Test
        void eoiExits() {
            enable();
            apic.setEoiExitVectors(0, 0, 1L << 0x91 - 128, 0);
            for (int vector : new int[] {0x91, 0x51}) {
                apic.accept(fixed(vector));
                take();
                write(EOI, 0);
            }
            assertThat(signals.log).containsExactly("eoi-exit 91");
        }

        @Test
        void eoiWithNothingInServiceIsHarmless() {
            enable();
            apic.accept(level(0x91));
            write(EOI, 0);
            assertThat(bus.eois).isEmpty();
            assertThat(take()).isEqualTo(0x91);
        }

        @Test
        void softwareDisabledRefusesFixedButNotTheOthers() {
            assertThat(apic.accept(fixed(0x41))).isFalse();
            assertThat(read(IRR + 0x20)).isZero();
            assertThat(apic.accept(ApicMessage.of(ApicMessage.NMI, 0, 3, false, false)))
                    .isTrue();
            assertThat(apic.accept(ApicMessage.of(ApicMessage.SMI, 0, 3, false, false)))
                    .isTrue();
            assertThat(apic.accept(ApicMessage.of(ApicMessage.INIT, 0, 3, false, false)))
                    .isTrue();
            assertThat(apic.accept(ApicMessage.of(ApicMessage.STARTUP, 0x9A, 3, false, false)))
                    .isTrue();
            assertThat(apic.accept(ApicMessage.of(3, 0x9A, 3, false, false))).isFalse();
            assertThat(signals.log).containsExactly("nmi", "smi", "init", "startup 9a");
        }

        @Test
        void initDeassertDoesNothing() {
            apic.accept(ApicMessage.of(ApicMessage.INIT, 0, 3, false, true));
            assertThat(signals.log).containsExactly("init");
            apic.accept(ApicMessage.ofRegister(0x8500, 3));
            assertThat(signals.log).containsExactly("init");
        }

        @Test
        void extIntMessageWaitsForTheIntaCycle() {
            assertThat(apic.isExtIntPending()).isFalse();
            apic.accept(ApicMessage.of(ApicMessage.EXTINT, 0, 3, false, false));
            assertThat(signals.extIntChanges).isPositive();
            assertThat(apic.isExtIntPending()).isTrue();
            apic.acknowledgeExtInt();
            assertThat(apic.isExtIntPending()).isFalse();
        }
    }

    @Nested
    class Destinations {
        private boolean physical(int destination) {
            return apic.matches(ApicMessage.of(0, 0x41, destination, false, false));
        }

        private boolean logical(int destination) {
            return apic.matches(ApicMessage.of(0, 0x41, destination, true, false));
        }

        @Test
        void physical() {
            assertThat(physical(3)).isTrue();
            assertThat(physical(4)).isFalse();
            assertThat(physical(0x103)).isFalse();
            assertThat(physical(ApicMessage.BROADCAST)).isTrue();
            write(ID, 0x04000000);
            assertThat(physical(3)).isFalse();
            assertThat(physical(4)).isTrue();
        }

        @Test
        void flatLogical() {
            write(LDR, 0x08000000);
            assertThat(logical(0x08)).isTrue();
            assertThat(logical(0x0F)).isTrue();
            assertThat(logical(0x07)).isFalse();
            assertThat(logical(0x108)).isFalse();
            assertThat(logical(ApicMessage.BROADCAST)).isTrue();
        }

        @Test
        void clusterLogical() {
            write(DFR, 0);
            write(LDR, 0x24000000);
            assertThat(logical(0x24)).isTrue();
            assertThat(logical(0x2F)).isTrue();
            assertThat(logical(0x2B)).isFalse();
            assertThat(logical(0x14)).isFalse();
            write(DFR, 0x70000000);
            assertThat(logical(0x24))
                    .as("models that do not exist match nothing")
                    .isFalse();
        }

        @Test
        void x2apic() {
            write(ID, 0x77000000);
            enableX2apic();
            assertThat(physical(3)).isTrue();
            assertThat(physical(0x77)).isFalse();
            // Id 3: cluster 0, bit 3.
            assertThat(logical(0x08)).isTrue();
            assertThat(logical(0x04)).isFalse();
            assertThat(logical(0x10008)).isFalse();
            assertThat(physical(0xFF)).isFalse();
            assertThat(physical(ApicMessage.BROADCAST)).isTrue();
        }

        @Test
        void x2apicOfLargeId() {
            LocalApic large = apic(new LocalApic.Config(0x12345, false));
            assertThat(large.matches(ApicMessage.of(5, 0, 0x12345, false, false)))
                    .as("reachable for INIT before it is in x2APIC mode")
                    .isTrue();
            assertThat(large.matches(ApicMessage.of(5, 0, 0x45, false, false))).isFalse();
            assertThat(large.writeApicBase(0xFEE00C00L)).isTrue();
            assertThat(large.readMsr(0x802)).isEqualTo(0x12345);
            assertThat(large.readMsr(0x80D)).isEqualTo(0x12340020L);
            assertThat(large.matches(ApicMessage.of(0, 0x41, 0x12340020, true, false)))
                    .isTrue();
            assertThat(large.matches(ApicMessage.of(0, 0x41, 0x12350020, true, false)))
                    .isFalse();
        }

        @Test
        void disabledMatchesNothing() {
            apic.writeApicBase(0xFEE00100L);
            assertThat(physical(3)).isFalse();
            assertThat(physical(ApicMessage.BROADCAST)).isFalse();
        }
    }

    @Nested
    class Ipis {
        @Test
        void physicalIpi() {
            write(ICR2, 0x05000000);
            write(ICR, 0x4041);
            assertThat(bus.sent).containsExactly(ApicMessage.of(0, 0x41, 5, false, false));
            assertThat(read(ICR)).isEqualTo(0x4041);
            assertThat(read(ICR2)).isEqualTo(0x05000000);
        }

        @Test
        void broadcastDestinationIsWidened() {
            write(ICR2, 0xFF000000);
            write(ICR, 0x4841);
            assertThat(bus.sent).containsExactly(ApicMessage.of(0, 0x41, ApicMessage.BROADCAST, true, false));
        }

        @Test
        void deliveryStatusIsNeverSet() {
            write(ICR, 0x5041);
            assertThat(read(ICR) & 0x1000).isZero();
        }

        @Test
        void shorthands() {
            enable();
            write(ICR, 0x44041);
            assertThat(bus.sent).isEmpty();
            assertThat(take()).isEqualTo(0x41);
            write(ICR, 0x84042);
            assertThat(bus.sent).containsExactly(ApicMessage.of(0, 0x42, ApicMessage.BROADCAST, false, false));
            write(ICR, 0xC4043);
            assertThat(bus.sentToOthers).containsExactly(ApicMessage.of(0, 0x43, ApicMessage.BROADCAST, false, false));
        }

        @Test
        void initAndStartup() {
            write(ICR2, 0x01000000);
            write(ICR, 0xC500);
            write(ICR, 0x8500);
            write(ICR, 0x0699);
            assertThat(bus.sent)
                    .containsExactly(
                            ApicMessage.of(ApicMessage.INIT, 0, 1, false, true),
                            ApicMessage.ofRegister(0x8500, 1),
                            ApicMessage.of(ApicMessage.STARTUP, 0x99, 1, false, false));
        }

        @Test
        void triggerModeOfFixedIpisIsIgnored() {
            write(ICR2, 0x01000000);
            write(ICR, 0x8041);
            assertThat(bus.sent).containsExactly(ApicMessage.of(0, 0x41, 1, false, false));
        }

        @Test
        void modesThatIpisDoNotHave() {
            write(ICR, 0x4341);
            write(ICR, 0x4741);
            assertThat(bus.sent).isEmpty();
        }

        @Test
        void selfIpiRegisterIsX2apicOnly() {
            enable();
            write(0x3F0, 0x41);
            assertThat(take()).isEqualTo(-1);
            enableX2apic();
            assertThat(apic.writeMsr(0x83F, 0x41)).isTrue();
            assertThat(take()).isEqualTo(0x41);
            assertThat(apic.writeMsr(0x83F, 0x141)).isFalse();
            assertThat(apic.canReadMsr(0x83F)).isFalse();
        }
    }

    @Nested
    class Errors {
        @Test
        void illegalVectorsAndRegisters() {
            enable();
            write(ICR, 0x400F);
            assertThat(bus.sent).isEmpty();
            assertThat(read(ESR)).as("not before a write").isZero();
            write(ESR, 0);
            assertThat(read(ESR)).isEqualTo(0x20);
            apic.accept(fixed(0x0F));
            read(0x040);
            write(ESR, 0);
            assertThat(read(ESR)).isEqualTo(0xC0);
            write(ESR, 0x55);
            assertThat(read(ESR)).isZero();
            assertThat(take()).isEqualTo(-1);
        }

        @Test
        void errorInterruptOncePerArming() {
            enable();
            write(ERROR, 0x71);
            write(0x040, 0);
            assertThat(take()).isEqualTo(0x71);
            write(EOI, 0);
            write(0x040, 0);
            assertThat(take()).isEqualTo(-1);
            write(ESR, 0);
            write(0x040, 0);
            assertThat(take()).isEqualTo(0x71);
        }

        @Test
        void illegalVectorOfTheErrorInterruptEndsThere() {
            enable();
            write(ERROR, 0x05);
            write(0x040, 0);
            write(ESR, 0);
            assertThat(read(ESR)).isEqualTo(0xC0);
            assertThat(take()).isEqualTo(-1);
        }

        @Test
        void legalRegistersAreNoError() {
            enable();
            for (int offset = 0; offset < 0x1000; offset += 0x10) {
                boolean exists = offset >= 0x100 && offset <= 0x280
                        || offset >= 0x2F0 && offset <= 0x390
                        || offset == TDCR
                        || offset == ID
                        || offset == VERSION
                        || offset >= TPR && offset <= EOI
                        || offset >= LDR && offset <= SVR;
                write(ESR, 0);
                read(offset);
                write(ESR, 0);
                assertThat(read(ESR)).as("register %x", offset).isEqualTo(exists ? 0 : 0x80);
            }
        }
    }

    @Nested
    class Pins {
        @Test
        void extIntFollowsLint0() {
            enable();
            apic.lint(0).set(true);
            assertThat(apic.isExtIntPending()).as("masked").isFalse();
            int before = signals.extIntChanges;
            write(LINT0, 0x700);
            assertThat(signals.extIntChanges).isGreaterThan(before);
            assertThat(apic.isExtIntPending()).isTrue();
            apic.acknowledgeExtInt();
            assertThat(apic.isExtIntPending()).as("a level").isTrue();
            apic.lint(0).set(false);
            assertThat(apic.isExtIntPending()).isFalse();
        }

        @Test
        void virtualWire() {
            apic.useVirtualWire();
            assertThat(read(LINT0)).isEqualTo(0x700);
            apic.lint(0).set(true);
            assertThat(apic.isExtIntPending()).isTrue();
        }

        @Test
        void withoutLocalApicThePinsAreIntrAndNmi() {
            apic.writeApicBase(0xFEE00100L);
            apic.lint(0).set(true);
            assertThat(apic.isExtIntPending()).isTrue();
            apic.lint(1).set(true);
            assertThat(signals.log).containsExactly("nmi");
        }

        @Test
        void nmiIsAnEdge() {
            enable();
            write(LINT1, 0x400);
            apic.lint(1).set(true);
            apic.lint(1).set(true);
            apic.lint(1).set(false);
            apic.lint(1).set(true);
            assertThat(signals.log).containsExactly("nmi", "nmi");
            write(LINT1, 0x10400);
            apic.lint(1).set(false);
            apic.lint(1).set(true);
            assertThat(signals.log).hasSize(2);
        }

        @Test
        void fixedEdge() {
            enable();
            write(LINT0, 0x61);
            apic.lint(0).set(true);
            assertThat(take()).isEqualTo(0x61);
            write(EOI, 0);
            assertThat(take()).isEqualTo(-1);
            apic.lint(0).pulse();
            assertThat(take()).as("it was high already").isEqualTo(-1);
            apic.lint(0).pulse();
            assertThat(take()).isEqualTo(0x61);
        }

        @Test
        void fixedLevelRepeatsWhileAsserted() {
            enable();
            write(LINT0, 0x8061);
            apic.lint(0).set(true);
            assertThat(read(LINT0)).isEqualTo(0xC061);
            assertThat(take()).isEqualTo(0x61);
            write(EOI, 0);
            assertThat(take()).isEqualTo(0x61);
            apic.lint(0).set(false);
            write(EOI, 0);
            assertThat(take()).isEqualTo(-1);
            assertThat(read(LINT0)).isEqualTo(0x8061);
        }

        @Test
        void unmaskingALevelThatIsAssertedDelivers() {
            enable();
            apic.lint(0).set(true);
            write(LINT0, 0x8061);
            assertThat(take()).isEqualTo(0x61);
            write(LINT0, 0x61);
            assertThat(read(LINT0)).as("edge mode has no remote IRR").isEqualTo(0x61);
        }
    }

    @Nested
    class Timer {
        @Test
        void oneShot() {
            enable();
            write(TIMER, 0x55);
            write(TDCR, 0xB);
            write(TMICT, 1000);
            assertThat(read(TMCCT)).isEqualTo(1000);
            clock.advance(400);
            assertThat(read(TMCCT)).isEqualTo(600);
            clock.advance(599);
            assertThat(take()).isEqualTo(-1);
            clock.advance(1);
            assertThat(take()).isEqualTo(0x55);
            assertThat(read(TMCCT)).isZero();
            assertThat(read(TMICT)).isEqualTo(1000);
            clock.advance(100_000);
            write(EOI, 0);
            assertThat(take()).isEqualTo(-1);
            assertThat(clock.nextDeadline()).isEqualTo(Long.MAX_VALUE);
        }

        @Test
        void dividers() {
            int[][] rows = {{0, 2}, {1, 4}, {2, 8}, {3, 16}, {8, 32}, {9, 64}, {10, 128}, {11, 1}};
            for (int[] row : rows) {
                write(TDCR, row[0]);
                write(TMICT, 1000);
                clock.advance(row[1] * 250L);
                assertThat(read(TMCCT)).as("divide by %d", row[1]).isEqualTo(750);
                clock.advance(row[1] - 1);
                assertThat(read(TMCCT)).isEqualTo(750);
            }
        }

        @Test
        void busCycleScalesTheTimer() {
            LocalApic slow = apic(new LocalApic.Config(3, true, true, false, 10, 40));
            slow.write(TDCR, 4, 0xB);
            slow.write(TMICT, 4, 1000);
            clock.advance(5_000);
            assertThat(slow.read(TMCCT, 4)).isEqualTo(500);
        }

        @Test
        void periodic() {
            enable();
            write(TIMER, 0x20055);
            write(TDCR, 0xB);
            write(TMICT, 100_000);
            for (int i = 0; i < 5; i++) {
                clock.advance(99_999);
                assertThat(take()).isEqualTo(-1);
                assertThat(read(TMCCT)).isEqualTo(1);
                clock.advance(1);
                assertThat(take()).isEqualTo(0x55);
                assertThat(read(TMCCT)).isEqualTo(100_000);
                write(EOI, 0);
            }
            write(TMICT, 0);
            assertThat(clock.nextDeadline()).isEqualTo(Long.MAX_VALUE);
        }

        @Test
        void shortPeriodsAreMergedButCountExactly() {
            enable();
            write(TIMER, 0x20055);
            write(TDCR, 0xB);
            write(TMICT, 7);
            int taken = 0;
            for (int i = 0; i < 1000; i++) {
                clock.advance(1_000);
                if (take() == 0x55) {
                    taken++;
                    write(EOI, 0);
                }
            }
            assertThat(taken).isBetween(45, 51);
            long before = clock.nanoTime();
            int count = read(TMCCT);
            clock.advance(3);
            assertThat(read(TMCCT)).isEqualTo(count > 3 ? count - 3 : count + 4);
            assertThat(clock.nanoTime()).isEqualTo(before + 3);
        }

        @Test
        void maskedTimerRunsOnSilently() {
            enable();
            write(TIMER, 0x30055);
            write(TDCR, 0xB);
            write(TMICT, 100_000);
            clock.advance(250_000);
            assertThat(read(TMCCT)).isEqualTo(50_000);
            assertThat(take()).isEqualTo(-1);
            write(TIMER, 0x20055);
            clock.advance(50_000);
            assertThat(take()).isEqualTo(0x55);
        }

        @Test
        void changingTheDividerKeepsTheCount() {
            enable();
            write(TIMER, 0x55);
            write(TDCR, 0xB);
            write(TMICT, 1000);
            clock.advance(500);
            write(TDCR, 0);
            assertThat(read(TMCCT)).isEqualTo(500);
            clock.advance(998);
            assertThat(read(TMCCT)).isEqualTo(1);
            clock.advance(2);
            assertThat(take()).isEqualTo(0x55);
        }

        @Test
        void tscDeadline() {
            enable();
            write(TIMER, 0x40055);
            assertThat(apic.writeMsr(LocalApic.IA32_TSC_DEADLINE, tsc.tsc() + 3001))
                    .isTrue();
            assertThat(apic.readMsr(LocalApic.IA32_TSC_DEADLINE)).isEqualTo(tsc.tsc() + 3001);
            assertThat(read(TMCCT)).isZero();
            clock.advance(1000);
            assertThat(take()).isEqualTo(-1);
            clock.advance(1);
            assertThat(take()).isEqualTo(0x55);
            assertThat(apic.readMsr(LocalApic.IA32_TSC_DEADLINE)).isZero();
        }

        @Test
        void tscDeadlineInThePastFiresAtOnce() {
            enable();
            write(TIMER, 0x40055);
            apic.writeMsr(LocalApic.IA32_TSC_DEADLINE, 1);
            assertThat(take()).isEqualTo(0x55);
            assertThat(apic.readMsr(LocalApic.IA32_TSC_DEADLINE)).isZero();
        }

        @Test
        void tscDeadlineDisarms() {
            enable();
            write(TIMER, 0x40055);
            apic.writeMsr(LocalApic.IA32_TSC_DEADLINE, tsc.tsc() + 3000);
            apic.writeMsr(LocalApic.IA32_TSC_DEADLINE, 0);
            clock.advance(10_000);
            assertThat(take()).isEqualTo(-1);
            apic.writeMsr(LocalApic.IA32_TSC_DEADLINE, -1);
            clock.advance(10_000_000_000L);
            assertThat(take()).isEqualTo(-1);
        }

        @Test
        void otherModesIgnoreTheDeadlineAndTheOtherWayRound() {
            enable();
            apic.writeMsr(LocalApic.IA32_TSC_DEADLINE, 1);
            assertThat(apic.readMsr(LocalApic.IA32_TSC_DEADLINE)).isZero();
            write(TIMER, 0x40055);
            write(TMICT, 1000);
            assertThat(read(TMICT)).isZero();
            assertThat(clock.nextDeadline()).isEqualTo(Long.MAX_VALUE);
        }

        @Test
        void changingToOrFromDeadlineModeDisarms() {
            enable();
            write(TIMER, 0x55);
            write(TMICT, 1000);
            write(TIMER, 0x40055);
            assertThat(read(TMICT)).isZero();
            apic.writeMsr(LocalApic.IA32_TSC_DEADLINE, tsc.tsc() + 3000);
            write(TIMER, 0x55);
            clock.advance(10_000);
            assertThat(take()).isEqualTo(-1);
            assertThat(clock.nextDeadline()).isEqualTo(Long.MAX_VALUE);
        }

        @Test
        void aTscThatIsBehindItsScheduleIsWaitedFor() {
            long[] offset = {0};
            TscSource late = new TscSource() {
                @Override
                public long tsc() {
                    return clock.nanoTime() - offset[0];
                }

                @Override
                public long nanoTimeAt(long value) {
                    return value + offset[0];
                }
            };
            LocalApic other = new LocalApic(new LocalApic.Config(0, true), clock, late, bus, signals);
            other.write(SVR, 4, 0x1FF);
            other.write(TIMER, 4, 0x40055);
            other.writeMsr(LocalApic.IA32_TSC_DEADLINE, clock.nanoTime() + 1000);
            offset[0] = 500;
            clock.advance(1000);
            assertThat(other.pendingVector()).isEqualTo(-1);
            clock.advance(1000);
            assertThat(other.pendingVector()).isEqualTo(0x55);
            other.acknowledge(0x55);
            other.write(EOI, 4, 0);
            other.writeMsr(LocalApic.IA32_TSC_DEADLINE, late.tsc() + 5000);
            // A write to the TSC that jumps past the deadline.
            offset[0] -= 6000;
            other.tscChanged();
            assertThat(other.pendingVector()).isEqualTo(0x55);
        }
    }

    @Nested
    class Modes {
        @Test
        void legalAndIllegalTransitions() {
            long xapic = 0xFEE00900L;
            long x2apic = xapic | LocalApic.BASE_EXTD;
            long disabled = 0xFEE00100L;
            long invalid = disabled | LocalApic.BASE_EXTD;
            assertThat(apic.writeApicBase(invalid)).isFalse();
            assertThat(apic.writeApicBase(x2apic)).isTrue();
            assertThat(apic.isX2apicMode()).isTrue();
            assertThat(apic.writeApicBase(x2apic)).isTrue();
            assertThat(apic.writeApicBase(xapic)).isFalse();
            assertThat(apic.writeApicBase(invalid)).isFalse();
            assertThat(apic.apicBase()).isEqualTo(x2apic);
            assertThat(apic.writeApicBase(disabled)).isTrue();
            assertThat(apic.writeApicBase(x2apic)).isFalse();
            assertThat(apic.writeApicBase(invalid)).isFalse();
            assertThat(apic.writeApicBase(disabled)).isTrue();
            assertThat(apic.writeApicBase(xapic)).isTrue();
            assertThat(apic.isXapicMode()).isTrue();
        }

        @Test
        void theOwnerMayChangeModesAtWill() {
            assertThat(apic.setApicBase(0xFEE00D00L)).isTrue();
            assertThat(apic.setApicBase(0xFEE00900L)).isTrue();
            assertThat(apic.setApicBase(0xFEE00500L)).isFalse();
            assertThat(apic.setApicBase(0xFEE00901L)).isFalse();
        }

        @Test
        void reservedBits() {
            assertThat(apic.writeApicBase(0xFEE00901L)).isFalse();
            assertThat(apic.writeApicBase(0xFEE00B00L)).isFalse();
            assertThat(apic.writeApicBase(1L << 52 | 0xFEE00900L)).isFalse();
            LocalApic narrow = apic(new LocalApic.Config(3, true, false, false, 1, 36));
            assertThat(narrow.writeApicBase(1L << 36 | 0xFEE00900L)).isFalse();
            assertThat(narrow.writeApicBase(1L << 35 | 0xFEE00900L)).isTrue();
            assertThat(narrow.pageAddress()).isEqualTo(1L << 35 | 0xFEE00000L);
            assertThat(narrow.writeApicBase(0xFEE00D00L)).as("no x2APIC").isFalse();
        }

        @Test
        void disabledHasNoRegistersAndNoInterrupts() {
            enable();
            apic.accept(fixed(0x41));
            apic.writeApicBase(0xFEE00100L);
            assertThat(apic.pendingVector()).isEqualTo(-1);
            assertThat(read(VERSION)).isEqualTo(-1);
            assertThat(apic.canReadMsr(0x803)).isFalse();
            apic.writeApicBase(0xFEE00900L);
            assertThat(read(SVR)).as("prior state is lost").isEqualTo(0xFF);
        }

        @Test
        void x2apicHidesThePage() {
            enableX2apic();
            assertThat(read(VERSION)).isEqualTo(-1);
            write(TPR, 0x40);
            assertThat(apic.tpr()).isZero();
        }

        @Test
        void stateSurvivesTheChangeToX2apic() {
            enable();
            write(TPR, 0x20);
            write(LINT1, 0x400);
            write(ID, 0x55000000);
            apic.accept(fixed(0x41));
            enableX2apic();
            assertThat(apic.readMsr(0x802)).isEqualTo(3);
            assertThat(apic.readMsr(0x808)).isEqualTo(0x20);
            assertThat(apic.readMsr(0x836)).isEqualTo(0x400);
            assertThat(apic.readMsr(0x80D)).isEqualTo(8);
            assertThat(take()).isEqualTo(0x41);
        }
    }

    @Nested
    class Msrs {
        @Test
        void notThereInXapicMode() {
            for (int msr = 0x800; msr <= 0x8FF; msr++) {
                assertThat(apic.canReadMsr(msr)).isFalse();
                assertThat(apic.writeMsr(msr, 0)).isFalse();
            }
            assertThat(apic.canReadMsr(LocalApic.IA32_APIC_BASE)).isTrue();
            assertThat(apic.readMsr(LocalApic.IA32_APIC_BASE)).isEqualTo(0xFEE00900L);
        }

        @Test
        void whichCanBeReadAndWritten() {
            enableX2apic();
            for (int msr = 0x800; msr <= 0x8FF; msr++) {
                int register = msr & 0xFF;
                boolean lvt = register == 0x2F || register >= 0x32 && register <= 0x37;
                boolean both = lvt
                        || register == 0x08
                        || register == 0x0F
                        || register == 0x28
                        || register == 0x30
                        || register == 0x38
                        || register == 0x3E;
                boolean readOnly = register == 0x02
                        || register == 0x03
                        || register == 0x0A
                        || register == 0x0D
                        || register >= 0x10 && register <= 0x27
                        || register == 0x39;
                boolean writeOnly = register == 0x0B || register == 0x3F;
                assertThat(apic.canReadMsr(msr)).as("read %x", msr).isEqualTo(both || readOnly);
                assertThat(apic.writeMsr(msr, 0)).as("write %x", msr).isEqualTo(both || writeOnly);
            }
        }

        @Test
        void reservedBitsFault() {
            enableX2apic();
            long[][] rows = {
                {0x808, 0xFF},
                {0x80B, 0},
                {0x80F, 0x3FF},
                {0x828, 0},
                {0x82F, 0x117FF},
                {0x832, 0x710FF},
                {0x833, 0x117FF},
                {0x834, 0x117FF},
                {0x835, 0x1F7FF},
                {0x836, 0x1F7FF},
                {0x837, 0x110FF},
                {0x838, 0xFFFFFFFFL},
                {0x83E, 0xB},
            };
            for (long[] row : rows) {
                for (int bit = 0; bit < 64; bit++) {
                    boolean allowed = (row[1] & 1L << bit) != 0;
                    assertThat(apic.writeMsr((int) row[0], 1L << bit))
                            .as("bit %d of %x", bit, row[0])
                            .isEqualTo(allowed);
                }
            }
        }

        @Test
        void icrIs64Bits() {
            enableX2apic();
            long value = 0x12345678_00004041L;
            assertThat(apic.writeMsr(0x830, value)).isTrue();
            assertThat(bus.sent).containsExactly(ApicMessage.of(0, 0x41, 0x12345678, false, false));
            assertThat(apic.readMsr(0x830)).isEqualTo(value);
            assertThat(apic.canReadMsr(0x831)).isFalse();
            assertThat(apic.writeMsr(0x830, 0x2041)).isFalse();
            assertThat(apic.writeMsr(0x830, 0x1041)).as("the status bit").isTrue();
            assertThat(apic.readMsr(0x830)).isEqualTo(0x41);
            apic.writeMsr(0x830, 0x000000FF_00004041L);
            assertThat(bus.sent).endsWith(ApicMessage.of(0, 0x41, 0xFF, false, false));
        }

        @Test
        void eoiAndTimer() {
            enableX2apic();
            apic.writeMsr(0x80F, 0x1FF);
            apic.writeMsr(0x832, 0x55);
            apic.writeMsr(0x83E, 0xB);
            apic.writeMsr(0x838, 0xFFFFFFFFL);
            clock.advance(1);
            assertThat(apic.readMsr(0x839)).isEqualTo(0xFFFFFFFEL);
            clock.advance(0xFFFFFFFEL);
            assertThat(take()).isEqualTo(0x55);
            assertThat(apic.readMsr(0x812)).isEqualTo(1 << 0x15);
            assertThat(apic.writeMsr(0x80B, 1)).isFalse();
            assertThat(apic.writeMsr(0x80B, 0)).isTrue();
            assertThat(apic.readMsr(0x812)).isZero();
        }
    }

    @Nested
    class States {
        private void fill() {
            enable();
            write(TPR, 0x12);
            write(LDR, 0x44000000);
            write(DFR, 0x0FFFFFFF);
            write(LINT0, 0x8061);
            write(LINT1, 0x400);
            write(ERROR, 0x71);
            write(TIMER, 0x20055);
            write(TDCR, 0xB);
            write(TMICT, 100_000);
            write(ICR2, 0x09000000);
            write(ICR, 0x4842);
            write(0x040, 0);
            apic.lint(0).set(true);
            apic.accept(level(0xA1));
            apic.accept(fixed(0x91));
            take();
            apic.accept(ApicMessage.of(ApicMessage.EXTINT, 0, 3, false, false));
            apic.setEoiExitVectors(1, 2, 3, 4);
            clock.advance(40_000);
        }

        @Test
        void savedStateComesBack() {
            fill();
            LocalApic.State state = apic.save();
            clock.advance(12_345);
            LocalApic other = apic(new LocalApic.Config(3, true));
            other.restore(state);
            assertThat(other.save()).usingRecursiveComparison().isEqualTo(state);
            assertThat(other.isExtIntPending()).isTrue();
            assertThat(other.pendingVector()).isEqualTo(-1);
            other.write(EOI, 4, 0);
            assertThat(other.pendingVector()).isEqualTo(0x91);
            clock.advance(59_999);
            assertThat(other.read(IRR + 0x20, 4)).isZero();
            clock.advance(1);
            assertThat(other.read(IRR + 0x20, 4)).isEqualTo(1 << 0x15);
        }

        @Test
        void deadlineComesBack() {
            enable();
            write(TIMER, 0x40055);
            apic.writeMsr(LocalApic.IA32_TSC_DEADLINE, tsc.tsc() + 3000);
            LocalApic.State state = apic.save();
            apic.reset();
            apic.restore(state);
            assertThat(take()).isEqualTo(-1);
            clock.advance(1000);
            assertThat(take()).isEqualTo(0x55);
        }

        @Test
        void statesThatDoNotFit() {
            LocalApic.State good = apic.save();
            assertThatThrownBy(() -> apic.restore(with(good, new int[7], good.apicBase())))
                    .isInstanceOf(IllegalArgumentException.class);
            assertThatThrownBy(() -> apic.restore(with(good, new int[8], 1)))
                    .isInstanceOf(IllegalArgumentException.class);
        }

        private static LocalApic.State with(LocalApic.State s, int[] isr, long base) {
            return new LocalApic.State(
                    base,
                    s.id(),
                    s.tpr(),
                    s.ldr(),
                    s.dfr(),
                    s.svr(),
                    s.icr(),
                    s.esr(),
                    s.errors(),
                    s.errorArmed(),
                    isr,
                    s.irr(),
                    s.tmr(),
                    s.lvt(),
                    s.timerMode(),
                    s.timerDivide(),
                    s.timerInitialCount(),
                    s.timerRunning(),
                    s.timerElapsedNanos(),
                    s.timerStartCount(),
                    s.tscDeadline(),
                    s.pins(),
                    s.pinsRemoteIrr(),
                    s.extIntLatched(),
                    s.eoiExitVectors());
        }

        @Test
        void pageHasKvmsLayout() {
            fill();
            byte[] page = new byte[1024];
            apic.exportPage(page, true);
            for (int offset = 0; offset < 0x3F0; offset += 0x10) {
                boolean reserved = offset < 0x20 || offset >= 0x40 && offset < 0x80 || offset == APR || offset == 0xC0;
                reserved |= offset > ESR && offset < CMCI || offset > TMCCT && offset < TDCR;
                int expected = reserved ? 0 : read(offset);
                int actual = page[offset] & 0xFF
                        | (page[offset + 1] & 0xFF) << 8
                        | (page[offset + 2] & 0xFF) << 16
                        | page[offset + 3] << 24;
                assertThat(actual).as("register %x", offset).isEqualTo(expected);
            }
        }

        @Test
        void pageComesBack() {
            fill();
            byte[] page = new byte[1024];
            apic.exportPage(page, true);
            LocalApic other = apic(new LocalApic.Config(3, true));
            assertThat(other.importPage(page, true)).isTrue();
            byte[] again = new byte[1024];
            other.exportPage(again, true);
            assertThat(again).isEqualTo(page);
            assertThat(bus.sent).as("nothing is sent by setting the ICR").hasSize(1);
            clock.advance(60_000);
            assertThat(other.read(IRR + 0x20, 4)).isEqualTo(1 << 0x15);
            clock.advance(100_000);
            assertThat(other.read(TMCCT, 4)).isEqualTo(100_000);
        }

        @Test
        void pageInX2apicMode() {
            fill();
            enableX2apic();
            apic.writeMsr(0x830, 0x12345678_00004041L);
            byte[] wide = new byte[1024];
            byte[] narrow = new byte[1024];
            apic.exportPage(wide, true);
            apic.exportPage(narrow, false);
            assertThat(wide[ID]).isEqualTo((byte) 3);
            assertThat(narrow[ID + 3]).isEqualTo((byte) 3);
            assertThat(wide[ICR2 + 3]).isEqualTo((byte) 0x12);
            LocalApic other = apic(new LocalApic.Config(3, true));
            other.setApicBase(apic.apicBase());
            assertThat(other.importPage(narrow, true)).isFalse();
            assertThat(other.importPage(narrow, false)).isTrue();
            assertThat(other.readMsr(0x830)).isEqualTo(0x12345678_00004041L);
            assertThat(other.readMsr(0x80D)).isEqualTo(8);
            assertThat(other.importPage(wide, true)).isTrue();
        }

        @Test
        void anyPageIsHarmless() {
            Random random = new Random(7);
            byte[] page = new byte[1024];
            for (int round = 0; round < 200; round++) {
                random.nextBytes(page);
                apic.importPage(page, true);
                clock.advance(random.nextInt(1_000_000));
                int vector = apic.pendingVector();
                assertThat(vector == -1 || vector >= 16).isTrue();
                apic.save();
            }
        }
    }

    /** Random accesses by a hostile guest, in all modes, while time passes and messages come. */
    @Test
    void survivesAnything() {
        InProcessApicBus real = new InProcessApicBus(new ReentrantLock());
        LocalApic victim = new LocalApic(new LocalApic.Config(3, true), clock, tsc, real, signals);
        real.attach(victim);
        Random random = new Random(99);
        for (int i = 0; i < 300_000; i++) {
            int value = random.nextBoolean() ? random.nextInt() : 1 << random.nextInt(32);
            switch (random.nextInt(8)) {
                case 0 -> victim.read(random.nextInt(0x1000), 1 << random.nextInt(4));
                case 1 -> victim.writeMsr(0x800 + random.nextInt(0x100), random.nextLong());
                case 2 -> victim.writeMsr(0x800 + random.nextInt(0x40), value);
                case 3 -> real.send(random.nextLong());
                case 4 -> clock.advance(random.nextInt(20_000));
                case 5 -> {
                    int vector = victim.pendingVector();
                    if (vector >= 0) {
                        assertThat(vector).isGreaterThanOrEqualTo(16);
                        victim.acknowledge(vector);
                    }
                }
                case 6 -> {
                    if (random.nextInt(50) == 0) {
                        victim.setApicBase(0xFEE00000L | random.nextInt(8) << 8 | random.nextInt(2) << 11);
                    }
                    victim.lint(random.nextInt(2)).set(random.nextBoolean());
                }
                default -> victim.write(random.nextInt(0x100) * 16, 4, Integer.toUnsignedLong(value));
            }
        }
    }
}
