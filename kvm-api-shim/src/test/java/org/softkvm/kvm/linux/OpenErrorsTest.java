package org.softkvm.kvm.linux;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import java.lang.foreign.MemorySegment;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.softkvm.kvm.Capability;
import org.softkvm.kvm.Errno;
import org.softkvm.kvm.KvmException;
import org.softkvm.kvm.abi.Request;

/** What opening /dev/kvm says where it cannot work. */
class OpenErrorsTest {
    /** A kernel with one thing wrong. */
    private static final class Kernel implements SystemCalls {
        int openResult = 7;
        int version = 12;
        int missing = -1;
        int closed;

        @Override
        public int open(String path) {
            assertThat(path).isEqualTo("/dev/kvm");
            return openResult;
        }

        @Override
        public int close(int descriptor) {
            assertThat(descriptor).isEqualTo(7);
            closed++;
            return 0;
        }

        @Override
        public int ioctl(int descriptor, int request, long argument) {
            return switch (request) {
                case Request.KVM_GET_API_VERSION -> version;
                case Request.KVM_CHECK_EXTENSION -> argument == missing ? 0 : 1;
                case Request.KVM_GET_VCPU_MMAP_SIZE -> 3 * 4096;
                default -> -Errno.ENOTTY.number();
            };
        }

        @Override
        public int ioctl(int descriptor, int request, MemorySegment argument) {
            return -Errno.ENOTTY.number();
        }

        @Override
        public Mapping map(int descriptor, long size) {
            throw new KvmException("mmap", Errno.ENOMEM, "size=" + size);
        }

        @Override
        public Mapping allocate(long size) {
            throw new KvmException("mmap", Errno.ENOMEM, "size=" + size);
        }

        @Override
        public long read(int descriptor, MemorySegment into, long offset) {
            return -1;
        }

        @Override
        public int eventFd() {
            return -1;
        }

        @Override
        public long awaitEvent(int descriptor) {
            return -1;
        }

        @Override
        public int signalEvent(int descriptor, long amount) {
            return -1;
        }

        @Override
        public long threadId() {
            return 1;
        }

        @Override
        public void interrupt(long threadId) {}
    }

    private static KvmException failure(Kernel kernel) {
        KvmException e = catchThrowableOfType(KvmException.class, () -> LinuxKvm.open(kernel, "kvm"));
        assertThat(e).isNotNull();
        assertThat(e.getMessage()).doesNotContain("\n");
        return e;
    }

    @ParameterizedTest
    @CsvSource({
        "ENOENT, there is no /dev/kvm",
        "ENXIO, kvm_intel or kvm_amd is missing",
        "ENODEV, kvm_intel or kvm_amd is missing",
        "EACCES, no permission",
        "EPERM, no permission",
        "EBUSY, in use by another hypervisor",
        "EIO, cannot be opened: EIO"
    })
    void eachErrorOfOpenHasItsLine(Errno errno, String text) {
        Kernel kernel = new Kernel();
        kernel.openResult = -errno.number();
        KvmException e = failure(kernel);
        assertThat(e.errno()).isEqualTo(errno);
        assertThat(e.argument()).contains(text);
        assertThat(kernel.closed).isZero();
    }

    @Test
    void anotherVersionOfTheApiIsNamed() {
        Kernel kernel = new Kernel();
        kernel.version = 11;
        assertThat(failure(kernel).argument()).contains("version 11").contains("12 is needed");
        assertThat(kernel.closed).isEqualTo(1);
    }

    @Test
    void aMissingCapabilityIsNamed() {
        Kernel kernel = new Kernel();
        kernel.missing = Capability.IMMEDIATE_EXIT.number();
        assertThat(failure(kernel).argument()).contains("IMMEDIATE_EXIT");
        assertThat(kernel.closed).isEqualTo(1);
    }

    @Test
    void aCallThatFailsCarriesErrnoAndArgument() {
        Kernel kernel = new Kernel();
        try (LinuxKvm kvm = LinuxKvm.open(kernel, "kvm")) {
            KvmException e = catchThrowableOfType(KvmException.class, kvm::createVm);
            assertThat(e.call()).isEqualTo("KVM_CREATE_VM");
            assertThat(e.errno()).isEqualTo(Errno.ENOTTY);
        }
        assertThat(kernel.closed).isEqualTo(1);
    }
}
