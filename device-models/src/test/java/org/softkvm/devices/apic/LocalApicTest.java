package org.softkvm.devices.apic;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Random;
import java.util.concurrent.locks.ReentrantLock;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;

class LocalApicTest extends LocalApicFixture {
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

    @Nested
    class DeferredEnds {
        @BeforeEach
        void enabled() {
            enable();
        }

        @Test
        void anEdgeAloneCanWait() {
            assertThat(apic.canDeferEnd()).as("nothing in service").isFalse();
            apic.accept(fixed(0x51));
            take();
            assertThat(apic.canDeferEnd()).isTrue();
            apic.endOfInterrupt();
            assertThat(read(ISR + 0x20)).isZero();
            assertThat(apic.canDeferEnd()).isFalse();
        }

        @Test
        void notWhileAnotherIsRequested() {
            apic.accept(fixed(0x51));
            take();
            apic.accept(fixed(0x41));
            assertThat(apic.canDeferEnd()).isFalse();
        }

        @Test
        void notWhereSomeoneWaitsForTheEnd() {
            apic.accept(level(0x51));
            take();
            assertThat(apic.canDeferEnd()).as("level-triggered").isFalse();
            apic.endOfInterrupt();
            apic.setEoiExitVectors(0, 1L << 0x61 - 0x40, 0, 0);
            apic.accept(fixed(0x61));
            take();
            assertThat(apic.canDeferEnd()).as("reported").isFalse();
        }
    }
}
