package org.softkvm.testroms.differential;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Predicate;

/**
 * Makes a program that shows something as small as it gets: delta debugging over its items and their instructions, and
 * then over the values it begins with.
 */
final class Shrinker {
    /** Runs at most, so that a difference is reported within seconds. */
    private static final int MOST = 3_000;

    private final Predicate<Program> shows;
    private int tries;

    private Shrinker(Predicate<Program> shows) {
        this.shows = shows;
    }

    /**
     * Shrinks a program.
     *
     * @param program a program that shows it
     * @param shows whether one does
     */
    static Program shrink(Program program, Predicate<Program> shows) {
        Shrinker shrinker = new Shrinker(shows);
        Program before;
        Program now = program;
        do {
            before = now;
            now = shrinker.items(now);
            now = shrinker.structure(now);
            now = shrinker.instructions(now);
        } while (!now.equals(before) && now.items() != before.items());
        return shrinker.values(now);
    }

    private boolean shows(Program program) {
        if (tries >= MOST) {
            return false;
        }
        tries++;
        try {
            return shows.test(program);
        } catch (IllegalArgumentException e) {
            // It cannot be assembled.
            return false;
        }
    }

    /** Leaves out parts of the list, from halves to single items. */
    private Program items(Program program) {
        Program now = program;
        for (int chunk = Math.max(1, now.items().size() / 2); ; chunk /= 2) {
            for (int from = 0; from < now.items().size(); ) {
                List<Item> rest = new ArrayList<>(now.items());
                rest.subList(from, Math.min(rest.size(), from + chunk)).clear();
                Program smaller = now.with(List.copyOf(rest));
                if (shows(smaller)) {
                    now = smaller;
                } else {
                    from += chunk;
                }
            }
            if (chunk == 1) {
                return now;
            }
        }
    }

    /** Puts bodies in the place of loops and calls, makes loops shorter, and shrinks bodies. */
    private Program structure(Program program) {
        Program now = program;
        for (int n = 0; n < now.items().size(); n++) {
            List<Item> body = switch (now.items().get(n)) {
                case Item.Loop loop -> loop.body();
                case Item.Call call -> call.body();
                default -> null;
            };
            if (body == null) {
                continue;
            }
            Program flat = replace(now, n, body);
            if (shows(flat)) {
                now = flat;
                continue;
            }
            if (now.items().get(n) instanceof Item.Loop loop && loop.count() > 2) {
                Program twice = replace(now, n, List.of(new Item.Loop(2, loop.body())));
                if (shows(twice)) {
                    now = twice;
                }
            }
            for (int k = body.size() - 1; k >= 0 && body.size() > 1; k--) {
                List<Item> rest = new ArrayList<>(body);
                rest.remove(k);
                Item smaller = now.items().get(n) instanceof Item.Loop loop
                        ? new Item.Loop(loop.count(), List.copyOf(rest))
                        : new Item.Call(
                                List.copyOf(rest), ((Item.Call) now.items().get(n)).byRegister());
                Program candidate = replace(now, n, List.of(smaller));
                if (shows(candidate)) {
                    now = candidate;
                    body = List.copyOf(rest);
                }
            }
        }
        return now;
    }

    private static Program replace(Program program, int n, List<Item> by) {
        List<Item> items = new ArrayList<>(program.items());
        items.remove(n);
        items.addAll(n, by);
        return program.with(List.copyOf(items));
    }

    /** Leaves out instructions of items. */
    private Program instructions(Program program) {
        Program now = program;
        for (int n = 0; n < now.items().size(); n++) {
            if (now.items().get(n) instanceof Item.Plain plain) {
                for (int k = plain.insns().size() - 1; k >= 0 && plain.insns().size() > 1; k--) {
                    List<Insn> rest = new ArrayList<>(plain.insns());
                    rest.remove(k);
                    Item.Plain smaller = new Item.Plain(plain.form(), List.copyOf(rest));
                    Program candidate = replace(now, n, List.of(smaller));
                    if (shows(candidate)) {
                        now = candidate;
                        plain = smaller;
                    }
                }
            }
        }
        return now;
    }

    /** Replaces values of the beginning by 0, or by the low part of theirs. */
    private Program values(Program program) {
        Program now = program;
        if (now.memory() != 0) {
            now = keep(now, new Program(now.mode(), now.items(), now.registers(), now.flags(), now.xmm(), 0));
        }
        now = keep(
                now,
                new Program(now.mode(), now.items(), now.registers(), now.flags() & 0x3002, now.xmm(), now.memory()));
        now = keep(now, new Program(now.mode(), now.items(), now.registers(), now.flags(), new long[32], now.memory()));
        for (int n = 0; n < 16; n++) {
            for (long mask : new long[] {0, 0xFF, 0xFFFF, 0xFFFF_FFFFL}) {
                if ((now.registers()[n] & mask) != now.registers()[n]) {
                    long[] registers = now.registers().clone();
                    registers[n] &= mask;
                    now = keep(
                            now, new Program(now.mode(), now.items(), registers, now.flags(), now.xmm(), now.memory()));
                }
            }
        }
        for (int n = 0; n < 32; n++) {
            if (now.xmm()[n] != 0) {
                long[] xmm = now.xmm().clone();
                xmm[n] = 0;
                now = keep(now, new Program(now.mode(), now.items(), now.registers(), now.flags(), xmm, now.memory()));
            }
        }
        return now;
    }

    private Program keep(Program now, Program smaller) {
        return shows(smaller) ? smaller : now;
    }
}
