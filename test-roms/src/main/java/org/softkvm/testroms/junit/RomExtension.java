package org.softkvm.testroms.junit;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.jupiter.api.extension.ParameterContext;
import org.junit.jupiter.api.extension.ParameterResolutionException;
import org.junit.jupiter.api.extension.ParameterResolver;
import org.softkvm.testroms.RomResult;
import org.softkvm.testroms.RomRunner;
import org.softkvm.vmm.GuestFile;
import org.softkvm.vmm.VmmException;
import org.softkvm.vmm.pc.PcConfig;

/** Resolves parameters annotated with {@link Rom}, which registers it by itself. */
public final class RomExtension implements ParameterResolver {
    /** JUnit makes it. */
    public RomExtension() {}

    @Override
    public boolean supportsParameter(ParameterContext parameter, ExtensionContext context) {
        return parameter.isAnnotated(Rom.class) && parameter.getParameter().getType() == RomResult.class;
    }

    @Override
    public Object resolveParameter(ParameterContext parameter, ExtensionContext context) {
        Rom rom = parameter.findAnnotation(Rom.class).orElseThrow();
        try {
            PcConfig.Builder pc = PcConfig.builder(image(rom.value(), context.getRequiredTestClass()))
                    .commandLine(rom.append())
                    .backend(rom.backend())
                    .engine(rom.engine())
                    .cpu(rom.cpu())
                    .cpus(rom.cpus())
                    .memory((long) rom.memory() << 20)
                    .timeout(Duration.ofSeconds(rom.timeout()));
            return RomRunner.run(pc);
        } catch (VmmException e) {
            throw new ParameterResolutionException(e.getMessage(), e);
        }
    }

    private static GuestFile image(String name, Class<?> test) throws VmmException {
        Path path = Path.of(name);
        if (!Files.exists(path)) {
            try (InputStream resource = test.getResourceAsStream(name)) {
                if (resource != null) {
                    return new GuestFile(name, resource.readAllBytes());
                }
            } catch (IOException e) {
                throw new VmmException(name + ": cannot be read: " + e.getMessage(), e);
            }
        }
        return GuestFile.read(path);
    }
}
