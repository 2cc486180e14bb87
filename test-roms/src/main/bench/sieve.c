/* The sieve of Eratosthenes over 512 Ki bytes, again and again. */
#include "bench.h"

#define SIZE (512 * 1024)

const u64 bench_default = 250;

u64 bench(u64 iterations)
{
    u8 *composite = HEAP;
    u64 hash = 0;
    for (u64 round = 0; round < iterations; round++) {
        for (u32 i = 0; i < SIZE; i++)
            composite[i] = 0;
        u32 count = 0;
        for (u32 i = 2; i < SIZE; i++) {
            if (!composite[i]) {
                count++;
                for (u32 k = 2 * i; k < SIZE; k += i)
                    composite[k] = 1;
            }
        }
        hash = mix(hash, count + round);
    }
    return hash;
}
