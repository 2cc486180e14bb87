package org.softkvm.vmm.snapshot;

import java.io.IOException;
import java.lang.reflect.Array;
import java.lang.reflect.Field;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Modifier;
import java.lang.reflect.RecordComponent;
import java.util.ArrayList;
import java.util.List;
import org.softkvm.vmm.VmmException;

/**
 * Writes the states of devices (records, and KVM's structures, which are objects with public fields) with the names of
 * their parts, and reads them again: a state whose parts have other names was saved by another version, and is refused.
 */
public final class RecordCodec {
    private static final int MAX_PARTS = 255;

    /** No state holds an array of more elements. */
    private static final int MAX_ELEMENTS = 1 << 20;

    private RecordCodec() {}

    /**
     * Writes a state.
     *
     * @param state a record of booleans, numbers of 32 and 64 bits, arrays of bytes and of these numbers, and records
     * @param out where it goes
     * @throws IOException if that fails
     */
    public static void write(Record state, SnapshotWriter out) throws IOException {
        RecordComponent[] parts = state.getClass().getRecordComponents();
        out.putByte(parts.length);
        for (RecordComponent part : parts) {
            out.putText(part.getName());
            try {
                writeValue(part.getType(), part.getAccessor().invoke(state), out);
            } catch (IllegalAccessException | InvocationTargetException e) {
                throw new IllegalArgumentException("cannot read " + part + " of " + state.getClass(), e);
            }
        }
    }

    /**
     * Reads a state.
     *
     * @param type the class of the record
     * @param in where it comes from
     * @return the state
     * @throws VmmException if the file holds something else
     */
    public static <S extends Record> S read(Class<S> type, SnapshotReader in) throws VmmException {
        RecordComponent[] parts = type.getRecordComponents();
        checkCount(parts.length, type, in);
        Class<?>[] types = new Class<?>[parts.length];
        Object[] values = new Object[parts.length];
        for (int i = 0; i < parts.length; i++) {
            types[i] = parts[i].getType();
            checkName(parts[i].getName(), type, in);
            values[i] = readValue(types[i], in);
        }
        try {
            return type.getDeclaredConstructor(types).newInstance(values);
        } catch (InvocationTargetException e) {
            throw in.damaged("a state of " + title(type) + " that cannot be");
        } catch (ReflectiveOperationException e) {
            throw new IllegalArgumentException("cannot make a " + type, e);
        }
    }

    /**
     * Writes one of KVM's structures.
     *
     * @param structure an object with public fields, of the types that a record may hold and arrays of such objects
     * @param out where it goes
     * @throws IOException if that fails
     */
    public static void writeFields(Object structure, SnapshotWriter out) throws IOException {
        List<Field> fields = fields(structure.getClass());
        out.putByte(fields.size());
        for (Field field : fields) {
            out.putText(field.getName());
            try {
                Object value = field.get(structure);
                if (value instanceof Object[] elements) {
                    out.putInt(elements.length);
                    for (Object element : elements) {
                        writeFields(element, out);
                    }
                } else {
                    writeValue(field.getType(), value, out);
                }
            } catch (IllegalAccessException e) {
                throw new IllegalArgumentException("cannot read " + field, e);
            }
        }
    }

    /**
     * Reads one of KVM's structures.
     *
     * @param structure the object that is filled
     * @param in where it comes from
     * @throws VmmException if the file holds something else
     */
    public static void readFields(Object structure, SnapshotReader in) throws VmmException {
        Class<?> type = structure.getClass();
        List<Field> fields = fields(type);
        checkCount(fields.size(), type, in);
        for (Field field : fields) {
            checkName(field.getName(), type, in);
            try {
                if (field.get(structure) instanceof Object[] elements) {
                    if (in.getInt() != elements.length) {
                        throw in.damaged("a state of " + title(type) + " with another number of parts");
                    }
                    for (Object element : elements) {
                        readFields(element, in);
                    }
                } else if (field.getType().isArray()) {
                    Object value = readValue(field.getType(), in);
                    Object target = field.get(structure);
                    if (Array.getLength(value) != Array.getLength(target)) {
                        throw in.damaged("a state of " + title(type) + " with another number of parts");
                    }
                    System.arraycopy(value, 0, target, 0, Array.getLength(target));
                } else {
                    field.set(structure, readValue(field.getType(), in));
                }
            } catch (IllegalAccessException e) {
                throw new IllegalArgumentException("cannot set " + field, e);
            }
        }
    }

    private static List<Field> fields(Class<?> type) {
        List<Field> fields = new ArrayList<>();
        for (Field field : type.getFields()) {
            if (!Modifier.isStatic(field.getModifiers())) {
                fields.add(field);
            }
        }
        // Reflection promises no order.
        fields.sort((a, b) -> a.getName().compareTo(b.getName()));
        return fields;
    }

    private static String title(Class<?> type) {
        return type.getName().substring(type.getPackageName().length() + 1);
    }

    private static void checkCount(int expected, Class<?> type, SnapshotReader in) throws VmmException {
        int count = in.getByte();
        if (count != expected || count > MAX_PARTS) {
            throw in.damaged("a state of " + title(type) + " of another version: " + count + " parts");
        }
    }

    private static void checkName(String expected, Class<?> type, SnapshotReader in) throws VmmException {
        if (!in.getText("the name of a part").equals(expected)) {
            throw in.damaged("a state of " + title(type) + " of another version: no " + expected);
        }
    }

    private static void writeValue(Class<?> type, Object value, SnapshotWriter out) throws IOException {
        if (type == boolean.class) {
            out.putByte((boolean) value ? 1 : 0);
        } else if (type == int.class) {
            out.putInt((int) value);
        } else if (type == long.class) {
            out.putLong((long) value);
        } else if (type == byte[].class) {
            out.putBytes((byte[]) value);
        } else if (type == int[].class) {
            out.putInt(((int[]) value).length);
            for (int element : (int[]) value) {
                out.putInt(element);
            }
        } else if (type == long[].class) {
            out.putInt(((long[]) value).length);
            for (long element : (long[]) value) {
                out.putLong(element);
            }
        } else if (type.isRecord()) {
            write((Record) value, out);
        } else {
            throw new IllegalArgumentException("no part of a state: " + type);
        }
    }

    private static Object readValue(Class<?> type, SnapshotReader in) throws VmmException {
        if (type == boolean.class) {
            return in.getFlag();
        } else if (type == int.class) {
            return in.getInt();
        } else if (type == long.class) {
            return in.getLong();
        } else if (type == byte[].class) {
            return in.getBytes("a state", MAX_ELEMENTS);
        } else if (type == int[].class) {
            int[] array = new int[in.getCount("elements of an array", MAX_ELEMENTS)];
            for (int i = 0; i < array.length; i++) {
                array[i] = in.getInt();
            }
            return array;
        } else if (type == long[].class) {
            long[] array = new long[in.getCount("elements of an array", MAX_ELEMENTS)];
            for (int i = 0; i < array.length; i++) {
                array[i] = in.getLong();
            }
            return array;
        } else if (type.isRecord()) {
            return read(type.asSubclass(Record.class), in);
        }
        throw new IllegalArgumentException("no part of a state: " + type);
    }
}
