/*
 * What the generators of hardware cases share: random values, and running one instruction in user mode at a fixed place
 * with all registers given.
 */
#define _GNU_SOURCE
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>

#define STATE 0x20000000L /* registers, in absolute reach of the stubs */
#define DATA 0x10000000L
#define CODE 0x11000000L
#define STACK 0x12000000L
#define PAGE 4096
#define CODE_OFFSET 0x800

enum { RAX, RCX, RDX, RBX, RSP, RBP, RSI, RDI };
enum { CF = 1, PF = 4, AF = 0x10, ZF = 0x40, SF = 0x80, DF = 0x400, OF = 0x800, ALL = 0x8d5 };

struct state {
    uint64_t r[16];
    uint64_t flags;
    uint64_t host_rsp;
    uint64_t start;
    uint8_t unused[0x168];
    uint8_t fx[832]; /* FXSAVE image, or XSAVE image with AVX state, at 200h */
};
static struct state *const st = (struct state *)STATE;
static uint8_t *const data = (uint8_t *)DATA, *const code = (uint8_t *)CODE, *const stack = (uint8_t *)STACK;

static uint64_t seed;
static uint64_t next(void) {
    uint64_t z = (seed += 0x9e3779b97f4a7c15UL);
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9UL;
    z = (z ^ z >> 27) * 0x94d049bb133111ebUL;
    return z ^ z >> 31;
}

static uint64_t value(void) {
    uint64_t k = next(), v = next();
    switch (k & 7) {
    case 0: return v & 0xff;
    case 1: return (uint64_t)(int64_t)(int8_t)v;
    case 2: return (uint64_t)(int64_t)(int32_t)v;
    case 3: return (1UL << (v & 63)) - (v >> 6 & 1);
    case 4: return -(v & 1);
    default: return v;
    }
}

/* A lane of a vector register: numbers that floating point treats in its own ways, bytes, or anything. */
__attribute__((unused)) static uint64_t lane(void) {
    static const uint64_t doubles[] = {0, 0x8000000000000000, 0x3ff0000000000000, 0xbff8000000000000, 0x7ff0000000000000,
        0xfff0000000000000, 0x7ff8000000000001, 0x7ff0000000000123, 0xfff4000000000000, 1, 0x000fffffffffffff,
        0x7fefffffffffffff, 0x41dfffffffc00000, 0xc1e0000000000000, 0x43e0000000000000, 0x3fe0000000000000};
    static const uint32_t floats[] = {0, 0x80000000, 0x3f800000, 0xbfc00000, 0x7f800000, 0xff800000, 0x7fc00001, 0x7f800123,
        0xffa00000, 1, 0x007fffff, 0x7f7fffff, 0x4effffff, 0xcf000000, 0x5f000000, 0x3f000000};
    uint64_t k = next(), v = next(), w = next();
    switch (k & 7) {
    case 0: return doubles[v & 15];
    case 1: return floats[v & 15] | (uint64_t)floats[v >> 8 & 15] << 32;
    case 2: /* a double near 1 */
        return (v & 0x800fffffffffffff) | ((0x3ff + (w & 63) - 32) << 52);
    case 3: /* two floats near 1 */
        return (v & 0x807fffff807fffff) | (0x7fUL + (w & 31) - 16) << 23 | (0x7fUL + (w >> 8 & 31) - 16) << 55;
    case 4: return v & 0x0101010101010101 * (w & 0xff);
    default: return v;
    }
}

/* ---- running it */

static volatile int vector;
extern uint8_t leave_stub[];
static void on_signal(int sig, siginfo_t *info, void *context) {
    (void)info;
    ucontext_t *u = context;
    greg_t *g = u->uc_mcontext.gregs;
    if ((uint64_t)g[REG_RIP] < CODE || (uint64_t)g[REG_RIP] >= CODE + PAGE) _exit(9);
    vector = sig == SIGFPE ? 0 : sig == SIGILL ? 6 : 13;
    g[REG_RIP] = (greg_t)leave_stub;
}

#ifdef WITH_AVX
#define SAVE "mov $7, %eax\nxor %edx, %edx\nxsave 0x20000200\n"
#define RESTORE "mov $7, %eax\nxor %edx, %edx\nxrstor 0x20000200\n"
#else
#define SAVE "fxsave 0x20000200\n"
#define RESTORE "fxrstor 0x20000200\n"
#endif

void enter_guest(void);
__asm__(".text\n.globl enter_guest\nenter_guest:\n"
        "push %rbx\npush %rbp\npush %r12\npush %r13\npush %r14\npush %r15\n"
        "mov %rsp, 0x20000088\n"
        RESTORE "pushq 0x20000080\npopfq\n"
        "mov 0x20000000, %rax\nmov 0x20000008, %rcx\nmov 0x20000010, %rdx\nmov 0x20000018, %rbx\n"
        "mov 0x20000028, %rbp\nmov 0x20000030, %rsi\nmov 0x20000038, %rdi\nmov 0x20000040, %r8\n"
        "mov 0x20000048, %r9\nmov 0x20000050, %r10\nmov 0x20000058, %r11\nmov 0x20000060, %r12\n"
        "mov 0x20000068, %r13\nmov 0x20000070, %r14\nmov 0x20000078, %r15\nmov 0x20000020, %rsp\n"
        "jmp *0x20000090\n"
        ".globl leave_stub\nleave_stub:\n"
        "mov %rax, 0x20000000\nmov %rcx, 0x20000008\nmov %rdx, 0x20000010\nmov %rbx, 0x20000018\n"
        "mov %rsp, 0x20000020\nmov %rbp, 0x20000028\nmov %rsi, 0x20000030\nmov %rdi, 0x20000038\n"
        "mov %r8, 0x20000040\nmov %r9, 0x20000048\nmov %r10, 0x20000050\nmov %r11, 0x20000058\n"
        "mov %r12, 0x20000060\nmov %r13, 0x20000068\nmov %r14, 0x20000070\nmov %r15, 0x20000078\n"
        "mov 0x20000088, %rsp\npushfq\npopq 0x20000080\ncld\n" SAVE
        "pop %r15\npop %r14\npop %r13\npop %r12\npop %rbp\npop %rbx\nret\n");

static uint8_t data0[PAGE], stack0[PAGE];

static int set_up(void) {
    long at[] = {STATE, DATA, CODE, STACK};
    for (int i = 0; i < 4; i++)
        if (mmap((void *)at[i], PAGE, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0)
            == MAP_FAILED)
            return perror("mmap"), 0;
    static uint8_t alt[65536];
    stack_t ss = {.ss_sp = alt, .ss_size = sizeof alt};
    sigaltstack(&ss, 0);
    struct sigaction sa = {.sa_sigaction = on_signal, .sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER};
    for (int *s = (int[]){SIGFPE, SIGSEGV, SIGILL, SIGBUS, SIGTRAP, 0}; *s; s++)
        sigaction(*s, &sa, 0);
    __asm__ volatile("fxsave 0x20000200");
    return 1;
}

/* Runs the instruction on the prepared state; vector tells how it ended. */
static void run(const uint8_t *ins, int len) {
    st->start = CODE + CODE_OFFSET;
    memcpy(data0, data, PAGE), memcpy(stack0, stack, PAGE);
    memset(code, 0xcc, PAGE);
    memcpy(code + CODE_OFFSET, ins, len);
    memcpy(code + CODE_OFFSET + len, "\xff\x25\0\0\0\0", 6);
    *(uint64_t *)(code + CODE_OFFSET + len + 6) = (uint64_t)leave_stub;
    vector = -1;
    __asm__ volatile("call enter_guest" ::: "memory", "cc", "rax", "rcx", "rdx", "rsi", "rdi", "r8", "r9", "r10", "r11");
}

static void print_memory(void) {
    for (int i = 0; i < PAGE; i++)
        if (data[i] != data0[i]) printf(" d%x=%02x", i, data[i]);
    for (int i = 0; i < PAGE; i++)
        if (stack[i] != stack0[i]) printf(" s%x=%02x", i, stack[i]);
}
