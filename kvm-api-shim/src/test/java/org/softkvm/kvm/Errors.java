package org.softkvm.kvm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import org.assertj.core.api.ThrowableAssert.ThrowingCallable;

/** Checks what wrong use of the API throws. */
final class Errors {
    private Errors() {}

    /** Checks that an action fails with an errno, and that the message names the call and the argument. */
    static void assertFails(String call, Errno errno, String argument, ThrowingCallable action) {
        KvmException e = catchThrowableOfType(KvmException.class, action);
        assertThat(e).as(call + " should fail with " + errno).isNotNull();
        assertThat(e.errno()).as(e.getMessage()).isEqualTo(errno);
        if (Guest.BACKEND.equals("emulator")) {
            // Across the binary ABI goes the number alone; the client says what it called and passed.
            assertThat(e.call()).isEqualTo(call);
            assertThat(e.argument()).contains(argument);
            assertThat(e.getMessage()).contains(call, errno.name(), argument);
        }
    }
}
