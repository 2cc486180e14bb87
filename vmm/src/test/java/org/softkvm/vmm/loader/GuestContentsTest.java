package org.softkvm.vmm.loader;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;

class GuestContentsTest {
    private static final int RAM = 16 << 20;

    @Test
    void largePiecesArriveWholeAndLaterOnesLieOnTop() {
        byte[] large = new byte[(5 << 20) + 7];
        new Random(1).nextBytes(large);
        GuestContents contents = new GuestContents(RamLayout.of(RAM));
        contents.write(0x10_0001, large, 3, large.length - 4);
        contents.write(0x20_0000, new byte[] {1, 2, 3});
        GuestRam ram = TestImages.ram(RAM);
        contents.writeTo(ram);
        byte[] expected = new byte[RAM];
        System.arraycopy(large, 3, expected, 0x10_0001, large.length - 4);
        System.arraycopy(new byte[] {1, 2, 3}, 0, expected, 0x20_0000, 3);
        assertThat(Arrays.equals(ram.read(0, RAM), expected)).isTrue();
    }

    @Test
    void aLargePieceOutsideRamIsAnError() {
        GuestContents contents = new GuestContents(RamLayout.of(RAM));
        contents.write(RAM - (3 << 20), new byte[5 << 20]);
        assertThatThrownBy(() -> contents.writeTo(TestImages.ram(RAM))).isNotNull();
    }
}
