package org.softkvm.vmm.pc;

/**
 * What the translator of guest code did.
 *
 * @param interpreted instructions that the interpreter executed, an iteration of REP not being one
 * @param fallbacks those of them that translated code should have executed: it left them to the interpreter, or they
 *     cannot be translated; not those that were not yet executed often enough
 * @param regions regions of guest code translated
 * @param bytes bytes of bytecode in them
 * @param seconds host time spent on translation, on whatever thread
 * @param compiled regions that the JVM had compiled before they ran for the first time
 * @param failed regions that could not be translated
 * @param dropped regions given up because there were too many
 * @param sideExits times that translated code left an instruction to the interpreter
 */
public record TranslationStatistics(
        long interpreted,
        long fallbacks,
        long regions,
        long bytes,
        double seconds,
        long compiled,
        long failed,
        long dropped,
        long sideExits) {
    /** What is known of a run on a backend that does not count. */
    static final TranslationStatistics NONE = new TranslationStatistics(-1, -1, -1, -1, -1, -1, -1, -1, -1);
}
