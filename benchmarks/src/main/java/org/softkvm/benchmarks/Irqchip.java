package org.softkvm.benchmarks;

/** Where the interrupt controllers of a benchmark's guest are. */
public enum Irqchip {
    /** Nowhere: interrupts come by KVM_INTERRUPT. */
    NONE,
    /** The local APICs are in the backend, the rest is outside. */
    SPLIT,
    /** All are in the backend, with a PIT. */
    FULL
}
