package org.softkvm.vmm;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.lang.classfile.ClassFile;
import java.lang.classfile.constantpool.ClassEntry;
import java.lang.classfile.constantpool.PoolEntry;
import java.lang.classfile.constantpool.Utf8Entry;
import java.lang.module.ModuleDescriptor;
import java.lang.module.ModuleFinder;
import java.lang.module.ModuleReference;
import java.net.URI;
import java.net.URISyntaxException;
import java.nio.file.FileSystem;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.softkvm.devices.DeviceBus;
import org.softkvm.kvm.Kvm;
import org.softkvm.vmm.pc.Pc;

/** Proves that the PC and its chips see the KVM API alone: neither the emulator nor any other backend. */
class ModuleWallTest {
    private static final List<String> ALLOWED_FOR_VMM = List.of(
            "org/softkvm/vmm/",
            "org/softkvm/kvm/",
            "org/softkvm/devices/",
            "org/apache/commons/cli/",
            "org/tukaani/xz/",
            "java/");

    private static Path location(Class<?> type) throws URISyntaxException {
        URI uri = type.getProtectionDomain().getCodeSource().getLocation().toURI();
        return Path.of(uri);
    }

    private static ModuleDescriptor descriptor(Class<?> type) throws URISyntaxException {
        Set<ModuleReference> modules = ModuleFinder.of(location(type)).findAll();
        Optional<ModuleReference> module = modules.stream()
                .filter(reference ->
                        type.getPackageName().startsWith(reference.descriptor().name()))
                .findFirst();
        return module.orElseThrow().descriptor();
    }

    private static Set<String> requires(Class<?> type) throws URISyntaxException {
        return descriptor(type).requires().stream()
                .map(ModuleDescriptor.Requires::name)
                .collect(Collectors.toCollection(TreeSet::new));
    }

    @Test
    void theModulesRequireNoBackend() throws URISyntaxException {
        assertThat(requires(Pc.class))
                .containsExactlyInAnyOrder(
                        "java.base",
                        "org.softkvm.kvm",
                        "org.softkvm.devices",
                        "org.apache.commons.cli",
                        "org.tukaani.xz");
        assertThat(requires(DeviceBus.class)).containsExactly("java.base");
    }

    @Test
    void theKvmApiExportsNoBackend() throws URISyntaxException {
        assertThat(descriptor(Kvm.class).exports())
                .extracting(ModuleDescriptor.Exports::source)
                .containsExactly("org.softkvm.kvm");
    }

    @Test
    void noClassOfThePcNamesTheEmulator() throws URISyntaxException, IOException {
        List<String> seen = new ArrayList<>();
        for (String name : namesUsedIn(location(Pc.class))) {
            if (ALLOWED_FOR_VMM.stream().noneMatch(name::startsWith)) {
                seen.add(name);
            }
            assertThat(name).doesNotStartWith("org/softkvm/kvm/emulator");
        }
        assertThat(seen).isEmpty();
    }

    @Test
    void noClassOfTheChipsNamesAnythingOutside() throws URISyntaxException, IOException {
        for (String name : namesUsedIn(location(DeviceBus.class))) {
            assertThat(name).matches("(org/softkvm/devices|java)/.*");
        }
    }

    /** Names of all classes that the class files of a folder or jar refer to, and texts that name the emulator. */
    private static Set<String> namesUsedIn(Path place) throws IOException {
        if (Files.isRegularFile(place)) {
            try (FileSystem jar = FileSystems.newFileSystem(place)) {
                return namesUsedIn(jar.getPath("/"));
            }
        }
        Set<String> names = new TreeSet<>();
        int classes = 0;
        try (Stream<Path> files = Files.walk(place)) {
            for (Path file : files.filter(path -> path.toString().endsWith(".class")
                            && !path.toString().endsWith("module-info.class"))
                    .toList()) {
                classes++;
                for (PoolEntry entry :
                        ClassFile.of().parse(Files.readAllBytes(file)).constantPool()) {
                    if (entry instanceof ClassEntry used) {
                        addClass(used.asInternalName(), names);
                    } else if (entry instanceof Utf8Entry text
                            && text.stringValue().replace('.', '/').contains("org/softkvm/emulator")) {
                        names.add(text.stringValue().replace('.', '/'));
                    }
                }
            }
        }
        assertThat(classes).isGreaterThan(10);
        return names;
    }

    private static void addClass(String name, Set<String> names) {
        String element = name.startsWith("[") ? name.replaceFirst("^\\[+L?", "").replace(";", "") : name;
        if (element.contains("/")) {
            names.add(element);
        }
    }
}
