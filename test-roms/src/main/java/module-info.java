/** Test ROMs: guest programs that check one behaviour each, their runner, and a JUnit extension that runs ROMs. */
module org.softkvm.testroms {
    requires static transitive org.junit.jupiter.api;
    requires org.softkvm.kvm;
    requires transitive org.softkvm.vmm;

    exports org.softkvm.testroms;
    exports org.softkvm.testroms.junit;
}
