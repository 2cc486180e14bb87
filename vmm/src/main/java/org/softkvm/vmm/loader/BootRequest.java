package org.softkvm.vmm.loader;

import java.util.List;
import java.util.Objects;
import java.util.Optional;
import org.softkvm.vmm.GuestFile;
import org.softkvm.vmm.GuestModule;

/**
 * What to boot.
 *
 * @param image the image or kernel
 * @param kernel whether the user called it a kernel, so that a ROM or a boot sector is a mistake
 * @param initrd the initial RAM disk: module 0 of the start info, or the first multiboot module
 * @param commandLine the kernel's command line, empty if none was given
 * @param modules further modules
 * @param protocol how a kernel is to be entered
 */
public record BootRequest(
        GuestFile image,
        boolean kernel,
        Optional<GuestFile> initrd,
        String commandLine,
        List<GuestModule> modules,
        BootProtocol protocol) {
    /** Copies the list of modules. */
    public BootRequest {
        Objects.requireNonNull(image, "image");
        Objects.requireNonNull(initrd, "initrd");
        Objects.requireNonNull(commandLine, "commandLine");
        modules = List.copyOf(modules);
        Objects.requireNonNull(protocol, "protocol");
    }

    /**
     * A request with nothing but an image.
     *
     * @param image the image
     * @return the request
     */
    public static BootRequest of(GuestFile image) {
        return new BootRequest(image, false, Optional.empty(), "", List.of(), BootProtocol.AUTO);
    }
}
