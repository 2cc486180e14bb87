package org.softkvm.vmm;

import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Objects;

/**
 * A file handed to the guest (image, kernel, initrd, module), read whole.
 *
 * @param name what to call it in messages and on multiboot command lines, usually the path as the user gave it
 * @param data its content; not copied, must not be changed
 */
@SuppressWarnings("ArrayRecordComponent")
public record GuestFile(String name, byte[] data) {
    /** Largest file that is read into memory, in bytes. */
    static final long MAX_SIZE = 1L << 30;

    /** Checks that nothing is null. */
    public GuestFile {
        Objects.requireNonNull(name, "name");
        Objects.requireNonNull(data, "data");
    }

    /**
     * Reads a file of the host.
     *
     * @param path the file
     * @return its content under its path as given
     * @throws VmmException if it is missing, a directory, unreadable, empty or larger than 1 GiB
     */
    public static GuestFile read(Path path) throws VmmException {
        String name = path.toString();
        try {
            if (Files.isDirectory(path)) {
                throw new VmmException(name + ": is a directory");
            }
            if (Files.exists(path) && !Files.isRegularFile(path)) {
                throw new VmmException(name + ": is not a regular file");
            }
            long size = Files.size(path);
            if (size == 0) {
                throw new VmmException(name + ": is empty");
            }
            if (size > MAX_SIZE) {
                throw new VmmException(name + ": " + size + " bytes is more than the 1 GiB that can be loaded");
            }
            return new GuestFile(name, Files.readAllBytes(path));
        } catch (NoSuchFileException e) {
            throw new VmmException(name + ": no such file", e);
        } catch (AccessDeniedException e) {
            throw new VmmException(name + ": permission denied", e);
        } catch (IOException e) {
            throw new VmmException(name + ": cannot be read: " + e.getMessage(), e);
        }
    }
}
