/*
 * Makes simd-encodings-hardware.txt: MMX and SSE to SSE4.2 instructions and what an x86-64 CPU does with them in user mode.
 *
 *   gcc -O1 -no-pie -o gen simd-encodings-hardware.c && ./gen | gzip -9n > simd-encodings-hardware.txt.gz
 *
 * A line: case number, kind of values, distance of the memory operand (RSI, RDI) from the end of its page, instruction
 * bytes, vector of the exception (6, 13, 19) or -, then what changed, as number=value: 0 RAX, 1 RCX, 2 RDX, 3 arithmetic
 * flags, 4 MXCSR, 5 MM1, 6 MM2, 7 to 12 the halves of XMM0 to XMM2, 13 to 16 the last 32 bytes of the page. The state
 * before is not written: it follows from number and kind by the generator below, which the test has too. A memory
 * operand ends where the page does, and nothing is mapped behind it.
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
#define END (DATA + 4096)
#define CODE 0x11000000L
#define ARITHMETIC 0x8d5

enum { RAX, RCX, RDX, FLAGS, MXCSR, MM1, MM2, XMM0, XMM1 = 9, XMM2 = 11, MEMORY = 13, COUNT = 17 };

/* Also in the assembly below: 8 bytes each; 17 is the address of the memory operand, 18 the stub's RSP. */
uint64_t st[19];

void stub(void);
extern char after[];
__asm__(".globl stub, after\n"
        "stub: push %rbx; push %rbp; push %r12; push %r13; push %r14; push %r15\n"
        "lea st(%rip), %rbx; mov %rsp, 144(%rbx); lea after(%rip), %r15\n"
        "movq 40(%rbx), %mm1; movq 48(%rbx), %mm2\n"
        "movdqu 56(%rbx), %xmm0; movdqu 72(%rbx), %xmm1; movdqu 88(%rbx), %xmm2\n"
        "mov (%rbx), %rax; mov 8(%rbx), %rcx; mov 16(%rbx), %rdx; mov 136(%rbx), %rsi; mov %rsi, %rdi\n"
        "mov $0x11000000, %r14\n"
        "ldmxcsr 32(%rbx); pushq 24(%rbx); popfq\n"
        "jmp *%r14\n"
        "after: lea st(%rip), %rbx; mov 144(%rbx), %rsp\n"
        "pushfq; popq 24(%rbx); stmxcsr 32(%rbx)\n"
        "mov %rax, (%rbx); mov %rcx, 8(%rbx); mov %rdx, 16(%rbx)\n"
        "movq %mm1, 40(%rbx); movq %mm2, 48(%rbx); emms\n"
        "movdqu %xmm0, 56(%rbx); movdqu %xmm1, 72(%rbx); movdqu %xmm2, 88(%rbx)\n"
        "movl $0x1f80, -4(%rsp); ldmxcsr -4(%rsp)\n"
        "pop %r15; pop %r14; pop %r13; pop %r12; pop %rbp; pop %rbx; ret\n");

static int vector;
static uint64_t fault_address;
static void on_signal(int number, siginfo_t *info, void *context) {
    ucontext_t *u = context;
    vector = number == SIGFPE ? 19 : number == SIGILL ? 6 : 13;
    fault_address = (uint64_t)info->si_addr;
    u->uc_mcontext.gregs[REG_RIP] = (long)after;
}

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

static uint64_t twice(void) {
    uint64_t k = next(), v = next(), sign = v & 1UL << 63, fraction = v & 0xfffffffffffffUL, bits;
    double d;
    switch (k & 15) {
    case 0: return sign;
    case 1: return sign | 0x7ffUL << 52;
    case 2: return sign | 0xfffUL << 51 | fraction;
    case 3: return sign | 0x7ffUL << 52 | fraction >> 1 | 1;
    case 4: return sign | fraction >> (k >> 4 & 31);
    case 5: d = (double)((int)(v & 0xff) - 128); break;
    case 6: d = (double)(int32_t)v; break;
    case 7: d = ((int)(v & 63) - 32) / 4.0; break;
    case 8: return sign | 0x7feUL << 52 | fraction;
    case 9: return sign | (k >> 4 & 3) << 52 | fraction;
    case 10: case 11: return sign | (1020 + (k >> 4 & 7)) << 52 | fraction;
    case 12: return sign | (1046 + (k >> 4 & 63)) << 52 | fraction;
    case 13: return sign | (k >> 8 & 1 ? 1023 + 124 + (k >> 4 & 7) : 1023 - 152 + (k >> 4 & 31)) << 52 | fraction;
    default: return v;
    }
    memcpy(&bits, &d, 8);
    return bits;
}

static uint64_t single(void) {
    uint64_t k = next(), v = next();
    uint32_t sign = v & 1u << 31, fraction = v & 0x7fffff, bits;
    float f;
    switch (k & 15) {
    case 0: return sign;
    case 1: return sign | 0xffu << 23;
    case 2: return sign | 0x1ffu << 22 | fraction;
    case 3: return sign | 0xffu << 23 | fraction >> 1 | 1;
    case 4: return sign | fraction >> (k >> 4 & 15);
    case 5: f = (float)((int)(v & 0xff) - 128); break;
    case 6: f = (float)((int)(v & 0xffff) - 32768); break;
    case 7: f = ((int)(v & 63) - 32) / 4.0f; break;
    case 8: return sign | 0xfeu << 23 | fraction;
    case 9: return sign | (uint32_t)(k >> 4 & 3) << 23 | fraction;
    case 10: case 11: case 12: return sign | (uint32_t)(124 + (k >> 4 & 7)) << 23 | fraction;
    case 13: return sign | (uint32_t)(148 + (k >> 4 & 63)) << 23 | fraction;
    default: return v & 0xffffffff;
    }
    memcpy(&bits, &f, 4);
    return bits;
}

/* Eight bytes or four words of a small alphabet, with zeros here and there. */
static uint64_t text(int words) {
    static const uint8_t alphabet[8] = {0x61, 0x62, 0x63, 0x81, 0xfe, 0x61, 0x62, 0x63};
    uint64_t r = 0, v = next();
    for (int k = 0; k < 64; k += words ? 16 : 8) {
        uint64_t x = v >> k & 0x7f;
        r |= (x >> 3 == 0 ? 0 : words ? alphabet[x & 7] * 0x101UL & 0xff7f : alphabet[x & 7]) << k;
    }
    return r;
}

/* The state of a case: the test does the same. */
static void prepare(int number, char kind) {
    seed = number * 1000003UL;
    for (int i = 0; i < COUNT; i++) st[i] = value();
    st[FLAGS] = 0x202 | (next() & ARITHMETIC);
    uint64_t v = next();
    st[MXCSR] = ((v >> 32 & 7) == 0 ? (v >> 36 & 0x3f) << 7 : 0x1f80) | (v >> 2 & 1 ? (v & 3) << 13 : 0)
            | ((v >> 8 & 7) == 0 ? v >> 16 & 0x3f : 0) | ((v >> 24 & 7) == 0 ? 0x8000 : 0)
            | ((v >> 28 & 7) == 0 ? 0x40 : 0);
    uint64_t w = next();
    switch (kind) {
    case 'D': for (int i = XMM0; i < COUNT; i++) st[i] = twice(); break;
    case 'S': for (int i = MM1; i < COUNT; i++) st[i] = single(), st[i] |= single() << 32; break;
    case 'C':
        w = w & 0x300 ? w & 0x3f : w;
        st[MM2] = st[XMM2] = st[MEMORY + 2] = st[MEMORY + 3] = w;
        break;
    case 'T':
        for (int i = XMM0; i < COUNT; i++) st[i] = text(w & 1);
        if (w & 6) st[RAX] = (w >> 8 & 63) - 32, st[RDX] = (w >> 16 & 63) - 32;
        break;
    case 'X':
        if (w & 7) st[MEMORY + 3] &= 0x0000ffff0000ffff;
        break;
    }
    memcpy((void *)(END - 32), st + MEMORY, 32);
}

static int code_length;
static void run(const uint8_t *code, int distance) {
    uint8_t *to = (uint8_t *)CODE;
    memcpy(to, code, code_length);
    memcpy(to + code_length, "\x41\xff\xe7", 3); /* jmp *%r15 */
    st[17] = END - distance;
    vector = 0;
    stub();
    memcpy(st + MEMORY, (void *)(END - 32), 32);
}

/* The size of the memory operand: what fits before the unmapped page. */
static int operand_size(const uint8_t *code) {
    for (int size = 1; size <= 16; size *= 2) {
        memset(st, 0, sizeof st);
        memset((void *)(END - 32), 0, 32);
        st[FLAGS] = 0x202, st[MXCSR] = 0x1f80;
        run(code, size);
        if (!vector) return size;
    }
    fprintf(stderr, "no operand size for %02x %02x %02x %02x\n", code[0], code[1], code[2], code[3]);
    exit(1);
}

/*
 * Kind of values (I integers, C shift counts, S singles, D doubles, T strings, X MXCSR), opcode (/n: ModRM.reg), forms: r
 * register, m memory, i immediate.
 */
static const char *const table[] = {
    /* MMX */
    "I 0F60 rm", "I 0F61 rm", "I 0F62 rm", "I 0F63 rm", "I 0F64 rm", "I 0F65 rm", "I 0F66 rm", "I 0F67 rm",
    "I 0F68 rm", "I 0F69 rm", "I 0F6A rm", "I 0F6B rm", "I 0F74 rm", "I 0F75 rm", "I 0F76 rm", "I 0FD4 rm",
    "I 0FD5 rm", "I 0FD8 rm", "I 0FD9 rm", "I 0FDA rm", "I 0FDB rm", "I 0FDC rm", "I 0FDD rm", "I 0FDE rm",
    "I 0FDF rm", "I 0FE0 rm", "I 0FE3 rm", "I 0FE4 rm", "I 0FE5 rm", "I 0FE8 rm", "I 0FE9 rm", "I 0FEA rm",
    "I 0FEB rm", "I 0FEC rm", "I 0FED rm", "I 0FEE rm", "I 0FEF rm", "I 0FF4 rm", "I 0FF5 rm", "I 0FF6 rm",
    "I 0FF8 rm", "I 0FF9 rm", "I 0FFA rm", "I 0FFB rm", "I 0FFC rm", "I 0FFD rm", "I 0FFE rm", "C 0FD1 rm",
    "C 0FD2 rm", "C 0FD3 rm", "C 0FE1 rm", "C 0FE2 rm", "C 0FF1 rm", "C 0FF2 rm", "C 0FF3 rm", "C 0F71/2 ri",
    "C 0F71/4 ri", "C 0F71/6 ri", "C 0F72/2 ri", "C 0F72/4 ri", "C 0F72/6 ri", "C 0F73/2 ri", "C 0F73/6 ri",
    "I 0F6E rm", "I 480F6E rm", "I 0F7E rm", "I 480F7E rm", "I 0F6F rm", "I 0F7F rm", "I 0FE7 m", "I 0F70 rmi",
    "I 0FD7 r", "I 0FC5 ri", "I 0FC4 rmi", "I 0FF7 r",
    /* SSE2 integers */
    "I 660F60 rm", "I 660F61 rm", "I 660F62 rm", "I 660F63 rm", "I 660F64 rm", "I 660F65 rm", "I 660F66 rm",
    "I 660F67 rm", "I 660F68 rm", "I 660F69 rm", "I 660F6A rm", "I 660F6B rm", "I 660F6C rm", "I 660F6D rm",
    "I 660F74 rm", "I 660F75 rm", "I 660F76 rm", "I 660FD4 rm", "I 660FD5 rm", "I 660FD8 rm", "I 660FD9 rm",
    "I 660FDA rm", "I 660FDB rm", "I 660FDC rm", "I 660FDD rm", "I 660FDE rm", "I 660FDF rm", "I 660FE0 rm",
    "I 660FE3 rm", "I 660FE4 rm", "I 660FE5 rm", "I 660FE8 rm", "I 660FE9 rm", "I 660FEA rm", "I 660FEB rm",
    "I 660FEC rm", "I 660FED rm", "I 660FEE rm", "I 660FEF rm", "I 660FF4 rm", "I 660FF5 rm", "I 660FF6 rm",
    "I 660FF8 rm", "I 660FF9 rm", "I 660FFA rm", "I 660FFB rm", "I 660FFC rm", "I 660FFD rm", "I 660FFE rm",
    "C 660FD1 rm", "C 660FD2 rm", "C 660FD3 rm", "C 660FE1 rm", "C 660FE2 rm", "C 660FF1 rm", "C 660FF2 rm",
    "C 660FF3 rm", "C 660F71/2 ri", "C 660F71/4 ri", "C 660F71/6 ri", "C 660F72/2 ri", "C 660F72/4 ri",
    "C 660F72/6 ri", "C 660F73/2 ri", "C 660F73/6 ri", "C 660F73/3 ri", "C 660F73/7 ri", "I 660F70 rmi",
    "I F20F70 rmi", "I F30F70 rmi", "I 660FD7 r", "I 660FC5 ri", "I 660FC4 rmi", "I 660FF7 r",
    /* moves */
    "I 0F10 rm", "I 0F11 rm", "I 660F10 rm", "I 660F11 rm", "I F30F10 rm", "I F30F11 rm", "I F20F10 rm",
    "I F20F11 rm", "I 0F12 rm", "I 0F13 m", "I 660F12 m", "I 660F13 m", "I 0F16 rm", "I 660F16 m", "I 0F17 m",
    "I 660F17 m", "I 0F28 rm", "I 0F29 rm", "I 660F28 rm", "I 660F29 rm", "I 660F6F rm", "I 660F7F rm",
    "I F30F6F rm", "I F30F7F rm", "I 0F2B m", "I 660F2B m", "I 660FE7 m", "I 0FC3 m", "I 480FC3 m", "I 660F6E rm",
    "I 66480F6E rm", "I 660F7E rm", "I 66480F7E rm", "I F30F7E rm", "I 660FD6 rm", "I F30F12 rm", "I F30F16 rm",
    "I F20F12 rm", "I F20FF0 m", "I F30FD6 r", "I F20FD6 r", "I 0F50 r", "I 660F50 r", "X 0FAE/2 m", "I 0FAE/3 m",
    /* logic and shuffles of floating point */
    "I 0F54 rm", "I 660F54 rm", "I 0F55 rm", "I 660F55 rm", "I 0F56 rm", "I 660F56 rm", "I 0F57 rm", "I 660F57 rm",
    "I 0F14 rm", "I 660F14 rm", "I 0F15 rm", "I 660F15 rm", "I 0FC6 rmi", "I 660FC6 rmi",
    /* arithmetic */
    "S 0F51 rm", "S F30F51 rm", "D 660F51 rm", "D F20F51 rm", "S 0F58 rm", "S F30F58 rm", "D 660F58 rm", "D F20F58 rm",
    "S 0F59 rm", "S F30F59 rm", "D 660F59 rm", "D F20F59 rm", "S 0F5C rm", "S F30F5C rm", "D 660F5C rm", "D F20F5C rm",
    "S 0F5D rm", "S F30F5D rm", "D 660F5D rm", "D F20F5D rm", "S 0F5E rm", "S F30F5E rm", "D 660F5E rm", "D F20F5E rm",
    "S 0F5F rm", "S F30F5F rm", "D 660F5F rm", "D F20F5F rm", "S 0F52 rm", "S F30F52 rm", "S 0F53 rm", "S F30F53 rm",
    "S 0FC2 rmi", "S F30FC2 rmi", "D 660FC2 rmi", "D F20FC2 rmi", "S 0F2E rm", "S 0F2F rm", "D 660F2E rm",
    "D 660F2F rm",
    /* conversions */
    "I F30F2A rm", "I F3480F2A rm", "I F20F2A rm", "I F2480F2A rm", "S F30F2C rm", "S F3480F2C rm", "S F30F2D rm",
    "S F3480F2D rm", "D F20F2C rm", "D F2480F2C rm", "D F20F2D rm", "D F2480F2D rm", "S F30F5A rm", "D F20F5A rm",
    "S 0F5A rm", "D 660F5A rm", "I F30FE6 rm", "I 0F5B rm", "S 660F5B rm", "S F30F5B rm", "D F20FE6 rm",
    "D 660FE6 rm", "I 0F2A rm", "I 660F2A rm", "S 0F2C rm", "S 0F2D rm", "D 660F2C rm", "D 660F2D rm",
    /* SSE3 */
    "D 660FD0 rm", "S F20FD0 rm", "D 660F7C rm", "S F20F7C rm", "D 660F7D rm", "S F20F7D rm",
    /* SSSE3 */
    "I 0F3800 rm", "I 0F3801 rm", "I 0F3802 rm", "I 0F3803 rm", "I 0F3804 rm", "I 0F3805 rm", "I 0F3806 rm",
    "I 0F3807 rm", "I 0F3808 rm", "I 0F3809 rm", "I 0F380A rm", "I 0F380B rm", "I 0F381C rm", "I 0F381D rm",
    "I 0F381E rm", "C 0F3A0F rmi", "I 660F3800 rm", "I 660F3801 rm", "I 660F3802 rm", "I 660F3803 rm",
    "I 660F3804 rm", "I 660F3805 rm", "I 660F3806 rm", "I 660F3807 rm", "I 660F3808 rm", "I 660F3809 rm",
    "I 660F380A rm", "I 660F380B rm", "I 660F381C rm", "I 660F381D rm", "I 660F381E rm", "C 660F3A0F rmi",
    /* SSE4.1 */
    "I 660F3810 rm", "I 660F3814 rm", "I 660F3815 rm", "I 660F3817 rm", "I 660F3820 rm", "I 660F3821 rm",
    "I 660F3822 rm", "I 660F3823 rm", "I 660F3824 rm", "I 660F3825 rm", "I 660F3828 rm", "I 660F3829 rm",
    "I 660F382A m", "I 660F382B rm", "I 660F3830 rm", "I 660F3831 rm", "I 660F3832 rm", "I 660F3833 rm",
    "I 660F3834 rm", "I 660F3835 rm", "I 660F3838 rm", "I 660F3839 rm", "I 660F383A rm", "I 660F383B rm",
    "I 660F383C rm", "I 660F383D rm", "I 660F383E rm", "I 660F383F rm", "I 660F3840 rm", "I 660F3841 rm",
    "S 660F3A08 rmi", "D 660F3A09 rmi", "S 660F3A0A rmi", "D 660F3A0B rmi", "I 660F3A0C rmi", "I 660F3A0D rmi",
    "I 660F3A0E rmi", "I 660F3A14 rmi", "I 660F3A15 rmi", "I 660F3A16 rmi", "I 66480F3A16 rmi", "I 660F3A17 rmi",
    "I 660F3A20 rmi", "I 660F3A21 rmi", "I 660F3A22 rmi", "I 66480F3A22 rmi", "S 660F3A40 rmi", "D 660F3A41 rmi",
    "I 660F3A42 rmi",
    /* SSE4.2 */
    "I 660F3837 rm", "T 660F3A60 rmi", "T 660F3A61 rmi", "T 660F3A62 rmi", "T 660F3A63 rmi", "T 66480F3A60 rmi",
    "T 66480F3A61 rmi",
};

static int number;

static void cases(const char *row, int memory) {
    uint8_t code[16];
    int n = 0, reg = 1, immediate;
    const char *p = row + 2;
    for (unsigned b; *p != ' ' && *p != '/'; p += 2) sscanf(p, "%2x", &b), code[n++] = b;
    if (*p == '/') reg = p[1] - '0', p += 2;
    code[n++] = reg << 3 | (memory ? 6 : 0xc2);
    immediate = strchr(p, 'i') != NULL;
    code_length = n + immediate;
    code[n] = 0;
    int size = memory ? operand_size(code) : 16;
    int count = (*row == 'T' ? 160 : *row == 'S' || *row == 'D' ? 60 : 20) / (1 + memory);
    for (int i = 0; i < count; i++) {
        uint64_t before[COUNT];
        number++;
        seed = number;
        uint64_t v = next();
        code[n] = immediate ? *row == 'C' && v & 0x700 ? v & 0x1f : v : 0;
        int distance = size == 16 && memory && i % 8 == 7 ? 24 : size;
        prepare(number, *row);
        memcpy(before, st, sizeof before);
        run(code, distance);
        printf("%d %c %d ", number, *row, distance);
        for (int k = 0; k < code_length; k++) printf("%02x", code[k]);
        if (vector) printf(" %d", vector);
        else printf(" -");
        for (int k = 0; k < COUNT; k++) {
            uint64_t mask = k == FLAGS ? ARITHMETIC : k == MXCSR ? 0xffff : -1UL;
            if ((st[k] ^ before[k]) & mask) printf(" %d=%lx", k, st[k] & mask);
        }
        printf("\n");
    }
}

int main(void) {
    struct sigaction action = {.sa_sigaction = on_signal, .sa_flags = SA_SIGINFO | SA_NODEFER};
    sigaction(SIGFPE, &action, NULL), sigaction(SIGSEGV, &action, NULL), sigaction(SIGILL, &action, NULL);
    sigaction(SIGBUS, &action, NULL);
    mmap((void *)DATA, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
    mmap((void *)CODE, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
    for (unsigned i = 0; i < sizeof table / sizeof *table; i++) {
        if (strchr(strchr(table[i] + 2, ' '), 'r')) cases(table[i], 0);
        if (strchr(strchr(table[i] + 2, ' '), 'm')) cases(table[i], 1);
    }
    return 0;
}
