/** Guest programs that check one behaviour each, and what runs them. */
module org.softkvm.testroms {
    requires org.softkvm.vmm;

    exports org.softkvm.testroms;
}
