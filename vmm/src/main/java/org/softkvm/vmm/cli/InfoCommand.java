package org.softkvm.vmm.cli;

import java.util.List;
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
        String chosen = null;
        out.append("backends:\n");
        for (KvmProvider provider : providers) {
            String reason = provider.unavailableBecause();
            if (reason == null && chosen == null) {
                chosen = provider.name();
            }
            out.append("  ").append(provider.name()).append(": ").append(reason == null ? "works" : reason);
            out.append(provider.name().equals(chosen) ? " (chosen by auto)\n" : "\n");
        }
        if (providers.isEmpty()) {
            out.append("  none\n");
        }
        for (KvmProvider provider : providers) {
            if (provider.unavailableBecause() == null) {
                describe(provider, out);
            }
        }
        return out.toString();
    }

    private static void describe(KvmProvider provider, StringBuilder out) {
        try (Kvm kvm = provider.open()) {
            out.append("backend ").append(kvm.backend()).append(":\n");
            out.append("  API version ").append(kvm.apiVersion()).append('\n');
            if (!kvm.cpuModels().isEmpty()) {
                out.append("  CPU models: ")
                        .append(String.join(", ", kvm.cpuModels()))
                        .append('\n');
            }
            if (!kvm.engines().isEmpty()) {
                out.append("  engines: ")
                        .append(String.join(", ", kvm.engines()))
                        .append('\n');
            }
            out.append("  capabilities:\n");
            for (Capability capability : Capability.values()) {
                int value = kvm.checkExtension(capability);
                if (value != 0) {
                    out.append("    ").append(capability.name());
                    out.append(value == 1 ? "" : " = " + value).append('\n');
                }
            }
        } catch (KvmException e) {
            out.append("backend ")
                    .append(provider.name())
                    .append(": ")
                    .append(e.getMessage())
                    .append('\n');
        }
    }
}
