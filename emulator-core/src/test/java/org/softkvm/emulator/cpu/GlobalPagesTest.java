package org.softkvm.emulator.cpu;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.softkvm.emulator.CpuModel;

/** What MOV to CR3, INVLPG and a change of CR4.PGE drop from the TLB, with a supervisor's page at 2 MiB. */
class GlobalPagesTest {
    private static final long PAGE = 0x200000;
    private static final long TABLE = 0x70000;
    private static final long ONE = 0x80000;
    private static final long OTHER = 0x81000;
    private static final int PRESENT = 0x63; // present, writable, accessed, dirty
    private static final int GLOBAL = 0x100;

    private final Bench b = new Bench(CpuModel.MAX);
    private final Cpu c = b.c;

    @BeforeEach
    void map() {
        b.gdt(0, Bench.CODE64, Bench.DATA32);
        b.longMode(8, 16, 0);
        long pml4 = c.cr3;
        long pdpt = b.get(pml4, 8) & -4096L;
        long directory = b.get(pdpt, 8) & -4096L;
        b.put(directory + 8, 8, TABLE | PRESENT);
        b.put(ONE, 8, 1);
        b.put(OTHER, 8, 2);
    }

    @AfterEach
    void close() {
        b.close();
    }

    private void enter(long cr4) {
        Control.writeCr4(c, c.cr4 | cr4);
    }

    private void point(long at, int flags) {
        b.put(TABLE, 8, at | PRESENT | flags);
    }

    @ParameterizedTest
    @ValueSource(longs = {0, Cpu.CR4_PGE, Cpu.CR4_SMAP, Cpu.CR4_PGE | Cpu.CR4_SMAP})
    void aLocalPageIsDroppedByMovToCr3(long cr4) {
        enter(cr4);
        point(ONE, 0);
        assertThat(c.read64(PAGE)).isEqualTo(1);
        point(OTHER, 0);
        Control.writeCr3(c, c.cr3);
        assertThat(c.read64(PAGE)).isEqualTo(2);
    }

    private void pointMany(int count, long at) {
        for (int k = 0; k < count; k++) {
            b.put(TABLE + 8L * k, 8, at | PRESENT);
        }
    }

    /** Few are dropped one by one, many with everything else. */
    @ParameterizedTest
    @ValueSource(ints = {2, 8, 9, 20})
    void localPagesAreDroppedHoweverManyThereAre(int count) {
        enter(Cpu.CR4_PGE | Cpu.CR4_SMAP);
        for (int round = 0; round < 2; round++) {
            pointMany(count, ONE);
            Control.writeCr3(c, c.cr3);
            for (int k = 0; k < count; k++) {
                assertThat(c.read64(PAGE + 4096L * k)).isEqualTo(1);
            }
            pointMany(count, OTHER);
            Control.writeCr3(c, c.cr3);
            for (int k = 0; k < count; k++) {
                assertThat(c.read64(PAGE + 4096L * k)).isEqualTo(2);
            }
        }
    }

    /** Nor may they drop it; Linux patches its code through a local page. */
    @Test
    void aLocalPageLeavesAGlobalOneAlone() {
        enter(Cpu.CR4_PGE | Cpu.CR4_SMAP);
        pointMany(2, ONE);
        point(ONE, GLOBAL);
        assertThat(c.read64(PAGE)).isEqualTo(1);
        assertThat(c.read64(PAGE + 4096)).isEqualTo(1);
        pointMany(2, OTHER);
        point(OTHER, GLOBAL);
        Control.writeCr3(c, c.cr3);
        assertThat(c.read64(PAGE)).isEqualTo(1);
        assertThat(c.read64(PAGE + 4096)).isEqualTo(2);
    }

    @Test
    void withoutPgeTheGlobalBitMeansNothing() {
        enter(Cpu.CR4_SMAP);
        point(ONE, GLOBAL);
        assertThat(c.read64(PAGE)).isEqualTo(1);
        point(OTHER, GLOBAL);
        Control.writeCr3(c, c.cr3);
        assertThat(c.read64(PAGE)).isEqualTo(2);
    }

    /** The CPU may drop it; that it does not is what a kernel's speed depends on. */
    @Test
    void aGlobalPageStaysUntilInvlpgOrPge() {
        enter(Cpu.CR4_PGE | Cpu.CR4_SMAP);
        point(ONE, GLOBAL);
        assertThat(c.read64(PAGE)).isEqualTo(1);
        point(OTHER, GLOBAL);
        Control.writeCr3(c, c.cr3);
        assertThat(c.read64(PAGE)).isEqualTo(1);
        c.flushTlbPage(PAGE);
        assertThat(c.read64(PAGE)).isEqualTo(2);
        point(ONE, GLOBAL);
        Control.writeCr4(c, c.cr4 & ~Cpu.CR4_PGE);
        assertThat(c.read64(PAGE)).isEqualTo(1);
    }

    /** Code that was fetched through a local page is looked up anew. */
    @ParameterizedTest
    @ValueSource(ints = {0, GLOBAL})
    void aStampOfSupervisorCodeChangesWithLocalPagesOnly(int flags) {
        enter(Cpu.CR4_PGE | Cpu.CR4_SMAP);
        point(ONE, flags);
        Mmu.fetchHost(c, PAGE);
        long before = c.context;
        Control.writeCr3(c, c.cr3);
        assertThat(c.context == before).isEqualTo(flags == GLOBAL);
    }
}
