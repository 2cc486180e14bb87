package org.softkvm.vmm.cli;

import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/** Where a user's files are that can be made again. */
final class CacheFolder {
    /** Names the folder; empty it says that there is to be none. */
    static final String VARIABLE = "SOFTKVM_CACHE";

    private CacheFolder() {}

    /** The folder of SoftKVM; empty if there is to be none, or no place for it. */
    static Optional<Path> find() {
        return find(System.getenv(), System.getProperty("os.name"), System.getProperty("user.home"));
    }

    /** The folder of unpacked kernels in it. */
    static Path kernels(Path folder) {
        return folder.resolve("kernels");
    }

    /**
     * The folder of SoftKVM.
     *
     * @param environment of the process
     * @param system the operating system, as Java calls it
     * @param user the user's home as Java sees it, which does not look at HOME
     */
    static Optional<Path> find(Map<String, String> environment, String system, String user) {
        String named = environment.get(VARIABLE);
        if (named != null) {
            return named.isEmpty() ? Optional.empty() : path(named);
        }
        // Else a relative path means nothing: XDG Base Directory Specification.
        Optional<Path> common = absolute(environment.get("XDG_CACHE_HOME"));
        if (common.isPresent()) {
            return common.map(folder -> folder.resolve("softkvm"));
        }
        String os = system.toLowerCase(Locale.ROOT);
        if (os.startsWith("windows")) {
            return existing(environment.get("LOCALAPPDATA")).map(folder -> folder.resolve("softkvm"));
        }
        // Some accounts have a home that does not exist, and shall not get one.
        return existing(environment.get("HOME"))
                .or(() -> existing(user))
                .map(home -> home.resolve(os.startsWith("mac") ? "Library/Caches" : ".cache"))
                .map(folder -> folder.resolve("softkvm"));
    }

    private static Optional<Path> existing(String name) {
        return absolute(name).filter(Files::isDirectory);
    }

    private static Optional<Path> absolute(String name) {
        return name == null || name.isEmpty() ? Optional.empty() : path(name).filter(Path::isAbsolute);
    }

    private static Optional<Path> path(String name) {
        try {
            return Optional.of(Path.of(name));
        } catch (InvalidPathException e) {
            return Optional.empty();
        }
    }
}
