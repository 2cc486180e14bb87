/* The Mandelbrot set on a grid, in 80-bit precision by the x87. */
#include "bench.h"

const u64 bench_default = 60;

#define WIDTH 96
#define HEIGHT 64
#define DEPTH 100

static u32 depth(long double cr, long double ci)
{
    long double zr = 0, zi = 0;
    u32 n = 0;
    for (; n < DEPTH; n++) {
        long double r2 = zr * zr, i2 = zi * zi;
        if (r2 + i2 > 4)
            break;
        zi = 2 * zr * zi + ci;
        zr = r2 - i2 + cr;
    }
    return n;
}

u64 bench(u64 iterations)
{
    u64 hash = 0;
    for (u64 round = 0; round < iterations; round++) {
        long double shift = (long double)(round % 16) / 1024;
        long double sum = 0;
        for (int y = 0; y < HEIGHT; y++)
            for (int x = 0; x < WIDTH; x++) {
                u32 n = depth(-2.2L + 3.0L * x / WIDTH + shift, -1.2L + 2.4L * y / HEIGHT);
                hash = mix(hash, n);
                sum += __builtin_sqrtl((long double)n + 1);
            }
        union {
            long double number;
            u64 parts[2];
        } last;
        last.parts[1] = 0;
        last.number = sum;
        hash = mix(hash, last.parts[0] ^ last.parts[1]);
    }
    return hash;
}
