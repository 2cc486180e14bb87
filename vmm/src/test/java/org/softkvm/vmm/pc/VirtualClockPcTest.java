package org.softkvm.vmm.pc;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.HexFormat;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.softkvm.vmm.GuestFile;
import org.softkvm.vmm.VmmException;

/** Runs under the virtual clock repeat themselves exactly. */
@Timeout(120)
class VirtualClockPcTest {
    /** Echoes COM1 until 'q', storing it and the PIT's count at each character, then leaves by the debug-exit port. */
    private static final String ECHO = "bf 00 20 " // mov di, 2000h
            + "ba fd 03 ec a8 01 74 f8 " // poll: mov dx, 3fdh; in al, dx; test al, 1; jz poll
            + "ba f8 03 ec ee 88 c3 88 05 47 " // mov dx, 3f8h; in al, dx; out dx, al; mov bl, al; mov [di], al; inc di
            + "b0 00 e6 43 e4 40 88 05 47 " // latch and read the PIT: mov [di], al; inc di
            + "e4 40 88 05 47 80 fb 71 75 dc " // in al, 40h; mov [di], al; inc di; cmp bl, 'q'; jne poll
            + "b0 10 ba f4 00 ee f4"; // debug exit

    private final ByteArrayOutputStream serial = new ByteArrayOutputStream();

    private static GuestFile rom(String code) {
        byte[] rom = new byte[0x1_0000];
        byte[] bytes = HexFormat.ofDelimiter(" ").parseHex(code);
        System.arraycopy(bytes, 0, rom, 0, bytes.length);
        byte[] jump = HexFormat.ofDelimiter(" ").parseHex("ea 00 00 00 f0");
        System.arraycopy(jump, 0, rom, 0xFFF0, jump.length);
        return new GuestFile("guest", rom);
    }

    private PcConfig.Builder config(String code) {
        return PcConfig.builder(rom(code))
                .backend("emulator")
                .serialOutput(serial)
                .virtualClock(true)
                .stateHash(true)
                .timeout(Duration.ofSeconds(60));
    }

    private static PcResult run(PcConfig.Builder builder) throws VmmException {
        try (Pc pc = Pc.create(builder.build())) {
            return pc.run();
        }
    }

    private PcResult echo(String input) throws VmmException {
        serial.reset();
        PcResult result =
                run(config(ECHO).serialInput(new ByteArrayInputStream(input.getBytes(StandardCharsets.US_ASCII))));
        assertThat(result.exitStatus()).isEqualTo(33);
        assertThat(serial.toString(StandardCharsets.US_ASCII)).isEqualTo(input);
        return result;
    }

    @Test
    void inputMeetsTheGuestAtTheSameInstructions() throws VmmException {
        PcResult first = echo("abcq");
        PcResult second = echo("abcq");
        assertThat(second.statistics().instructions())
                .isEqualTo(first.statistics().instructions());
        assertThat(second.statistics().exits()).isEqualTo(first.statistics().exits());
        assertThat(second.statistics().virtualSeconds())
                .isEqualTo(first.statistics().virtualSeconds());
        assertThat(second.stateHash()).isEqualTo(first.stateHash()).isPresent();
        PcResult other = echo("abdq");
        assertThat(other.statistics().instructions())
                .isEqualTo(first.statistics().instructions());
        assertThat(other.stateHash()).isNotEqualTo(first.stateHash());
    }

    @Test
    void oneInstructionMoreIsAnotherState() throws VmmException {
        PcResult first = run(config("eb fe").maxInstructions(1001));
        assertThat(first.reason()).isEqualTo(PcResult.Reason.INSTRUCTION_LIMIT);
        assertThat(first.statistics().instructions()).isEqualTo(1001);
        assertThat(run(config("eb fe").maxInstructions(1001)).stateHash()).isEqualTo(first.stateHash());
        assertThat(run(config("eb fe").maxInstructions(1002)).stateHash()).isNotEqualTo(first.stateHash());
    }

    @Test
    void theLimitHoldsForAllCpusTogether() throws VmmException {
        for (long limit : new long[] {1, 9_999, 10_000, 10_001, 123_456}) {
            PcResult result = run(config("eb fe").cpus(3).maxInstructions(limit));
            assertThat(result.reason()).isEqualTo(PcResult.Reason.INSTRUCTION_LIMIT);
            assertThat(result.statistics().instructions()).isEqualTo(limit);
            assertThat(result.statistics().cpus()).isEqualTo(3);
        }
    }

    @Test
    void aDeadHaltWaitsForTheTimeout() throws VmmException {
        PcResult result = run(config("fa f4 eb fc").timeout(Duration.ofMillis(200)));
        assertThat(result.reason()).isEqualTo(PcResult.Reason.TIMEOUT);
        assertThat(result.statistics().instructions()).isLessThan(10);
    }

    @Test
    void hostTimeIsNotAsked() throws VmmException {
        // Read the RTC's seconds, minutes, hours, day, month, year into memory.
        StringBuilder code = new StringBuilder("bf 00 20 ");
        for (String register : new String[] {"00", "02", "04", "07", "08", "09"}) {
            code.append("b0 ").append(register).append(" e6 70 e4 71 ba f8 03 ee ");
        }
        PcResult result = run(config(code + "b0 10 ba f4 00 ee f4"));
        assertThat(result.exitStatus()).isEqualTo(33);
        assertThat(HexFormat.of().formatHex(serial.toByteArray())).isEqualTo("000000010126");
    }
}
