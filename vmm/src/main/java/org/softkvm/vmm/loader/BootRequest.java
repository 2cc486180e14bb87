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
 * @param kernels unpacked kernels of former runs, if they are to be used and kept
 */
public record BootRequest(
        GuestFile image,
        boolean kernel,
        Optional<GuestFile> initrd,
        String commandLine,
        List<GuestModule> modules,
        BootProtocol protocol,
        Optional<KernelCache> kernels) {
    /** Copies the list of modules. */
    public BootRequest {
        Objects.requireNonNull(image, "image");
        Objects.requireNonNull(initrd, "initrd");
        Objects.requireNonNull(commandLine, "commandLine");
        modules = List.copyOf(modules);
        Objects.requireNonNull(protocol, "protocol");
        Objects.requireNonNull(kernels, "kernels");
    }

    /** A request that keeps no unpacked kernel. */
    BootRequest(
            GuestFile image,
            boolean kernel,
            Optional<GuestFile> initrd,
            String commandLine,
            List<GuestModule> modules,
            BootProtocol protocol) {
        this(image, kernel, initrd, commandLine, modules, protocol, Optional.empty());
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
