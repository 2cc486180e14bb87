package org.softkvm.testroms.differential;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;

/**
 * A program in memory. Flags that the manual leaves undefined never reach anything that is compared: they are masked
 * wherever a state is taken, and an instruction that reads them, may fault or branches has a comparison put before it,
 * which defines them all.
 */
final class Image {
    /**
     * One instruction.
     *
     * @param address where it lies
     * @param insn the instruction
     * @param undefined flags that are not defined in front of it
     * @param item the item it belongs to; null for what the assembler adds
     * @param depth calls around it
     */
    record Line(int address, Insn insn, int undefined, Item.Plain item, int depth) {}

    private static final String[] CONDITIONS = {
        "o", "no", "b", "ae", "e", "ne", "be", "a", "s", "ns", "p", "np", "l", "ge", "le", "g"
    };

    final Mode mode;
    private final ByteArrayOutputStream code = new ByteArrayOutputStream();
    private final List<Line> lines = new ArrayList<>();
    /** The line at each offset, or null. */
    private final Line[] at;
    /** The line that ends at each offset, or null. */
    private final Line[] ends;

    private int undefined;
    private int depth;
    /** Where the program ends: a UD2. */
    final int end;

    Image(Program program) {
        mode = program.mode();
        list(program.items());
        settle();
        end = here();
        add(new Insn(new byte[] {0x0F, 0x0B}, "ud2 ; the end", 0, 0, 0, true), null);
        if (code.size() > Layout.CODE_END - Layout.CODE) {
            throw new IllegalArgumentException("the program is too long");
        }
        at = new Line[code.size()];
        ends = new Line[code.size() + 1];
        for (Line line : lines) {
            at[line.address - Layout.CODE] = line;
            ends[line.address - Layout.CODE + line.insn.code().length] = line;
        }
    }

    byte[] bytes() {
        return code.toByteArray();
    }

    int size() {
        return code.size();
    }

    /** The instruction at an address, or null. */
    Line line(long address) {
        long offset = address - Layout.CODE;
        return offset < 0 || offset >= at.length ? null : at[(int) offset];
    }

    /** Where the program goes on after an exception in an item, -1 where it cannot. */
    int behind(Line line) {
        if (line == null) {
            return -1;
        }
        int n = lines.indexOf(line);
        while (n < lines.size() && lines.get(n).item == line.item && line.item != null) {
            n++;
        }
        return n == lines.size() || line.item == null ? -1 : lines.get(n).address;
    }

    /** The instruction that ends at an address, or null. */
    Line before(long address) {
        long offset = address - Layout.CODE;
        return offset < 0 || offset >= ends.length ? null : ends[(int) offset];
    }

    List<Line> lines() {
        return lines;
    }

    private int here() {
        return Layout.CODE + code.size();
    }

    private void add(Insn insn, Item.Plain item) {
        if ((insn.reads() & undefined) != 0 || insn.faults() && undefined != 0) {
            settle();
        }
        lines.add(new Line(here(), insn, undefined, item, depth));
        code.writeBytes(insn.code());
        undefined = undefined & ~insn.defines() | insn.undefined();
    }

    /** Defines all flags; neither the comparison nor its flags depend on anything but AL. */
    private void settle() {
        if (undefined != 0) {
            lines.add(new Line(here(), Insn.of(new byte[] {0x3C, 0x35}, "cmp al,0x35"), undefined, null, depth));
            code.writeBytes(new byte[] {0x3C, 0x35});
            undefined = 0;
        }
    }

    private void list(List<Item> items) {
        // Where jumps over the items that follow lead, by the number of the item.
        List<int[]> open = new ArrayList<>();
        for (int n = 0; n < items.size(); n++) {
            land(open, n);
            switch (items.get(n)) {
                case Item.Plain plain -> plain.insns().forEach(insn -> add(insn, plain));
                case Item.Loop loop -> loop(loop);
                case Item.Call call -> call(call);
                case Item.Skip skip -> {
                    if (n + 1 < items.size()) {
                        open.add(new int[] {Math.min(items.size(), n + 1 + skip.over()), jump(skip)});
                    }
                }
            }
        }
        land(open, items.size());
    }

    private void land(List<int[]> open, int n) {
        for (int[] jump : open) {
            if (jump[0] == n) {
                settle();
                fix(jump[1], here());
            }
        }
        open.removeIf(jump -> jump[0] == n);
    }

    private void loop(Item.Loop loop) {
        byte[] load = immediateMove(5, loop.count());
        settle();
        add(Insn.of(load, "mov " + register(5) + "," + loop.count()), null);
        int begin = here();
        list(loop.body());
        settle();
        byte[] decrement = mode.bits == 64 ? hex("48 FF CD") : hex("4D");
        add(Insn.of(decrement, "dec " + register(5)).flags(Insn.ALL & ~Insn.CF, 0), null);
        jumpTo(5, begin);
    }

    private void call(Item.Call call) {
        settle();
        int target;
        if (call.byRegister()) {
            target = number(immediateMove(0, 0), "mov " + register(0));
            add(Insn.of(hex("FF D0"), "call " + register(0)), null);
        } else {
            target = number(mode.bits == 16 ? hex("E8 00 00") : hex("E8 00 00 00 00"), "call");
        }
        int over = number(mode.bits == 16 ? hex("E9 00 00") : hex("E9 00 00 00 00"), "jmp");
        fix(target, here());
        depth++;
        list(call.body());
        settle();
        add(Insn.of(hex("C3"), "ret"), null);
        depth--;
        fix(over, here());
    }

    /** Emits a jump whose target is not yet known. */
    private int jump(Item.Skip skip) {
        settle();
        if (skip.condition() == Item.Skip.ALWAYS) {
            return number(mode.bits == 16 ? hex("E9 00 00") : hex("E9 00 00 00 00"), "jmp");
        }
        if (skip.condition() == Item.Skip.BY_REGISTER) {
            int n = number(immediateMove(6, 0), "mov " + register(6));
            add(Insn.of(hex("FF E6"), "jmp " + register(6)), null);
            return n;
        }
        byte[] form = mode.bits == 16 ? hex("0F 80 00 00") : hex("0F 80 00 00 00 00");
        form[1] |= (byte) skip.condition();
        return number(form, "j" + CONDITIONS[skip.condition()]);
    }

    private void jumpTo(int condition, int target) {
        byte[] form = mode.bits == 16 ? hex("0F 80 00 00") : hex("0F 80 00 00 00 00");
        form[1] |= (byte) condition;
        fix(number(form, "j" + CONDITIONS[condition]), target);
    }

    /** Emits an instruction that ends in a number to be known later; the line's index. */
    private int number(byte[] form, String text) {
        add(Insn.of(form, text), null);
        return lines.size() - 1;
    }

    private void fix(int index, int target) {
        Line line = lines.get(index);
        byte[] form = line.insn.code();
        boolean relative = !line.insn.text().startsWith("mov");
        int length = mode.bits == 16 ? 2 : 4;
        int value = relative ? target - line.address - form.length : target;
        ByteBuffer bytes = ByteBuffer.wrap(form).order(ByteOrder.LITTLE_ENDIAN);
        if (length == 2) {
            bytes.putShort(form.length - 2, (short) value);
        } else {
            bytes.putInt(form.length - 4, value);
        }
        Insn fixed = new Insn(
                form,
                line.insn.text() + (relative ? " " : ",") + "0x" + Integer.toHexString(target),
                line.insn.reads(),
                line.insn.defines(),
                line.insn.undefined(),
                line.insn.faults());
        lines.set(index, new Line(line.address, fixed, line.undefined, line.item, line.depth));
        byte[] all = code.toByteArray();
        System.arraycopy(form, 0, all, line.address - Layout.CODE, form.length);
        code.reset();
        code.writeBytes(all);
    }

    private byte[] immediateMove(int register, int value) {
        ByteBuffer bytes = ByteBuffer.allocate(mode.bits == 16 ? 3 : 5).order(ByteOrder.LITTLE_ENDIAN);
        bytes.put((byte) (0xB8 + register));
        if (mode.bits == 16) {
            bytes.putShort((short) value);
        } else {
            bytes.putInt(value);
        }
        return bytes.array();
    }

    /** Names a register as wide as moves of addresses are. */
    private String register(int n) {
        String name = Encoder.REGISTERS[n];
        return mode.bits == 16 ? name : "e" + name;
    }

    private static byte[] hex(String digits) {
        return HexFormat.of().parseHex(digits.replace(" ", ""));
    }

    /** The program as assembly, an instruction a line. */
    String listing() {
        StringBuilder out = new StringBuilder();
        for (Line line : lines) {
            out.append(String.format(
                    "  %04x  %-32s  %s%n",
                    line.address, HexFormat.ofDelimiter(" ").formatHex(line.insn.code()), line.insn.text()));
        }
        return out.toString();
    }
}
