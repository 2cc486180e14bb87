package org.softkvm.emulator.translate;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.InputStream;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.objectweb.asm.ClassReader;
import org.objectweb.asm.ClassVisitor;
import org.objectweb.asm.MethodVisitor;
import org.objectweb.asm.Opcodes;
import org.objectweb.asm.util.Textifier;
import org.objectweb.asm.util.TraceMethodVisitor;
import org.softkvm.emulator.CpuModel;
import org.softkvm.emulator.GuestMemory;
import org.softkvm.emulator.HostMemory;
import org.softkvm.emulator.LocalInterruptController;
import org.softkvm.emulator.MemorySlot;
import org.softkvm.emulator.StoppedClock;
import org.softkvm.emulator.TimeSource;
import org.softkvm.emulator.VirtualCpu;
import org.softkvm.emulator.cpu.Cpu;
import org.softkvm.emulator.decode.Decoder;
import org.softkvm.emulator.decode.Insn;

/** What the translator emits for small pieces of 64-bit code, and that it keeps HotSpot's limits. */
class TranslatorTest {
    private static final long CODE = 0x10000;
    private static final long STACK = 0x80000;

    private final MemorySegment ram = HostMemory.allocate(1 << 20);
    private final GuestMemory memory = new GuestMemory();
    private final VirtualCpu vcpu;
    private final Cpu cpu;

    TranslatorTest() {
        memory.setSlots(List.of(new MemorySlot(0, 0, 0, ram, false, false)));
        TimeSource time = StoppedClock.INSTANCE;
        vcpu = new VirtualCpu(0, memory, CpuModel.MAX, LocalInterruptController.NONE, time);
        cpu = vcpu.cpu();
        // One page of 1 GiB, mapped as it is.
        write(0x1000, 0x2003);
        write(0x2000, 0x83);
        vcpu.setControl(0x80000011L, 0, 0x1000, Cpu.CR4_PAE, Cpu.EFER_LME | Cpu.EFER_LMA);
        vcpu.setSegment(Cpu.CS, 8, 0, 0xFFFFFFFFL, 0xA09B);
        for (int seg : new int[] {Cpu.ES, Cpu.SS, Cpu.DS, Cpu.FS, Cpu.GS}) {
            vcpu.setSegment(seg, 16, 0, 0xFFFFFFFFL, 0xC093);
        }
        vcpu.setRegister(Cpu.RSP, STACK);
        vcpu.setRflags(2);
    }

    @AfterEach
    void close() {
        vcpu.close();
        HostMemory.free(ram);
    }

    private void write(long address, long value) {
        byte[] bytes = ByteBuffer.allocate(8)
                .order(ByteOrder.LITTLE_ENDIAN)
                .putLong(value)
                .array();
        memory.write(address, bytes, 0, 8);
    }

    /** Blocks of code one behind the other. */
    private Plan plan(String hex, boolean counted) {
        byte[] code = HexFormat.of().parseHex(hex.replace(" ", ""));
        memory.write(CODE, code, 0, code.length);
        // What the preparation asked for would make a region leave at its first back edge.
        cpu.takeRequests(-1);
        Plan plan = new Plan(64, 8, 0xFFFFFFFFL, counted, false);
        Decoder decoder = new Decoder(cpu);
        List<Insn> insns = new ArrayList<>();
        long begin = CODE;
        for (long at = CODE; at < CODE + code.length; ) {
            Insn i = decoder.decode(at);
            insns.add(i);
            at = i.nextRip;
            if (i.op.endsBlock() || at >= CODE + code.length) {
                plan.add(new Plan.Piece(begin, at, insns.toArray(new Insn[0]), new long[0]));
                insns.clear();
                begin = at;
            }
        }
        return plan;
    }

    /** The method {@code run} of a region as text. */
    private static String listing(Plan plan) {
        RegionEmitter emitter = new RegionEmitter(plan);
        emitter.emit();
        Textifier text = new Textifier();
        new ClassReader(emitter.bytes)
                .accept(
                        new ClassVisitor(Opcodes.ASM9) {
                            @Override
                            public MethodVisitor visitMethod(
                                    int access, String name, String descriptor, String signature, String[] exceptions) {
                                return name.equals("run") ? new TraceMethodVisitor(text) : null;
                            }
                        },
                        ClassReader.SKIP_DEBUG);
        StringWriter out = new StringWriter();
        text.print(new PrintWriter(out));
        return out.toString().replace("\r\n", "\n");
    }

    /**
     * Approved listings lie beside the tests' resources; {@code -Dsoftkvm.approve=true} writes them anew, for review by
     * {@code git diff}.
     */
    @ParameterizedTest
    @CsvSource({
        // l: add rax, rcx; sub rcx, 1; jnz l; hlt
        "loop, 48 01 C8 48 83 E9 01 75 F7 F4",
        // mov rax, [rbx + 8]; mov [rsp + 16], eax; ret
        "memory, 48 8B 43 08 89 44 24 10 C3",
        // inc ecx; cpuid; add eax, ecx; jmp rdx
        "call, FF C1 0F A2 01 C8 FF E2",
        // adc rax, 1; shl rax, cl; setc dl; push rax
        "flags, 48 83 D0 01 48 D3 E0 0F 92 C2 50"
    })
    void theBytecodeIsTheApprovedOne(String name, String hex) throws IOException {
        approved(name, listing(plan(hex, false)));
    }

    @ParameterizedTest
    @CsvSource({
        // push r15; mov r15, rdi; push rbp; xor ebp, ebp; push rbx; call +16
        "narrow-push, 41 57 49 89 FF 55 31 ED 53 E8 10 00 00 00",
        // mov eax, ebx; pop rbx; pop rbp; pop r15; ret
        "narrow-pop, 89 D8 5B 5D 41 5F C3",
        // push rbx; call +16; add eax, ebx; pop rbx; ret
        "narrow-call, 53 E8 10 00 00 00 01 D8 5B C3"
    })
    void theBytecodeOfNarrowRegionsIsTheApprovedOne(String name, String hex) throws IOException {
        Plan plan = plan(hex, false);
        plan.narrow = true;
        approved(name, listing(plan));
    }

    private static void approved(String name, String actual) throws IOException {
        if (Boolean.getBoolean("softkvm.approve")) {
            Files.writeString(Path.of("src/test/resources/org/softkvm/emulator/translate", name + ".txt"), actual);
        }
        try (InputStream approved = TranslatorTest.class.getResourceAsStream(name + ".txt")) {
            assertThat(approved).as(name + ".txt").isNotNull();
            assertThat(actual).isEqualTo(new String(approved.readAllBytes(), StandardCharsets.UTF_8));
        }
    }

    @Test
    void aRegionRunsItsLoopAndLeavesForTheNextInstruction() {
        Region region = Translator.translate(cpu, plan("48 01 C8 48 83 E9 01 75 F7", true));
        vcpu.setRegister(Cpu.RAX, 0);
        vcpu.setRegister(Cpu.RCX, 1000);
        vcpu.setInstructionLimit(1_000_000);
        cpu.takeRequests(-1);
        long before = cpu.instructions;
        assertThat(region.run(0)).isEqualTo(Region.LEFT);
        assertThat(vcpu.register(Cpu.RAX)).isEqualTo(1000 * 1001 / 2);
        assertThat(vcpu.register(Cpu.RCX)).isZero();
        assertThat(vcpu.rip()).isEqualTo(CODE + 9);
        assertThat(cpu.instructions - before).isEqualTo(3000);
    }

    @Test
    void aRegionLeavesInFrontOfAnAccessThatTheTlbDoesNotKnow() {
        Region region = Translator.translate(cpu, plan("48 83 C0 05 48 8B 0B F4", false));
        vcpu.setRegister(Cpu.RAX, 1);
        vcpu.setRegister(Cpu.RBX, STACK);
        int site = region.run(0);
        assertThat(site).isNotNegative();
        assertThat(region.siteInsns[site].rip).isEqualTo(CODE + 4);
        assertThat(vcpu.register(Cpu.RAX)).isEqualTo(6);
        cpu.read64(STACK);
        assertThat(region.run(0)).isEqualTo(Region.STOPPED);
        assertThat(vcpu.halted()).isTrue();
    }

    @Test
    void aRegionStopsAtTheInstructionLimitBeforeItIsPassed() {
        Region region = Translator.translate(cpu, plan("48 01 C8 48 83 E9 01 75 F7", true));
        vcpu.setRegister(Cpu.RCX, 1000);
        long before = cpu.instructions;
        vcpu.setInstructionLimit(before + 100);
        cpu.takeRequests(-1);
        assertThat(region.run(0)).isEqualTo(Region.LEFT);
        assertThat(vcpu.rip()).isEqualTo(CODE);
        assertThat(cpu.instructions - before).isBetween(90L, 100L);
    }

    @Test
    void whatIsTooLargeForHotSpotIsCutToWhatFits() {
        // Sixty blocks of ten read-modify-writes and a jump to the next one.
        String block = "48 01 43 08".repeat(10) + "EB 00";
        Plan plan = plan(block.repeat(60), false);
        Region region = Translator.translate(cpu, plan);
        assertThat(region.codeSize).isPositive().isLessThanOrEqualTo(Translator.MAX_CODE);
        assertThat(region.blocks).isPositive().isLessThan(60);
        // HugeMethodLimit: methods above are never compiled.
        assertThat(Translator.MAX_CODE).isLessThan(8_000);
    }
}
