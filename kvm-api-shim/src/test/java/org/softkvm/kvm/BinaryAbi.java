package org.softkvm.kvm;

import java.util.Map;
import org.junit.jupiter.api.extension.ConditionEvaluationResult;
import org.junit.jupiter.api.extension.ExecutionCondition;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.jupiter.api.extension.TestExecutionExceptionHandler;
import org.opentest4j.TestAbortedException;

/** On a test of the API: where it runs through the binary ABI, what has no form there is skipped. */
final class BinaryAbi implements ExecutionCondition, TestExecutionExceptionHandler {
    private static final Map<String, String> LEFT_OUT = Map.of(
            "codeInMemoryOfTheCallersOwnIsRefusedByName",
                    "the ABI has other data for instructions that cannot be executed",
            "codeWithoutMemoryIsAnInternalError", "the ABI has other data for instructions that cannot be executed",
            "anExitAllocatesNothing", "what the dispatcher allocates is not the point",
            "anInterruptOfThePicWaitsWhileLint0IsMasked", "the kernel does not tell what KVM_INTERRUPT queued",
            "wrongFiltersAndReasonsAreRefused", "the kernel takes ranges without MSRs",
            "aListOfRegistersIsReadAndWrittenUpToTheFirstThatIsWrong", "lists are written set by set",
            "theEndOfAnInterruptIsSignalled", "eventfds signal from a thread of their own, a moment later",
            "theEndOnThePicIsSignalledToo", "eventfds signal from a thread of their own, a moment later");

    private static boolean isHere() {
        return !Guest.BACKEND.equals("emulator");
    }

    @Override
    public ConditionEvaluationResult evaluateExecutionCondition(ExtensionContext context) {
        String reason = context.getTestMethod()
                .map(method -> LEFT_OUT.get(method.getName()))
                .orElse(null);
        return isHere() && reason != null
                ? ConditionEvaluationResult.disabled("has no binary form: " + reason)
                : ConditionEvaluationResult.enabled("is run");
    }

    @Override
    public void handleTestExecutionException(ExtensionContext context, Throwable failure) throws Throwable {
        if (isHere()
                && failure instanceof KvmException e
                && (e.errno() == Errno.ENOTTY || e.argument().contains("SOFTKVM_"))) {
            throw new TestAbortedException("has no binary form: " + e.getMessage(), e);
        }
        throw failure;
    }
}
