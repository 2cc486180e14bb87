package org.softkvm.testroms.differential;

/** What programs run on. */
interface Target extends AutoCloseable {
    /** Its name in reports. */
    String name();

    /** Whether its CPU is not ours: then what it cannot do is looked for by probes. */
    boolean foreign();

    /**
     * Runs a program.
     *
     * @param program the program
     * @param image the same assembled
     * @param pass 0 for the first run, then up; a target whose runs are all alike has one
     * @param stepping whether the state is wanted after each instruction
     */
    Trace run(Program program, Image image, int pass, boolean stepping);

    /** How often a program is run. */
    int passes();

    @Override
    void close();
}
