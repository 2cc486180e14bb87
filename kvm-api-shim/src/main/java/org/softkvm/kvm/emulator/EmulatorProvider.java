package org.softkvm.kvm.emulator;

import org.softkvm.kvm.Kvm;
import org.softkvm.kvm.KvmProvider;

/** The backend that is always there: the emulated CPU. */
public final class EmulatorProvider implements KvmProvider {
    /** The name of the backend. */
    static final String NAME = "emulator";

    /** Made by {@link java.util.ServiceLoader}. */
    public EmulatorProvider() {}

    @Override
    public String name() {
        return NAME;
    }

    @Override
    public String unavailableBecause() {
        return null;
    }

    @Override
    public Kvm open() {
        return new EmulatorKvm();
    }
}
