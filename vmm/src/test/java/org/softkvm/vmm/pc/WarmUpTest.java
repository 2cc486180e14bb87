package org.softkvm.vmm.pc;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.softkvm.vmm.GuestFile;
import org.softkvm.vmm.VmmException;
import org.softkvm.vmm.loader.ImageKind;
import org.softkvm.vmm.loader.ImageLoader;
import org.softkvm.vmm.loader.TestImages;

class WarmUpTest {
    @Test
    void theProgramComesToItsEndAgainAndAgain() {
        assertThat(WarmUp.run("emulator", 5)).isEqualTo(5);
    }

    @Test
    void aBackendThatIsNotThereIsNoError() {
        assertThat(WarmUp.run("none", 1)).isZero();
    }

    @Test
    void onlyLargePackedImagesAreWorthIt() throws IOException, VmmException {
        GuestFile hello = TestImages.file(TestImages.elf32(true, new byte[0]));
        assertThat(ImageLoader.unpacks(hello)).isFalse();
        assertThat(ImageLoader.unpacks(new GuestFile("rom", new byte[2 << 20]))).isFalse();
        byte[] kernel = Training.bzImage(hello.data());
        assertThat(ImageLoader.unpacks(new GuestFile("small", Arrays.copyOf(kernel, 1 << 19))))
                .isFalse();
        assertThat(ImageLoader.unpacks(new GuestFile("large", Arrays.copyOf(kernel, 2 << 20))))
                .isTrue();
    }

    @Test
    void theTrainingKernelIsAKernel() throws IOException, VmmException {
        GuestFile hello = TestImages.file(TestImages.elf32(true, new byte[0]));
        GuestFile kernel = new GuestFile("kernel", Training.bzImage(hello.data()));
        assertThat(ImageLoader.recognise(kernel, true)).isEqualTo(ImageKind.BZIMAGE);
        assertThat(Pc.load(PcConfig.builder(kernel).kernel(true).build()).kind())
                .isEqualTo(ImageKind.BZIMAGE);
    }
}
