package org.softkvm.emulator.fuzz;

import java.util.ArrayList;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.TreeMap;
import org.softkvm.emulator.VirtualCpu;
import org.softkvm.emulator.cpu.Cpu;
import org.softkvm.emulator.cpu.GuestExit;
import org.softkvm.emulator.cpu.GuestFault;
import org.softkvm.emulator.decode.Decoder;
import org.softkvm.emulator.decode.Insn;

/** Which instructions an interpreter executes: one after another, each noted before it runs. */
final class LockstepTrace {
    private static final int LONGEST = 15;

    /**
     * An instruction.
     *
     * @param at physical address
     * @param length bytes
     * @param rip offset in CS
     * @param bytes it
     * @param branches whether it may go elsewhere
     * @param text its bytes and meaning
     * @param times how often it was begun
     * @param faults how often it led to a fault
     */
    record Line(int at, byte[] bytes, boolean branches, long rip, String text, int times, int faults) {
        @Override
        public String toString() {
            return String.format("%x: %s", rip, text)
                    + (times == 1 ? "" : ", " + times + " times")
                    + (faults == 0 ? "" : ", " + faults + " faults");
        }
    }

    private final Map<Integer, Line> lines = new LinkedHashMap<>();
    private final FuzzMachine machine;
    private final Decoder decoder;
    private int nops;
    private boolean begun;
    private long ripAfterNops;

    LockstepTrace(FuzzMachine machine, SplittableRandom random, long instructions) {
        this.machine = machine;
        VirtualCpu vcpu = machine.vcpu;
        decoder = new Decoder(vcpu.cpu());
        for (long end = vcpu.instructions() + instructions; vcpu.instructions() < end; ) {
            long faults = vcpu.faults();
            int at = place(vcpu.rip());
            Insn i = decoded(at, vcpu.rip());
            boolean nop = i == null ? at < 0 : isNop(at, i);
            begun |= !nop;
            if (!begun) {
                nops++;
                ripAfterNops = i == null ? vcpu.rip() : i.nextRip;
            }
            int exit = LockstepTest.step(machine, random, 1);
            boolean faulted = vcpu.faults() > faults;
            if (!nop) {
                add(at, i, faulted);
            }
            if (faulted) {
                begun = true;
                firstOfHandler();
            }
            if (exit != VirtualCpu.EXIT_INTR) {
                break;
            }
        }
    }

    /** NOPs that run before anything else. */
    int nopsAtBegin() {
        return lines.isEmpty() ? 0 : nops;
    }

    /** Where the first other instruction is. */
    long ripAfterNops() {
        return ripAfterNops;
    }

    /** What runs, without NOPs, in the order of the first time. */
    List<Line> lines() {
        return new ArrayList<>(lines.values());
    }

    /** The physical address of an instruction; -1 where it is not in RAM with room for the longest one. */
    private int place(long rip) {
        long physical = machine.vcpu.translate(machine.vcpu.segmentBase(Cpu.CS) + rip);
        return physical >= 0 && physical + LONGEST <= FuzzImage.SIZE ? (int) physical : -1;
    }

    private Insn decoded(int at, long rip) {
        if (at < 0) {
            return null;
        }
        try {
            return decoder.decode(rip);
        } catch (GuestFault | GuestExit e) {
            machine.vcpu.cpu().exit = 0;
            return null;
        }
    }

    private boolean isNop(int at, Insn i) {
        byte[] bytes = machine.read(at, i.length);
        int k = 0;
        while (k < bytes.length - 1 && bytes[k] == 0x3e) {
            k++;
        }
        return k == bytes.length - 1 && bytes[k] == (byte) 0x90;
    }

    /**
     * A fault was delivered and the first instruction behind it has run in the same step: a handler begins at a
     * multiple of 16.
     */
    private void firstOfHandler() {
        long rip = machine.vcpu.rip();
        int at = place(rip);
        int begin = at & -16;
        if (at > begin) {
            Insn i = decoded(begin, rip - (at - begin));
            if (i != null && !isNop(begin, i)) {
                add(begin, i, false);
            }
        }
    }

    private void add(int at, Insn i, boolean faulted) {
        if (at < 0) {
            return;
        }
        int length = i == null ? 1 : Math.min(i.length, LONGEST);
        Line before = lines.get(at);
        lines.put(
                at,
                new Line(
                        at,
                        machine.read(at, length),
                        i != null && i.op.mnemonic().matches("(j|call|loop|i?ret|int|sys).*"),
                        i == null ? machine.vcpu.rip() : i.rip,
                        text(at, i, length),
                        before == null ? 1 : before.times + 1,
                        (before == null ? 0 : before.faults) + (faulted ? 1 : 0)));
    }

    private String text(int at, Insn i, int length) {
        String bytes = HexFormat.ofDelimiter(" ").formatHex(machine.read(at, length));
        if (i == null) {
            return bytes + "  (faults when fetched)";
        }
        StringBuilder out = new StringBuilder(String.format("%-24s %s", bytes, i.op));
        if (i.op.operands().isEmpty()) {
            return out.toString().trim();
        }
        Map<String, Object> parts = new TreeMap<>();
        parts.put("reg", i.reg);
        parts.put("size", i.opSize);
        if (i.mem) {
            parts.put("mem", memory(i));
        } else {
            parts.put("rm", i.rm);
        }
        if (i.imm != 0) {
            parts.put("imm", Long.toHexString(i.imm));
        }
        return out.append(' ').append(parts).toString();
    }

    private static String memory(Insn i) {
        String base = i.base >= 16 ? "" : "r" + i.base + "+";
        String index = i.index >= 16 ? "" : "r" + i.index + "*" + (1 << i.scale) + "+";
        return "seg" + i.seg + ":" + base + index + Long.toHexString(i.disp & i.addrMask);
    }
}
