package org.softkvm.emulator.run;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.HexFormat;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.softkvm.emulator.CpuModel;
import org.softkvm.emulator.GuestMemory;
import org.softkvm.emulator.HostMemory;
import org.softkvm.emulator.LocalInterruptController;
import org.softkvm.emulator.MemorySlot;
import org.softkvm.emulator.StoppedClock;
import org.softkvm.emulator.VirtualCpu;
import org.softkvm.emulator.cpu.Cpu;

/** The further entries of narrow regions, behind a CALL: what is found there, and what becomes of them. */
class RegionEntriesTest {
    /** head: call +100h; behind: add eax, ebx; ret */
    private static final String CODE = "E8 00 01 00 00 01 D8 C3";

    private static final long HEAD = 0x10000;
    private static final long BEHIND = HEAD + 5;

    private final MemorySegment ram = HostMemory.allocate(1 << 20);
    private final GuestMemory memory = new GuestMemory();
    private final VirtualCpu vcpu;
    private final Cpu cpu;
    private final BlockCache cache;
    private final Regions regions;
    private final Block head;
    private final Block behind;

    RegionEntriesTest() {
        memory.setSlots(List.of(new MemorySlot(0, 0, 0, ram, false, false)));
        vcpu = new VirtualCpu(0, memory, CpuModel.MAX, LocalInterruptController.NONE, StoppedClock.INSTANCE);
        cpu = vcpu.cpu();
        // One page of 1 GiB, mapped as it is.
        write(0x1000, 0x2003);
        write(0x2000, 0x83);
        vcpu.setControl(0x80000011L, 0, 0x1000, Cpu.CR4_PAE, Cpu.EFER_LME | Cpu.EFER_LMA);
        vcpu.setSegment(Cpu.CS, 8, 0, 0xFFFFFFFFL, 0xA09B);
        vcpu.setSegment(Cpu.SS, 16, 0, 0xFFFFFFFFL, 0xC093);
        byte[] code = HexFormat.of().parseHex(CODE.replace(" ", ""));
        memory.write(HEAD, code, 0, code.length);
        cache = new BlockCache(cpu);
        regions = new Regions(cpu, cache);
        regions.synchronous = true;
        regions.form = Regions.Form.NARROW;
        regions.threshold = 1;
        behind = block(BEHIND);
        head = block(HEAD);
        regions.hot(head);
    }

    @AfterEach
    void close() {
        cache.clear();
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

    private Block block(long rip) {
        cpu.rip = rip;
        return cache.current();
    }

    @Test
    void aRegionIsEnteredBehindItsCall() {
        RunnableRegion region = RunnableRegion.of(head.region);
        assertThat(region.entries).hasSize(2);
        assertThat(behind.region).isSameAs(region.entries[1]);
        assertThat(region.validate(cpu)).isTrue();
        regions.entered(null, behind.region);
        assertThat(cache.table.find(cpu, BEHIND)).isSameAs(behind.region);
    }

    @Test
    void allEntriesDieWithTheCode() {
        RunnableRegion region = RunnableRegion.of(head.region);
        assertThat(region.validate(cpu)).isTrue();
        regions.entered(null, head.region);
        regions.entered(null, behind.region);
        cache.codeWritten(head.host, 1);
        assertThat(region.dead()).isTrue();
        assertThat(behind.region).isNull();
        assertThat(cache.table.find(cpu, HEAD)).isNull();
        assertThat(cache.table.find(cpu, BEHIND)).isNull();
    }

    /** A block whose region is dead would be interpreted for good. */
    @Test
    void aWideRegionInTheMiddleLeavesNoDeadOneAtTheHead() {
        RunnableRegion narrow = RunnableRegion.of(head.region);
        cpu.rip = BEHIND;
        regions.promote(narrow);
        regions.installDone();
        assertThat(RunnableRegion.of(behind.region).wide).isTrue();
        assertThat(narrow.dead()).isTrue();
        assertThat(head.region).isNull();
    }
}
