/*
 * Makes decoder64-hardware.txt: which encodings of the maps 0F, 0F38 and 0F3A an x86-64 CPU takes in 64-bit mode with
 * which prefixes, and their lengths. A line: instruction bytes, length, or 0 where it faulted with #GP or #PF (it is an
 * instruction all the same). An encoding that is not there raised #UD.
 *
 *   gcc -O1 -no-pie -o gen decoder64-hardware.c && ./gen | gzip -9n > decoder64-hardware.txt.gz
 *
 * The bytes behind an encoding are INT3, so that a completed instruction tells its length. The test goes through the same
 * encodings. System calls, branches, and what would take the segment registers of this program away are left out.
 */
#define _GNU_SOURCE
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>

#define DATA 0x10000000L
#define CODE 0x11000000L

uint64_t saved_rsp;
void stub(void);
extern char after[];
__asm__(".globl stub, after\n"
        "stub: push %rbx; push %rbp; push %r12; push %r13; push %r14; push %r15\n"
        "mov %rsp, saved_rsp(%rip); mov $0x10000400, %esi; mov %esi, %edi\n"
        "xor %eax, %eax; xor %ecx, %ecx; xor %edx, %edx; mov $0x11000000, %r14; jmp *%r14\n"
        "after: mov saved_rsp(%rip), %rsp; emms; cld\n"
        "pop %r15; pop %r14; pop %r13; pop %r12; pop %rbp; pop %rbx; ret\n");

static int result; /* length; 0: fault; -1: #UD */
static void on_signal(int number, siginfo_t *info, void *context) {
    ucontext_t *u = context;
    result = number == SIGTRAP ? (int)(u->uc_mcontext.gregs[REG_RIP] - CODE - 1) : number == SIGILL ? -1 : 0;
    u->uc_mcontext.gregs[REG_RIP] = (long)after;
    (void)info;
}

static const char *const prefixes[] = {
    "", "66", "f3", "f2", "66f3", "f366", "66f2", "f266", "f2f3", "f3f2", "48", "6648", "f348", "f248"};

static int in(int opcode, const uint8_t *list) {
    for (; *list; list++)
        if (*list == opcode) return 1;
    return 0;
}

int main(void) {
    /* The opcodes of map 0F that are left out (80 to 8F as well), those without ModRM, and those that ModRM.reg extends. */
    static const uint8_t left_out[] = {0x05, 0x07, 0x34, 0x35, 0x01, 0x38, 0x3a, 0xa1, 0xa9, 0xb2, 0xb4, 0xb5, 0};
    static const uint8_t plain[] = {0x06, 0x08, 0x09, 0x0b, 0x0e, 0x30, 0x31, 0x32, 0x33, 0x37, 0x77, 0xa0, 0xa2, 0xa8,
        0xaa, 0xc8, 0xc9, 0xca, 0xcb, 0xcc, 0xcd, 0xce, 0xcf, 0};
    static const uint8_t groups[] = {0x71, 0x72, 0x73, 0xae, 0xba, 0xc7, 0x18, 0};
    struct sigaction action = {.sa_sigaction = on_signal, .sa_flags = SA_SIGINFO | SA_NODEFER | SA_ONSTACK};
    stack_t alternative = {.ss_sp = malloc(65536), .ss_size = 65536};
    int signals[] = {SIGFPE, SIGSEGV, SIGILL, SIGBUS, SIGTRAP};
    sigaltstack(&alternative, NULL);
    for (int i = 0; i < 5; i++) sigaction(signals[i], &action, NULL);
    mmap((void *)DATA, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
    uint8_t *code = mmap(
            (void *)CODE, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
    for (int map = 1; map <= 3; map++)
        for (int opcode = 0; opcode < 256; opcode++) {
            if (map == 1 && (opcode == 0 || opcode >> 4 == 8 || in(opcode, left_out))) continue;
            int modrm = map > 1 || (opcode && !in(opcode, plain)), group = map == 1 && in(opcode, groups);
            for (int p = 0; p < 14; p++)
                for (int mem = 0; mem < 1 + modrm; mem++)
                    for (int reg = group ? 0 : 1; reg < (group ? 8 : 2); reg++) {
                        /* WRFSBASE. */
                        if (map == 1 && opcode == 0xae && !mem && strstr(prefixes[p], "f3")) continue;
                        uint8_t c[16];
                        int n = 0;
                        unsigned b;
                        for (const char *q = prefixes[p]; *q; q += 2) sscanf(q, "%2x", &b), c[n++] = b;
                        c[n++] = 0x0f;
                        if (map > 1) c[n++] = map == 2 ? 0x38 : 0x3a;
                        c[n++] = opcode;
                        if (modrm) c[n++] = reg << 3 | (mem ? 6 : 0xc2);
                        memset(code, 0xcc, 64), memset((void *)DATA, 0, 4096);
                        memcpy(code, c, n);
                        result = -1;
                        stub();
                        if (result < 0) continue;
                        for (int k = 0; k < n; k++) printf("%02x", c[k]);
                        printf(" %d\n", result);
                    }
        }
    return 0;
}
