package org.softkvm.kvm.emulator;

import java.util.List;
import org.softkvm.kvm.Errno;
import org.softkvm.kvm.IrqRoute;
import org.softkvm.kvm.KvmException;

/** A table of interrupt routes; never changed, replaced as a whole. */
final class GsiRoutes {
    /** The first number that is too large for a global system interrupt (KVM_MAX_IRQ_ROUTES). */
    static final int MAX_ROUTES = 4096;

    /** The table before the first one is set. */
    static final GsiRoutes EMPTY = new GsiRoutes(new IrqRoute.Msi[0], 0);

    private static final int DATA_LEVEL_TRIGGERED = 1 << 15;

    private final IrqRoute.Msi[] byGsi;
    /** Bit v of the 256: an interrupt of the IOAPIC outside has vector v and is level-triggered. */
    private final long[] levelVectors = new long[4];

    private GsiRoutes(IrqRoute.Msi[] byGsi, int reservedPins) {
        this.byGsi = byGsi;
        for (int gsi = 0; gsi < Math.min(reservedPins, byGsi.length); gsi++) {
            IrqRoute.Msi route = byGsi[gsi];
            if (route != null && (route.data() & DATA_LEVEL_TRIGGERED) != 0) {
                int vector = route.data() & 0xFF;
                levelVectors[vector >> 6] |= 1L << vector;
            }
        }
    }

    /**
     * Checks and makes a table for a split irqchip, where only messages can be routed to.
     *
     * @throws KvmException EINVAL as KVM_SET_GSI_ROUTING does
     */
    static GsiRoutes of(List<? extends IrqRoute> routes, int reservedPins) {
        if (routes.size() > MAX_ROUTES) {
            throw invalid("nr=" + routes.size() + " (at most " + MAX_ROUTES + ")");
        }
        int size = 0;
        for (IrqRoute route : routes) {
            if (route.gsi() < 0 || route.gsi() >= MAX_ROUTES) {
                throw invalid("gsi=" + route.gsi() + " (0 to " + (MAX_ROUTES - 1) + ")");
            }
            size = Math.max(size, route.gsi() + 1);
        }
        IrqRoute.Msi[] byGsi = new IrqRoute.Msi[size];
        for (IrqRoute route : routes) {
            switch (route) {
                case IrqRoute.Msi msi -> {
                    if (byGsi[msi.gsi()] != null) {
                        throw invalid("gsi=" + msi.gsi() + " (routed twice)");
                    }
                    byGsi[msi.gsi()] = msi;
                }
                case IrqRoute.Irqchip chip ->
                    throw invalid("irqchip=" + chip.irqchip() + " for gsi=" + chip.gsi() + " (the irqchip is split)");
            }
        }
        return new GsiRoutes(byGsi, reservedPins);
    }

    /** The route of an interrupt, or null. */
    IrqRoute.Msi get(int gsi) {
        return gsi >= 0 && gsi < byGsi.length ? byGsi[gsi] : null;
    }

    /** Whether the IOAPIC outside waits for the end of interrupts of a vector. */
    boolean isLevelVector(int vector) {
        return (levelVectors[vector >> 6] & 1L << vector) != 0;
    }

    private static KvmException invalid(String argument) {
        return new KvmException("KVM_SET_GSI_ROUTING", Errno.EINVAL, argument);
    }
}
