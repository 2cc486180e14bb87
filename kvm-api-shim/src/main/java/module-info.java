/**
 * The KVM API in Java and its backends.
 *
 * <p>The backends are not exported: a client sees the API alone.
 */
module org.softkvm.kvm {
    requires org.softkvm.devices;
    requires org.softkvm.emulator;

    exports org.softkvm.kvm;

    uses org.softkvm.kvm.KvmProvider;
}
