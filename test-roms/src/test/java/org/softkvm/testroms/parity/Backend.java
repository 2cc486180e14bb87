package org.softkvm.testroms.parity;

import org.junit.jupiter.api.Assumptions;
import org.softkvm.kvm.Kvm;
import org.softkvm.kvm.KvmProvider;

/** What the parity tests run on. */
enum Backend {
    /** The emulator, every instruction interpreted. */
    INTERPRETER("emulator", "interpreter"),
    /** The emulator, everything translated at once. */
    TRANSLATOR("emulator", "translator"),
    /** The emulator through the binary ABI. */
    BINARY_ABI("abi", null),
    /** /dev/kvm of the machine. */
    DEV_KVM("kvm", null);

    /** The name of the backend in the KVM API. */
    final String provider;

    /** The engine, or null where the backend has no choice of one. */
    final String engine;

    Backend(String provider, String engine) {
        this.provider = provider;
        this.engine = engine;
    }

    /** Opens it, or skips the test where the machine has none. */
    Kvm open() {
        for (KvmProvider candidate : Kvm.providers()) {
            if (candidate.name().equals(provider)) {
                String reason = candidate.unavailableBecause();
                Assumptions.assumeTrue(reason == null, () -> "needs /dev/kvm: " + reason);
                return candidate.open();
            }
        }
        throw new AssertionError("no backend " + provider);
    }
}
