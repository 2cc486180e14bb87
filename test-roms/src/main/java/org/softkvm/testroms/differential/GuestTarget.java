package org.softkvm.testroms.differential;

import java.util.EnumMap;
import java.util.Map;
import org.softkvm.kvm.Kvm;

/** A backend with an engine; it has a VM for each mode. */
final class GuestTarget implements Target {
    /** Backend, engine and number of runs by the name of the target. */
    enum Kind {
        INTERPRETER("emulator", "interpreter", 1),
        /** The first run makes regions, or they begin in its loops; the others run them. */
        TRANSLATOR("emulator", "translator", 3),
        ABI("abi", null, 1),
        KVM("kvm", null, 1);

        final String backend;
        final String engine;
        final int passes;

        Kind(String backend, String engine, int passes) {
            this.backend = backend;
            this.engine = engine;
            this.passes = passes;
        }

        /** The target's name on the command line. */
        String label() {
            return name().toLowerCase(java.util.Locale.ROOT);
        }
    }

    private final Kind kind;
    private final Kvm kvm;
    private final Watchdog watchdog;
    private final Map<Mode, Guest> guests = new EnumMap<>(Mode.class);

    GuestTarget(Kind kind, Watchdog watchdog) {
        this.kind = kind;
        this.watchdog = watchdog;
        kvm = Kvm.open(kind.backend);
    }

    @Override
    public String name() {
        return kind.label();
    }

    @Override
    public boolean foreign() {
        return kind == Kind.KVM;
    }

    @Override
    public int passes() {
        return kind.passes;
    }

    @Override
    public Trace run(Program program, Image image, int pass, boolean stepping) {
        Guest guest = guests.computeIfAbsent(program.mode(), mode -> new Guest(kvm, kind.engine, mode, watchdog));
        if (pass == 0) {
            guest.load(program, image);
        }
        Trace trace = guest.run(stepping);
        if (trace.end != Trace.End.DONE) {
            // Whatever state the vcpu is in now: the next program gets another one.
            guests.remove(program.mode()).close();
        }
        return trace;
    }

    @Override
    public void close() {
        guests.values().forEach(Guest::close);
        kvm.close();
    }
}
