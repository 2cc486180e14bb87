package org.softkvm.vmm.cli;

import java.util.Locale;
import java.util.Map;
import org.softkvm.vmm.pc.PcResult;
import org.softkvm.vmm.pc.PcStatistics;

/** What --stats prints. */
final class StatsReport {
    private StatsReport() {}

    static String text(PcResult result) {
        PcStatistics stats = result.statistics();
        StringBuilder out = new StringBuilder("softkvm: ");
        if (stats.instructions() >= 0) {
            out.append(String.format(Locale.ROOT, "%,d instructions, %.1f MIPS, ", stats.instructions(), stats.mips()));
        }
        out.append(String.format(Locale.ROOT, "%.2f s", stats.seconds()));
        if (stats.haltSeconds() >= 0) {
            out.append(String.format(Locale.ROOT, " (%.2f s of it halted)", stats.haltSeconds()));
        }
        if (stats.interrupts() >= 0) {
            out.append(String.format(Locale.ROOT, ", %,d interrupts", stats.interrupts()));
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
        out.append("\"reason\":\"").append(result.reason()).append("\",");
        out.append("\"status\":").append(result.exitStatus()).append(',');
        if (stats.instructions() >= 0) {
            out.append("\"instructions\":").append(stats.instructions()).append(',');
            out.append(String.format(Locale.ROOT, "\"mips\":%.3f,", stats.mips()));
        }
        out.append(String.format(Locale.ROOT, "\"seconds\":%.6f,", stats.seconds()));
        if (stats.haltSeconds() >= 0) {
            out.append(String.format(Locale.ROOT, "\"halt_seconds\":%.6f,", stats.haltSeconds()));
        }
        if (stats.interrupts() >= 0) {
            out.append("\"interrupts\":").append(stats.interrupts()).append(',');
        }
        out.append("\"exits\":{");
        String separator = "";
        for (Map.Entry<String, Long> exit : stats.exits().entrySet()) {
            out.append(separator)
                    .append('"')
                    .append(exit.getKey())
                    .append("\":")
                    .append(exit.getValue());
            separator = ",";
        }
        return out.append("}}\n").toString();
    }
}
