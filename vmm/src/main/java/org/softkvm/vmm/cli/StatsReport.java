package org.softkvm.vmm.cli;

import java.util.Locale;
import java.util.Map;
import org.softkvm.vmm.pc.PcResult;
import org.softkvm.vmm.pc.PcStatistics;
import org.softkvm.vmm.pc.TranslationStatistics;

/** What --stats prints. The keys of the JSON form stay; what a backend does not know is null. */
final class StatsReport {
    private StatsReport() {}

    static String text(PcResult result) {
        PcStatistics stats = result.statistics();
        StringBuilder out = new StringBuilder("softkvm: ");
        if (stats.instructions() >= 0) {
            out.append(String.format(Locale.ROOT, "%,d instructions, %.1f MIPS, ", stats.instructions(), stats.mips()));
        }
        out.append(String.format(Locale.ROOT, "%.2f s", stats.seconds()));
        if (stats.virtualSeconds() >= 0) {
            out.append(String.format(Locale.ROOT, " (%.6f s of virtual time)", stats.virtualSeconds()));
        } else if (stats.haltSeconds() >= 0) {
            out.append(String.format(Locale.ROOT, " (%.2f s of it halted)", stats.haltSeconds()));
        }
        if (stats.interrupts() >= 0) {
            out.append(String.format(Locale.ROOT, ", %,d interrupts", stats.interrupts()));
        }
        if (stats.faults() >= 0) {
            out.append(String.format(Locale.ROOT, ", %,d faults, %,d TLB misses", stats.faults(), stats.tlbMisses()));
        }
        if (stats.translation().regions() > 0) {
            TranslationStatistics translation = stats.translation();
            out.append(String.format(
                    Locale.ROOT,
                    "\nsoftkvm: %,d regions of %,d bytes translated in %.2f s, %,d compiled before they ran,"
                            + " %,d instructions interpreted, %,d of them fallbacks, %,d side exits",
                    translation.regions(),
                    translation.bytes(),
                    translation.seconds(),
                    translation.compiled(),
                    translation.interpreted(),
                    translation.fallbacks(),
                    translation.sideExits()));
        }
        out.append("\nsoftkvm: exits:");
        String separator = " ";
        for (Map.Entry<String, Long> exit : stats.exits().entrySet()) {
            out.append(separator).append(String.format(Locale.ROOT, "%s %,d", exit.getKey(), exit.getValue()));
            separator = ", ";
        }
        return out.append(stats.exits().isEmpty() ? " none\n" : "\n").toString();
    }

    static String json(PcResult result) {
        PcStatistics stats = result.statistics();
        StringBuilder out = new StringBuilder("{");
        add(out, "reason", '"' + result.reason().toString() + '"');
        add(out, "status", Integer.toString(result.exitStatus()));
        add(out, "cpus", Integer.toString(stats.cpus()));
        add(out, "instructions", number(stats.instructions()));
        add(out, "mips", stats.instructions() < 0 ? "null" : String.format(Locale.ROOT, "%.3f", stats.mips()));
        add(out, "seconds", seconds(stats.seconds()));
        add(out, "guest_seconds", seconds(stats.guestSeconds()));
        add(out, "halt_seconds", seconds(stats.haltSeconds()));
        add(out, "virtual_seconds", seconds(stats.virtualSeconds()));
        add(out, "interrupts", number(stats.interrupts()));
        add(out, "faults", number(stats.faults()));
        add(out, "tlb_misses", number(stats.tlbMisses()));
        add(out, "tlb_flushes", number(stats.tlbFlushes()));
        add(out, "blocks_decoded", number(stats.blocksDecoded()));
        TranslationStatistics translation = stats.translation();
        add(out, "interpreted", number(translation.interpreted()));
        add(out, "fallbacks", number(translation.fallbacks()));
        add(out, "side_exits", number(translation.sideExits()));
        StringBuilder regions = new StringBuilder("{");
        add(regions, "translated", number(translation.regions()));
        add(regions, "bytes", number(translation.bytes()));
        add(regions, "seconds", seconds(translation.seconds()));
        add(regions, "compiled", number(translation.compiled()));
        add(regions, "failed", number(translation.failed()));
        add(regions, "dropped", number(translation.dropped()));
        add(out, "regions", regions.append('}').toString());
        StringBuilder exits = new StringBuilder("{");
        stats.exits().forEach((kind, count) -> add(exits, kind, Long.toString(count)));
        add(out, "exits", exits.append('}').toString());
        boolean hashed = result.stateHash().isPresent();
        add(out, "state_hash", hashed ? '"' + hex(result.stateHash().getAsLong()) + '"' : "null");
        return out.append("}\n").toString();
    }

    /** A state hash as it is printed everywhere. */
    static String hex(long hash) {
        return String.format(Locale.ROOT, "%016x", hash);
    }

    private static void add(StringBuilder out, String key, String value) {
        if (out.length() > 1) {
            out.append(',');
        }
        out.append('"').append(key).append("\":").append(value);
    }

    private static String number(long value) {
        return value < 0 ? "null" : Long.toString(value);
    }

    private static String seconds(double value) {
        return value < 0 ? "null" : String.format(Locale.ROOT, "%.6f", value);
    }
}
