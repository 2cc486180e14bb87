/**
 * The ready-made PC: board, loaders, run loop and command line.
 *
 * <p>It stands on the KVM API and on the chips and never sees a backend.
 */
module org.softkvm.vmm {
    requires org.apache.commons.cli;
    requires org.softkvm.devices;
    requires org.softkvm.kvm;
    requires org.tukaani.xz;

    exports org.softkvm.vmm;
    exports org.softkvm.vmm.pc;
}
