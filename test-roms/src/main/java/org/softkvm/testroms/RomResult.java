package org.softkvm.testroms;

import java.util.List;
import java.util.Objects;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What a run of a ROM gave. ROMs built with this module's assembly library print {@code ok NAME} or
 * {@code FAIL NAME: got X want Y} for each named assertion and {@code N passed, M failed} at the end.
 *
 * @param status exit status as of the command line: 33 when a ROM of this module is content, 0 after power off, 124 at a
 *     limit, 126 after a triple fault
 * @param output what the guest sent to COM1, a character for each byte
 * @param detail one line about the end of the run, often empty
 */
public record RomResult(int status, String output, String detail) {
    /** Status of a ROM that wrote 10h to the debug-exit port: all its assertions passed. */
    public static final int PASSED = 33;

    private static final Pattern TOTALS = Pattern.compile("(\\d+) passed, (\\d+) failed");

    /** Checks that nothing is null. */
    public RomResult {
        Objects.requireNonNull(output, "output");
        Objects.requireNonNull(detail, "detail");
    }

    /**
     * The output's lines.
     *
     * @return without their ends
     */
    public List<String> lines() {
        return output.lines().toList();
    }

    /**
     * How many assertions passed, by the totals that the ROM printed.
     *
     * @return number, -1 where it printed none
     */
    public int passed() {
        return total(1);
    }

    /**
     * How many assertions failed, by the totals that the ROM printed.
     *
     * @return number, -1 where it printed none
     */
    public int failed() {
        return total(2);
    }

    private int total(int group) {
        Matcher totals = TOTALS.matcher(output);
        int value = -1;
        while (totals.find()) {
            value = Integer.parseInt(totals.group(group));
        }
        return value;
    }

    /**
     * The lines of assertions that failed.
     *
     * @return none when all is well
     */
    public List<String> failures() {
        return lines().stream().filter(line -> line.startsWith("FAIL ")).toList();
    }

    /**
     * Demands that the ROM ended with the status of success, printed its totals, and that no assertion failed and at least
     * one passed.
     *
     * @return this
     * @throws AssertionError if not, with the output
     */
    public RomResult assertPassed() {
        if (status != PASSED || passed() < 1 || failed() != 0 || !failures().isEmpty()) {
            throw new AssertionError("the ROM did not pass: " + this);
        }
        return this;
    }

    /**
     * Demands an exit status.
     *
     * @param expected the status
     * @return this
     * @throws AssertionError if it is another, with the output
     */
    public RomResult assertStatus(int expected) {
        if (status != expected) {
            throw new AssertionError("not status " + expected + ": " + this);
        }
        return this;
    }

    /**
     * Demands a text in the output.
     *
     * @param text the text
     * @return this
     * @throws AssertionError if it is not there, with the output
     */
    public RomResult assertPrinted(String text) {
        if (!output.contains(text)) {
            throw new AssertionError("no '" + text + "': " + this);
        }
        return this;
    }

    @Override
    public String toString() {
        return "status " + status + (detail.isEmpty() ? "" : " (" + detail + ")") + ", output:\n" + output;
    }
}
