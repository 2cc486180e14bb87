package org.softkvm.vmm.cli;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import org.softkvm.kvm.Capability;
import org.softkvm.kvm.Kvm;
import org.softkvm.kvm.KvmException;
import org.softkvm.kvm.KvmProvider;

/** The command 'softkvm info'. */
final class InfoCommand {
    private InfoCommand() {}

    static String text() {
        StringBuilder out = new StringBuilder();
        out.append("softkvm ").append(Main.version()).append('\n');
        out.append("host: ")
                .append(System.getProperty("os.name"))
                .append(' ')
                .append(System.getProperty("os.arch"))
                .append(", ")
                .append(Runtime.getRuntime().availableProcessors())
                .append(" processors, Java ")
                .append(Runtime.version())
                .append('\n');
        List<KvmProvider> providers = Kvm.providers();
        List<Kvm> open = new ArrayList<>();
        try {
            backends(providers, open, out);
            for (Kvm kvm : open) {
                describe(kvm, out);
            }
            capabilities(open, out);
        } finally {
            open.forEach(Kvm::close);
        }
        return out.toString();
    }

    /** A line for each backend, with what auto chooses and why; opens those that work. */
    private static void backends(List<KvmProvider> providers, List<Kvm> open, StringBuilder out) {
        out.append("backends:\n");
        boolean chosen = false;
        for (KvmProvider provider : providers) {
            String state = provider.unavailableBecause();
            if (state == null) {
                try {
                    open.add(provider.open());
                    String against = provider.passedOverBecause();
                    if (against != null) {
                        state = "can be asked for by name; auto passes it over: " + against;
                    } else {
                        state = chosen ? "works" : "works (chosen by auto)";
                        chosen = true;
                    }
                } catch (KvmException e) {
                    state = e.getMessage();
                }
            }
            out.append("  ").append(provider.name()).append(": ").append(state).append('\n');
        }
        if (providers.isEmpty()) {
            out.append("  none\n");
        }
    }

    private static void describe(Kvm kvm, StringBuilder out) {
        if (kvm.cpuModels().isEmpty() && kvm.engines().isEmpty()) {
            return;
        }
        out.append("backend ").append(kvm.backend()).append(":\n");
        if (!kvm.cpuModels().isEmpty()) {
            out.append("  CPU models: ")
                    .append(String.join(", ", kvm.cpuModels()))
                    .append('\n');
        }
        if (!kvm.engines().isEmpty()) {
            out.append("  engines: ").append(String.join(", ", kvm.engines())).append('\n');
        }
    }

    /** A line for each capability that a backend has, a column for each backend. */
    private static void capabilities(List<Kvm> open, StringBuilder out) {
        if (open.isEmpty()) {
            return;
        }
        out.append(String.format("%-32s", "capabilities:"));
        for (Kvm kvm : open) {
            out.append(String.format(" %10s", kvm.backend()));
        }
        out.append('\n');
        out.append(String.format("  %-30s", "(API version)"));
        for (Kvm kvm : open) {
            out.append(String.format(" %10d", kvm.apiVersion()));
        }
        out.append('\n');
        for (Capability capability : Capability.values()) {
            int[] values = open.stream()
                    .mapToInt(kvm -> kvm.checkExtension(capability))
                    .toArray();
            if (IntStream.of(values).anyMatch(value -> value != 0)) {
                out.append(String.format("  %-30s", capability.name()));
                for (int value : values) {
                    out.append(String.format(" %10s", value == 0 ? "-" : Integer.toString(value)));
                }
                out.append('\n');
            }
        }
    }
}
