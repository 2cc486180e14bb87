package org.softkvm.vmm.loader;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileTime;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.Executor;
import java.util.zip.CRC32;
import java.util.zip.CRC32C;

/**
 * A folder of kernels that were unpacked before: reading one takes a twentieth of the time of unpacking it.
 *
 * <p>Nothing that goes wrong with it concerns the guest: what cannot be read is unpacked, what cannot be written is not
 * kept. Any number of processes may use a folder at the same time, because a file has its name only when it is complete,
 * and is compared and checked whenever it is read. A folder that others may write to is not used.
 */
public final class KernelCache {
    /** How many kernels are kept; the one that was not used for the longest time goes first. */
    static final int KEPT = 4;

    /** Smaller ones are unpacked as fast as they are read, in bytes. */
    static final int LEAST = 4 << 20;

    /** A file that is being written for so long belongs to a process that was killed. */
    private static final Duration STALE = Duration.ofHours(1);

    private static final String SUFFIX = ".kernel";
    private static final String UNFINISHED = ".kernel.tmp";

    private final PrivateFolder home;
    private final Path folder;
    private final Executor writer;

    /**
     * A cache whose files are written in the background.
     *
     * @param folder where they are; made when the first one is written
     */
    public KernelCache(Path folder) {
        this(folder, BackgroundWrite::start);
    }

    KernelCache(Path folder, Executor writer) {
        this.home = new PrivateFolder(folder);
        this.folder = home.path();
        this.writer = writer;
    }

    /** What a packed kernel unpacks to, if it is known. */
    Optional<byte[]> find(ByteBuffer packed) {
        try {
            if (!home.isPrivate()) {
                return Optional.empty();
            }
            Path file = folder.resolve(name(packed));
            Optional<byte[]> kernel = CachedKernel.read(file, packed);
            if (kernel.isPresent()) {
                touch(file);
            }
            return kernel;
        } catch (IOException e) {
            return Optional.empty();
        }
    }

    /** Keeps an unpacked kernel; neither it nor the packed one may change any more. */
    void keep(ByteBuffer packed, byte[] kernel) {
        if (kernel.length >= LEAST) {
            writer.execute(() -> write(packed, kernel));
        }
    }

    /** Says when it was used last, which another user's folder or a read-only one does not let us do. */
    private static void touch(Path file) {
        try {
            Files.setLastModifiedTime(file, FileTime.from(Instant.now()));
        } catch (IOException e) {
            // It goes sooner then.
        }
    }

    /**
     * A key: what has the same one is still told apart by its bytes. The JVM computes both sums in machine code from the
     * start, unlike cryptographic ones.
     */
    static String name(ByteBuffer packed) {
        CRC32C first = new CRC32C();
        first.update(packed.duplicate());
        CRC32 second = new CRC32();
        second.update(packed.duplicate());
        // No string expression: its first one takes the JVM 10 ms.
        return Long.toHexString(first.getValue() << 32 | second.getValue()).concat(SUFFIX);
    }

    private void write(ByteBuffer packed, byte[] kernel) {
        try {
            home.create();
            if (!home.isPrivate()) {
                return;
            }
            removeStale();
            Path unfinished = folder.resolve(ProcessHandle.current().pid() + "-" + System.nanoTime() + UNFINISHED);
            try (FileChannel out = FileChannel.open(
                    unfinished, Set.of(StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE), home.forFiles())) {
                CachedKernel.write(out, packed, kernel);
            } catch (IOException | RuntimeException | Error e) {
                Files.deleteIfExists(unfinished);
                throw e;
            }
            PrivateFolder.finish(unfinished, folder.resolve(name(packed)));
            removeUnused();
        } catch (IOException | RuntimeException | OutOfMemoryError e) {
            // A full disk, a read-only one, an end of the process: the kernel is unpacked again next time. Whatever it
            // was, a thread that ended by it would print a stack trace amid the guest's output.
        }
    }

    private void removeStale() throws IOException {
        Instant limit = Instant.now().minus(STALE);
        for (Entry entry : entries(UNFINISHED)) {
            if (entry.used.toInstant().isBefore(limit)) {
                Files.deleteIfExists(entry.file);
            }
        }
    }

    private void removeUnused() throws IOException {
        List<Entry> entries = entries(SUFFIX);
        for (int i = KEPT; i < entries.size(); i++) {
            Files.deleteIfExists(entries.get(i).file);
        }
    }

    /** A file of the folder, and when it was used last. */
    private record Entry(Path file, FileTime used) {}

    /** Our files with an ending, the last used one first. */
    private List<Entry> entries(String suffix) throws IOException {
        List<Entry> entries = new ArrayList<>();
        try (DirectoryStream<Path> files = Files.newDirectoryStream(folder, "*" + suffix)) {
            for (Path file : files) {
                try {
                    entries.add(new Entry(file, Files.getLastModifiedTime(file)));
                } catch (NoSuchFileException e) {
                    // Another process was faster.
                }
            }
        }
        entries.sort((a, b) -> b.used.compareTo(a.used));
        return entries;
    }
}
