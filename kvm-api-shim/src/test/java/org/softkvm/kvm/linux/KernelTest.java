package org.softkvm.kvm.linux;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HexFormat;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.softkvm.kvm.Capability;
import org.softkvm.kvm.Errno;
import org.softkvm.kvm.EventFd;
import org.softkvm.kvm.ExitReason;
import org.softkvm.kvm.IoEventFd;
import org.softkvm.kvm.Kvm;
import org.softkvm.kvm.KvmException;
import org.softkvm.kvm.MemorySlot;
import org.softkvm.kvm.RegisterId;
import org.softkvm.kvm.RegisterList;
import org.softkvm.kvm.Regs;
import org.softkvm.kvm.Sregs;
import org.softkvm.kvm.Vcpu;
import org.softkvm.kvm.VcpuStatistics;
import org.softkvm.kvm.Vm;

/** The backend on a real /dev/kvm; skipped where there is none. Guests are a few instructions of real mode. */
@Timeout(60)
class KernelTest {
    private static final int CODE = 0x1000;

    private Kvm kvm;
    private Vm vm;
    private Vcpu vcpu;
    private MemorySegment memory;

    @BeforeEach
    void open() {
        DevKvmProvider provider = new DevKvmProvider();
        String reason = provider.unavailableBecause();
        assumeTrue(reason == null, () -> "needs /dev/kvm: " + reason);
        kvm = provider.open();
        vm = kvm.createVm();
        memory = vm.allocateMemory(1 << 20);
        vm.setMemorySlot(MemorySlot.of(0, 0, memory));
        vcpu = vm.createVcpu(0);
        vcpu.setCpuid(kvm.supportedCpuid());
    }

    @AfterEach
    void close() {
        if (kvm != null) {
            vm.close();
            kvm.close();
        }
    }

    private void start(String code) {
        byte[] bytes = HexFormat.of().parseHex(code.replace(" ", ""));
        MemorySegment.copy(MemorySegment.ofArray(bytes), 0, memory, CODE, bytes.length);
        Sregs sregs = new Sregs();
        vcpu.getSregs(sregs);
        sregs.cs.base = 0;
        sregs.cs.selector = 0;
        vcpu.setSregs(sregs);
        Regs regs = new Regs();
        regs.rip = CODE;
        regs.rsp = 0x9000;
        regs.rflags = 2;
        vcpu.setRegs(regs);
    }

    @Test
    void portsGoBothWays() {
        start("e4 10 fe c0 e6 11 f4"); // in al,10h; inc al; out 11h,al; hlt
        assertThat(vcpu.run()).isEqualTo(ExitReason.IO);
        assertThat(vcpu.runState().ioPort()).isEqualTo(0x10);
        vcpu.runState().setIoValue(0, 0x41);
        assertThat(vcpu.run()).isEqualTo(ExitReason.IO);
        assertThat(vcpu.runState().ioPort()).isEqualTo(0x11);
        assertThat(vcpu.runState().ioValue(0)).isEqualTo(0x42);
        assertThat(vcpu.run()).isEqualTo(ExitReason.HLT);
    }

    @Test
    void aKickEndsARunUnderWayAndOneThatIsToCome() throws Exception {
        start("eb fe"); // jmp $
        vcpu.kick();
        assertThat(vcpu.run()).isEqualTo(ExitReason.INTR);
        CountDownLatch running = new CountDownLatch(1);
        int[] reason = new int[1];
        Thread thread = Thread.ofPlatform().start(() -> {
            running.countDown();
            reason[0] = vcpu.run();
        });
        running.await();
        // Now or a moment later it is in the guest; either way it has to come back.
        Thread.sleep(50);
        vcpu.kick();
        thread.join();
        assertThat(reason[0]).isEqualTo(ExitReason.INTR);
    }

    @Test
    void slotsAreReplacedWhileTheVcpuRuns() throws Exception {
        start("eb fe");
        MemorySegment other = vm.allocateMemory(0x10000);
        Thread thread = Thread.ofPlatform().start(vcpu::run);
        Thread.sleep(30);
        for (int i = 0; i < 20; i++) {
            vm.replaceMemorySlots(List.of(
                    MemorySlot.of(0, 0, memory),
                    new MemorySlot(1, 0, 0x20_0000 + i * 0x1_0000L, other, i & MemorySlot.LOG_DIRTY_PAGES)));
        }
        assertThat(thread.isAlive()).as("the caller of the run notices nothing").isTrue();
        assertThat(vm.memorySlots()).hasSize(2);
        KvmException e = catchThrowableOfType(
                KvmException.class,
                () -> vm.replaceMemorySlots(List.of(MemorySlot.of(0, 0, memory), MemorySlot.of(1, 0x8_0000, other))));
        assertThat(e.errno()).isEqualTo(Errno.EEXIST);
        vcpu.kick();
        thread.join();
    }

    @Test
    void aVcpuInUseIsBusy() throws Exception {
        start("eb fe");
        Thread thread = Thread.ofPlatform().start(vcpu::run);
        Thread.sleep(50);
        KvmException e = catchThrowableOfType(KvmException.class, () -> vcpu.getRegs(new Regs()));
        assertThat(e.errno()).isEqualTo(Errno.EBUSY);
        vcpu.kick();
        thread.join();
        vcpu.getRegs(new Regs());
    }

    @Test
    void theStateIsReadAndWrittenAsOneList() {
        start("f4");
        long[] ids = vcpu.registerList();
        RegisterList list = new RegisterList(ids);
        assertThat(vcpu.getManyRegs(list)).isEqualTo(ids.length);
        for (int i = 0; i < ids.length; i++) {
            if (ids[i] == RegisterId.gpr(3)) {
                list.values[i] = 0x1234_5678_9ABCL;
            }
        }
        assertThat(vcpu.setManyRegs(list)).isEqualTo(ids.length);
        assertThat(vcpu.getOneReg(RegisterId.RBX)).isEqualTo(0x1234_5678_9ABCL);
        Regs regs = new Regs();
        vcpu.getRegs(regs);
        assertThat(regs.rbx).isEqualTo(0x1234_5678_9ABCL);
        vcpu.setOneReg(RegisterId.CR2, 0x5000);
        Sregs sregs = new Sregs();
        vcpu.getSregs(sregs);
        assertThat(sregs.cr2).isEqualTo(0x5000);
        assertThat(vcpu.getOneReg(RegisterId.msr(0x174))).isZero();
        vcpu.setOneReg(RegisterId.msr(0x174), 0x10);
        assertThat(vcpu.getMsr(0x174)).isEqualTo(0x10);
        vcpu.setOneReg(RegisterId.xmm(3, 1), 0x77);
        assertThat(vcpu.getOneReg(RegisterId.xmm(3, 1))).isEqualTo(0x77);
    }

    @Test
    void aWriteSignalsAnEventFd() throws Exception {
        assumeTrue(kvm.checkExtension(Capability.IOEVENTFD) != 0);
        EventFd event = new EventFd();
        IoEventFd write = IoEventFd.pio(event, 0x60, 1);
        vm.assignIoEventFd(write);
        start("e6 60 e6 60 e6 61"); // out 60h,al twice; out 61h,al
        assertThat(vcpu.run()).isEqualTo(ExitReason.IO);
        assertThat(vcpu.runState().ioPort()).isEqualTo(0x61);
        long count = 0;
        while (count < 2) {
            long more = event.await(10, TimeUnit.SECONDS);
            assertThat(more).isPositive();
            count += more;
        }
        assertThat(count).isEqualTo(2);
        vm.deassignIoEventFd(write);
        assertThatThrownBy(() -> vm.deassignIoEventFd(write)).hasMessageContaining("ENOENT");
    }

    @Test
    void extensionsOfTheEmulatorAreNamed() {
        assertThatThrownBy(() -> vm.setEngine("interpreter"))
                .hasMessage("setEngine: ENOTTY: the backend kvm does not have the extension SOFTKVM_ENGINE");
        assertThatThrownBy(() -> vcpu.setInstructionLimit(1)).hasMessageContaining("SOFTKVM_INSTRUCTION_LIMIT");
        assertThatThrownBy(() -> vcpu.statistics(new VcpuStatistics())).hasMessageContaining("SOFTKVM_STATISTICS");
        assertThat(kvm.engines()).isEmpty();
    }

    @Test
    void everyDescriptorIsClosedAlsoAfterErrors() throws IOException {
        long before = descriptors();
        for (int i = 0; i < 3; i++) {
            Vm other = kvm.createVm();
            other.setMemorySlot(MemorySlot.of(0, 0, other.allocateMemory(0x1000)));
            other.createVcpu(0);
            assertThatThrownBy(() -> other.createVcpu(0)).hasMessageContaining("EEXIST");
            assertThatThrownBy(() -> other.createVcpu(-1)).hasMessageContaining("EINVAL");
            other.close();
            other.close();
            assertThatThrownBy(() -> other.createVcpu(1)).hasMessageContaining("EBADF");
        }
        assertThat(descriptors()).isEqualTo(before);
    }

    private static long descriptors() throws IOException {
        try (Stream<Path> files = Files.list(Path.of("/proc/self/fd"))) {
            return files.map(file -> {
                        try {
                            return Files.readSymbolicLink(file).toString();
                        } catch (IOException e) {
                            return "";
                        }
                    })
                    .filter(name -> name.contains("kvm"))
                    .count();
        }
    }

    @Test
    void memoryThatWasFreedCannotBeTouched() {
        MemorySegment page = vcpu.runState().ioData();
        vm.close();
        assertThatThrownBy(() -> memory.get(ValueLayout.JAVA_BYTE, 0)).isInstanceOf(IllegalStateException.class);
        assertThatThrownBy(() -> page.get(ValueLayout.JAVA_BYTE, 0)).isInstanceOf(IllegalStateException.class);
        assertThatThrownBy(vcpu::run).hasMessageContaining("EBADF");
        vcpu.kick();
    }
}
