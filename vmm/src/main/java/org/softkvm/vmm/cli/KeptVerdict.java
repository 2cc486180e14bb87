package org.softkvm.vmm.cli;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileTime;
import java.time.Duration;
import java.time.InstantSource;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.softkvm.kvm.Kvm;
import org.softkvm.kvm.KvmProvider;
import org.softkvm.vmm.loader.PrivateFolder;

/**
 * A file of the user's cache folder that says that {@code --backend auto} passed /dev/kvm over, so that the next runs need
 * not probe it. That it was taken is not kept: nobody would notice that it has stopped to work.
 *
 * <p>The file holds for an hour, because a verdict about speed may come from a busy machine, and only for the boot of the
 * host, the device and the version of SoftKVM that it was made with. Nothing that goes wrong with it concerns the guest:
 * what cannot be read is probed, what cannot be written is not kept.
 */
final class KeptVerdict {
    /** Its name in the folder. */
    static final String NAME = "kvm-passed-over";

    /** How long it holds. */
    static final Duration HOLDS = Duration.ofHours(1);

    /** The first line, with the version of the format, and the last, which a file that was cut off does not have. */
    private static final String FIRST = "softkvm: /dev/kvm was passed over, format 1";

    private static final String LAST = "end";

    private static final int LINES = 7;

    /** A longer file is not one of ours, in bytes. */
    private static final int LONGEST = 4096;

    private final PrivateFolder folder;
    private final Path file;
    private final Host host;
    private final InstantSource clock;

    /**
     * What a verdict is about.
     *
     * @param device /dev/kvm
     * @param bootId the file with a random number for each boot of the host
     * @param version SoftKVM's
     */
    record Host(Path device, Path bootId, String version) {
        /** What they are now, as lines of the file. */
        private List<String> identity() throws IOException {
            Map<String, Object> now = Files.readAttributes(device, "unix:ino,ctime,rdev");
            String number = now.get("ino") + " " + now.get("rdev");
            String changed = Long.toString(((FileTime) now.get("ctime")).toMillis());
            return List.of(
                    version,
                    Files.readString(bootId).strip(),
                    number.concat(" ").concat(changed));
        }
    }

    KeptVerdict(Path folder, Host host, InstantSource clock) {
        this.folder = new PrivateFolder(folder);
        this.file = this.folder.path().resolve(NAME);
        this.host = host;
        this.clock = clock;
    }

    /** The one in a cache folder; empty where there is no /dev/kvm. */
    static Optional<KeptVerdict> in(Path folder) {
        Path device = Path.of("/dev/kvm");
        if (!Files.exists(device)) {
            return Optional.empty();
        }
        Host host = new Host(device, Path.of("/proc/sys/kernel/random/boot_id"), Main.version());
        return Optional.of(new KeptVerdict(folder, host, InstantSource.system()));
    }

    /** Whether auto would pass /dev/kvm over, as far as is known. */
    boolean holds() {
        try {
            if (!folder.isPrivate() || Files.size(file) > LONGEST) {
                return false;
            }
            List<String> lines = Files.readAllLines(file);
            if (lines.size() != LINES
                    || !lines.getFirst().equals(FIRST)
                    || !lines.getLast().equals(LAST)
                    || !lines.subList(1, 4).equals(host.identity())) {
                return false;
            }
            long age = clock.millis() - Long.parseLong(lines.get(4));
            return age >= 0 && age < HOLDS.toMillis();
        } catch (IOException | RuntimeException e) {
            // Missing, not text, no number, a system without such attributes.
            return false;
        }
    }

    /** Keeps what is known now about the backends of this process, which were probed. */
    void update() {
        String reason = null;
        for (KvmProvider provider : Kvm.providers()) {
            if (provider.name().equals("kvm") && provider.unavailableBecause() == null) {
                reason = provider.passedOverBecause();
            }
        }
        update(reason);
    }

    /**
     * Keeps a verdict.
     *
     * @param reason why /dev/kvm was passed over; null where it was not, or is not there
     */
    void update(String reason) {
        try {
            if (reason == null) {
                Files.deleteIfExists(file);
                return;
            }
            List<String> identity = host.identity();
            folder.create();
            if (!folder.isPrivate()) {
                return;
            }
            StringBuilder text = new StringBuilder(FIRST).append('\n');
            identity.forEach(line -> text.append(line).append('\n'));
            text.append(clock.millis()).append('\n');
            text.append(reason.replace('\n', ' ').replace('\r', ' ')).append('\n');
            text.append(LAST).append('\n');
            Path unfinished =
                    file.resolveSibling(NAME + "." + ProcessHandle.current().pid() + ".tmp");
            try (FileChannel out = FileChannel.open(
                    unfinished,
                    Set.of(StandardOpenOption.CREATE, StandardOpenOption.TRUNCATE_EXISTING, StandardOpenOption.WRITE),
                    folder.forFiles())) {
                out.write(ByteBuffer.wrap(text.toString().getBytes(StandardCharsets.UTF_8)));
            } catch (IOException e) {
                Files.deleteIfExists(unfinished);
                throw e;
            }
            PrivateFolder.finish(unfinished, file);
        } catch (IOException | RuntimeException e) {
            // The next run probes again.
        }
    }
}
