/*
 * Makes integer64-hardware.txt: random 64-bit integer instructions and what an x86-64 CPU does with them in user mode.
 *
 *   gcc -O1 -no-pie -o gen integer64-hardware.c && ./gen 20000 | gzip -9n > integer64-hardware.txt.gz
 *
 * A line: case number, variant, instruction bytes, mask of the flags that are defined, fault vector or -, then what
 * changed: register=value ..., flags=value (masked), m offset=byte ... . The state before is not written: it follows
 * from the case number and the variant by the generator below, which the test has too.
 */
#include "user64.h"

enum { SMALL_RCX = 1, COUNT_RCX = 2, DIVIDE = 4, DOWN = 8, EQUAL = 16 };

/* The state of a case: the test does the same. */
static void prepare(int number, int variant) {
    seed = number * 1000003UL;
    for (int r = 0; r < 16; r++)
        st->r[r] = value();
    st->r[RBX] = DATA + 1024;
    st->r[RSI] = DATA + 512;
    st->r[RDI] = DATA + 1536;
    st->r[RSP] = STACK + 2048;
    st->r[RBP] = STACK + 1024;
    st->flags = 0x202 | (next() & ALL) | (variant & DOWN ? DF : 0);
    uint64_t v = next();
    if (variant & SMALL_RCX)
        st->r[RCX] = (v & 0x1ff) - 0x100;
    if (variant & COUNT_RCX)
        st->r[RCX] = v & 15;
    if (variant & DIVIDE)
        st->r[RDX] = v & 1 ? (uint64_t)((int64_t)st->r[RAX] >> 63) : v >> 1 & 0xf;
    for (int i = 0; i < PAGE; i += 8) {
        *(uint64_t *)(data + i) = value();
        *(uint64_t *)(stack + i) = value();
    }
    if (variant & EQUAL) {
        /* What CMPXCHG compares is equal half of the time; string compares run on. */
        st->r[RAX] = *(uint64_t *)(data + 1024);
        st->r[RDX] = *(uint64_t *)(data + 1032);
        memset(data + 512 - 64, v & 0xff, 128);
        memset(data + 1536 - 64, v & 0xff, 128);
        data[512 + (v >> 8 & 7)] ^= 1;
        *(uint64_t *)&st->r[RAX] = v >> 16 & 1 ? st->r[RAX] : (v & 0xff) * 0x0101010101010101UL;
    }
}

/* ---- choosing an instruction; choice uses rand(), not the state's generator */

static uint8_t ins[16];
static int len, mask, variant, rexw, p66, rexb;
static int pick(int n) { return rand() % n; }
static void put(int b) { ins[len++] = b; }
static int size8;
static int osize(void) { return size8 ? 8 : rexw ? 64 : p66 ? 16 : 32; }

/* prefixes; lock only where a memory destination follows */
static void prefixes(int allow66, int allow_w, int lock) {
    p66 = allow66 && pick(4) == 0;
    rexw = allow_w && pick(3) == 0;
    if (pick(24) == 0) put((int[]){0x26, 0x2e, 0x36, 0x3e}[pick(4)]);
    if (p66) put(0x66);
    if (lock) put(0xf0);
}
static int rex_forced;
static void rex(int r, int x, int b) {
    int v = 0x40 | (rexw ? 8 : 0) | (r >= 8 ? 4 : 0) | (x >= 8 ? 2 : 0) | (b >= 8 ? 1 : 0);
    rexb = v != 0x40 || rex_forced || pick(8) == 0;
    if (rexb) put(v);
}
static int reg(void) { return pick(16); }

/* modrm with memory: rbx, rsi, rdi + displacement, rip-relative, or rbx + small rcx */
static int mem_kind;
static void mem_rex(int r) { mem_kind = pick(5); rex(r, 0, 0); }
static void mem_modrm(int r, int align, int trailing) {
    int d = ((pick(120) - 60) * 8 + (align ? 0 : pick(8)));
    if (align) d = (d / align) * align;
    if (variant & EQUAL) d = 0;
    r &= 7;
    if (variant & EQUAL) { put(0x03 | r << 3); return; }
    switch (mem_kind) {
    case 0: put(0x80 | r << 3 | 3); break;
    case 1: put(0x80 | r << 3 | 6); break;
    case 2: put(0x80 | r << 3 | 7); break;
    case 3: /* rip-relative */
        put(0x00 | r << 3 | 5);
        d = (int)(DATA + 1024 + d - (CODE + CODE_OFFSET + len + 4 + trailing));
        break;
    default:
        if (!(variant & SMALL_RCX)) { put(0x80 | r << 3 | 3); break; }
        put(0x80 | r << 3 | 4), put(0x0b | (align ? 0x23 & 0 : 0)); /* [rbx + rcx + d] */
    }
    for (int i = 0; i < 4; i++) put(d >> 8 * i & 0xff);
}
static int is_mem;
/* opcode bytes with modrm: register or memory rm */
static void modrm(int map, int op, int r, int mem, int align, int trailing) {
    int rm = reg();
    is_mem = mem;
    if (mem) mem_rex(r); else rex(r, 0, rm);
    if (map >= 1) put(0x0f);
    if (map == 2) put(0x38);
    put(op);
    if (mem) mem_modrm(r, align, trailing); else put(0xc0 | (r & 7) << 3 | (rm & 7));
}
static void imm(int bytes) { for (int i = 0; i < bytes; i++) put(pick(3) ? pick(256) : pick(2) * 255); }
static int immz(void) { return p66 && !rexw ? 2 : 4; }

static int shift_mask(int op, int count, int bits) {
    count &= rexw && !size8 ? 63 : 31;
    if (count == 0) return ALL;
    if (op < 4) return ALL & ~(count == 1 ? 0 : OF);
    int m = ALL & ~AF & ~(count == 1 ? 0 : OF);
    if (count >= bits && op != 7) m &= ~CF;
    return m;
}

static void choose(void) {
    int mem = pick(2), op, w, c;
    len = 0, mask = ALL, variant = pick(6) == 0 ? SMALL_RCX : 0, size8 = 0, rex_forced = 0, rexw = 0, p66 = 0;
    switch (pick(46)) {
    case 0: case 1: case 2: case 3: /* ALU rm, r and r, rm */
        op = pick(8), w = pick(4), size8 = !(w & 1);
        prefixes(!size8, !size8, mem && w < 2 && op != 7 && pick(6) == 0);
        modrm(0, op * 8 + w, reg(), mem, 0, 0);
        if (op == 1 || op == 4 || op == 6) mask = ALL & ~AF;
        break;
    case 4: /* ALU accumulator */
        op = pick(8), size8 = pick(2), prefixes(!size8, !size8, 0), rex(0, 0, 0), put(op * 8 + 4 + !size8);
        imm(size8 ? 1 : immz());
        if (op == 1 || op == 4 || op == 6) mask = ALL & ~AF;
        break;
    case 5: case 6: /* group 1 */
        op = pick(8), w = (int[]){0x80, 0x81, 0x83}[pick(3)], size8 = w == 0x80;
        prefixes(!size8, !size8, mem && op != 7 && pick(6) == 0);
        modrm(0, w, op, mem, 0, w == 0x81 ? immz() : 1);
        imm(w == 0x81 ? immz() : 1);
        if (op == 1 || op == 4 || op == 6) mask = ALL & ~AF;
        break;
    case 7: /* TEST */
        size8 = pick(2), prefixes(!size8, !size8, 0), mask = ALL & ~AF;
        if (pick(2)) modrm(0, 0x84 + !size8, reg(), mem, 0, 0);
        else modrm(0, 0xf6 + !size8, pick(2), mem, 0, size8 ? 1 : immz()), imm(size8 ? 1 : immz());
        break;
    case 8: /* NOT NEG */
        size8 = pick(2), op = 2 + pick(2), prefixes(!size8, !size8, mem && pick(4) == 0);
        modrm(0, 0xf6 + !size8, op, mem, 0, 0);
        break;
    case 9: case 10: /* MUL IMUL */
        size8 = pick(2), prefixes(!size8, !size8, 0), modrm(0, 0xf6 + !size8, 4 + pick(2), mem, 0, 0), mask = CF | OF;
        break;
    case 11: case 12: case 13: /* DIV IDIV */
        variant |= DIVIDE, size8 = pick(2), prefixes(!size8, !size8, 0);
        modrm(0, 0xf6 + !size8, 6 + pick(2), mem, 0, 0), mask = 0;
        break;
    case 14: /* IMUL r, rm [, imm] */
        prefixes(1, 1, 0), mask = CF | OF;
        switch (pick(3)) {
        case 0: modrm(1, 0xaf, reg(), mem, 0, 0); break;
        case 1: modrm(0, 0x6b, reg(), mem, 0, 1), imm(1); break;
        default: modrm(0, 0x69, reg(), mem, 0, immz()), imm(immz());
        }
        break;
    case 15: /* INC DEC */
        size8 = pick(2), prefixes(!size8, !size8, mem && pick(4) == 0), modrm(0, 0xfe + !size8, pick(2), mem, 0, 0);
        break;
    case 16: case 17: case 18: /* shifts by immediate and 1 */
        size8 = pick(2), op = pick(8), prefixes(!size8, !size8, 0);
        if (pick(3)) {
            modrm(0, 0xc0 + !size8, op, mem, 0, 1), c = pick(3) ? pick(36) : pick(256), put(c);
        } else {
            modrm(0, 0xd0 + !size8, op, mem, 0, 0), c = 1;
        }
        mask = shift_mask(op, c, osize());
        break;
    case 19: case 20: /* shifts by CL */
        variant |= COUNT_RCX, size8 = pick(2), op = pick(8), prefixes(!size8, !size8, 0);
        if (pick(2)) variant &= ~COUNT_RCX;
        modrm(0, 0xd2 + !size8, op, mem, 0, 0);
        mask = -1 - op;
        break;
    case 21: case 22: /* SHLD SHRD */
        op = pick(2) * 8, prefixes(1, 1, 0);
        c = pick(p66 && !rexw ? 17 : rexw ? 64 : 32);
        modrm(1, 0xa4 + op, reg(), mem, 0, 1), put(c);
        mask = c == 0 ? ALL : ALL & ~AF & ~(c == 1 ? 0 : OF);
        break;
    case 23: /* SHLD SHRD by CL */
        variant = COUNT_RCX, op = pick(2) * 8, prefixes(1, 1, 0), modrm(1, 0xa5 + op, reg(), mem, 0, 0);
        mask = -100;
        break;
    case 24: case 25: /* BT family by register */
        variant = SMALL_RCX, prefixes(1, 1, 0);
        op = (int[]){0xa3, 0xab, 0xb3, 0xbb}[pick(4)];
        modrm(1, op, mem ? RCX : reg(), mem, 0, 0), mask = CF | ZF;
        break;
    case 26: /* BT family by immediate */
        op = 4 + pick(4), prefixes(1, 1, mem && op != 4 && pick(4) == 0);
        modrm(1, 0xba, op, mem, 0, 1), imm(1), mask = CF | ZF;
        break;
    case 27: prefixes(1, 1, 0), modrm(1, 0xbc + pick(2), reg(), mem, 0, 0), mask = ZF; break; /* BSF BSR */
    case 28: /* POPCNT */
        p66 = pick(4) == 0, rexw = pick(3) == 0;
        if (p66) put(0x66);
        put(0xf3), modrm(1, 0xb8, reg(), mem, 0, 0);
        break;
    case 29: /* CRC32 */
        size8 = pick(2), p66 = !size8 && pick(4) == 0, rexw = !size8 && pick(3) == 0;
        if (p66) put(0x66);
        put(0xf2), modrm(2, 0xf0 + !size8, reg(), mem, 0, 0);
        break;
    case 30: /* MOVZX MOVSX MOVSXD */
        prefixes(1, 1, 0);
        if (pick(5) == 0) modrm(0, 0x63, reg(), mem, 0, 0);
        else modrm(1, (int[]){0xb6, 0xb7, 0xbe, 0xbf}[pick(4)], reg(), mem, 0, 0);
        break;
    case 31: case 32: prefixes(1, 1, 0), modrm(1, 0x40 + pick(16), reg(), mem, 0, 0); break; /* CMOVcc */
    case 33: size8 = 1, prefixes(0, 0, 0), modrm(1, 0x90 + pick(16), pick(8), mem, 0, 0); break; /* SETcc */
    case 34: /* BSWAP (not 16 bits), XADD */
        if (pick(2)) { prefixes(0, 1, 0), c = reg(), rex(0, 0, c), put(0x0f), put(0xc8 | (c & 7)); break; }
        size8 = pick(2), prefixes(!size8, !size8, mem && pick(3) == 0), modrm(1, 0xc0 + !size8, reg(), mem, 0, 0);
        break;
    case 35: /* CMPXCHG */
        if (mem && pick(2)) variant = EQUAL;
        size8 = pick(2), prefixes(!size8, !size8, mem && pick(3) == 0), modrm(1, 0xb0 + !size8, reg(), mem, 0, 0);
        break;
    case 36: /* CMPXCHG8B 16B */
        variant = pick(2) ? EQUAL : 0, prefixes(0, 1, pick(3) == 0), modrm(1, 0xc7, 1, 1, 16, 0);
        break;
    case 37: /* XCHG */
        if (pick(4) == 0) { prefixes(1, 1, 0), c = reg(), rex(0, 0, c), put(0x90 | (c & 7)); break; }
        size8 = pick(2), prefixes(!size8, !size8, 0), modrm(0, 0x86 + !size8, reg(), mem, 0, 0);
        break;
    case 38: /* MOV */
        switch (pick(4)) {
        case 0: size8 = pick(2), prefixes(!size8, !size8, 0), modrm(0, 0x88 + !size8 + 2 * pick(2), reg(), mem, 0, 0); break;
        case 1:
            size8 = pick(2), prefixes(!size8, !size8, 0);
            modrm(0, 0xc6 + !size8, 0, mem, 0, size8 ? 1 : immz()), imm(size8 ? 1 : immz());
            break;
        case 2: size8 = 1, prefixes(0, 0, 0), c = reg(), rex(0, 0, c), put(0xb0 | (c & 7)), imm(1); break;
        default: prefixes(1, 1, 0), c = reg(), rex(0, 0, c), put(0xb8 | (c & 7)), imm(rexw ? 8 : immz());
        }
        break;
    case 39: case 40: { /* LEA, every form of address */
        int r = reg(), x = reg(), b = reg(), mod = pick(3), sib = pick(2), a32 = pick(3) == 0;
        prefixes(1, 1, 0);
        if (a32) put(0x67);
        if (!sib && (b & 7) == 4) b ^= 1;
        rex(r, sib ? x : 0, b), put(0x8d);
        if (sib) {
            put(mod << 6 | (r & 7) << 3 | 4), put(pick(4) << 6 | (x & 7) << 3 | (b & 7));
        } else {
            put(mod << 6 | (r & 7) << 3 | (b & 7));
        }
        if (mod == 1) imm(1);
        if (mod == 2 || (mod == 0 && (b & 7) == 5)) imm(4);
        break;
    }
    case 41: /* CBW CWD families, flags, XLAT */
        op = (int[]){0x98, 0x99, 0x9e, 0x9f, 0xf5, 0xf8, 0xf9, 0xfc, 0xfd, 0xd7, 0x90}[pick(11)];
        prefixes(op < 0x9a, op < 0x9a, 0), rex(0, 0, 0), put(op);
        if (op == 0xfc || op == 0xfd) mask = ALL | DF;
        break;
    case 42: /* PUSH POP ENTER LEAVE */
        c = reg();
        switch (pick(7)) {
        case 0: prefixes(1, 0, 0), rex(0, 0, c), put(0x50 | (c & 7)); break;
        case 1: prefixes(1, 0, 0), rex(0, 0, c), put(0x58 | (c & 7)); break;
        case 2: prefixes(1, 0, 0), op = pick(2), put(op ? 0x6a : 0x68), imm(op ? 1 : immz()); break;
        case 3: prefixes(1, 0, 0), modrm(0, 0xff, 6, mem, 0, 0); break;
        case 4: prefixes(1, 0, 0), modrm(0, 0x8f, 0, mem, 0, 0); break;
        case 5: prefixes(1, 0, 0), put(0xc9); break;
        default: prefixes(1, 0, 0), put(0xc8), put(pick(256)), put(pick(2)), put(pick(3) ? 0 : pick(32)); break;
        }
        break;
    default: { /* string instructions */
        op = (int[]){0xa4, 0xa5, 0xa6, 0xa7, 0xaa, 0xab, 0xac, 0xad, 0xae, 0xaf}[pick(10)];
        variant = COUNT_RCX | (pick(2) ? DOWN : 0) | (pick(2) ? EQUAL : 0);
        size8 = !(op & 1), p66 = !size8 && pick(4) == 0, rexw = !size8 && pick(3) == 0;
        if (pick(8) == 0) put(0x67);
        if (p66) put(0x66);
        if (pick(4)) put(0xf2 + pick(2));
        rex(0, 0, 0), put(op);
    }
    }
}

int main(int argc, char **argv) {
    int cases = argc > 1 ? atoi(argv[1]) : 1000;
    if (!set_up()) return 1;
    srand(argc > 2 ? atoi(argv[2]) : 1);
    for (int n = 0; n < cases; n++) {
        choose();
        prepare(n, variant);
        if (mask < 0) { /* shifts by CL */
            int count = st->r[RCX] & 0xff;
            if (mask == -100) {
                int bits = osize();
                count &= rexw ? 63 : 31;
                if (count > bits) { n--; continue; }
                mask = count == 0 ? ALL : ALL & ~AF & ~(count == 1 ? 0 : OF);
            } else {
                mask = shift_mask(-1 - mask, count, osize());
            }
        }
        struct state before = *st;
        run(ins, len);
        if (vector == 13) { n--; continue; } /* an address outside: not what is tested here */
        /* BSF and BSR of 0 leave the destination undefined: CPUs differ in what becomes of its upper half. */
        if (mask == ZF && osize() == 32 && (st->flags & ZF)) { n--; continue; }
        printf("%d %d ", n, variant);
        for (int i = 0; i < len; i++) printf("%02x", ins[i]);
        printf(" %x ", mask);
        if (vector < 0) printf("-"); else printf("%d", vector);
        for (int r = 0; r < 16; r++)
            if (st->r[r] != before.r[r]) printf(" %d=%lx", r, st->r[r]);
        if ((st->flags ^ before.flags) & (mask | DF)) printf(" f=%lx", st->flags & (mask | DF));
        print_memory();
        printf("\n");
    }
    return 0;
}
