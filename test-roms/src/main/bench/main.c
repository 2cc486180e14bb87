/* What all benchmark guests have in common: the command line, COM1, the two phases, the end. */
#include "bench.h"

#define COM1 0x3f8
#define DEBUG_EXIT 0xf4
#define PASSED 0x10
#define STOPPED 0x12

extern u64 multiboot_info;

static void put(char c)
{
    while (!(in8(COM1 + 5) & 0x20))
        ;
    out8(COM1, c);
}

static void puts(const char *text)
{
    while (*text)
        put(*text++);
}

static void put_hex(u64 value)
{
    for (int shift = 60; shift >= 0; shift -= 4)
        put("0123456789abcdef"[value >> shift & 15]);
}

static void finish(u8 value)
{
    out8(DEBUG_EXIT, value);
    for (;;)
        __asm__ volatile("cli; hlt");
}

void bench_stop(const char *why, u64 value)
{
    puts("STOP ");
    puts(why);
    put(' ');
    put_hex(value);
    put('\n');
    finish(STOPPED);
    __builtin_unreachable();
}

void bench_fault(u64 vector, u64 first, u64 second)
{
    puts("fault ");
    put_hex(first);
    put(' ');
    put_hex(second);
    put('\n');
    bench_stop("vector", vector);
}

__attribute__((weak)) void page_fault(u64 address, u64 error)
{
    (void)error;
    bench_stop("page fault at", address);
}

__attribute__((weak)) u64 system_call(u64 number, u64 argument)
{
    (void)argument;
    bench_stop("system call", number);
}

/* The number behind " k=" in the command line, or the default. */
static u64 option(const char *line, char key, u64 fallback)
{
    for (char before = ' '; *line; before = *line++) {
        if (before == ' ' && line[0] == key && line[1] == '=') {
            u64 value = 0;
            for (line += 2; *line >= '0' && *line <= '9'; line++)
                value = value * 10 + (u64)(*line - '0');
            return value;
        }
    }
    return fallback;
}

static void phase(const char *name, u64 iterations)
{
    u64 sum = bench(iterations);
    puts(name);
    put(' ');
    put_hex(sum);
    put('\n');
}

void bench_main(void)
{
    const u32 *info = (const u32 *)multiboot_info;
    const char *line = info[0] & 4 ? (const char *)(u64)info[4] : "";
    u64 n = option(line, 'n', bench_default);
    u64 w = option(line, 'w', n / 4);
    phase("warm", w);
    phase("main", n);
    finish(PASSED);
}
