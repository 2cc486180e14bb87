package org.softkvm.kvm;

/** What a backend answers to a call that it does not have. */
final class Absent {
    private Absent() {}

    static KvmException call(String call) {
        return new KvmException(call, Errno.ENOTTY, "this backend does not have the call");
    }
}
