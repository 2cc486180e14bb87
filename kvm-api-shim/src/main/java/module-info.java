/**
 * The KVM API in Java and its backends.
 *
 * <p>The backends are not exported: a client sees the API alone.
 */
module org.softkvm.kvm {
    requires org.softkvm.devices;
    requires org.softkvm.emulator;
    requires java.management;

    exports org.softkvm.kvm;

    uses org.softkvm.kvm.KvmProvider;

    provides org.softkvm.kvm.KvmProvider with
            org.softkvm.kvm.linux.DevKvmProvider,
            org.softkvm.kvm.emulator.EmulatorProvider,
            org.softkvm.kvm.dispatch.AbiProvider;
}
