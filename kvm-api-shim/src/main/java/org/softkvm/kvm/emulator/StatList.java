package org.softkvm.kvm.emulator;

import java.util.ArrayList;
import java.util.List;
import java.util.function.LongSupplier;
import org.softkvm.kvm.StatDescriptor;
import org.softkvm.kvm.Stats;

/** Statistics as a list of counters, each with its descriptor. */
final class StatList implements Stats {
    private static final int NANO = -9;

    private final String id;
    private final List<StatDescriptor> descriptors = new ArrayList<>();
    private final List<LongSupplier> sources = new ArrayList<>();

    StatList(String id) {
        this.id = id;
    }

    /** Adds a count of occurrences. */
    StatList count(String name, LongSupplier source) {
        return add(name, StatDescriptor.Type.CUMULATIVE, StatDescriptor.Unit.NONE, 0, source);
    }

    /** Adds a sum of nanoseconds. */
    StatList nanos(String name, LongSupplier source) {
        return add(name, StatDescriptor.Type.CUMULATIVE, StatDescriptor.Unit.SECONDS, NANO, source);
    }

    /** Adds a value of the moment. */
    StatList instant(String name, StatDescriptor.Unit unit, LongSupplier source) {
        return add(name, StatDescriptor.Type.INSTANT, unit, 0, source);
    }

    private StatList add(
            String name, StatDescriptor.Type type, StatDescriptor.Unit unit, int exponent, LongSupplier source) {
        descriptors.add(new StatDescriptor(name, type, unit, exponent, 1, descriptors.size(), 0));
        sources.add(source);
        return this;
    }

    @Override
    public String id() {
        return id;
    }

    @Override
    public List<StatDescriptor> descriptors() {
        return List.copyOf(descriptors);
    }

    @Override
    public void read(long[] values) {
        for (int i = 0; i < sources.size(); i++) {
            values[i] = sources.get(i).getAsLong();
        }
    }
}
