package org.softkvm.testroms.differential;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** What a run of a program showed: exits with their data, and states. */
final class Trace {
    /** How a run ended. */
    enum End {
        /** At the program's end. */
        DONE,
        /** KVM_EXIT_SHUTDOWN. */
        SHUTDOWN,
        /** KVM_EXIT_INTERNAL_ERROR with suberror 1: the host's emulator does not know an instruction. */
        NOT_EMULATED,
        /** It had to be stopped. */
        STUCK,
        /** Too many exits. */
        LONG,
        /** Anything else. */
        OTHER
    }

    /**
     * An event.
     *
     * @param what what kind, with its numbers
     * @param state the state, or null
     */
    record Entry(String what, long[] state) {
        boolean same(Entry other) {
            return what.equals(other.what) && Arrays.equals(state, other.state);
        }
    }

    final List<Entry> entries = new ArrayList<>();
    End end;
    /** What there is to say about the end. */
    String detail = "";
    /** Address of the instruction at which it ended early, 0 where it is not known. */
    long endRip;
    /** Contents of the compared memory at the end. */
    byte[] memory;

    /** The first difference to another trace as text, or null. */
    String difference(Trace other, String here, String there) {
        int common = Math.min(entries.size(), other.entries.size());
        for (int n = 0; n < common; n++) {
            Entry a = entries.get(n);
            Entry b = other.entries.get(n);
            if (!a.same(b)) {
                return "event " + n + ":\n" + describe(a, b, here, there) + memories(other, here, there);
            }
        }
        if (entries.size() != other.entries.size()) {
            return "events: " + here + " " + entries.size() + " " + next(this, common) + ", " + there + " "
                    + other.entries.size() + " " + next(other, common) + "; ends: " + ending() + ", " + other.ending()
                    + "\n";
        }
        if (end != other.end) {
            return "ends: " + here + " " + ending() + ", " + there + " " + other.ending() + "\n";
        }
        return null;
    }

    /** Number of the first event that differs; the length of the shorter trace where none does. */
    int common(Trace other) {
        int n = 0;
        while (n < entries.size() && n < other.entries.size() && entries.get(n).same(other.entries.get(n))) {
            n++;
        }
        return n;
    }

    private static String next(Trace trace, int n) {
        return trace.entries.size() > n ? "(" + trace.entries.get(n).what() + ")" : "";
    }

    String ending() {
        return end
                + (detail.isEmpty() ? "" : " (" + detail + ")")
                + (endRip == 0 ? "" : " at 0x" + Long.toHexString(endRip));
    }

    private static String describe(Entry a, Entry b, String here, String there) {
        StringBuilder out = new StringBuilder();
        if (!a.what.equals(b.what)) {
            out.append(String.format("  %-14s %s%n  %-14s %s%n", here, a.what, there, b.what));
        } else {
            out.append("  ").append(a.what).append('\n');
        }
        if (a.state != null && b.state != null) {
            for (int n = 0; n < a.state.length; n++) {
                if (a.state[n] != b.state[n]) {
                    out.append(String.format(
                            "  %-14s %s %x, %s %x%n", State.name(n), here, a.state[n], there, b.state[n]));
                }
            }
        }
        return out.toString();
    }

    private String memories(Trace other, String here, String there) {
        if (memory == null || other.memory == null) {
            return "";
        }
        int n = Arrays.mismatch(memory, other.memory);
        return n < 0
                ? ""
                : String.format(
                        "  memory at the end, from %x on: %s %s, %s %s%n",
                        Guest.address(n), here, some(memory, n), there, some(other.memory, n));
    }

    private static String some(byte[] bytes, int from) {
        return java.util.HexFormat.of().formatHex(bytes, from, Math.min(bytes.length, from + 8));
    }
}
