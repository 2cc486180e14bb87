package org.softkvm.kvm;

import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.jupiter.api.extension.TestExecutionExceptionHandler;
import org.opentest4j.TestAbortedException;

/** On a test of the API: where it runs through the binary ABI, what needs an extension of the emulator is skipped. */
final class BinaryAbi implements TestExecutionExceptionHandler {
    @Override
    public void handleTestExecutionException(ExtensionContext context, Throwable failure) throws Throwable {
        if (!Guest.BACKEND.equals("emulator")
                && failure instanceof KvmException e
                && (e.errno() == Errno.ENOTTY || e.argument().contains("SOFTKVM_"))) {
            throw new TestAbortedException("has no binary form: " + e.getMessage(), e);
        }
        throw failure;
    }
}
