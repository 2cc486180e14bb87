package org.softkvm.kvm.emulator;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.softkvm.devices.apic.IoApic;
import org.softkvm.kvm.Errno;
import org.softkvm.kvm.IrqRoute;
import org.softkvm.kvm.KvmException;

/** A table of interrupt routes; never changed, replaced as a whole. */
final class GsiRoutes {
    /** The first number that is too large for a global system interrupt (KVM_MAX_IRQ_ROUTES). */
    static final int MAX_ROUTES = 4096;

    /** Pins of one PIC. */
    static final int PIC_PINS = 8;

    /** The table of a split irqchip before the first one is set. */
    static final GsiRoutes EMPTY = new GsiRoutes(new IrqRoute[0][], 0);

    private static final int DATA_LEVEL_TRIGGERED = 1 << 15;
    private static final IrqRoute[] NONE = {};

    private final IrqRoute[][] byGsi;
    /** Bit v of the 256: an interrupt of the IOAPIC outside has vector v and is level-triggered. */
    private final long[] levelVectors = new long[4];
    /** The interrupt that leads to a pin, by chip and pin; -1 for none. */
    private final int[][] gsiOfPin = {new int[PIC_PINS], new int[PIC_PINS], new int[IoApic.PINS]};

    private GsiRoutes(IrqRoute[][] byGsi, int reservedPins) {
        this.byGsi = byGsi;
        for (int[] pins : gsiOfPin) {
            Arrays.fill(pins, -1);
        }
        for (int gsi = 0; gsi < byGsi.length; gsi++) {
            for (IrqRoute route : get(gsi)) {
                switch (route) {
                    case IrqRoute.Irqchip chip -> gsiOfPin[chip.irqchip()][chip.pin()] = gsi;
                    case IrqRoute.Msi msi -> {
                        if (gsi < reservedPins && (msi.data() & DATA_LEVEL_TRIGGERED) != 0) {
                            int vector = msi.data() & 0xFF;
                            levelVectors[vector >> 6] |= 1L << vector;
                        }
                    }
                }
            }
        }
    }

    /** The table of a full irqchip before another one is set: 0 to 15 to the PICs and the IOAPIC, 16 to 23 to the latter. */
    static GsiRoutes defaults() {
        List<IrqRoute> routes = new ArrayList<>();
        for (int gsi = 0; gsi < IoApic.PINS; gsi++) {
            routes.add(new IrqRoute.Irqchip(gsi, IrqRoute.IRQCHIP_IOAPIC, gsi));
            if (gsi < 2 * PIC_PINS) {
                int chip = gsi < PIC_PINS ? IrqRoute.IRQCHIP_PIC_MASTER : IrqRoute.IRQCHIP_PIC_SLAVE;
                routes.add(new IrqRoute.Irqchip(gsi, chip, gsi % PIC_PINS));
            }
        }
        return of(routes, 0, true);
    }

    /**
     * Checks and makes a table.
     *
     * @param routes the routes
     * @param reservedPins with a split irqchip, how many pins the IOAPIC outside has
     * @param chips whether there are PICs and an IOAPIC to lead to
     * @throws KvmException EINVAL as KVM_SET_GSI_ROUTING does
     */
    static GsiRoutes of(List<? extends IrqRoute> routes, int reservedPins, boolean chips) {
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
        IrqRoute[][] byGsi = new IrqRoute[size][];
        for (IrqRoute route : routes) {
            if (route instanceof IrqRoute.Irqchip chip) {
                checkPin(chip, chips);
            }
            int gsi = route.gsi();
            byGsi[gsi] = byGsi[gsi] == null ? new IrqRoute[] {route} : with(byGsi[gsi], route);
        }
        return new GsiRoutes(byGsi, reservedPins);
    }

    private static void checkPin(IrqRoute.Irqchip route, boolean chips) {
        if (!chips) {
            throw invalid("irqchip=" + route.irqchip() + " for gsi=" + route.gsi() + " (the irqchip is split)");
        }
        int pins = switch (route.irqchip()) {
            case IrqRoute.IRQCHIP_PIC_MASTER, IrqRoute.IRQCHIP_PIC_SLAVE -> PIC_PINS;
            case IrqRoute.IRQCHIP_IOAPIC -> IoApic.PINS;
            default -> throw invalid("irqchip=" + route.irqchip() + " for gsi=" + route.gsi());
        };
        if (route.pin() < 0 || route.pin() >= pins) {
            throw invalid("pin=" + route.pin() + " of irqchip=" + route.irqchip() + " (0 to " + (pins - 1) + ")");
        }
    }

    /** One interrupt leads to one pin of each chip, or to one message. */
    private static IrqRoute[] with(IrqRoute[] routes, IrqRoute more) {
        for (IrqRoute route : routes) {
            if (!(route instanceof IrqRoute.Irqchip a)
                    || !(more instanceof IrqRoute.Irqchip b)
                    || a.irqchip() == b.irqchip()) {
                throw invalid("gsi=" + more.gsi() + " (routed twice)");
            }
        }
        IrqRoute[] longer = Arrays.copyOf(routes, routes.length + 1);
        longer[routes.length] = more;
        return longer;
    }

    /** The routes of an interrupt; none where it leads nowhere. */
    IrqRoute[] get(int gsi) {
        return gsi >= 0 && gsi < byGsi.length && byGsi[gsi] != null ? byGsi[gsi] : NONE;
    }

    /** The interrupt that leads to a pin, or -1. */
    int gsiOf(int chip, int pin) {
        return gsiOfPin[chip][pin];
    }

    /** Whether the IOAPIC outside waits for the end of interrupts of a vector. */
    boolean isLevelVector(int vector) {
        return (levelVectors[vector >> 6] & 1L << vector) != 0;
    }

    private static KvmException invalid(String argument) {
        return new KvmException("KVM_SET_GSI_ROUTING", Errno.EINVAL, argument);
    }
}
