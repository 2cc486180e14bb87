package org.softkvm.vmm.pc;

import java.util.List;
import java.util.Locale;
import org.softkvm.vmm.VmmException;
import org.softkvm.vmm.loader.BootProtocol;

/** Checks the parts of a configuration that need no backend, and fills in what depends on the CPU model. */
final class PcLimits {
    private static final long MIB = 1 << 20;

    /** Least RAM: conventional memory and the BIOS area belong to every PC. */
    private static final long MIN_MEMORY = MIB;

    private static final long MAX_MEMORY = 256L << 30;

    /** APIC ids of 8 bits, of which FFh means all, and one is left to the IOAPIC. */
    static final int MAX_CPUS = 254;

    /** An 80286 has 16 MiB of addresses, of which the ROM takes the last 128 KiB; devices had the MiB with it. */
    private static final long MAX_MEMORY_286 = 15 * MIB;

    /** Where RAM ends below the devices: a 486 reaches no other. */
    private static final long MAX_MEMORY_486 = 3072 * MIB;

    private static final String CPU_486 = "486";
    private static final String CPU_286 = "286";
    private static final String CPU_8086 = "8086";
    private static final List<String> CPUS =
            List.of("max", "x86-64-v2", "x86-64-v3", "pentium2", CPU_486, CPU_286, CPU_8086);

    private static final List<String> BACKENDS = List.of("auto", "kvm", "emulator", "abi");

    private PcLimits() {}

    static void check(PcConfig config) throws VmmException {
        checkCpu(config.cpu());
        if (config.cpus() < 1) {
            throw new VmmException("--cpus: a machine needs at least one CPU: " + config.cpus());
        }
        if (config.cpus() > MAX_CPUS) {
            throw new VmmException("--cpus: " + config.cpus() + " are more than the limit, " + MAX_CPUS);
        }
        if (config.cpus() > 1 && !has32Bits(config)) {
            throw new VmmException(
                    "--cpus: CPU model " + config.cpu() + " has no local APIC, by which several CPUs work");
        }
        choice("engine", config.engine(), List.of("auto", "interpreter", "translator"));
        choice("backend", config.backend(), BACKENDS);
        choice("irqchip", config.irqchip(), List.of("split", "full"));
        for (String device : config.without()) {
            choice("device to leave out", device, List.of("hpet", "pit"));
        }
        choice("boot protocol", config.bootProtocol(), BootProtocol.titles());
        checkMemory(config);
        if (config.maxInstructions() == 0) {
            throw new VmmException("--max-instructions: must be at least 1");
        }
    }

    /** The backend checks the flags behind the name: it knows which there are. */
    private static void checkCpu(String cpu) throws VmmException {
        choice("CPU model", model(cpu), CPUS);
    }

    private static String model(String cpu) {
        int comma = cpu.indexOf(',');
        return (comma < 0 ? cpu : cpu.substring(0, comma)).toLowerCase(Locale.ROOT);
    }

    private static void choice(String what, String value, List<String> known) throws VmmException {
        if (!known.contains(value)) {
            throw new VmmException("unknown " + what + ": " + value + " (" + String.join(", ", known) + ")");
        }
    }

    private static void checkMemory(PcConfig config) throws VmmException {
        long memory = config.memory();
        if (memory == 0) {
            return;
        }
        if (memory < MIN_MEMORY) {
            throw new VmmException("--memory: " + memory + " bytes are not enough, the least is 1M");
        }
        if (memory % 4096 != 0) {
            throw new VmmException("--memory: " + memory + " bytes are not a multiple of 4K");
        }
        long limit = switch (model(config.cpu())) {
            case CPU_8086 -> MIB;
            case CPU_286 -> MAX_MEMORY_286;
            case CPU_486 -> MAX_MEMORY_486;
            default -> MAX_MEMORY;
        };
        if (memory > limit) {
            String of = config.cpu().equals("max") ? "" : " of CPU model " + config.cpu();
            throw new VmmException(
                    "--memory: " + memory + " bytes are more than the limit" + of + ", " + (limit / MIB) + "M");
        }
    }

    /** The amount of RAM in bytes. */
    static long memory(PcConfig config) {
        if (config.memory() != 0) {
            return config.memory();
        }
        return switch (model(config.cpu())) {
            case CPU_8086 -> MIB;
            case CPU_286 -> 4 * MIB;
            default -> 256 * MIB;
        };
    }

    /** Whether the CPU has 32-bit modes, in which kernels start. */
    static boolean has32Bits(PcConfig config) {
        return !model(config.cpu()).equals(CPU_286) && !model(config.cpu()).equals(CPU_8086);
    }

    /** Whether the CPU has 64-bit mode. */
    static boolean has64Bits(PcConfig config) {
        List<String> parts = List.of(config.cpu().toLowerCase(Locale.ROOT).split(","));
        return (model(config.cpu()).equals("max") || model(config.cpu()).startsWith("x86-64"))
                && !parts.contains("-lm");
    }

    /** Whether the CPU has 24 address lines, so that its reset vector lies below 16 MiB. */
    static boolean addressLines24(PcConfig config) {
        return model(config.cpu()).equals(CPU_286);
    }
}
