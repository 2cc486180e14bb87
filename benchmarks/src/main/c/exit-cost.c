/*
 * What exits and register calls cost a C program on /dev/kvm: the other half of ExitCost.java, with the same guests.
 *
 * Usage: exit-cost MILLISECONDS; prints a line a case: its name and nanoseconds an operation.
 */
#include <fcntl.h>
#include <linux/kvm.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

enum { MEMORY = 0x100000, CODE = 0x1000 };

struct guest {
    int vcpu;
    struct kvm_run *run;
};

static int kvm;
static volatile uint32_t latch;

static void fail(const char *what)
{
    perror(what);
    exit(1);
}

static int64_t now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static struct guest make(const char *program, size_t size)
{
    struct guest g;
    int vm = ioctl(kvm, KVM_CREATE_VM, 0);
    if (vm < 0)
        fail("KVM_CREATE_VM");
    uint64_t identity = 0xFEFFC000;
    ioctl(vm, KVM_SET_IDENTITY_MAP_ADDR, &identity);
    ioctl(vm, KVM_SET_TSS_ADDR, 0xFEFFD000);
    char *memory = mmap(NULL, MEMORY, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory == MAP_FAILED)
        fail("mmap");
    memcpy(memory + CODE, program, size);
    struct kvm_userspace_memory_region slot = {.memory_size = MEMORY, .userspace_addr = (uintptr_t)memory};
    if (ioctl(vm, KVM_SET_USER_MEMORY_REGION, &slot) < 0)
        fail("KVM_SET_USER_MEMORY_REGION");
    g.vcpu = ioctl(vm, KVM_CREATE_VCPU, 0);
    if (g.vcpu < 0)
        fail("KVM_CREATE_VCPU");
    g.run = mmap(NULL, ioctl(kvm, KVM_GET_VCPU_MMAP_SIZE, 0), PROT_READ | PROT_WRITE, MAP_SHARED, g.vcpu, 0);
    if (g.run == MAP_FAILED)
        fail("mmap of the vcpu");
    struct kvm_sregs sregs;
    if (ioctl(g.vcpu, KVM_GET_SREGS, &sregs) < 0)
        fail("KVM_GET_SREGS");
    sregs.cs.base = 0;
    sregs.cs.selector = 0;
    if (ioctl(g.vcpu, KVM_SET_SREGS, &sregs) < 0)
        fail("KVM_SET_SREGS");
    struct kvm_regs regs = {.rip = CODE, .rsp = 0x9000, .rflags = 2};
    if (ioctl(g.vcpu, KVM_SET_REGS, &regs) < 0)
        fail("KVM_SET_REGS");
    return g;
}

static void serve(struct guest *g)
{
    struct kvm_run *run = g->run;
    if (ioctl(g->vcpu, KVM_RUN, 0) < 0)
        fail("KVM_RUN");
    if (run->exit_reason == KVM_EXIT_IO) {
        uint8_t *data = (uint8_t *)run + run->io.data_offset;
        if (run->io.direction == KVM_EXIT_IO_OUT)
            latch = *data;
        else
            *data = latch + run->io.port;
    } else if (run->exit_reason == KVM_EXIT_MMIO) {
        if (run->mmio.is_write)
            latch = run->mmio.data[0];
        else
            run->mmio.data[0] = latch + run->mmio.phys_addr;
    } else {
        fprintf(stderr, "exit reason %u\n", run->exit_reason);
        exit(1);
    }
}

static struct kvm_regs regs;

static void get_regs(struct guest *g)
{
    if (ioctl(g->vcpu, KVM_GET_REGS, &regs) < 0)
        fail("KVM_GET_REGS");
    latch = regs.rax;
}

static void set_regs(struct guest *g)
{
    regs.rax++;
    if (ioctl(g->vcpu, KVM_SET_REGS, &regs) < 0)
        fail("KVM_SET_REGS");
}

static void measure(const char *name, struct guest g, void (*operation)(struct guest *), int64_t nanos)
{
    int64_t begin = now(), end = begin, count = 0;
    while (end - begin < nanos) {
        for (int i = 0; i < 16; i++)
            operation(&g);
        count += 16;
        end = now();
    }
    printf("%s %.1f\n", name, (double)(end - begin) / count);
}

int main(int argc, char **argv)
{
    int64_t nanos = (argc > 1 ? atoll(argv[1]) : 100) * 1000000LL;
    kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);
    if (kvm < 0)
        fail("/dev/kvm");
    /* mov dx,10h; out dx,al; jmp $-1, and the same with in al,dx */
    struct guest out = make("\xBA\x10\x00\xEE\xEB\xFD", 6);
    struct guest in = make("\xBA\x10\x00\xEC\xEB\xFD", 6);
    /* mov ax,0FFFFh; mov ds,ax; mov bx,10h; mov [bx],al; jmp $-2, and the same with mov al,[bx]: address 100000h */
    struct guest store = make("\xB8\xFF\xFF\x8E\xD8\xBB\x10\x00\x88\x07\xEB\xFC", 12);
    struct guest load = make("\xB8\xFF\xFF\x8E\xD8\xBB\x10\x00\x8A\x07\xEB\xFC", 12);
    measure("port-write", out, serve, nanos);
    measure("port-read", in, serve, nanos);
    measure("mmio-write", store, serve, nanos);
    measure("mmio-read", load, serve, nanos);
    get_regs(&out);
    measure("get-regs", out, get_regs, nanos);
    measure("set-regs", out, set_regs, nanos);
    return 0;
}
