/*
 * Makes simd64-hardware.txt: random MMX and SSE to SSE4.2 instructions and what an x86-64 CPU does with them.
 *
 *   gcc -O1 -no-pie -o gen simd64-hardware.c && ./gen 20000 | gzip -9n > simd64-hardware.txt.gz
 *
 * A line: case number, instruction bytes, fault vector or -, then what changed: register=value, x register=high:low,
 * m register=value (MMX), c=MXCSR, f=flags, d offset=byte. The state before follows from the case number. The
 * approximations (RCP, RSQRT) are left out: CPUs differ in them. Nothing is made where the CPU is not Intel's or lacks
 * SSE4.2.
 */
#include "user64.h"

static void prepare(int number) {
    seed = number * 1000033UL + 7;
    for (int r = 0; r < 16; r++)
        st->r[r] = value();
    st->r[RBX] = DATA + 1024;
    st->r[RSI] = DATA + 512;
    st->r[RDI] = DATA + 1536;
    st->r[RSP] = STACK + 2048;
    st->r[RBP] = STACK + 1024;
    /* The string comparisons take lengths from EAX and EDX. */
    uint64_t v = next();
    if (v & 1)
        st->r[RAX] = (v >> 1 & 63) - 24, st->r[RDX] = (v >> 7 & 63) - 24;
    st->flags = 0x202 | (next() & ALL);
    for (int i = 0; i < 32; i++)
        *(uint64_t *)(st->fx + 160 + 8 * i) = lane();
    memset(st->fx + 32, 0, 128);
    for (int i = 0; i < 8; i++)
        *(uint64_t *)(st->fx + 32 + 16 * i) = lane(), *(uint16_t *)(st->fx + 40 + 16 * i) = 0xffff;
    *(uint16_t *)st->fx = 0x37f, *(uint16_t *)(st->fx + 2) = 0, st->fx[4] = 0xff;
    v = next();
    *(uint32_t *)(st->fx + 24) = 0x1f80 | (v & 1 ? (v >> 1 & 3) << 13 : 0) | (v & 0x70 ? 0 : v >> 8 & 0x8040);
    for (int i = 0; i < PAGE; i += 8) {
        *(uint64_t *)(data + i) = lane();
        *(uint64_t *)(stack + i) = 0;
    }
}

static uint8_t ins[16];
static int len;
static int pick(int n) { return rand() % n; }
static void put(int b) { ins[len++] = b; }

/* One row: opcode map, opcode, which prefixes (1 none, 2 66, 4 F3, 8 F2), immediate bytes, 1 = register only, 2 = memory
 * only, 3 = either. */
static const struct { uint8_t map, op, prefixes, imm, forms; } rows[] = {
    {1, 0x10, 15, 0, 3}, {1, 0x11, 15, 0, 3}, {1, 0x12, 15, 0, 3}, {1, 0x13, 3, 0, 2}, {1, 0x14, 3, 0, 3}, {1, 0x15, 3, 0, 3},
    {1, 0x16, 7, 0, 3}, {1, 0x17, 3, 0, 2}, {1, 0x28, 3, 0, 3}, {1, 0x29, 3, 0, 3}, {1, 0x2a, 15, 0, 3}, {1, 0x2b, 3, 0, 2},
    {1, 0x2c, 15, 0, 3}, {1, 0x2d, 15, 0, 3}, {1, 0x2e, 3, 0, 3}, {1, 0x2f, 3, 0, 3}, {1, 0x50, 3, 0, 1}, {1, 0x51, 15, 0, 3},
    {1, 0x54, 3, 0, 3}, {1, 0x55, 3, 0, 3}, {1, 0x56, 3, 0, 3}, {1, 0x57, 3, 0, 3}, {1, 0x58, 15, 0, 3}, {1, 0x59, 15, 0, 3},
    {1, 0x5a, 15, 0, 3}, {1, 0x5b, 7, 0, 3}, {1, 0x5c, 15, 0, 3}, {1, 0x5d, 15, 0, 3}, {1, 0x5e, 15, 0, 3}, {1, 0x5f, 15, 0, 3},
    {1, 0x6c, 2, 0, 3}, {1, 0x6d, 2, 0, 3}, {1, 0x6e, 3, 0, 3}, {1, 0x6f, 7, 0, 3}, {1, 0x70, 15, 1, 3},
    {1, 0x71, 3, 9, 1}, {1, 0x72, 3, 9, 1}, {1, 0x73, 3, 9, 1}, {1, 0x74, 3, 0, 3}, {1, 0x75, 3, 0, 3}, {1, 0x76, 3, 0, 3},
    {1, 0x7c, 10, 0, 3}, {1, 0x7d, 10, 0, 3}, {1, 0x7e, 7, 0, 3}, {1, 0x7f, 7, 0, 3}, {1, 0xc2, 15, 1, 3}, {1, 0xc3, 1, 0, 2},
    {1, 0xc4, 3, 1, 3}, {1, 0xc5, 3, 1, 1}, {1, 0xc6, 3, 1, 3}, {1, 0xd0, 10, 0, 3}, {1, 0xd6, 14, 0, 3}, {1, 0xe6, 14, 0, 3},
    {1, 0xe7, 3, 0, 2}, {1, 0xf0, 8, 0, 2}, {1, 0xf7, 3, 0, 1},
    {2, 0x10, 2, 0, 3}, {2, 0x14, 2, 0, 3}, {2, 0x15, 2, 0, 3}, {2, 0x17, 2, 0, 3}, {2, 0x2a, 2, 0, 2}, {2, 0x37, 2, 0, 3},
    {3, 0x0f, 3, 1, 3}, {3, 0x14, 2, 1, 3}, {3, 0x15, 2, 1, 3}, {3, 0x16, 2, 1, 3}, {3, 0x17, 2, 1, 3}, {3, 0x20, 2, 1, 3},
    {3, 0x21, 2, 1, 3}, {3, 0x22, 2, 1, 3}, {3, 0x40, 2, 1, 3}, {3, 0x41, 2, 1, 3}, {3, 0x42, 2, 1, 3}, {3, 0x60, 2, 1, 3},
    {3, 0x61, 2, 1, 3}, {3, 0x62, 2, 1, 3}, {3, 0x63, 2, 1, 3}, {3, 0x60, 2, 1, 3}, {3, 0x61, 2, 1, 3}, {3, 0x62, 2, 1, 3},
    {3, 0x63, 2, 1, 3}};

static void choose(void) {
    int map, op, prefixes, immediate = 0, forms = 3;
    len = 0;
    if (pick(5) < 2) { /* the regular parts of the maps */
        static const uint8_t ranges[][4] = {{1, 0x60, 0x6b, 3}, {1, 0xd1, 0xd5, 3}, {1, 0xd8, 0xdf, 3}, {1, 0xe0, 0xe5, 3},
            {1, 0xe8, 0xef, 3}, {1, 0xf1, 0xf6, 3}, {1, 0xf8, 0xfe, 3}, {2, 0x00, 0x0b, 3}, {2, 0x1c, 0x1e, 3},
            {2, 0x20, 0x25, 2}, {2, 0x28, 0x29, 2}, {2, 0x2b, 0x2b, 2}, {2, 0x30, 0x35, 2}, {2, 0x38, 0x41, 2}, {3, 0x08, 0x0e, 2}};
        const uint8_t *g = ranges[pick(15)];
        map = g[0], op = g[1] + pick(g[2] - g[1] + 1), prefixes = g[3], immediate = map == 3;
    } else {
        int n = pick(sizeof rows / sizeof *rows);
        map = rows[n].map, op = rows[n].op, prefixes = rows[n].prefixes, immediate = rows[n].imm, forms = rows[n].forms;
    }
    int p;
    do p = pick(4); while (!(prefixes >> p & 1));
    if (p) put((int[]){0, 0x66, 0xf3, 0xf2}[p]);
    int mem = forms == 2 || (forms == 3 && pick(2));
    int r = pick(16), b = pick(16), w = pick(4) == 0;
    if (immediate == 9) r = (int[]){2, 4, 6, 3, 7}[pick(op == 0x73 ? 5 : 3)];
    int rex = 0x40 | w << 3 | r >> 3 << 2 | (mem ? 0 : b >> 3);
    if (rex != 0x40 || pick(8) == 0) put(rex);
    put(0x0f);
    if (map > 1) put(map == 2 ? 0x38 : 0x3a);
    put(op);
    if (mem) {
        int d = (pick(60) - 30) * 16;
        put(0x80 | (r & 7) << 3 | (int[]){3, 6, 7}[pick(3)]);
        for (int i = 0; i < 4; i++) put(d >> 8 * i & 0xff);
    } else {
        put(0xc0 | (r & 7) << 3 | (b & 7));
    }
    if (immediate) put(pick(3) ? pick(256) : pick(16));
}

int main(int argc, char **argv) {
    int cases = argc > 1 ? atoi(argv[1]) : 1000;
    /* Other vendors' CPUs were not compared. */
    if (!__builtin_cpu_is("intel") || !__builtin_cpu_supports("sse4.2")) return 0;
    if (!set_up()) return 1;
    srand(argc > 2 ? atoi(argv[2]) : 1);
    for (int n = 0; n < cases; n++) {
        choose();
        prepare(n);
        struct state before = *st;
        run(ins, len);
        /* Not an encoding, or one of another form. */
        if (vector >= 0) { n--; continue; }
        printf("%d ", n);
        for (int i = 0; i < len; i++) printf("%02x", ins[i]);
        printf(" -");
        for (int r = 0; r < 16; r++)
            if (st->r[r] != before.r[r]) printf(" %d=%lx", r, st->r[r]);
        if ((st->flags ^ before.flags) & ALL) printf(" f=%lx", st->flags & ALL);
        for (int x = 0; x < 16; x++) {
            uint64_t *a = (uint64_t *)(st->fx + 160 + 16 * x), *z = (uint64_t *)(before.fx + 160 + 16 * x);
            if (a[0] != z[0] || a[1] != z[1]) printf(" x%d=%lx:%lx", x, a[1], a[0]);
        }
        for (int m = 0; m < 8; m++) {
            uint64_t *a = (uint64_t *)(st->fx + 32 + 16 * m), *z = (uint64_t *)(before.fx + 32 + 16 * m);
            if (*a != *z) printf(" m%d=%lx", m, *a);
        }
        if (*(uint32_t *)(st->fx + 24) != *(uint32_t *)(before.fx + 24)) printf(" c=%x", *(uint32_t *)(st->fx + 24));
        print_memory();
        printf("\n");
    }
    return 0;
}
