package org.softkvm.kvm.emulator;

import org.softkvm.kvm.Errno;
import org.softkvm.kvm.Kvm;
import org.softkvm.kvm.KvmException;
import org.softkvm.kvm.KvmProvider;

/** The place of the backend on /dev/kvm, which this version does not have; it says so when asked for. */
public final class DevKvmProvider implements KvmProvider {
    private static final String NAME = "kvm";
    private static final String REASON = "this version of SoftKVM cannot use /dev/kvm; use the backend emulator";

    /** Made by {@link java.util.ServiceLoader}. */
    public DevKvmProvider() {}

    @Override
    public String name() {
        return NAME;
    }

    @Override
    public String unavailableBecause() {
        return REASON;
    }

    @Override
    public Kvm open() {
        throw new KvmException("open", Errno.ENODEV, "backend " + NAME + ": " + REASON);
    }
}
