package org.softkvm.kvm;

/** A backend, found by {@link java.util.ServiceLoader}; {@link Kvm#open()} takes the first one that can do the work. */
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
     * Whether guests can be expected to work on the backend. It may take some milliseconds to find out.
     *
     * @return null where they can, else one clear line that says why {@link Kvm#open()} passes the backend over; it can
     *     be asked for by name all the same
     */
    default String passedOverBecause() {
        return null;
    }

    /**
     * Opens the backend.
     *
     * @return the API
     */
    Kvm open();
}
