/* String instructions with and without REP, of many lengths, aligned and not. */
#include "bench.h"

const u64 bench_default = 12000;

#define SIZE (256 * 1024)

static void movs_bytes(void *to, const void *from, u64 n)
{
    __asm__ volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(n) : : "memory");
}

static void movs_words(void *to, const void *from, u64 n)
{
    __asm__ volatile("rep movsq" : "+D"(to), "+S"(from), "+c"(n) : : "memory");
}

static void movs_down(u8 *to, const u8 *from, u64 n)
{
    u8 *d = to + n - 1;
    const u8 *s = from + n - 1;
    __asm__ volatile("std; rep movsb; cld" : "+D"(d), "+S"(s), "+c"(n) : : "memory");
}

static void stos_bytes(void *to, u8 value, u64 n)
{
    __asm__ volatile("rep stosb" : "+D"(to), "+c"(n) : "a"(value) : "memory");
}

static void stos_words(void *to, u64 value, u64 n)
{
    __asm__ volatile("rep stosq" : "+D"(to), "+c"(n) : "a"(value) : "memory");
}

/* The number of bytes before one of a value, n at most. */
static u64 scan(const u8 *text, u8 value, u64 n)
{
    u64 left = n;
    u8 found;
    __asm__ volatile("testq %1, %1; repne scasb; sete %2"
                     : "+D"(text), "+c"(left), "=r"(found)
                     : "a"(value)
                     : "memory", "cc");
    return n - left - (found && n ? 1 : 0);
}

/* The number of equal bytes at the start of both. */
static u64 compare(const u8 *a, const u8 *b, u64 n)
{
    u64 left = n;
    u8 equal;
    __asm__ volatile("testq %2, %2; repe cmpsb; sete %3"
                     : "+S"(a), "+D"(b), "+c"(left), "=r"(equal)
                     :
                     : "memory", "cc");
    return n - left - (equal || !n ? 0 : 1);
}

/* Single LODS and STOS: a translation of bytes. */
static void translate(u8 *to, const u8 *from, u64 n)
{
    __asm__ volatile("1: lodsb; xorb $0x20, %%al; stosb; decq %2; jnz 1b"
                     : "+D"(to), "+S"(from), "+c"(n)
                     :
                     : "rax", "memory", "cc");
}

u64 bench(u64 iterations)
{
    u8 *a = HEAP, *b = HEAP + SIZE, *c = HEAP + 2 * SIZE;
    u64 seed = 1181783497276652981ul;
    for (u32 i = 0; i < SIZE; i++) {
        a[i] = (u8)(next_random(&seed) | 1);
        b[i] = 0;
        c[i] = 0;
    }
    u64 hash = 0;
    for (u64 round = 0; round < iterations; round++) {
        movs_words(b, a, SIZE / 8);
        stos_words(c, round * 0x0101010101010101ul + 1, SIZE / 16);
        stos_bytes(c + SIZE / 2 + 3, (u8)round, SIZE / 4);
        movs_bytes(c + 1, a + 2, SIZE / 8);
        for (u32 i = 0; i < 128; i++) {
            u64 n = 1 + (i * 37 + round) % 300;
            u8 *at = b + (i * 997 + round * 13) % (SIZE - 1024);
            movs_bytes(at, a + i, n);
            stos_bytes(at + n, 0, 1 + i % 9);
            hash += scan(at, 0, 512);
            hash += compare(at, a + i, n + 2);
        }
        movs_down(b + 4096 + 5, b + 4096, 2048);
        translate(c + 512, b + 512, 1024);
        b[round % SIZE] ^= 1;
        hash = mix(hash, compare(a, b, SIZE / 8) + c[(round * 31) % SIZE] + scan(c + SIZE / 2 + 3, 255, 8192));
    }
    return hash;
}
