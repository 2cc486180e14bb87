package org.softkvm.devices;

import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.RecordComponent;
import java.util.List;

/**
 * A 64-bit digest of the states of devices, equal for equal states in every process and on every host. Not
 * cryptographic: it tells apart runs that went different ways.
 */
public final class StateHash {
    private static final long MULTIPLIER = 0x9E37_79B9_7F4A_7C15L;

    private long value = 1;

    /** Creates a digest of nothing. */
    public StateHash() {}

    /**
     * Adds a number.
     *
     * @param number any number
     */
    public void add(long number) {
        long mixed = (value ^ number) * MULTIPLIER;
        value = mixed ^ mixed >>> 29;
    }

    /**
     * Adds a text.
     *
     * @param text any text
     */
    public void add(String text) {
        add(text.length());
        for (int i = 0; i < text.length(); i++) {
            add(text.charAt(i));
        }
    }

    /**
     * Adds a device's state with all that it holds.
     *
     * @param state a record as {@link StatefulDevice} describes it: of primitives, texts, enum constants, and arrays,
     *     records and lists of the same
     * @throws IllegalArgumentException for a state that holds something else
     */
    public void add(Record state) {
        RecordComponent[] components = state.getClass().getRecordComponents();
        add(components.length);
        for (RecordComponent component : components) {
            try {
                component.getAccessor().setAccessible(true);
                addObject(component.getAccessor().invoke(state));
            } catch (IllegalAccessException | InvocationTargetException e) {
                throw new IllegalArgumentException("cannot read " + component + " of " + state.getClass(), e);
            }
        }
    }

    private void addObject(Object object) {
        switch (object) {
            case null -> add(-1);
            case Record nested -> add(nested);
            case Boolean flag -> add(flag ? 1 : 0);
            case Character character -> add(character);
            case Double number -> add(Double.doubleToRawLongBits(number));
            case Float number -> add(Float.floatToRawIntBits(number));
            case Number number -> add(number.longValue());
            case Enum<?> constant -> add(constant.ordinal());
            case String text -> add(text);
            case List<?> list -> addAll(list.toArray());
            case Object[] array -> addAll(array);
            case long[] array -> {
                add(array.length);
                for (long element : array) {
                    add(element);
                }
            }
            case int[] array -> {
                add(array.length);
                for (int element : array) {
                    add(element);
                }
            }
            case byte[] array -> {
                add(array.length);
                for (byte element : array) {
                    add(element);
                }
            }
            case short[] array -> {
                add(array.length);
                for (short element : array) {
                    add(element);
                }
            }
            case boolean[] array -> {
                add(array.length);
                for (boolean element : array) {
                    add(element ? 1 : 0);
                }
            }
            default -> throw new IllegalArgumentException("no part of a device's state: " + object.getClass());
        }
    }

    private void addAll(Object[] array) {
        add(array.length);
        for (Object element : array) {
            addObject(element);
        }
    }

    /**
     * The digest of all that was added, in its order.
     *
     * @return the digest
     */
    public long value() {
        long mixed = (value ^ value >>> 32) * MULTIPLIER;
        return mixed ^ mixed >>> 32;
    }
}
