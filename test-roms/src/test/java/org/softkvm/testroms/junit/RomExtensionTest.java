package org.softkvm.testroms.junit;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.softkvm.testroms.RomResult;

class RomExtensionTest {
    @Test
    void runsAFile(@Rom("images/hello.elf") RomResult result) {
        result.assertStatus(0).assertPrinted("Hello from SoftKVM");
    }

    @Test
    void runsAResource(@Rom("/org/softkvm/testroms/images/int-bcd.elf") RomResult result) {
        result.assertPassed();
        assertThat(result.passed()).isEqualTo(12);
    }

    @Test
    void runsSeveral(
            @Rom("images/boot-sector.bin") RomResult first,
            @Rom(value = "images/exc-triple.elf", memory = 16, timeout = 20) RomResult second) {
        first.assertPassed();
        second.assertStatus(126);
    }
}
