package org.softkvm.vmm.pc;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * What a run did.
 *
 * @param cpus number of CPUs
 * @param instructions guest instructions executed by all CPUs, each iteration of a repeated string instruction being one;
 *     -1 where the backend does not count, or where translated code ran, which counts under the virtual clock and with
 *     a limit of instructions only
 * @param seconds host time of the run
 * @param haltSeconds part of it that the busiest CPU waited in HLT, or to be started, -1 where the backend does not say;
 *     0 under the virtual clock, which does not wait
 * @param virtualSeconds guest time at the end under the virtual clock, else -1
 * @param guestSeconds host time in which CPUs executed guest code, all together, -1 where the backend does not say
 * @param interrupts external interrupts delivered, -1 where the backend does not count
 * @param faults faults delivered, -1 where the backend does not count
 * @param tlbMisses look-ups that the TLB could not answer, -1 where the backend does not count
 * @param tlbFlushes flushes of the TLB, -1 where the backend does not count
 * @param blocksDecoded blocks of guest code that the interpreter decoded, -1 where the backend does not count
 * @param translation what the translator did; its numbers are -1 where the backend does not count
 * @param exits exits by kind (KVM's names), most frequent first
 */
public record PcStatistics(
        int cpus,
        long instructions,
        double seconds,
        double haltSeconds,
        double virtualSeconds,
        double guestSeconds,
        long interrupts,
        long faults,
        long tlbMisses,
        long tlbFlushes,
        long blocksDecoded,
        TranslationStatistics translation,
        Map<String, Long> exits) {
    /** Copies the map, keeping its order. */
    public PcStatistics {
        exits = Collections.unmodifiableMap(new LinkedHashMap<>(exits));
    }

    /** What is known of a run on a backend that does not count. */
    static PcStatistics uncounted(int cpus, double seconds, Map<String, Long> exits) {
        return new PcStatistics(cpus, -1, seconds, -1, -1, -1, -1, -1, -1, -1, -1, TranslationStatistics.NONE, exits);
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
