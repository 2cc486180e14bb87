package org.softkvm.vmm.pc;

import java.util.Objects;
import java.util.OptionalLong;

/**
 * How a run ended.
 *
 * @param reason why
 * @param debugExitValue what the guest wrote to the debug-exit port; 0 for other reasons
 * @param detail one line for a person, empty where the reason says it all
 * @param stateHash the digest of the machine at the end, where it was asked for ({@link Pc#stateHash()})
 * @param statistics what the run did
 */
public record PcResult(
        Reason reason, int debugExitValue, String detail, OptionalLong stateHash, PcStatistics statistics) {
    /** Why a run ended. */
    public enum Reason {
        /** The guest powered off. */
        POWER_OFF,
        /** The guest wrote to the debug-exit port. */
        DEBUG_EXIT,
        /** The expected text was seen. */
        EXPECTED_TEXT,
        /** The time was up. */
        TIMEOUT,
        /** The limit of instructions was reached. */
        INSTRUCTION_LIMIT,
        /** The CPU shut down after a triple fault. */
        TRIPLE_FAULT,
        /** The guest reset the machine, which was not to start again. */
        RESET,
        /** The run was stopped from outside. */
        STOPPED,
        /** The run was stopped from outside to be saved. */
        SAVED;

        /**
         * Whether the guest could go on: then there is something to save.
         *
         * @return true at a limit, at the expected text and for {@link #SAVED}
         */
        public boolean canGoOn() {
            return switch (this) {
                case EXPECTED_TEXT, TIMEOUT, INSTRUCTION_LIMIT, SAVED -> true;
                default -> false;
            };
        }
    }

    /** Checks that nothing is null. */
    public PcResult {
        Objects.requireNonNull(reason, "reason");
        Objects.requireNonNull(detail, "detail");
        Objects.requireNonNull(stateHash, "stateHash");
        Objects.requireNonNull(statistics, "statistics");
    }

    /**
     * The exit status of the command line for this end.
     *
     * @return 0 after power off, the expected text or when saved by request, 124 at a limit, 126 after a triple fault or reset, 130 when stopped,
     *     {@code (value << 1) | 1} after a debug exit, its low 8 bits as the host keeps them
     */
    public int exitStatus() {
        return switch (reason) {
            case POWER_OFF, EXPECTED_TEXT, SAVED -> 0;
            case DEBUG_EXIT -> (debugExitValue << 1 | 1) & 0xFF;
            case TIMEOUT, INSTRUCTION_LIMIT -> 124;
            case TRIPLE_FAULT, RESET -> 126;
            case STOPPED -> 130;
        };
    }
}
