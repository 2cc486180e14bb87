package org.softkvm.kvm;

/** Keeps the exported package from being empty until its first type arrives; delete it then. */
final class Placeholder {
    private Placeholder() {}
}
