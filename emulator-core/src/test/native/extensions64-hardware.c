/*
 * Makes extensions64-hardware.txt: random MOVBE, ADX, LZCNT, BMI1, BMI2, AES-NI, PCLMULQDQ and SHA instructions and what
 * an x86-64 CPU does with them.
 *
 *   gcc -O1 -no-pie -o gen extensions64-hardware.c && ./gen 8000 | gzip -9n > extensions64-hardware.txt.gz
 *
 * A line: mnemonic, case number, instruction bytes, mask of the flags that are defined, then what changed:
 * register=value, f=flags (masked), x register=high:low, d offset=byte. The state before follows from the case number.
 * Instructions that the CPU does not have are left out.
 */
#include "user64.h"

static uint64_t vector_half(void) {
    uint64_t k = next(), v = next();
    return (k & 7) == 0 ? 0 : (k & 7) == 1 ? ~0UL : (k & 7) == 2 ? 1UL << (v & 63) : v;
}

/* The test does the same. */
static void prepare(int number) {
    seed = number * 1000081UL + 11;
    for (int r = 0; r < 16; r++)
        st->r[r] = value();
    st->r[RBX] = DATA + 1024;
    st->r[RSI] = DATA + 512;
    st->r[RDI] = DATA + 1536;
    st->r[RSP] = STACK + 2048;
    /* The count of shifts, the index of BZHI and the control of BEXTR are often within the operand. */
    uint64_t v = next();
    if (v & 1)
        st->r[RCX] = v >> 1 & 0x3f3f;
    st->flags = 0x202 | (next() & ALL);
    for (int i = 0; i < 32; i++)
        *(uint64_t *)(st->fx + 160 + 8 * i) = vector_half();
    for (int i = 0; i < PAGE; i += 8) {
        *(uint64_t *)(data + i) = i & 8 ? value() : vector_half();
        *(uint64_t *)(stack + i) = 0;
    }
}

static uint8_t ins[16];
static int len;
static int pick(int n) { return rand() % n; }
static void put(int b) { ins[len++] = b; }

enum { LEGACY, VEX };
enum { REGISTER = 1, MEMORY = 2 };

/* group: the number in ModRM.reg, -1 for a register; wide: REX.W or VEX.W has a meaning; small: so has 66h. */
static const struct row {
    const char *name;
    int kind, map, prefix, op, group, imm, forms, wide, small, sse, mask;
} rows[] = {
    {"movbe", LEGACY, 2, 0, 0xf0, -1, 0, MEMORY, 1, 1, 0, ALL},
    {"movbe", LEGACY, 2, 0, 0xf1, -1, 0, MEMORY, 1, 1, 0, ALL},
    {"adcx", LEGACY, 2, 0x66, 0xf6, -1, 0, 3, 1, 0, 0, ALL},
    {"adox", LEGACY, 2, 0xf3, 0xf6, -1, 0, 3, 1, 0, 0, ALL},
    {"tzcnt", LEGACY, 1, 0xf3, 0xbc, -1, 0, 3, 1, 1, 0, CF | ZF},
    {"lzcnt", LEGACY, 1, 0xf3, 0xbd, -1, 0, 3, 1, 1, 0, CF | ZF},
    {"andn", VEX, 2, 0, 0xf2, -1, 0, 3, 1, 0, 0, CF | ZF | SF | OF},
    {"bextr", VEX, 2, 0, 0xf7, -1, 0, 3, 1, 0, 0, CF | ZF | OF},
    {"blsr", VEX, 2, 0, 0xf3, 1, 0, 3, 1, 0, 0, CF | ZF | SF | OF},
    {"blsmsk", VEX, 2, 0, 0xf3, 2, 0, 3, 1, 0, 0, CF | ZF | SF | OF},
    {"blsi", VEX, 2, 0, 0xf3, 3, 0, 3, 1, 0, 0, CF | ZF | SF | OF},
    {"bzhi", VEX, 2, 0, 0xf5, -1, 0, 3, 1, 0, 0, CF | ZF | SF | OF},
    {"pext", VEX, 2, 2, 0xf5, -1, 0, 3, 1, 0, 0, ALL},
    {"pdep", VEX, 2, 3, 0xf5, -1, 0, 3, 1, 0, 0, ALL},
    {"mulx", VEX, 2, 3, 0xf6, -1, 0, 3, 1, 0, 0, ALL},
    {"shlx", VEX, 2, 1, 0xf7, -1, 0, 3, 1, 0, 0, ALL},
    {"sarx", VEX, 2, 2, 0xf7, -1, 0, 3, 1, 0, 0, ALL},
    {"shrx", VEX, 2, 3, 0xf7, -1, 0, 3, 1, 0, 0, ALL},
    {"rorx", VEX, 3, 3, 0xf0, -2, 1, 3, 1, 0, 0, ALL},
    {"aesimc", LEGACY, 2, 0x66, 0xdb, -1, 0, 3, 0, 0, 1, ALL},
    {"aesenc", LEGACY, 2, 0x66, 0xdc, -1, 0, 3, 0, 0, 1, ALL},
    {"aesenclast", LEGACY, 2, 0x66, 0xdd, -1, 0, 3, 0, 0, 1, ALL},
    {"aesdec", LEGACY, 2, 0x66, 0xde, -1, 0, 3, 0, 0, 1, ALL},
    {"aesdeclast", LEGACY, 2, 0x66, 0xdf, -1, 0, 3, 0, 0, 1, ALL},
    {"aeskeygenassist", LEGACY, 3, 0x66, 0xdf, -1, 1, 3, 0, 0, 1, ALL},
    {"pclmulqdq", LEGACY, 3, 0x66, 0x44, -1, 1, 3, 0, 0, 1, ALL},
    {"sha1rnds4", LEGACY, 3, 0, 0xcc, -1, 1, 3, 0, 0, 1, ALL},
    {"sha1nexte", LEGACY, 2, 0, 0xc8, -1, 0, 3, 0, 0, 1, ALL},
    {"sha1msg1", LEGACY, 2, 0, 0xc9, -1, 0, 3, 0, 0, 1, ALL},
    {"sha1msg2", LEGACY, 2, 0, 0xca, -1, 0, 3, 0, 0, 1, ALL},
    {"sha256rnds2", LEGACY, 2, 0, 0xcb, -1, 0, 3, 0, 0, 1, ALL},
    {"sha256msg1", LEGACY, 2, 0, 0xcc, -1, 0, 3, 0, 0, 1, ALL},
    {"sha256msg2", LEGACY, 2, 0, 0xcd, -1, 0, 3, 0, 0, 1, ALL},
};

static void choose(const struct row *row) {
    len = 0;
    int mem = row->forms == MEMORY || (row->forms == 3 && pick(2));
    int r = row->group >= 0 ? row->group : pick(16), b = pick(16), v = pick(4) ? pick(16) : RCX;
    int w = row->wide ? pick(2) : pick(4) == 0;
    if (row->kind == VEX) {
        /* Where no operand is in VEX.vvvv (RORX) it has to be 1111b. */
        int vvvv = row->group == -2 ? 15 : 15 ^ v;
        put(0xc4);
        put((r >= 8 ? 0 : 0x80) | 0x40 | (!mem && b >= 8 ? 0 : 0x20) | row->map);
        put((row->wide ? w << 7 : 0) | vvvv << 3 | row->prefix);
    } else {
        if (row->small && !w && pick(3) == 0) put(0x66);
        if (row->prefix) put(row->prefix);
        int rex = 0x40 | w << 3 | r >> 3 << 2 | (mem ? 0 : b >> 3);
        if (rex != 0x40 || pick(8) == 0) put(rex);
        put(0x0f);
        if (row->map > 1) put(row->map == 2 ? 0x38 : 0x3a);
    }
    put(row->op);
    if (mem) {
        int d = (pick(60) - 30) * 16 + (row->sse ? 0 : pick(16));
        put(0x80 | (r & 7) << 3 | (int[]){3, 6, 7}[pick(3)]);
        for (int i = 0; i < 4; i++) put(d >> 8 * i & 0xff);
    } else {
        put(0xc0 | (r & 7) << 3 | (b & 7));
    }
    if (row->imm) put(pick(256));
}

int main(int argc, char **argv) {
    int cases = argc > 1 ? atoi(argv[1]) : 1000;
    int n_rows = sizeof rows / sizeof *rows, missing[sizeof rows / sizeof *rows] = {0};
    if (!set_up()) return 1;
    srand(argc > 2 ? atoi(argv[2]) : 1);
    for (int n = 0; n < cases; n++) {
        const struct row *row = &rows[n % n_rows];
        if (missing[n % n_rows]) continue;
        choose(row);
        prepare(n);
        struct state before = *st;
        run(ins, len);
        if (vector == 6) {
            missing[n % n_rows] = 1;
            fprintf(stderr, "this CPU has no %s\n", row->name);
            continue;
        }
        printf("%s %d ", row->name, n);
        for (int i = 0; i < len; i++) printf("%02x", ins[i]);
        printf(" %x", row->mask);
        for (int r = 0; r < 16; r++)
            if (st->r[r] != before.r[r]) printf(" %d=%lx", r, st->r[r]);
        if ((st->flags ^ before.flags) & row->mask) printf(" f=%lx", st->flags & row->mask);
        for (int x = 0; x < 16; x++) {
            uint64_t *a = (uint64_t *)(st->fx + 160 + 16 * x), *z = (uint64_t *)(before.fx + 160 + 16 * x);
            if (a[0] != z[0] || a[1] != z[1]) printf(" x%d=%lx:%lx", x, a[1], a[0]);
        }
        print_memory();
        printf("\n");
    }
    return 0;
}
