package org.softkvm.kvm.linux;

import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import org.softkvm.kvm.Capability;
import org.softkvm.kvm.ExitReason;
import org.softkvm.kvm.Kvm;
import org.softkvm.kvm.KvmException;
import org.softkvm.kvm.MemorySlot;
import org.softkvm.kvm.Regs;
import org.softkvm.kvm.Segment;
import org.softkvm.kvm.Sregs;
import org.softkvm.kvm.Vcpu;
import org.softkvm.kvm.Vm;
import org.softkvm.kvm.abi.Fields;

/**
 * A guest of some milliseconds that does what a boot needs, because a /dev/kvm may be there and be unable to boot
 * anything: nested and software-backed ones lack instructions, lose interrupts or take microseconds for an instruction.
 *
 * <p>32-bit code with paging on: an alias, x87, SSE, an interrupt and its return, the way to ring 3 and back, an
 * interrupt of the local APIC, and then the time of a loop and of exits. Port 10h tells each stage that went well, port
 * 1Fh one that did not.
 */
final class Probe {
    private static final String CODE = """
            0f 20 c0  mov eax,cr0
            0d 00 00 00 80  or eax,0x80000000
            0f 22 c0  mov cr0,eax
            c7 05 10 00 40 00 78 56 34 12  mov dword [0x400010],0x12345678
            81 3d 10 a0 00 00 78 56 34 12  cmp dword [0xA010],0x12345678
            b0 01  mov al,1
            0f 85 08 01 00 00  jne near fail
            e6 10  out 0x10,al
            db e3  fninit
            d9 e8  fld1
            d9 eb  fldpi
            de c1  faddp
            db 1d 00 b0 00 00  fistp dword [0xB000]
            83 3d 00 b0 00 00 04  cmp dword [0xB000],4
            b0 02  mov al,2
            0f 85 e9 00 00 00  jne near fail
            e6 10  out 0x10,al
            0f 20 e0  mov eax,cr4
            0d 00 06 00 00  or eax,0x600
            0f 22 e0  mov cr4,eax
            0f 10 05 10 b0 00 00  movups xmm0,[0xB010]
            0f 58 c0  addps xmm0,xmm0
            0f 11 05 20 b0 00 00  movups [0xB020],xmm0
            81 3d 20 b0 00 00 00 00 00 40  cmp dword [0xB020],0x40000000
            b0 03  mov al,3
            0f 85 b9 00 00 00  jne near fail
            e6 10  out 0x10,al
            cd 30  int 0x30
            83 3d 04 b0 00 00 55  cmp dword [0xB004],0x55
            b0 04  mov al,4
            0f 85 a6 00 00 00  jne near fail
            e6 10  out 0x10,al
            66 b8 23 00  mov ax,0x23
            8e d8  mov ds,ax
            8e c0  mov es,ax
            6a 23  push dword 0x23
            68 f0 8f 00 00  push dword 0x8FF0
            9c  pushfd
            81 0c 24 00 30 00 00  or dword [esp],0x3000
            6a 1b  push dword 0x1B
            68 aa 10 00 00  push dword ring3
            cf  iretd
            c7 05 08 b0 00 00 66 00 00 00  mov dword [0xB008],0x66
            cd 31  int 0x31
            66 b8 10 00  mov ax,0x10
            8e d8  mov ds,ax
            8e c0  mov es,ax
            83 3d 08 b0 00 00 66  cmp dword [0xB008],0x66
            b0 05  mov al,5
            0f 85 62 00 00 00  jne near fail
            e6 10  out 0x10,al
            c7 05 f0 00 e0 fe ff 01 00 00  mov dword [0xFEE000F0],0x1FF
            c7 05 80 00 e0 fe 00 00 00 00  mov dword [0xFEE00080],0
            fb  sti
            c7 05 10 03 e0 fe 00 00 00 00  mov dword [0xFEE00310],0
            c7 05 00 03 e0 fe 41 40 04 00  mov dword [0xFEE00300],0x44041
            b9 e8 03 00 00  mov ecx,1000
            83 3d 0c b0 00 00 00  cmp dword [0xB00C],0
            75 0c  jne short got41
            f3 90  pause
            49  dec ecx
            75 f2  jnz wait41
            b0 06  mov al,6
            e9 1d 00 00 00  jmp near fail
            fa  cli
            b0 06  mov al,6
            e6 10  out 0x10,al
            b9 d0 07 00 00  mov ecx,2000
            e6 11  out 0x11,al
            49  dec ecx
            75 fd  jnz spin
            e6 11  out 0x11,al
            b9 28 00 00 00  mov ecx,40
            e6 12  out 0x12,al
            49  dec ecx
            75 fb  jnz exits
            e6 13  out 0x13,al
            e6 1f  out 0x1F,al
            eb fc  jmp short fail
            c7 05 04 b0 00 00 55 00 00 00  mov dword [0xB004],0x55
            cf  iretd
            c7 05 0c b0 00 00 01 00 00 00  mov dword [0xB00C],1
            c7 05 b0 00 e0 fe 00 00 00 00  mov dword [0xFEE000B0],0
            cf  iretd
            """;

    private static final String[] STAGES = {
        "32-bit paging",
        "x87 arithmetic",
        "SSE arithmetic",
        "INT and IRET in one ring",
        "IRET to ring 3 and INT back",
        "an interrupt of the local APIC",
        "a loop and exits"
    };

    private static final int CODE_START = 0x1000;
    private static final int PAGE_DIRECTORY = 0x2000;
    private static final int PAGE_TABLE = 0x3000;
    private static final int ALIAS_TABLE = 0x4000;
    private static final int APIC_TABLE = 0x5000;
    private static final int IDT = 0x6000;
    private static final int GDT = 0x7000;
    private static final int TSS = 0x7800;
    private static final int STACK = 0x9000;
    private static final int ALIASED_PAGE = 0xA000;
    private static final int SSE_OPERAND = 0xB010;
    private static final int MEMORY = 0x40000;
    private static final int HANDLER_30 = 0x1133;
    private static final int HANDLER_31 = 0x10B6;
    private static final int HANDLER_41 = 0x113E;
    private static final int IOAPIC_PINS = 24;
    private static final int FLOAT_1 = 0x3F80_0000;

    private static final int STAGE_DONE = 0x10;
    private static final int LOOP = 0x11;
    private static final int EXIT = 0x12;
    private static final int DONE = 0x13;

    private static final long LIMIT_MILLIS = 2_000;
    /** Instructions between the two writes of port 11h. */
    private static final int LOOP_INSTRUCTIONS = 4_000;

    private static final int EXITS = 40;
    /** The emulator's interpreter takes 5 to 10 ns: below this limit the hardware is worth it. */
    private static final double MAX_INSTRUCTION_NANOS = 20;

    private static final long MAX_EXIT_NANOS = 100_000;

    private final Vcpu vcpu;
    private int stage;
    private long loopStart;
    private long loopNanos = -1;
    private final long[] exitTimes = new long[EXITS];
    private int exits;

    private Probe(Vcpu vcpu) {
        this.vcpu = vcpu;
    }

    /** Runs the guest; null where a boot can be expected to work, else one line that says what does not. */
    static String run(Kvm kvm) {
        if (kvm.checkExtension(Capability.SPLIT_IRQCHIP) == 0) {
            return "it lacks the capability " + Capability.SPLIT_IRQCHIP;
        }
        try (Vm vm = kvm.createVm()) {
            vm.enableCap(Capability.SPLIT_IRQCHIP, IOAPIC_PINS);
            vm.setIdentityMapAddr(0xFEFF_C000L);
            vm.setTssAddr(0xFEFF_D000L);
            MemorySegment memory = vm.allocateMemory(MEMORY);
            fill(memory);
            vm.setMemorySlot(MemorySlot.of(0, 0, memory));
            Vcpu vcpu = vm.createVcpu(0);
            vcpu.setCpuid(kvm.supportedCpuid());
            start(vcpu);
            return new Probe(vcpu).watched();
        } catch (KvmException e) {
            return "a small guest cannot be set up: " + e.getMessage();
        }
    }

    private static void fill(MemorySegment memory) {
        int at = CODE_START;
        for (String line : CODE.lines().toList()) {
            for (String item : line.strip().split("  ", 2)[0].split(" ")) {
                Fields.putByte(memory, at++, Integer.parseInt(item, 16));
            }
        }
        // Present, writable, user.
        Fields.putInt(memory, PAGE_DIRECTORY, PAGE_TABLE | 7);
        Fields.putInt(memory, PAGE_DIRECTORY + 4, ALIAS_TABLE | 7);
        Fields.putInt(memory, PAGE_DIRECTORY + 0x3FB * 4, APIC_TABLE | 7);
        for (int page = 0; page < MEMORY >> 12; page++) {
            Fields.putInt(memory, PAGE_TABLE + page * 4, page << 12 | 7);
        }
        Fields.putInt(memory, ALIAS_TABLE, ALIASED_PAGE | 7);
        // And not cached.
        Fields.putInt(memory, APIC_TABLE + 0x200 * 4, 0xFEE0_0000 | 0x1B);
        gate(memory, 0x30, HANDLER_30, 0x8E);
        gate(memory, 0x31, HANDLER_31, 0xEE);
        gate(memory, 0x41, HANDLER_41, 0x8E);
        Fields.putLong(memory, GDT + 0x08, 0x00CF_9B00_0000_FFFFL);
        Fields.putLong(memory, GDT + 0x10, 0x00CF_9300_0000_FFFFL);
        Fields.putLong(memory, GDT + 0x18, 0x00CF_FB00_0000_FFFFL);
        Fields.putLong(memory, GDT + 0x20, 0x00CF_F300_0000_FFFFL);
        Fields.putLong(memory, GDT + 0x28, 0x0000_8B00_0000_0067L | (long) TSS << 16);
        Fields.putInt(memory, TSS + 4, STACK);
        Fields.putInt(memory, TSS + 8, 0x10);
        for (int i = 0; i < 4; i++) {
            Fields.putInt(memory, SSE_OPERAND + i * 4L, FLOAT_1);
        }
    }

    private static void gate(MemorySegment memory, int vector, int handler, int access) {
        Fields.putInt(memory, IDT + vector * 8L, 0x08 << 16 | handler);
        Fields.putInt(memory, IDT + vector * 8L + 4, access << 8);
    }

    private static void start(Vcpu vcpu) {
        Sregs sregs = new Sregs();
        vcpu.getSregs(sregs);
        segment(sregs.cs, 0x08, 0xB);
        for (Segment data : Arrays.asList(sregs.ds, sregs.es, sregs.fs, sregs.gs, sregs.ss)) {
            segment(data, 0x10, 3);
        }
        segment(sregs.tr, 0x28, 0xB);
        sregs.tr.base = TSS;
        sregs.tr.limit = 0x67;
        sregs.tr.s = 0;
        sregs.tr.g = 0;
        sregs.tr.db = 0;
        sregs.gdt.base = GDT;
        sregs.gdt.limit = 0x2F;
        sregs.idt.base = IDT;
        sregs.idt.limit = 0x7FF;
        sregs.cr0 = 0x33;
        sregs.cr3 = PAGE_DIRECTORY;
        sregs.cr4 = 0;
        vcpu.setSregs(sregs);
        Regs regs = new Regs();
        regs.rip = CODE_START;
        regs.rsp = STACK;
        regs.rflags = 2;
        vcpu.setRegs(regs);
    }

    private static void segment(Segment segment, int selector, int type) {
        segment.selector = selector;
        segment.base = 0;
        segment.limit = -1;
        segment.type = type;
        segment.present = 1;
        segment.dpl = 0;
        segment.s = 1;
        segment.g = 1;
        segment.db = 1;
        segment.l = 0;
        segment.avl = 0;
        segment.unusable = 0;
    }

    private String watched() {
        Thread watch = Thread.ofPlatform().name("softkvm-probe").daemon().start(() -> {
            try {
                Thread.sleep(LIMIT_MILLIS);
                vcpu.kick();
            } catch (InterruptedException e) {
                // The guest was done in time.
            }
        });
        try {
            return go();
        } finally {
            watch.interrupt();
        }
    }

    private String go() {
        while (true) {
            int reason = vcpu.run();
            long now = System.nanoTime();
            if (reason == ExitReason.INTR) {
                return "a small guest hangs: " + atStage();
            }
            if (reason != ExitReason.IO) {
                String text = vcpu.runState().errorText();
                return "a small guest fails: " + atStage() + ": exit " + ExitReason.name(reason)
                        + (text.isEmpty() ? "" : " (" + text + ")");
            }
            switch (vcpu.runState().ioPort()) {
                case STAGE_DONE -> stage = vcpu.runState().ioValue(0);
                case LOOP -> {
                    if (loopNanos == -1) {
                        loopStart = now;
                        loopNanos = -2;
                    } else {
                        loopNanos = now - loopStart;
                    }
                }
                case EXIT -> exitTimes[exits++ % EXITS] = now;
                case DONE -> {
                    return judge();
                }
                default -> {
                    return "a small guest gets a wrong result: " + atStage();
                }
            }
        }
    }

    private String atStage() {
        return STAGES[Math.min(stage, STAGES.length - 1)];
    }

    private String judge() {
        long[] each = new long[EXITS - 1];
        for (int i = 0; i < each.length; i++) {
            each[i] = exitTimes[i + 1] - exitTimes[i];
        }
        Arrays.sort(each);
        long exit = each[each.length / 2];
        if (exit > MAX_EXIT_NANOS) {
            return "an exit takes " + exit / 1000 + " us";
        }
        double instruction = Math.max(0, loopNanos - exit) / (double) LOOP_INSTRUCTIONS;
        if (instruction > MAX_INSTRUCTION_NANOS) {
            return "kernel-mode code takes " + Math.round(instruction) + " ns an instruction, more than the emulator";
        }
        return null;
    }
}
