/* Code that changes: constants patched in a loop, functions made and called, a store just ahead of its instruction. */
#include "bench.h"

const u64 bench_default = 3600;

#define BODY 64

typedef u64 (*function)(u64);

static u8 area[65536] __attribute__((aligned(4096)));

static u8 *emit(u8 *at, const char *bytes, int n)
{
    for (int i = 0; i < n; i++)
        *at++ = (u8)bytes[i];
    return at;
}

static u8 *emit32(u8 *at, u32 value)
{
    *(u32 *)at = value;
    return at + 4;
}

/* A function that adds, rotates and xors as a recipe says; returns the place of its first constant. */
static u8 *make(u8 *at, u64 recipe)
{
    at = emit(at, "\x48\x89\xf8", 3); /* mov rax, rdi */
    u8 *constant = at + 2;
    at = emit(at, "\x48\x05", 2); /* add rax, imm32 */
    at = emit32(at, (u32)recipe & 0x7fffffff);
    for (int i = 0; i < 6; i++) {
        switch (recipe >> 4 * i & 3) {
        case 0:
            at = emit(at, "\x48\xc1\xc0\x05", 4); /* rol rax, 5 */
            break;
        case 1:
            at = emit(at, "\x48\x8d\x44\x47\x01", 5); /* lea rax, [rdi + rax * 2 + 1] */
            break;
        case 2:
            at = emit(at, "\x48\x35", 2); /* xor rax, imm32 */
            at = emit32(at, (u32)(recipe >> 7 * i) & 0x7fffffff);
            break;
        default:
            at = emit(at, "\x48\x0f\xaf\xc7", 4); /* imul rax, rdi */
        }
    }
    *at = 0xc3; /* ret */
    return constant;
}

/* Stores into the very next instructions. */
static u64 ahead(u32 value)
{
    u64 result;
    __asm__ volatile("leaq 1f + 1(%%rip), %%rdx\n\t"
                     "movl %1, (%%rdx)\n"
                     "1:\tmovl $0, %%eax\n\t"
                     "addl %%eax, %%eax"
                     : "=&a"(result)
                     : "r"(value)
                     : "rdx", "memory", "cc");
    return result;
}

u64 bench(u64 iterations)
{
    u64 seed = 3935559000370003845ul;
    u64 hash = 0;
    for (u64 round = 0; round < iterations; round++) {
        u8 *at = area + round * 192 % (sizeof area - BODY);
        u8 *constant = make(at, next_random(&seed));
        function f = (function)at;
        for (u32 patch = 0; patch < 16; patch++) {
            *(u32 *)constant = patch * 77;
            for (u32 i = 0; i < 40; i++)
                hash = mix(hash, f(hash + i));
        }
        for (u32 i = 0; i < 8; i++)
            hash += ahead((u32)round + i);
    }
    return hash;
}
