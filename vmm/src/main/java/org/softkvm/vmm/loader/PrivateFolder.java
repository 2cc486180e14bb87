package org.softkvm.vmm.loader;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Set;

/**
 * A folder of files that a user's next run believes: nobody else may write to it, and what is made in it is nobody else's to
 * read.
 */
public final class PrivateFolder {
    private final Path folder;

    /**
     * The folder of that name, which may be missing.
     *
     * @param folder its path
     */
    public PrivateFolder(Path folder) {
        this.folder = folder.toAbsolutePath();
    }

    /**
     * Where it is.
     *
     * @return its absolute path
     */
    public Path path() {
        return folder;
    }

    /**
     * Whether nobody but its owner may write to it.
     *
     * @return true also where the system knows no such rights
     * @throws IOException if it is missing, or cannot be looked at
     */
    public boolean isPrivate() throws IOException {
        if (!posix()) {
            return true;
        }
        Set<PosixFilePermission> rights = Files.getPosixFilePermissions(folder);
        return !rights.contains(PosixFilePermission.OTHERS_WRITE) && !rights.contains(PosixFilePermission.GROUP_WRITE);
    }

    /**
     * Makes it, and the folders that it lies in, where it is missing.
     *
     * @throws IOException if that is not possible
     */
    public void create() throws IOException {
        Files.createDirectories(folder, ownerOnly("rwx------"));
    }

    /**
     * Rights for a new file in it.
     *
     * @return those that let its owner alone read and write it
     */
    public FileAttribute<?>[] forFiles() {
        return ownerOnly("rw-------");
    }

    /**
     * Gives a complete file its name, in place of what has it.
     *
     * @param unfinished the file, which is gone afterwards in any case
     * @param file its name
     * @throws IOException if that is not possible
     */
    public static void finish(Path unfinished, Path file) throws IOException {
        try {
            Files.move(unfinished, file, StandardCopyOption.ATOMIC_MOVE);
        } finally {
            Files.deleteIfExists(unfinished);
        }
    }

    private boolean posix() {
        return folder.getFileSystem().supportedFileAttributeViews().contains("posix");
    }

    private FileAttribute<?>[] ownerOnly(String rights) {
        return posix()
                ? new FileAttribute<?>[] {PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString(rights))}
                : new FileAttribute<?>[0];
    }
}
