package org.softkvm.testroms.differential;

import java.util.ArrayList;
import java.util.List;
import org.softkvm.kvm.Kvm;
import org.softkvm.kvm.KvmProvider;

/**
 * Runs random programs on the interpreter, the translator, the emulator through the binary ABI and /dev/kvm, and prints
 * where they differ.
 */
public final class Main {
    private static final String USAGE = """
            usage: differential [--seed N] [--programs N] [--backends LIST] [--case N]

              --seed N          default 1
              --programs N      default 10000
              --backends LIST   of interpreter,translator,abi,kvm; the first is what the others are compared with.
                                Default: all that are here
              --case N          this program only, with its listing
            """;

    private Main() {}

    /**
     * Runs it. The status is 1 where a difference is in no category.
     *
     * @param arguments see {@code --help}
     */
    public static void main(String[] arguments) {
        long seed = 1;
        int programs = 10_000;
        int only = -1;
        List<String> backends = here();
        for (int n = 0; n < arguments.length; n += 2) {
            if (n + 1 == arguments.length) {
                System.err.print(USAGE);
                System.exit(125);
            }
            String value = arguments[n + 1];
            switch (arguments[n]) {
                case "--seed" -> seed = Long.parseLong(value);
                case "--programs" -> programs = Integer.parseInt(value);
                case "--backends" -> backends = List.of(value.split(","));
                case "--case" -> only = Integer.parseInt(value);
                default -> {
                    System.err.print(USAGE);
                    System.exit(125);
                }
            }
        }
        System.exit(run(seed, programs, only, backends) ? 0 : 1);
    }

    /** The targets that this machine has. */
    static List<String> here() {
        List<String> names = new ArrayList<>();
        for (GuestTarget.Kind kind : GuestTarget.Kind.values()) {
            for (KvmProvider provider : Kvm.providers()) {
                if (provider.name().equals(kind.backend) && provider.unavailableBecause() == null) {
                    names.add(kind.label());
                }
            }
        }
        return names;
    }

    private static boolean run(long seed, int programs, int only, List<String> backends) {
        List<Target> targets = new ArrayList<>();
        try (Watchdog watchdog = new Watchdog()) {
            for (String name : backends) {
                targets.add(
                        new GuestTarget(GuestTarget.Kind.valueOf(name.toUpperCase(java.util.Locale.ROOT)), watchdog));
            }
            Differ differ = new Differ(targets);
            int printed = 0;
            for (int n = Math.max(0, only); n < (only < 0 ? programs : only + 1); n++) {
                Program program = Generator.program(seed, n);
                if (only >= 0) {
                    System.out.print(new Image(program).listing());
                }
                differ.compare(n, program);
                for (; printed < differ.findings.size(); printed++) {
                    Differ.Finding finding = differ.findings.get(printed);
                    System.out.printf(
                            "%s differs in program %d (again: --seed %d --backends %s --case %d)%n%s%n",
                            finding.target(), finding.number(), seed, String.join(",", backends), n, finding.text());
                    if (printed >= 20) {
                        return false;
                    }
                }
            }
            System.out.print(differ.table());
            return differ.findings.isEmpty();
        } finally {
            targets.forEach(Target::close);
        }
    }
}
