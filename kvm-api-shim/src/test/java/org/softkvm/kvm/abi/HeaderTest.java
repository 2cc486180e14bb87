package org.softkvm.kvm.abi;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.io.InputStream;
import java.lang.foreign.GroupLayout;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.PaddingLayout;
import java.lang.foreign.SequenceLayout;
import java.lang.foreign.UnionLayout;
import java.lang.reflect.Field;
import java.lang.reflect.Modifier;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.softkvm.kvm.Capability;
import org.softkvm.kvm.Errno;
import org.softkvm.kvm.ExitReason;

/**
 * Compares the binary ABI with the system's own linux/kvm.h: a C program is compiled and prints every size, offset,
 * request, capability, exit and error number; nothing rests on memory.
 */
class HeaderTest {
    /** What Debian 12's header (Linux 6.1) is too old to have; a newer header has them and they are compared. */
    private static final Set<String> MAY_BE_ABSENT = Set.of(
            "request KVM_SET_USER_MEMORY_REGION2",
            "request KVM_CREATE_GUEST_MEMFD",
            "request KVM_PRE_FAULT_MEMORY",
            "struct kvm_userspace_memory_region2",
            "struct kvm_create_guest_memfd",
            "struct kvm_pre_fault_memory",
            "struct kvm_run.memory_fault",
            "exit MEMORY_FAULT");

    private static final Map<String, String> NEEDS = Map.of(
            "kvm_userspace_memory_region2", "KVM_SET_USER_MEMORY_REGION2",
            "kvm_create_guest_memfd", "KVM_CREATE_GUEST_MEMFD",
            "kvm_pre_fault_memory", "KVM_PRE_FAULT_MEMORY",
            "kvm_run.memory_fault", "KVM_EXIT_MEMORY_FAULT");

    /** Fields that the header has under another name or as a pointer inside an unnamed union. */
    private static final Set<String> UNIONS_WITHOUT_NAME = Set.of("");

    private final Map<String, Long> expected = new LinkedHashMap<>();
    private final StringBuilder program = new StringBuilder();

    @Test
    void everySizeOffsetAndNumberIsTheHeaders(@TempDir Path directory) throws Exception {
        assumeTrue(System.getProperty("os.name").equals("Linux"), "needs Linux");
        assumeTrue(System.getProperty("os.arch").equals("amd64"), "needs x86-64: the header is the machine's own");
        assumeTrue(Files.exists(Path.of("/usr/include/linux/kvm.h")), "needs /usr/include/linux/kvm.h");
        assumeTrue(onPath("gcc"), "needs gcc");

        program.append("#include <stdio.h>\n#include <stddef.h>\n#include <errno.h>\n#include <linux/kvm.h>\n");
        program.append("int main(void) {\n");
        List<GroupLayout> layouts = new ArrayList<>(RegisterStructs.ALL);
        layouts.addAll(VmStructs.ALL);
        layouts.add(RunStruct.LAYOUT);
        for (GroupLayout layout : layouts) {
            structure(layout);
        }
        for (Ioctl ioctl : Ioctl.values()) {
            number("request " + ioctl, ioctl.name(), Integer.toUnsignedLong(ioctl.request()));
        }
        for (Capability capability : Capability.values()) {
            if (!capability.isExtension()) {
                number("capability " + capability, "KVM_CAP_" + capability, capability.number());
            }
        }
        for (Field field : ExitReason.class.getFields()) {
            if (Modifier.isStatic(field.getModifiers()) && field.getType() == int.class) {
                String name = field.getName();
                if (name.startsWith("INTERNAL_ERROR_")) {
                    number("exit " + name, "KVM_" + name, field.getInt(null));
                } else if (!name.startsWith("SOFTKVM_")) {
                    number("exit " + name, "KVM_EXIT_" + name, field.getInt(null));
                }
            }
        }
        for (Errno errno : Errno.values()) {
            number("errno " + errno, errno.name(), errno.number());
        }
        program.append("return 0;\n}\n");

        Map<String, Long> actual = new LinkedHashMap<>();
        Set<String> absent = new LinkedHashSet<>();
        for (String line : run(directory).lines().toList()) {
            int equals = line.lastIndexOf('=');
            if (equals < 0) {
                absent.add(line.substring("absent ".length()));
            } else {
                actual.put(line.substring(0, equals), Long.parseUnsignedLong(line.substring(equals + 1)));
            }
        }
        System.out.println(
                "SUITE kvm.h: " + actual.size() + " sizes, offsets and numbers compared; the header lacks " + absent);
        assertThat(absent).isSubsetOf(MAY_BE_ABSENT);
        Map<String, Long> wanted = new LinkedHashMap<>(expected);
        for (String name : absent) {
            wanted.keySet().removeIf(key -> key.equals(name) || key.startsWith(name + "."));
        }
        assertThat(actual).isEqualTo(wanted);
        assertThat(actual.size()).isGreaterThan(600);
    }

    private void structure(GroupLayout layout) {
        String name = layout.name().orElseThrow();
        String needs = NEEDS.get(name);
        String struct = "struct " + name;
        if (needs != null) {
            program.append("#ifdef ").append(needs).append('\n');
        }
        expression(struct, "sizeof(" + struct + ")", layout.byteSize());
        fields(name, "", layout, 0);
        if (needs != null) {
            program.append("#else\nputs(\"absent ").append(struct).append("\");\n#endif\n");
        }
    }

    private void fields(String structure, String prefix, GroupLayout layout, long base) {
        long offset = base;
        for (MemoryLayout member : layout.memberLayouts()) {
            if (!(member instanceof PaddingLayout)) {
                field(structure, prefix, member, offset);
            }
            if (!(layout instanceof UnionLayout)) {
                offset += member.byteSize();
            }
        }
    }

    private void field(String structure, String prefix, MemoryLayout member, long offset) {
        String name = member.name().orElseThrow();
        String path = prefix + name;
        if (UNIONS_WITHOUT_NAME.contains(name)) {
            fields(structure, prefix, (GroupLayout) member, offset);
            return;
        }
        String key = "struct " + structure + "." + path;
        String needs = NEEDS.get(structure + "." + path);
        if (needs != null) {
            program.append("#ifdef ").append(needs).append('\n');
        }
        expression(key, "offsetof(struct " + structure + ", " + path + ")", offset);
        boolean flexible = member instanceof SequenceLayout sequence && sequence.elementCount() == 0;
        if (!flexible) {
            expression(key + ".size", "sizeof(((struct " + structure + " *)0)->" + path + ")", member.byteSize());
        }
        if (member instanceof GroupLayout group) {
            fields(structure, path + ".", group, offset);
        }
        if (needs != null) {
            program.append("#else\nputs(\"absent ").append(key).append("\");\n#endif\n");
        }
    }

    private void expression(String key, String c, long value) {
        expected.put(key, value);
        program.append("printf(\"")
                .append(key)
                .append("=%llu\\n\", (unsigned long long)(")
                .append(c)
                .append("));\n");
    }

    private void number(String key, String macro, long value) {
        program.append("#ifdef ").append(macro).append('\n');
        expression(key, macro, value);
        program.append("#else\nputs(\"absent ").append(key).append("\");\n#endif\n");
    }

    private String run(Path directory) throws IOException, InterruptedException {
        Path source = directory.resolve("kvmabi.c");
        Files.writeString(source, program);
        Path binary = directory.resolve("kvmabi");
        output(directory, "gcc", "-o", binary.toString(), source.toString());
        return output(directory, binary.toString());
    }

    private static String output(Path directory, String... command) throws IOException, InterruptedException {
        Process process = new ProcessBuilder(command)
                .directory(directory.toFile())
                .redirectErrorStream(true)
                .start();
        try (InputStream in = process.getInputStream()) {
            String text = new String(in.readAllBytes(), StandardCharsets.UTF_8);
            assertThat(process.waitFor()).as(text).isZero();
            return text;
        }
    }

    private static boolean onPath(String program) {
        for (String directory : System.getenv("PATH").split(":")) {
            if (Files.isExecutable(Path.of(directory, program))) {
                return true;
            }
        }
        return false;
    }

    @Test
    void theSizeInARequestIsThatOfItsStructure() {
        for (Ioctl ioctl : Ioctl.values()) {
            int size = ioctl.request() >>> 16 & 0x3FFF;
            if (ioctl.argument() == null) {
                assertThat(size).as(ioctl.name()).isZero();
            } else {
                assertThat(ioctl.argument().byteSize()).as(ioctl.name()).isEqualTo(size);
            }
        }
    }

    @Test
    void requestsAreToldApartAsAWhole() {
        Set<Integer> requests = new LinkedHashSet<>();
        for (Ioctl ioctl : Ioctl.values()) {
            assertThat(requests.add(ioctl.request())).as(ioctl.name()).isTrue();
            assertThat(Ioctl.of(ioctl.request())).isEqualTo(ioctl);
        }
        assertThat(Ioctl.name(0xAEFF)).isEqualTo("ioctl 0xaeff");
    }
}
