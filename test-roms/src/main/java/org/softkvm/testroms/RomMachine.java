package org.softkvm.testroms;

import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.softkvm.kvm.Kvm;
import org.softkvm.kvm.KvmProvider;

/**
 * What a ROM runs on.
 *
 * @param backend backend of the KVM API, {@code auto} for the best there is
 * @param engine engine of the emulator, {@code auto} for its default
 */
public record RomMachine(String backend, String engine) {
    /** Backend and engine as SoftKVM chooses them. */
    public static final RomMachine AUTO = new RomMachine("auto", "auto");

    /** Checks that nothing is null. */
    public RomMachine {
        Objects.requireNonNull(backend, "backend");
        Objects.requireNonNull(engine, "engine");
    }

    /**
     * Every backend that guests can be expected to work on here, with every engine it has.
     *
     * @return at least one
     */
    public static List<RomMachine> all() {
        List<RomMachine> machines = new ArrayList<>();
        for (KvmProvider provider : Kvm.providers()) {
            if (provider.unavailableBecause() == null && provider.passedOverBecause() == null) {
                try (Kvm kvm = provider.open()) {
                    List<String> engines = kvm.engines();
                    for (String engine : engines.isEmpty() ? List.of("auto") : engines) {
                        machines.add(new RomMachine(kvm.backend(), engine));
                    }
                }
            }
        }
        return List.copyOf(machines);
    }

    @Override
    public String toString() {
        return backend + "/" + engine;
    }
}
