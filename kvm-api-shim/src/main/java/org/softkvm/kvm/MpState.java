package org.softkvm.kvm;

/** Where a vcpu stands between power-on and running ({@code struct kvm_mp_state}). */
public enum MpState {
    /** It executes instructions. */
    RUNNABLE(0),
    /** An application processor that has not got INIT yet. */
    UNINITIALIZED(1),
    /** It got INIT and waits for a start-up message. */
    INIT_RECEIVED(2),
    /** It executed HLT and waits for an interrupt. */
    HALTED(3),
    /** It got the start-up message and starts at the next run. */
    SIPI_RECEIVED(4);

    private final int number;

    MpState(int number) {
        this.number = number;
    }

    /**
     * The value in {@code struct kvm_mp_state}.
     *
     * @return 0 to 4
     */
    public int number() {
        return number;
    }

    /**
     * The state of a given number.
     *
     * @param number a value of {@code struct kvm_mp_state}
     * @return the state
     * @throws KvmException EINVAL where x86 has no state of that number
     */
    public static MpState of(int number) {
        return switch (number) {
            case 0 -> RUNNABLE;
            case 1 -> UNINITIALIZED;
            case 2 -> INIT_RECEIVED;
            case 3 -> HALTED;
            case 4 -> SIPI_RECEIVED;
            default -> throw new KvmException("KVM_SET_MP_STATE", Errno.EINVAL, "mp_state=" + number);
        };
    }
}
