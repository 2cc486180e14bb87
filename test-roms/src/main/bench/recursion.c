/* Recursion: Fibonacci numbers, Ackermann's function, queens on a board. */
#include "bench.h"

const u64 bench_default = 1000;

static __attribute__((noinline)) u64 fibonacci(u32 n)
{
    return n < 2 ? n : fibonacci(n - 1) + fibonacci(n - 2);
}

static __attribute__((noinline)) u32 ackermann(u32 m, u32 n)
{
    if (m == 0)
        return n + 1;
    return ackermann(m - 1, n == 0 ? 1 : ackermann(m, n - 1));
}

static __attribute__((noinline)) u32 queens(u32 all, u32 columns, u32 left, u32 right)
{
    if (columns == all)
        return 1;
    u32 count = 0;
    for (u32 free = all & ~(columns | left | right); free;) {
        u32 bit = free & -free;
        free ^= bit;
        count += queens(all, columns | bit, (left | bit) << 1, (right | bit) >> 1);
    }
    return count;
}

u64 bench(u64 iterations)
{
    u64 hash = 0;
    for (u64 round = 0; round < iterations; round++) {
        hash = mix(hash, fibonacci(26 + (u32)(round & 1)));
        hash = mix(hash, ackermann(2, 300 + (u32)(round & 3)));
        hash = mix(hash, queens((1u << (8 + (round & 1))) - 1, 0, 0, 0));
    }
    return hash;
}
