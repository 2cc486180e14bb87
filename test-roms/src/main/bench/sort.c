/* Sorts and copies 16 MiB: a radix sort, quicksorts of parts, and plain copies between two areas. */
#include "bench.h"

#define COUNT (4 * 1024 * 1024)
#define PART (64 * 1024)

const u64 bench_default = 4;

static void radix_pass(const u32 *from, u32 *to, int shift)
{
    u32 place[256] = {0};
    for (u32 i = 0; i < COUNT; i++)
        place[from[i] >> shift & 0xff]++;
    u32 sum = 0;
    for (int i = 0; i < 256; i++) {
        u32 n = place[i];
        place[i] = sum;
        sum += n;
    }
    for (u32 i = 0; i < COUNT; i++)
        to[place[from[i] >> shift & 0xff]++] = from[i];
}

static void quicksort(u32 *low, u32 *high)
{
    while (high - low > 12) {
        u32 pivot = low[(high - low) / 2];
        u32 *i = low, *k = high;
        while (i <= k) {
            while (*i < pivot)
                i++;
            while (*k > pivot)
                k--;
            if (i <= k) {
                u32 swap = *i;
                *i++ = *k;
                *k-- = swap;
            }
        }
        if (k - low < high - i) {
            quicksort(low, k);
            low = i;
        } else {
            quicksort(i, high);
            high = k;
        }
    }
    for (u32 *i = low + 1; i <= high; i++) {
        u32 value = *i;
        u32 *k = i;
        for (; k > low && k[-1] > value; k--)
            *k = k[-1];
        *k = value;
    }
}

static void copy(const u64 *from, u64 *to)
{
    for (u32 i = 0; i < COUNT / 2; i += 4) {
        u64 w0 = from[i], w1 = from[i + 1], w2 = from[i + 2], w3 = from[i + 3];
        to[i] = w0;
        to[i + 1] = w1;
        to[i + 2] = w2;
        to[i + 3] = w3;
    }
}

u64 bench(u64 iterations)
{
    u32 *data = (u32 *)HEAP;
    u32 *other = data + COUNT;
    u64 seed = 2463534242ul;
    u64 hash = 0;
    for (u64 round = 0; round < iterations; round++) {
        for (u32 i = 0; i < COUNT; i++)
            data[i] = (u32)next_random(&seed);
        copy((u64 *)data, (u64 *)other);
        for (u32 part = 0; part < 4; part++) {
            u32 *start = other + (round * 4 + part) % (COUNT / PART) * PART;
            quicksort(start, start + PART - 1);
            hash = mix(hash, start[PART / 3]);
        }
        copy((u64 *)other, (u64 *)data);
        radix_pass(data, other, 16);
        radix_pass(other, data, 24);
        for (u32 i = 0; i < COUNT; i += 4096)
            hash = mix(hash, data[i]);
    }
    return hash;
}
