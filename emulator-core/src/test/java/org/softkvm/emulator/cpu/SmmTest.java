package org.softkvm.emulator.cpu;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Random;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.softkvm.emulator.CpuModel;
import org.softkvm.emulator.CpuidEntry;
import org.softkvm.emulator.GuestMemory;
import org.softkvm.emulator.HostMemory;
import org.softkvm.emulator.MemorySlot;
import org.softkvm.emulator.run.Interpreter;

/** System-management mode through the interpreter; the same memory in both address spaces but where a test says so. */
class SmmTest {
    private static final int SMBASE = 0x30000;
    private static final int PAGE = 4096;

    private final Bench b = new Bench(CpuModel.MAX);
    private final Cpu c = b.c;
    private final Interpreter interpreter = new Interpreter(c);
    private final MemorySegment smram = HostMemory.allocate(0x200000);

    @AfterEach
    void close() {
        interpreter.close();
        b.close();
        HostMemory.free(smram);
    }

    private void spaces() {
        smram.fill((byte) 0);
        List<MemorySlot> slots = new ArrayList<>(c.memory.slots());
        slots.add(new MemorySlot(1, 1, 0, smram, false, false));
        c.memory.setSlots(slots);
    }

    private void handler(String hex) {
        byte[] bytes = HexFormat.of().parseHex(hex.replace(" ", ""));
        MemorySegment.copy(MemorySegment.ofArray(bytes), 0, smram, SMBASE + 0x8000, bytes.length);
    }

    private void smi() {
        c.smiPending = true;
        c.request(Cpu.REQ_INTERRUPT);
    }

    private long saved(int offset, int size) {
        byte[] bytes = new byte[size];
        c.memory.smram().read(SMBASE + offset, bytes, 0, size);
        long value = 0;
        for (int k = size - 1; k >= 0; k--) {
            value = value << 8 | bytes[k] & 0xFF;
        }
        return value;
    }

    @Test
    void codeAndDataComeFromTheOtherAddressSpace() {
        spaces();
        // mov al,[5000]; hlt: 11 in normal memory, 22 in the other
        b.real(0x500);
        b.code(0x500, "90 F4");
        b.put(0x5000, 1, 0x11);
        smram.set(ValueLayout.JAVA_BYTE, 0x5000, (byte) 0x22);
        handler("A0 00 50 F4 0F AA");
        smi();
        assertThat(interpreter.run()).isEqualTo(ExitCode.HLT);
        assertThat(c.smm).isTrue();
        assertThat(c.r[Cpu.RAX] & 0xFF).isEqualTo(0x22);
        assertThat(c.memory).isSameAs(c.memory.smram());
        c.halted = false;
        assertThat(interpreter.run()).isEqualTo(ExitCode.HLT);
        assertThat(c.smm).isFalse();
        assertThat(c.rip).isEqualTo(0x502);
        assertThat(c.memory).isSameAs(c.memory.normal());
    }

    @Test
    void theSameLinearCodeAddressIsDecodedInBothSpaces() {
        spaces();
        // 38000 in normal memory: mov al,1; hlt, in the other: mov al,2; hlt, at the same CS:IP.
        b.real(0x8000);
        c.setSegment(Cpu.CS, 0x3000, SMBASE, 0xFFFFFFFFL, 0x93 | Cpu.ATTR_G);
        b.code(SMBASE + 0x8000, "B0 01 F4");
        handler("B0 02 F4 0F AA");
        assertThat(interpreter.run()).isEqualTo(ExitCode.HLT);
        assertThat(c.r[Cpu.RAX] & 0xFF).isEqualTo(1);
        c.halted = false;
        c.rip = 0x8000;
        smi();
        assertThat(interpreter.run()).isEqualTo(ExitCode.HLT);
        assertThat(c.r[Cpu.RAX] & 0xFF).isEqualTo(2);
    }

    @Test
    void virtual8086ModeComesBack() {
        spaces();
        handler("0F AA");
        b.gdt(0, Bench.CODE32, Bench.DATA32);
        b.protectedMode(8, 16, 0);
        c.cpl = 3;
        c.setFlags(Flags.VM | 0x3000 | 2);
        for (int seg = 0; seg < 6; seg++) {
            c.setSegment(seg, 0x100, 0x1000, 0xFFFF, 0xF3);
        }
        c.deriveSegments();
        c.rip = 0x10;
        // cli is allowed at IOPL 3, hlt is not
        b.code(0x1010, "FA 90 0F 0B");
        smi();
        c.instructionLimit = 1;
        interpreter.run();
        c.instructionLimit = 2;
        interpreter.run();
        assertThat(c.smm).isFalse();
        assertThat(c.v86()).isTrue();
        assertThat(c.cpl).isEqualTo(3);
        assertThat(c.segBase[Cpu.CS]).isEqualTo(0x1000);
        assertThat(c.rip).isEqualTo(0x11);
    }

    @Test
    void paePagingLoadsItsPointersFromNormalMemory() {
        spaces();
        handler("0F AA");
        b.gdt(0, Bench.CODE32, Bench.DATA32);
        b.put(0x100000, 8, 0x101001);
        b.put(0x101000, 8, 0xE3);
        c.cr3 = 0x100000;
        c.cr4 = Cpu.CR4_PAE;
        Control.loadPdptrs(c, c.cr3);
        c.cr0 |= Cpu.CR0_PG | Cpu.CR0_PE;
        c.flushTlb();
        b.protectedMode(8, 16, 0);
        b.code(Bench.CODE, "90 F4");
        c.pdptr[0] = 0;
        smi();
        assertThat(interpreter.run()).isEqualTo(ExitCode.HLT);
        assertThat(c.pdptr[0]).isEqualTo(0x101001);
        assertThat(c.rip).isEqualTo(Bench.CODE + 2);
    }

    @Test
    void pointersWithReservedBitsShutTheCpuDown() {
        spaces();
        handler("0F AA");
        b.gdt(0, Bench.CODE32, Bench.DATA32);
        b.put(0x100000, 8, 0x101001);
        b.put(0x101000, 8, 0xE3);
        c.cr3 = 0x100000;
        c.cr4 = Cpu.CR4_PAE;
        Control.loadPdptrs(c, c.cr3);
        c.cr0 |= Cpu.CR0_PG | Cpu.CR0_PE;
        c.flushTlb();
        b.protectedMode(8, 16, 0);
        b.put(0x100008, 8, 0x1E7);
        smi();
        assertThat(interpreter.run()).isEqualTo(ExitCode.SHUTDOWN);
        assertThat(c.smm).isTrue();
    }

    @Test
    void theShadowOfStiAndSingleStepComeBack() {
        spaces();
        handler("0F AA");
        b.real(0x500);
        b.code(0x500, "90 90 F4");
        b.put(4, 4, 0x2010);
        b.code(0x2010, "F4");
        c.shadow = Cpu.SHADOW_STI;
        c.setFlags(Flags.TF | 2);
        smi();
        assertThat(interpreter.run()).isEqualTo(ExitCode.HLT);
        assertThat(saved(0xFECB, 1)).isEqualTo(Cpu.SHADOW_STI);
        assertThat(c.rip).isEqualTo(0x2011);
        // The step was made by the instruction behind RSM, not by RSM.
        assertThat(b.stack(0, 2)).isEqualTo(0x501);
    }

    @Test
    void aPendingDebugTrapComesFirst() {
        spaces();
        handler("F4");
        b.real(0x500);
        b.code(0x500, "90 F4");
        b.put(4, 4, 0x2010);
        b.code(0x2010, "F4");
        c.pendingDebug = 1;
        smi();
        assertThat(interpreter.run()).isEqualTo(ExitCode.HLT);
        assertThat(c.smm).isTrue();
        assertThat(saved(0xFF78, 8)).isEqualTo(0x2010);
        assertThat(c.dr[6] & 0xF).isEqualTo(1);
    }

    @Test
    void theLayoutFollowsCpuid() {
        spaces();
        handler("0F AA");
        b.real(0x500);
        b.code(0x500, "90 F4");
        c.cpuid =
                Arrays.stream(c.cpuid).filter(leaf -> leaf.leaf() != 0x80000001).toArray(CpuidEntry[]::new);
        c.r[Cpu.RBX] = 0xB0B0B0B0L;
        smi();
        assertThat(interpreter.run()).isEqualTo(ExitCode.HLT);
        assertThat(saved(0xFEFC, 4)).isEqualTo(0x20000);
        assertThat(saved(0xFFDC, 4)).isEqualTo(0xB0B0B0B0L);
        assertThat(c.r[Cpu.RBX]).isEqualTo(0xB0B0B0B0L);
    }

    @Test
    void theStateIsNotWrittenWhereThereIsNoMemory() {
        spaces();
        c.smbase = 0x200000 - PAGE;
        b.real(0x500);
        b.code(0x500, "F4");
        smi();
        assertThat(interpreter.run()).isEqualTo(ExitCode.INTERNAL_ERROR);
        assertThat(c.smm).isFalse();
        assertThat(c.rip).isEqualTo(0x500);
        GuestMemory memory = c.memory;
        assertThat(memory).isSameAs(memory.normal());
    }

    /** Whatever the handler leaves as the state, RSM and what runs then end in an exit of KVM's. */
    @Test
    void noSavedStateThrowsAJavaException() {
        spaces();
        handler("0F AA");
        Random random = new Random(33);
        int resumed = 0;
        // A handler that cannot be reached faults for ever: only a kick ends that.
        Thread kicks = Thread.ofPlatform().daemon().start(() -> {
            while (!Thread.interrupted()) {
                c.request(Cpu.REQ_KICK);
                LockSupport.parkNanos(1_000_000);
            }
        });
        for (int round = 0; round < 1_000; round++) {
            c.memory = c.memory.normal();
            c.smm = false;
            c.halted = false;
            c.exitInfo.commit();
            Reset.reset(c);
            b.real(0x500);
            Smm.enter(c);
            for (int k = 0; k < 6; k++) {
                int offset = 0xFE00 + random.nextInt(0x200);
                smram.set(ValueLayout.JAVA_BYTE, SMBASE + offset, (byte) random.nextInt());
            }
            if (random.nextBoolean()) {
                // Protected mode, perhaps with paging or long mode.
                long cr0 = 0x60000011L | (random.nextBoolean() ? 0x80000000L : 0);
                smram.set(ValueLayout.JAVA_LONG_UNALIGNED, SMBASE + 0xFF58, cr0);
                smram.set(ValueLayout.JAVA_LONG_UNALIGNED, SMBASE + 0xFF48, random.nextBoolean() ? 0x20 : 0);
                smram.set(ValueLayout.JAVA_LONG_UNALIGNED, SMBASE + 0xFED0, random.nextBoolean() ? 0x100 : 0);
            }
            c.instructionLimit = c.instructions + 20;
            int exit = 0;
            for (int runs = 0; runs < 10 && c.instructions < c.instructionLimit && exit != ExitCode.SHUTDOWN; runs++) {
                exit = interpreter.run();
                assertThat(exit)
                        .isIn(
                                ExitCode.IO,
                                ExitCode.HLT,
                                ExitCode.MMIO,
                                ExitCode.SHUTDOWN,
                                ExitCode.INTR,
                                ExitCode.INTERNAL_ERROR);
                c.halted = false;
            }
            resumed += c.smm ? 0 : 1;
        }
        kicks.interrupt();
        assertThat(resumed).isBetween(200, 990);
    }
}
