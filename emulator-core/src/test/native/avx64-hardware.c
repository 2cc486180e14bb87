/*
 * Makes avx64-hardware.txt: random AVX, AVX2, FMA, F16C, VAES and VPCLMULQDQ instructions and what an x86-64
 * CPU does with them.
 *
 *   gcc -O1 -no-pie -o gen avx64-hardware.c && ./gen 12000 | gzip -9n > avx64-hardware.txt.gz
 *
 * A line: case number, instruction bytes, fault vector or -, then what changed: register=value,
 * y register=quarter:quarter:quarter:quarter (highest first), c=MXCSR, f=flags, d offset=byte. The state before follows from
 * the case number and, for gathers, from the instruction: their indexes are small. The approximations (VRCP, VRSQRT) are left
 * out: CPUs differ in them. Nothing is made where the CPU is not Intel's or lacks AVX2 or FMA.
 */
#define WITH_AVX
#include "user64.h"

static uint8_t ins[16];
static int len, index_register, index_size;
static int pick(int n) { return rand() % n; }
static void put(int b) { ins[len++] = b; }

static uint64_t *half(struct state *s, int n, int high) {
    return (uint64_t *)(s->fx + (high ? 576 : 160) + 16 * n);
}

static void prepare(int number) {
    seed = number * 1000033UL + 11;
    for (int r = 0; r < 16; r++)
        st->r[r] = value();
    st->r[RBX] = DATA + 1024;
    st->r[RSI] = DATA + 512;
    st->r[RDI] = DATA + 1536;
    st->r[RSP] = STACK + 2048;
    st->r[RBP] = STACK + 1024;
    uint64_t v = next();
    if (v & 1)
        st->r[RAX] = (v >> 1 & 63) - 24, st->r[RDX] = (v >> 7 & 63) - 24;
    st->flags = 0x202 | (next() & ALL);
    memset(st->fx, 0, sizeof st->fx);
    for (int i = 0; i < 16; i++)
        for (int k = 0; k < 4; k++) {
            uint64_t a = lane();
            if (i == index_register) a &= index_size == 8 ? 0xff : 0xff000000ff;
            half(st, i, k >> 1)[k & 1] = a;
        }
    *(uint16_t *)st->fx = 0x37f;
    *(uint64_t *)(st->fx + 512) = 7;
    v = next();
    uint32_t mxcsr = 0x1f80 | (v & 1 ? (v >> 1 & 3) << 13 : 0) | (v & 0x70 ? 0 : v >> 8 & 0x8040);
    v = next();
    if ((v & 15) == 0) mxcsr &= ~(v >> 4 & 0x1f80);
    *(uint32_t *)(st->fx + 24) = mxcsr;
    for (int i = 0; i < PAGE; i += 8) {
        *(uint64_t *)(data + i) = lane();
        *(uint64_t *)(stack + i) = 0;
    }
}

/* Opcode ranges: map, first, last, immediate bytes. */
static const uint8_t ranges[][4] = {{1, 0x10, 0x17, 0}, {1, 0x28, 0x2f, 0}, {1, 0x50, 0x51, 0}, {1, 0x54, 0x6f, 0},
    {1, 0x58, 0x5f, 0}, {1, 0x70, 0x70, 1}, {1, 0x71, 0x73, 9}, {1, 0x74, 0x7f, 0}, {1, 0xc2, 0xc2, 1}, {1, 0xc2, 0xc2, 1},
    {1, 0xc4, 0xc6, 1}, {1, 0xd0, 0xfe, 0}, {1, 0xd0, 0xfe, 0}, {2, 0x00, 0x0f, 0}, {2, 0x13, 0x1e, 0}, {2, 0x20, 0x47, 0},
    {2, 0x20, 0x47, 0}, {2, 0x58, 0x5a, 0}, {2, 0x78, 0x79, 0}, {2, 0x8c, 0x8e, 0}, {2, 0x90, 0x93, 7}, {2, 0x96, 0x9f, 0},
    {2, 0xa6, 0xaf, 0}, {2, 0xb6, 0xbf, 0}, {2, 0x96, 0x9f, 0}, {2, 0xa6, 0xaf, 0}, {2, 0xb6, 0xbf, 0}, {3, 0x00, 0x0f, 1},
    {3, 0x14, 0x1d, 1}, {3, 0x20, 0x22, 1}, {3, 0x38, 0x42, 1}, {3, 0x46, 0x4c, 1}, {3, 0x60, 0x63, 1}, {3, 0x13, 0x1d, 1},
    {2, 0xdb, 0xdf, 0}, {3, 0x44, 0x44, 1}, {3, 0xdf, 0xdf, 1}};

static void choose(void) {
    const uint8_t *g = ranges[pick(sizeof ranges / sizeof *ranges)];
    int map = g[0], op = g[1] + pick(g[2] - g[1] + 1), gather = g[3] == 7;
    len = 0;
    index_register = -1;
    index_size = op & 1 ? 8 : 4;
    int mem = gather || pick(2), r = pick(16), b = pick(16), x = pick(16), vvvv = pick(2) ? 0 : pick(16), w = pick(2), pp, l = pick(2);
    pp = map == 1 ? pick(4) : 1;
    if (g[3] == 9) r = (int[]){2, 4, 6, 3, 7}[pick(op == 0x73 ? 5 : 3)], mem = 0;
    int last = (~vvvv & 15) << 3 | l << 2 | pp;
    /* In the three-byte form of memory operands without index X is not looked at. */
    if (map == 1 && pick(2) && (mem || b < 8)) {
        put(0xc5), put((r < 8) << 7 | last);
    } else {
        put(0xc4), put((r < 8) << 7 | (!gather || x < 8) << 6 | (mem || b < 8) << 5 | map), put(w << 7 | last);
    }
    put(op);
    if (map == 1 && op == 0x77) return;
    if (gather) {
        index_register = x;
        int d = pick(60) * 8;
        put(0x84 | (r & 7) << 3), put(pick(4) << 6 | (x & 7) << 3 | 3);
        for (int i = 0; i < 4; i++) put(d >> 8 * i & 0xff);
    } else if (mem) {
        int d = (pick(45) - 15) * (pick(4) ? 32 : 8);
        put(0x80 | (r & 7) << 3 | (int[]){3, 6, 7}[pick(3)]);
        for (int i = 0; i < 4; i++) put(d >> 8 * i & 0xff);
    } else {
        put(0xc0 | (r & 7) << 3 | (b & 7));
    }
    if (g[3] == 1 || g[3] == 9) put(pick(3) ? pick(256) : pick(16));
}

int main(int argc, char **argv) {
    int cases = argc > 1 ? atoi(argv[1]) : 1000;
    /* In corners of unmasked exceptions other vendors' CPUs differ. */
    if (!__builtin_cpu_is("intel") || !__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("fma")) return 0;
    if (!set_up()) return 1;
    srand(argc > 2 ? atoi(argv[2]) : 1);
    for (int n = 0; n < cases; n++) {
        choose();
        prepare(n);
        static struct state before;
        before = *st;
        run(ins, len);
        /* Not an encoding, or one of another form. */
        if (vector == 6) { n--; continue; }
        printf("%d ", n);
        for (int i = 0; i < len; i++) printf("%02x", ins[i]);
        if (vector < 0) printf(" -");
        else printf(" %d", vector == 0 ? 19 : vector);
        for (int r = 0; r < 16; r++)
            if (st->r[r] != before.r[r]) printf(" %d=%lx", r, st->r[r]);
        if ((st->flags ^ before.flags) & ALL) printf(" f=%lx", st->flags & ALL);
        for (int x = 0; x < 16; x++) {
            uint64_t *a = half(st, x, 0), *z = half(&before, x, 0), *b = half(st, x, 1), *y = half(&before, x, 1);
            if (!(*(uint64_t *)(st->fx + 512) & 4)) b[0] = b[1] = 0;
            if (a[0] != z[0] || a[1] != z[1] || b[0] != y[0] || b[1] != y[1])
                printf(" y%d=%lx:%lx:%lx:%lx", x, b[1], b[0], a[1], a[0]);
        }
        if (*(uint32_t *)(st->fx + 24) != *(uint32_t *)(before.fx + 24)) printf(" c=%x", *(uint32_t *)(st->fx + 24));
        print_memory();
        printf("\n");
    }
    return 0;
}
