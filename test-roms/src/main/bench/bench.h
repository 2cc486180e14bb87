/*
 * A benchmark guest. It does the same work twice, for w and then for n iterations, and prints a line with a checksum at
 * the end of each: the time between the two lines is that of n iterations in the steady state. The numbers come from the
 * command line ("n=1000 w=200").
 */
#ifndef BENCH_H
#define BENCH_H

typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long u64;
typedef signed int i32;
typedef signed long i64;

/* Memory behind the image, mapped one to one: 96 MiB. */
#define HEAP ((u8 *)0x2000000)

/* The work: begins anew, does so many iterations and returns what depends on all of it. */
u64 bench(u64 iterations);

/* Iterations where the command line does not say; the warm-up is a quarter of it. */
extern const u64 bench_default;

/* A page fault: returns where the access may be repeated, or calls bench_stop. */
void page_fault(u64 address, u64 error);

/* A system call of a number other than 0. */
u64 system_call(u64 number, u64 argument);

void bench_stop(const char *why, u64 value) __attribute__((noreturn));
void run_user(void (*code)(void), void *stack);
void system_call_entry(void);
extern u64 empty_tables[];

static inline void out8(u16 port, u8 value)
{
    __asm__ volatile("outb %0, %1" : : "a"(value), "Nd"(port));
}

static inline u8 in8(u16 port)
{
    u8 value;
    __asm__ volatile("inb %1, %0" : "=a"(value) : "Nd"(port));
    return value;
}

static inline void write_msr(u32 index, u64 value)
{
    __asm__ volatile("wrmsr" : : "c"(index), "a"((u32)value), "d"((u32)(value >> 32)));
}

/* Marsaglia's xorshift. */
static inline u64 next_random(u64 *state)
{
    u64 x = *state;
    x ^= x << 13;
    x ^= x >> 7;
    x ^= x << 17;
    *state = x;
    return x;
}

static inline u64 mix(u64 hash, u64 value)
{
    hash = (hash ^ value) * 0x9e3779b97f4a7c15ul;
    return hash ^ hash >> 29;
}

#endif
