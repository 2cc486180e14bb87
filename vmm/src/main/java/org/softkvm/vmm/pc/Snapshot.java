package org.softkvm.vmm.pc;

import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.channels.Channels;
import java.nio.channels.FileChannel;
import java.nio.file.AccessDeniedException;
import java.nio.file.AtomicMoveNotSupportedException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.softkvm.kvm.Vm;
import org.softkvm.vmm.VmmException;
import org.softkvm.vmm.loader.GuestRam;
import org.softkvm.vmm.loader.RamLayout;
import org.softkvm.vmm.snapshot.SnapshotReader;
import org.softkvm.vmm.snapshot.SnapshotWriter;

/** The states of a machine's parts, taken while it stands still. Its memory stays where it is until it is written. */
final class Snapshot {
    private static final int PAGE = 4096;

    /** Pages that are looked at together. */
    private static final int GROUP = 256;

    private final PcConfig config;
    private final String backend;
    private final byte[] rom;
    private final SavedChips chips;
    private final List<SavedCpu> cpus;
    private final Turns.Place place;
    private final SavedBoard board;

    private Snapshot(
            PcConfig config,
            String backend,
            byte[] rom,
            SavedChips chips,
            List<SavedCpu> cpus,
            Turns.Place place,
            SavedBoard board) {
        this.config = config;
        this.backend = backend;
        this.rom = rom;
        this.chips = chips;
        this.cpus = cpus;
        this.place = place;
        this.board = board;
    }

    /**
     * Takes the states. The chips come first and the CPUs last: what happens meanwhile in the backend, whose timers run
     * on, is then in the state of a CPU, or happens again, but is not lost.
     */
    static Snapshot of(PcConfig config, String backend, byte[] rom, Vm vm, Cpus cpus, Board board) throws VmmException {
        board.lock().lock();
        try {
            SavedBoard savedBoard = board.save();
            SavedChips chips = SavedChips.of(vm, config);
            return new Snapshot(config, backend, rom, chips, cpus.save(), cpus.place(), savedBoard);
        } finally {
            board.lock().unlock();
        }
    }

    // ---- Writing

    /** Writes the file: under another name first, so that a file of its name is always whole. */
    void write(Path file, SaveProgress progress, Vm vm, GuestRam ram) throws VmmException {
        Path target = file.toAbsolutePath();
        Path folder = target.getParent();
        Path temporary = null;
        try {
            temporary = Files.createTempFile(folder, "." + target.getFileName(), ".tmp");
            try (FileChannel channel = FileChannel.open(temporary, StandardOpenOption.WRITE);
                    OutputStream out = new BufferedOutputStream(Channels.newOutputStream(channel), 1 << 16)) {
                write(new SnapshotWriter(out), progress, vm, ram);
                out.flush();
                channel.force(true);
            }
            try {
                Files.move(temporary, target, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
            } catch (AtomicMoveNotSupportedException e) {
                Files.move(temporary, target, StandardCopyOption.REPLACE_EXISTING);
            }
        } catch (IOException e) {
            throw new VmmException("--save: " + file + ": cannot be written: " + why(e), e);
        } finally {
            delete(temporary);
        }
    }

    private static String why(IOException e) {
        return switch (e) {
            case NoSuchFileException missing -> "no such folder";
            case AccessDeniedException denied -> "permission denied";
            default -> e.getMessage();
        };
    }

    private static void delete(Path temporary) {
        if (temporary != null) {
            try {
                Files.deleteIfExists(temporary);
            } catch (IOException e) {
                // What went wrong before is what counts.
            }
        }
    }

    private void write(SnapshotWriter out, SaveProgress progress, Vm vm, GuestRam ram) throws IOException {
        progress.at(0, ram.all().byteSize());
        SavedPc.write(config, backend, rom, out);
        chips.write(out);
        for (SavedCpu cpu : cpus) {
            cpu.write(out);
        }
        out.putInt(place.cpu());
        out.putLong(place.left());
        out.putByte(place.ran() ? 1 : 0);
        board.write(out);
        writeMemory(out, progress, vm, ram.all());
        out.end();
    }

    /** Runs of pages that are not all zeros: the number of the first, how many, and their bytes; at the end 0 pages. */
    private static void writeMemory(SnapshotWriter out, SaveProgress progress, Vm vm, MemorySegment memory)
            throws IOException {
        byte[] group = new byte[GROUP * PAGE];
        byte[] zeros = new byte[PAGE];
        for (long start = 0; start < memory.byteSize(); start += group.length) {
            int size = (int) Math.min(group.length, memory.byteSize() - start);
            byte[] bytes = size == group.length ? group : new byte[size];
            vm.copyMemory(memory.asSlice(start, size), bytes);
            int page = 0;
            while (page * PAGE < size) {
                int end = page;
                while (end * PAGE < size && !isZero(bytes, end, zeros)) {
                    end++;
                }
                if (end > page) {
                    out.putLong(start / PAGE + page);
                    out.putInt(end - page);
                    out.putRaw(bytes, page * PAGE, (end - page) * PAGE);
                }
                page = Math.max(end, page + 1);
            }
            progress.at(start + size, memory.byteSize());
        }
        out.putLong(0);
        out.putInt(0);
    }

    private static boolean isZero(byte[] bytes, int page, byte[] zeros) {
        return Arrays.equals(bytes, page * PAGE, (page + 1) * PAGE, zeros, 0, PAGE);
    }

    // ---- Reading

    /** Reads what stands before the board. */
    static Restoring begin(SnapshotReader in, PcConfig config) throws VmmException {
        SavedChips chips = SavedChips.read(in, config);
        List<SavedCpu> cpus = new ArrayList<>();
        for (int n = 0; n < config.cpus(); n++) {
            cpus.add(SavedCpu.read(in));
        }
        Turns.Place place = new Turns.Place(in.getInt(), in.getLong(), in.getFlag());
        if (place.cpu() < 0 || place.cpu() >= config.cpus() || place.left() < 0) {
            throw in.damaged("a turn of no CPU");
        }
        return new Restoring(in, chips, cpus, place);
    }

    /** A machine on its way back. */
    record Restoring(SnapshotReader in, SavedChips chips, List<SavedCpu> cpus, Turns.Place place) {
        /**
         * Reads the rest and puts it all into a machine that was just built.
         *
         * <p>The guest's clocks write records into its memory when they are set. On the host's clock they have to, since
         * the time between TSC and clock is a little other than it was; under the virtual clock nothing has changed, so
         * memory comes last and the records are what they were.
         *
         * @param notes told what the backend cannot take over
         */
        void finish(PcConfig config, Vm vm, GuestRam ram, Cpus machine, Board board, List<String> notes)
                throws VmmException {
            SavedBoard saved = SavedBoard.read(in, board.types());
            if (config.virtualClock()) {
                states(vm, machine, notes);
                readMemory(vm, ram);
            } else {
                readMemory(vm, ram);
                chips.restoreClock(vm);
                states(vm, machine, notes);
            }
            board.lock().lock();
            try {
                board.restore(saved);
            } catch (IllegalArgumentException e) {
                throw in.damaged(e.getMessage());
            } finally {
                board.lock().unlock();
            }
        }

        private void states(Vm vm, Cpus machine, List<String> notes) throws VmmException {
            machine.restore(cpus, place, notes::add);
            chips.restoreClock(vm);
            chips.restore(vm);
        }

        private void readMemory(Vm vm, GuestRam ram) throws VmmException {
            MemorySegment memory = ram.all();
            long pages = memory.byteSize() / PAGE;
            byte[] bytes = new byte[GROUP * PAGE];
            long next = 0;
            while (true) {
                long first = in.getLong();
                int count = in.getCount("pages in a run", GROUP);
                if (count == 0) {
                    break;
                }
                if (first < next || first > pages - count) {
                    throw in.damaged("page " + Long.toUnsignedString(first) + " where it cannot be");
                }
                in.getRaw(bytes, 0, count * PAGE);
                MemorySegment.copy(bytes, 0, memory, ValueLayout.JAVA_BYTE, first * PAGE, count * PAGE);
                next = first + count;
            }
            in.end();
            vm.memoryWritten(0, ram.layout().lowSize());
            vm.memoryWritten(RamLayout.HIGH_START, ram.layout().highSize());
        }
    }
}
