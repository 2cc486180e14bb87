/* CRC-32 of 256 KiB, by a table of bytes and bit by bit. */
#include "bench.h"

#define SIZE (256 * 1024)

const u64 bench_default = 700;

static u32 table[256];

static void make_table(void)
{
    for (u32 i = 0; i < 256; i++) {
        u32 value = i;
        for (int bit = 0; bit < 8; bit++)
            value = value & 1 ? value >> 1 ^ 0xedb88320 : value >> 1;
        table[i] = value;
    }
}

static u32 by_table(const u8 *data, u32 size, u32 crc)
{
    crc = ~crc;
    for (u32 i = 0; i < size; i++)
        crc = table[(crc ^ data[i]) & 0xff] ^ crc >> 8;
    return ~crc;
}

static u32 by_bits(const u8 *data, u32 size, u32 crc)
{
    crc = ~crc;
    for (u32 i = 0; i < size; i++) {
        crc ^= data[i];
        for (int bit = 0; bit < 8; bit++)
            crc = crc >> 1 ^ (0xedb88320 & -(crc & 1));
    }
    return ~crc;
}

u64 bench(u64 iterations)
{
    u8 *data = HEAP;
    u64 seed = 88172645463325252ul;
    make_table();
    for (u32 i = 0; i < SIZE; i++)
        data[i] = (u8)next_random(&seed);
    u64 hash = 0;
    for (u64 round = 0; round < iterations; round++) {
        data[round % SIZE]++;
        hash = mix(hash, by_table(data, SIZE, (u32)round));
        hash = mix(hash, by_bits(data, SIZE / 8, (u32)hash));
    }
    return hash;
}
