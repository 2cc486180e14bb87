package org.softkvm.vmm.pc;

import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.function.Consumer;
import org.softkvm.kvm.CpuidEntry;
import org.softkvm.kvm.KvmException;
import org.softkvm.kvm.RegisterId;
import org.softkvm.kvm.RegisterList;
import org.softkvm.kvm.Vcpu;
import org.softkvm.vmm.VmmException;
import org.softkvm.vmm.snapshot.RecordCodec;
import org.softkvm.vmm.snapshot.SnapshotReader;
import org.softkvm.vmm.snapshot.SnapshotWriter;

/** The state of a vcpu in a snapshot: what CPUID says, and all registers by id. No backend has registers of its own here. */
final class SavedCpu {
    private static final int MAX_CPUID = 256;
    private static final int MAX_REGISTERS = 4096;
    private static final int MSR_TSC = 0x10;
    private static final int MSR_TSC_DEADLINE = 0x6E0;
    private static final int MSR_FS_BASE = 0xC000_0100;
    private static final int MSR_GS_BASE = 0xC000_0101;
    private static final int LAPIC_CURRENT_COUNT = 0x390;
    private static final long TSC = RegisterId.msr(MSR_TSC);

    /** So many missing registers are named in a note. */
    private static final int NAMED = 8;

    private final List<CpuidEntry> cpuid;
    private final int tscKhz;
    private final OptionalLong tscOffset;
    private final long[] ids;
    private final long[] values;

    private SavedCpu(List<CpuidEntry> cpuid, int tscKhz, OptionalLong tscOffset, long[] ids, long[] values) {
        this.cpuid = cpuid;
        this.tscKhz = tscKhz;
        this.tscOffset = tscOffset;
        this.ids = ids;
        this.values = values;
    }

    // ---- Saving

    /** Takes the state of a vcpu that does not run and has no access open. */
    static SavedCpu of(Vcpu vcpu) throws VmmException {
        long[] ids = vcpu.registerList();
        RegisterList first = new RegisterList(ids);
        RegisterList second = new RegisterList(ids);
        OptionalLong offset = tscOffset(vcpu);
        if (vcpu.getManyRegs(first) < ids.length || vcpu.getManyRegs(second) < ids.length) {
            throw new VmmException("CPU " + vcpu.id() + ": the backend does not tell all its registers");
        }
        // A timer may expire meanwhile. Read before the interrupts it is not lost; at worst it comes twice.
        for (int n = 0; n < ids.length; n++) {
            if (isReadFirst(ids[n])) {
                second.values[n] = first.values[n];
            }
        }
        return new SavedCpu(vcpu.cpuid(), vcpu.tscKhz(), offset, ids, second.values);
    }

    private static boolean isReadFirst(long id) {
        return id == RegisterId.msr(MSR_TSC_DEADLINE)
                || id == RegisterId.lapic(LAPIC_CURRENT_COUNT)
                || RegisterId.type(id) == RegisterId.TYPE_EMULATOR;
    }

    private static OptionalLong tscOffset(Vcpu vcpu) {
        try {
            return OptionalLong.of(vcpu.getOneReg(RegisterId.EMULATOR_TSC_OFFSET));
        } catch (KvmException e) {
            // The backend has no such register.
            return OptionalLong.empty();
        }
    }

    void write(SnapshotWriter out) throws IOException {
        out.putInt(cpuid.size());
        for (CpuidEntry entry : cpuid) {
            RecordCodec.write(entry, out);
        }
        out.putInt(tscKhz);
        out.putByte(tscOffset.isPresent() ? 1 : 0);
        out.putLong(tscOffset.orElse(0));
        out.putInt(ids.length);
        for (int n = 0; n < ids.length; n++) {
            out.putLong(ids[n]);
            out.putLong(values[n]);
        }
    }

    static SavedCpu read(SnapshotReader in) throws VmmException {
        List<CpuidEntry> cpuid = new ArrayList<>();
        for (int left = in.getCount("CPUID leaves", MAX_CPUID); left > 0; left--) {
            cpuid.add(RecordCodec.read(CpuidEntry.class, in));
        }
        int tscKhz = in.getInt();
        boolean hasOffset = in.getFlag();
        long offset = in.getLong();
        int count = in.getCount("registers", MAX_REGISTERS);
        long[] ids = new long[count];
        long[] values = new long[count];
        for (int n = 0; n < count; n++) {
            ids[n] = in.getLong();
            values[n] = in.getLong();
        }
        return new SavedCpu(cpuid, tscKhz, hasOffset ? OptionalLong.of(offset) : OptionalLong.empty(), ids, values);
    }

    // ---- Restoring

    /**
     * Puts a vcpu, which has not run yet, into the state.
     *
     * @param notes told what the backend has not or does not take
     */
    void restore(Vcpu vcpu, Consumer<String> notes) throws VmmException {
        String cpu = "CPU " + vcpu.id() + ": ";
        if (!cpuid.equals(vcpu.cpuid())) {
            try {
                vcpu.setCpuid(cpuid);
            } catch (KvmException e) {
                notes.accept(cpu + "the guest sees this backend's CPUID, which it does not let be changed");
            }
        }
        setFrequency(vcpu, cpu, notes);
        Map<Long, Long> saved = new HashMap<>();
        for (int n = 0; n < ids.length; n++) {
            saved.put(ids[n], values[n]);
        }
        List<Long> common = new ArrayList<>();
        List<Long> unknown = new ArrayList<>();
        for (long id : vcpu.registerList()) {
            if (saved.containsKey(id)) {
                common.add(id);
            } else if (!isCarriedOtherwise(id)) {
                unknown.add(id);
            }
        }
        List<Long> missing = new ArrayList<>();
        for (long id : ids) {
            if (saved.get(id) != 0 && !common.contains(id) && !isCarriedOtherwise(id)) {
                missing.add(id);
            }
        }
        List<Long> refused = set(vcpu, common, saved);
        note(notes, cpu + "not there in this backend: ", missing);
        note(notes, cpu + "not in the snapshot, as after power-on: ", unknown);
        note(notes, cpu + "value not taken by this backend: ", refused);
    }

    /** What other registers say too, or what makes the difference of a nanosecond. */
    private static boolean isCarriedOtherwise(long id) {
        return RegisterId.type(id) == RegisterId.TYPE_EMULATOR
                || id == RegisterId.msr(MSR_FS_BASE)
                || id == RegisterId.msr(MSR_GS_BASE);
    }

    private void setFrequency(Vcpu vcpu, String cpu, Consumer<String> notes) {
        int here = vcpu.tscKhz();
        if (tscKhz != here) {
            try {
                vcpu.setTscKhz(tscKhz);
            } catch (KvmException e) {
                notes.accept(cpu + "the TSC ran at " + tscKhz + " kHz, and runs at " + here + " here");
                // A kernel that refuses a frequency may tell it all the same from then on.
                vcpu.setTscKhz(here);
            }
        }
    }

    /** A guest can go on without it: MSRs differ from CPU to CPU, and XSAVE's 64-bit form has no selectors. */
    private static boolean isOptional(long id) {
        return RegisterId.type(id) == RegisterId.TYPE_MSR || id == RegisterId.FCS || id == RegisterId.FDS;
    }

    /** Writes registers; returns those whose values are not taken. Most have to be. */
    private static List<Long> set(Vcpu vcpu, List<Long> registers, Map<Long, Long> values) throws VmmException {
        List<Long> left = new ArrayList<>(registers);
        List<Long> refused = new ArrayList<>();
        while (true) {
            RegisterList list =
                    new RegisterList(left.stream().mapToLong(Long::longValue).toArray());
            for (int n = 0; n < list.size(); n++) {
                list.values[n] = values.get(list.ids[n]);
            }
            int taken = vcpu.setManyRegs(list);
            if (taken == list.size()) {
                return refused;
            }
            long id = list.ids[taken];
            if (!isOptional(id)) {
                throw new VmmException("--restore: CPU " + vcpu.id() + ": the backend does not take " + name(id)
                        + " = 0x" + Long.toHexString(list.values[taken]));
            }
            refused.add(id);
            left.remove(taken);
        }
    }

    private static void note(Consumer<String> notes, String what, List<Long> registers) {
        if (registers.isEmpty()) {
            return;
        }
        StringBuilder text = new StringBuilder(what);
        for (int n = 0; n < Math.min(registers.size(), NAMED); n++) {
            text.append(n == 0 ? "" : ", ").append(name(registers.get(n)));
        }
        if (registers.size() > NAMED) {
            text.append(" and ").append(registers.size() - NAMED).append(" more");
        }
        notes.accept(text.toString());
    }

    private static String name(long id) {
        String index = Integer.toHexString(RegisterId.index(id));
        return switch (RegisterId.type(id)) {
            case RegisterId.TYPE_MSR -> "MSR 0x" + index;
            case RegisterId.TYPE_GPR -> "general register " + index;
            case RegisterId.TYPE_CONTROL -> "control register 0x" + index;
            case RegisterId.TYPE_LAPIC -> "local APIC register 0x" + index + "0";
            case RegisterId.TYPE_EMULATOR -> "emulator register " + index;
            case RegisterId.TYPE_X87 -> "x87 register 0x" + index;
            default -> "register 0x" + Long.toHexString(id);
        };
    }

    /**
     * Makes the counters of all vcpus agree as they did: they were written one after the other.
     *
     * @param cpus the states, which have been restored
     * @param vcpus the vcpus in the same order
     */
    static void alignCounters(List<SavedCpu> cpus, List<Vcpu> vcpus) {
        SavedCpu first = cpus.getFirst();
        for (int n = 1; n < cpus.size(); n++) {
            SavedCpu cpu = cpus.get(n);
            OptionalLong offset = tscOffset(vcpus.getFirst());
            long apart = 0;
            if (first.tscOffset.isPresent() && cpu.tscOffset.isPresent()) {
                apart = cpu.tscOffset.getAsLong() - first.tscOffset.getAsLong();
            } else {
                // Values read one after the other: less than a second apart they are the same counter.
                long ticks = cpu.value(TSC) - first.value(TSC);
                apart = Math.abs(ticks) < cpu.tscKhz * 1000L ? 0 : ticks;
            }
            if (offset.isPresent()) {
                vcpus.get(n).setOneReg(RegisterId.EMULATOR_TSC_OFFSET, offset.getAsLong() + apart);
            } else {
                // KVM takes the same value, written within a second, as a wish for the same counter.
                vcpus.get(n).setOneReg(TSC, first.value(TSC) + apart);
            }
        }
    }

    private long value(long id) {
        for (int n = 0; n < ids.length; n++) {
            if (ids[n] == id) {
                return values[n];
            }
        }
        return 0;
    }
}
