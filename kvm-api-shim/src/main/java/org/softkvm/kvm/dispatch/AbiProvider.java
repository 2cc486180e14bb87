package org.softkvm.kvm.dispatch;

import org.softkvm.kvm.Kvm;
import org.softkvm.kvm.KvmProvider;
import org.softkvm.kvm.linux.LinuxKvm;

/**
 * The emulator behind the binary ABI: the /dev/kvm backend's calls, served by the dispatcher. For tests and for the
 * measurement of what the ABI costs; {@link Kvm#open()} never takes it, as the emulator itself works wherever it does.
 */
public final class AbiProvider implements KvmProvider {
    /** The name of the backend. */
    static final String NAME = "abi";

    /** Made by {@link java.util.ServiceLoader}. */
    public AbiProvider() {}

    @Override
    public String name() {
        return NAME;
    }

    @Override
    public String unavailableBecause() {
        return null;
    }

    @Override
    public String passedOverBecause() {
        return "it is the emulator with a detour, for tests and measurements";
    }

    @Override
    public Kvm open() {
        return LinuxKvm.open(new Loopback(() -> Kvm.open("emulator")), NAME);
    }
}
