package org.softkvm.kvm;

/** A backend, found by {@link java.util.ServiceLoader}; the first one that works is what {@link Kvm#open()} takes. */
public interface KvmProvider {
    /**
     * The name that {@link Kvm#open(String)} takes.
     *
     * @return the name
     */
    String name();

    /**
     * Whether the backend works here.
     *
     * @return null where it does, else one clear line that says why not
     */
    String unavailableBecause();

    /**
     * Opens the backend.
     *
     * @return the API
     */
    Kvm open();
}
