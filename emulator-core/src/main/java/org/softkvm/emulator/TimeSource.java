package org.softkvm.emulator;

/** The port through which a vcpu reads time: the time-stamp counter (Intel SDM volume 3, 19.17). */
public interface TimeSource {
    /**
     * The time-stamp counter of this vcpu before IA32_TSC_ADJUST and offsets that the guest wrote.
     *
     * @return ticks
     */
    long tsc();

    /**
     * The counter's frequency.
     *
     * @return kHz, at least 1
     */
    long tscKhz();
}
