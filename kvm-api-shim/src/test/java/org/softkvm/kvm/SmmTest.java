package org.softkvm.kvm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.softkvm.kvm.Errors.assertFails;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** System-management mode through the API: SMI, memory of address space 1, the saved state, RSM, events. */
@ExtendWith(BinaryAbi.class)
class SmmTest {
    private static final int SMBASE = 0x30000;
    private static final int AREA = SMBASE + 0xFE00;
    private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT_UNALIGNED;
    private static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG_UNALIGNED;

    /** Memory of address space 1: 1 MiB at 0, apart from the guest's other memory. */
    private static MemorySegment smram(Guest guest, String handler) {
        MemorySegment smram = guest.vm.allocateMemory(Guest.MEMORY_SIZE);
        MemorySegment.copy(
                MemorySegment.ofArray(Guest.assemble(handler)),
                0,
                smram,
                SMBASE + 0x8000,
                Guest.assemble(handler).length);
        guest.vm.setMemorySlot(new MemorySlot(0, 1, 0, smram, 0));
        return smram;
    }

    @Test
    void anSmiRunsItsHandlerInAddressSpaceOneAndRsmGoesBack() {
        // Normal code: nop; out 80,al; hlt. Handler: mov al,51; out 81,al; mov [0x5000],al (data segment base 0); rsm
        try (Guest guest = Guest.longMode(false, "90 e6 80 f4")) {
            MemorySegment smram = smram(guest, "b0 51 e6 81 a2 00 50 0f aa");
            Regs before = guest.regs();
            Sregs sregsBefore = guest.sregs();
            guest.vcpu.smi();
            assertThat(guest.runToOut(0x81)).isEqualTo(0x51);
            assertThat(guest.run.flags()).isEqualTo(VcpuRun.X86_SMM);
            Sregs inside = guest.sregs();
            assertThat(inside.cr0 & 0x80000001L).isZero();
            assertThat(inside.cr4).isZero();
            assertThat(inside.efer).isZero();
            assertThat(inside.cs.selector).isEqualTo(0x3000);
            assertThat(inside.cs.base).isEqualTo(SMBASE);
            assertThat(inside.cs.limit).isEqualTo(-1);
            assertThat(inside.ds.base).isZero();
            assertThat(inside.idt.limit).isZero();
            assertThat(guest.regs().rip).isEqualTo(0x8004);
            assertThat(guest.regs().rflags).isEqualTo(2);
            assertThat(guest.vcpu.getOneReg(RegisterId.dr(7))).isEqualTo(0x400);
            VcpuEvents events = new VcpuEvents();
            guest.vcpu.getVcpuEvents(events);
            assertThat(events.smm).isTrue();
            assertThat(events.nmiMasked).isTrue();

            assertThat(guest.runToOut(0x80)).isEqualTo((int) before.rax & 0xFF);
            assertThat(guest.run.flags()).isZero();
            assertThat(smram.get(ValueLayout.JAVA_BYTE, 0x5000)).isEqualTo((byte) 0x51);
            assertThat(guest.peek8(0x5000)).as("normal memory").isZero();
            assertThat(guest.sregs()).usingRecursiveComparison().isEqualTo(sregsBefore);
            before.rip = Guest.CODE + 3;
            assertThat(guest.regs()).usingRecursiveComparison().isEqualTo(before);
            guest.vcpu.getVcpuEvents(events);
            assertThat(events.smm).isFalse();
            assertThat(events.nmiMasked).isFalse();
            assertThat(guest.vcpu.getMsr(0x34)).isEqualTo(1);
        }
    }

    @Test
    void theStateIsSavedInTheLayoutOfAmd64() {
        try (Guest guest = Guest.longMode(false, "90 f4")) {
            MemorySegment smram = smram(guest, "f4");
            for (int i = 0; i < 16; i++) {
                guest.vcpu.setOneReg(RegisterId.gpr(i), 0x1100_0000_0000_0000L + i);
            }
            guest.vcpu.setOneReg(RegisterId.dr(6), 0xFFFF0FF1L);
            Sregs sregs = guest.sregs();
            guest.vcpu.smi();
            guest.runTo(ExitReason.HLT);
            for (int i = 0; i < 16; i++) {
                assertThat(smram.get(LONG, SMBASE + 0xFFF8 - 8 * i)).isEqualTo(0x1100_0000_0000_0000L + i);
            }
            assertThat(smram.get(INT, SMBASE + 0xFEFC)).isEqualTo(0x20064);
            assertThat(smram.get(INT, SMBASE + 0xFF00)).isEqualTo(SMBASE);
            assertThat(smram.get(LONG, SMBASE + 0xFF78)).isEqualTo(Guest.CODE);
            assertThat(smram.get(LONG, SMBASE + 0xFF70)).isEqualTo(2);
            assertThat(smram.get(LONG, SMBASE + 0xFF68)).isEqualTo(0xFFFF0FF1L);
            assertThat(smram.get(LONG, SMBASE + 0xFF60)).isEqualTo(0x400);
            assertThat(smram.get(LONG, SMBASE + 0xFF58)).isEqualTo(sregs.cr0);
            assertThat(smram.get(LONG, SMBASE + 0xFF50)).isEqualTo(sregs.cr3);
            assertThat(smram.get(LONG, SMBASE + 0xFF48)).isEqualTo(sregs.cr4);
            assertThat(smram.get(LONG, SMBASE + 0xFED0)).isEqualTo(sregs.efer);
            assertThat(smram.get(INT, SMBASE + 0xFE10)).isEqualTo(0x0A9B_0008 & 0xFFFF | 0xA09B << 16);
            assertThat(smram.get(INT, SMBASE + 0xFE14)).isEqualTo(-1);
            assertThat(smram.get(LONG, SMBASE + 0xFE68)).isEqualTo(sregs.gdt.base);
            assertThat(smram.get(INT, SMBASE + 0xFE64)).isEqualTo(sregs.gdt.limit);
            assertThat(smram.get(INT, SMBASE + 0xFE84)).isEqualTo(sregs.idt.limit);
            assertThat(smram.get(INT, SMBASE + 0xFE90) & 0xFFFF).isEqualTo(sregs.tr.selector);
            assertThat(smram.get(ValueLayout.JAVA_BYTE, SMBASE + 0xFEC8))
                    .as("I/O restart")
                    .isZero();
            assertThat(smram.get(ValueLayout.JAVA_BYTE, SMBASE + 0xFEC9))
                    .as("auto HALT")
                    .isZero();
        }
    }

    @Test
    void aCpuWithoutLongModeUsesThe32BitLayout() {
        try (Kvm kvm = Guest.open();
                Vm vm = kvm.createVm()) {
            vm.setCpuModel("pentium2");
            MemorySegment memory = vm.allocateMemory(0x100000);
            vm.setMemorySlot(MemorySlot.of(0, 0, memory));
            vm.setMemorySlot(new MemorySlot(0, 1, 0, memory, 0));
            Vcpu vcpu = vm.createVcpu(0);
            Sregs sregs = new Sregs();
            vcpu.getSregs(sregs);
            sregs.cs.selector = 0;
            sregs.cs.base = 0;
            vcpu.setSregs(sregs);
            Regs regs = new Regs();
            regs.rip = 0x1000;
            regs.rflags = 0x46;
            regs.rsi = 0x51515151;
            vcpu.setRegs(regs);
            // Handler: es cs inc dword [0xfff0] (EIP); rsm
            byte[] handler = Guest.assemble("2e 66 ff 06 f0 ff 0f aa");
            MemorySegment.copy(MemorySegment.ofArray(handler), 0, memory, SMBASE + 0x8000, handler.length);
            memory.set(ValueLayout.JAVA_SHORT_UNALIGNED, 0x1000, (short) 0x0B0F);
            memory.set(ValueLayout.JAVA_BYTE, 0x1001, (byte) 0xF4);
            vcpu.smi();
            assertThat(vcpu.run()).isEqualTo(ExitReason.HLT);
            vcpu.getRegs(regs);
            assertThat(regs.rip).isEqualTo(0x1002);
            assertThat(regs.rsi).isEqualTo(0x51515151);
            assertThat(regs.rflags).isEqualTo(0x46);
            assertThat(memory.get(INT, SMBASE + 0xFEFC)).isEqualTo(0x20000);
            assertThat(memory.get(INT, SMBASE + 0xFEF8)).isEqualTo(SMBASE);
            assertThat(memory.get(INT, SMBASE + 0xFFD0 + 4 * 6)).isEqualTo(0x51515151);
            assertThat(memory.get(INT, SMBASE + 0xFFF4)).isEqualTo(0x46);
            assertThat(memory.get(INT, SMBASE + 0xFFFC)).isEqualTo((int) sregs.cr0);
            assertThat(memory.get(INT, SMBASE + 0xFFC8)).isEqualTo(0x400);
        }
    }

    @Test
    void smbaseMovesWithTheSavedState() {
        // Handler at 38000: cs mov dword [0xff00], 0x40000; rsm. At 48000: out 82,al; rsm
        try (Guest guest = Guest.realMode("90 f4")) {
            MemorySegment smram = smram(guest, "2e 66 c7 06 00 ff 00 00 04 00 0f aa");
            byte[] second = Guest.assemble("b0 52 e6 82 0f aa");
            MemorySegment.copy(MemorySegment.ofArray(second), 0, smram, 0x48000, second.length);
            guest.vcpu.smi();
            guest.runTo(ExitReason.HLT);
            assertThat(guest.vcpu.getMsr(0x9E)).isEqualTo(0x40000);
            guest.vcpu.smi();
            assertThat(guest.runToOut(0x82)).isEqualTo(0x52);
            assertThat(guest.sregs().cs.selector).isEqualTo(0x4000);
            assertThat(guest.regs().rip).isEqualTo(0x8004);
        }
    }

    @Test
    void anSmiInsideSmmWaitsForRsmAndOnlyOneIsRemembered() {
        try (Guest guest = Guest.realMode("90 f4")) {
            smram(guest, "e6 81 0f aa");
            guest.vcpu.smi();
            guest.runToOut(0x81);
            guest.vcpu.smi();
            guest.vcpu.smi();
            VcpuEvents events = new VcpuEvents();
            guest.vcpu.getVcpuEvents(events);
            assertThat(events.smiPending).isTrue();
            guest.runToOut(0x81);
            guest.runTo(ExitReason.HLT);
            assertThat(guest.vcpu.getMsr(0x34)).isEqualTo(2);
        }
    }

    @Test
    void nmisWaitForRsmUnlessTheHandlerUnblocksThem() {
        try (Guest guest = Guest.realMode("90 f4")) {
            guest.realModeVector(2, 0x2000);
            guest.load(0x2000, "b0 02 e6 82 cf");
            smram(guest, "e6 81 e6 81 0f aa");
            guest.vcpu.smi();
            guest.runToOut(0x81);
            guest.vcpu.nmi();
            guest.runToOut(0x81);
            assertThat(guest.runToOut(0x82)).isEqualTo(2);
            guest.runTo(ExitReason.HLT);
        }
    }

    @Test
    void anSmiDuringAnNmiHandlerLeavesNmisBlocked() {
        try (Guest guest = Guest.realMode("90 f4")) {
            guest.realModeVector(2, 0x2000);
            guest.load(0x2000, "e6 82 e6 83 cf");
            smram(guest, "e6 81 0f aa");
            guest.vcpu.nmi();
            guest.runToOut(0x82);
            guest.vcpu.smi();
            guest.runToOut(0x81);
            VcpuEvents events = new VcpuEvents();
            guest.vcpu.getVcpuEvents(events);
            assertThat(events.smmInsideNmi).isTrue();
            guest.runToOut(0x83);
            guest.vcpu.getVcpuEvents(events);
            assertThat(events.nmiMasked).isTrue();
            guest.runTo(ExitReason.HLT);
            guest.vcpu.getVcpuEvents(events);
            assertThat(events.nmiMasked).isFalse();
        }
    }

    @Test
    void interruptsAreOffAndComeAfterRsm() {
        // sti; nop; nop; hlt
        try (Guest guest = Guest.realMode("fb 90 90 f4")) {
            guest.realModeVector(0x20, 0x2000);
            guest.load(0x2000, "b0 20 e6 82 cf");
            smram(guest, "e6 81 0f aa");
            Regs regs = guest.regs();
            regs.rflags = 0x202;
            guest.vcpu.setRegs(regs);
            guest.vcpu.smi();
            guest.vcpu.interrupt(0x20);
            guest.runToOut(0x81);
            assertThat(guest.run.ifFlag()).isFalse();
            assertThat(guest.runToOut(0x82)).isEqualTo(0x20);
        }
    }

    @Test
    void rsmOutsideIsAnInvalidOpcode() {
        try (Guest guest = Guest.realMode("0f aa f4")) {
            guest.realModeVector(6, 0x2000);
            guest.load(0x2000, "b0 06 e6 80 f4");
            assertThat(guest.runToOut(0x80)).isEqualTo(6);
        }
    }

    @Test
    void aStateThatCannotBeShutsTheCpuDown() {
        // CR0 = 80000000h (PG without PE); NW without CD; CR4 bit 31; DR7 bit 32; EFER bit 63
        for (String change : new String[] {
            "2e 66 c7 06 58 ff 00 00 00 80",
            "2e 66 c7 06 58 ff 11 00 00 20",
            "2e 66 c7 06 48 ff 00 00 00 80",
            "2e 66 c7 06 64 ff 01 00 00 00",
            "2e 66 c7 06 d4 fe 00 00 00 80",
            "2e 66 c7 06 70 ff 02 00 02 00",
        }) {
            try (Guest guest = Guest.realMode("90 f4")) {
                smram(guest, change + " 0f aa");
                guest.vcpu.smi();
                guest.runTo(ExitReason.SHUTDOWN);
            }
        }
    }

    @Test
    void aHaltedCpuHaltsAgainUnlessTheHandlerSaysOtherwise() {
        // hlt; out 80,al; hlt
        try (Guest guest = Guest.realModeSplit("f4 e6 80 f4")) {
            smram(guest, "e6 81 0f aa");
            guest.vcpu.setMpState(MpState.HALTED);
            Regs regs = guest.regs();
            regs.rip = Guest.CODE + 1;
            guest.vcpu.setRegs(regs);
            guest.vcpu.smi();
            guest.runToOut(0x81);
            assertThat(guest.vcpu.mpState()).isEqualTo(MpState.RUNNABLE);
            guest.vcpu.kick();
            // The halt restarts, so that only the kick ends the run.
            guest.runTo(ExitReason.INTR);
            assertThat(guest.vcpu.mpState()).isEqualTo(MpState.RUNNABLE);
            guest.vcpu.nmi();
            guest.realModeVector(2, 0x2000);
            guest.load(0x2000, "cf");
            guest.runToOut(0x80);
        }
        try (Guest guest = Guest.realModeSplit("f4 e6 80 f4")) {
            // cs mov byte [0xfec9], 0; rsm
            smram(guest, "2e c6 06 c9 fe 00 0f aa");
            guest.vcpu.setMpState(MpState.HALTED);
            Regs regs = guest.regs();
            regs.rip = Guest.CODE + 1;
            guest.vcpu.setRegs(regs);
            guest.vcpu.smi();
            guest.runToOut(0x80);
        }
    }

    @Test
    void initWaitsForRsm() {
        try (Guest guest = Guest.realModeSplit("90 90 f4")) {
            smram(guest, "e6 81 e6 82 0f aa");
            guest.vcpu.smi();
            guest.runToOut(0x81);
            // INIT to APIC id 0, physical destination, by an MSI.
            guest.vm.signalMsi(0xFEE00000L, 5 << 8);
            guest.runToOut(0x82);
            VcpuEvents events = new VcpuEvents();
            guest.vcpu.getVcpuEvents(events);
            assertThat(events.smiLatchedInit).isTrue();
            guest.vm.setMemorySlot(new MemorySlot(1, 0, 0xFFFF_0000L, resetCode(guest), 0));
            assertThat(guest.runToOut(0x83)).isEqualTo(0x77);
            assertThat(guest.vcpu.getMsr(0x9E)).isEqualTo(SMBASE);
        }
    }

    private static MemorySegment resetCode(Guest guest) {
        MemorySegment memory = guest.vm.allocateMemory(0x10000);
        byte[] code = Guest.assemble("b0 77 e6 83 f4");
        MemorySegment.copy(MemorySegment.ofArray(code), 0, memory, 0xFFF0, code.length);
        return memory;
    }

    @Test
    void anSmiByTheApicBusArrives() {
        try (Guest guest = Guest.realModeSplit("90 f4")) {
            smram(guest, "e6 81 0f aa");
            guest.vm.signalMsi(0xFEE00000L, 2 << 8);
            guest.runToOut(0x81);
        }
    }

    @Test
    void withoutMemoryForTheStateTheRunFails() {
        try (Guest guest = Guest.realMode("90 f4")) {
            guest.vcpu.smi();
            guest.runTo(ExitReason.INTERNAL_ERROR);
            assertThat(guest.run.internalErrorSuberror()).isEqualTo(ExitReason.INTERNAL_ERROR_DELIVERY_EV);
        }
    }

    @Test
    void theStateGoesThroughEventsAndRegisters() {
        try (Guest guest = Guest.realMode("90 f4");
                Guest other = Guest.realMode("90 f4")) {
            smram(guest, "e6 81 0f aa");
            MemorySegment smram = smram(other, "e6 81 0f aa");
            guest.vcpu.smi();
            guest.runToOut(0x81);
            // The IN or OUT has to be complete before state is taken.
            guest.run.setImmediateExit(true);
            guest.runTo(ExitReason.INTR);
            RegisterList list = new RegisterList(guest.vcpu.registerList());
            assertThat(guest.vcpu.getManyRegs(list)).isEqualTo(list.size());
            assertThat(other.vcpu.setManyRegs(list)).isEqualTo(list.size());
            assertThat(other.vcpu.getOneReg(RegisterId.EVENT_SMM)).isEqualTo(1);
            // Where the other one resumes: the saved state of its own memory is copied too.
            smram.set(LONG, SMBASE + 0xFF78, Guest.CODE);
            smram.set(INT, SMBASE + 0xFF00, SMBASE);
            smram.set(LONG, SMBASE + 0xFF58, 0x60000010L);
            smram.set(LONG, SMBASE + 0xFF70, 2);
            smram.set(LONG, SMBASE + 0xFF60, 0x400);
            smram.set(INT, SMBASE + 0xFE10, 0x009B0000);
            smram.set(INT, SMBASE + 0xFE14, 0xFFFF);
            other.runTo(ExitReason.HLT);
            assertThat(other.regs().rip).isEqualTo(Guest.CODE + 2);
            assertThat(other.vcpu.getOneReg(RegisterId.EVENT_SMM)).isZero();
            assertFails(
                    "KVM_SET_ONE_REG",
                    Errno.EINVAL,
                    "value=0x10",
                    () -> other.vcpu.setOneReg(RegisterId.EVENT_SMM, 16));
        }
    }

    @Test
    void slotsOfBothAddressSpacesLiveSideBySide() {
        try (Guest guest = Guest.realMode("90 f4")) {
            assertThat(guest.kvm.checkExtension(Capability.X86_SMM)).isEqualTo(1);
            assertThat(guest.kvm.checkExtension(Capability.MULTI_ADDRESS_SPACE)).isEqualTo(2);
            guest.vm.setMemorySlot(new MemorySlot(0, 1, 0, guest.memory, 0));
            assertThat(guest.vm.memorySlots()).hasSize(2);
            guest.vm.deleteMemorySlot(1, 0);
            assertThat(guest.vm.memorySlots()).hasSize(1);
            assertFails(
                    "KVM_SET_USER_MEMORY_REGION",
                    Errno.EINVAL,
                    "addressSpace=2",
                    () -> guest.vm.setMemorySlot(new MemorySlot(0, 2, 0, guest.memory, 0)));
        }
    }
}
