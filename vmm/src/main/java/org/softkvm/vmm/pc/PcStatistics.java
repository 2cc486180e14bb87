package org.softkvm.vmm.pc;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * What a run did.
 *
 * @param instructions guest instructions executed by all CPUs, -1 where the backend does not count
 * @param seconds host time of the run
 * @param haltSeconds part of it that the busiest CPU waited in HLT, or to be started, -1 where the backend does not say
 * @param interrupts external interrupts delivered, -1 where the backend does not count
 * @param exits exits by kind (KVM's names), most frequent first
 */
public record PcStatistics(
        long instructions, double seconds, double haltSeconds, long interrupts, Map<String, Long> exits) {
    /** Copies the map, keeping its order. */
    public PcStatistics {
        exits = Collections.unmodifiableMap(new LinkedHashMap<>(exits));
    }

    /**
     * Speed of execution.
     *
     * @return million instructions a second of host time, waiting in HLT left out; 0 if nothing was counted
     */
    public double mips() {
        double busy = seconds - Math.max(0, haltSeconds);
        return instructions <= 0 || busy <= 0 ? 0 : instructions / busy / 1e6;
    }
}
