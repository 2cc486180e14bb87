/* System calls from ring 3 and pages that are mapped on demand. */
#include "bench.h"

const u64 bench_default = 320;

#define DEMAND 0x8000000ul
#define PAGES 256
#define FRAMES ((u64)HEAP)
#define CALLS 16

enum { LEAVE, ADD, UNMAP };

static u64 total;
static u64 faults;
static u64 rounds;
static u64 result;
static u8 stack[16384] __attribute__((aligned(16)));

/* A frame for a page that was touched; frames keep what was written last. */
void page_fault(u64 address, u64 error)
{
    u64 page = (address - DEMAND) >> 12;
    if (address < DEMAND || page >= PAGES || (error & 1))
        bench_stop("page fault at", address);
    faults++;
    empty_tables[page] = FRAMES + (page << 12) + 7;
}

u64 system_call(u64 number, u64 argument)
{
    if (number == ADD) {
        total = total * 3 + argument;
        return total;
    }
    for (u64 page = 0; page < PAGES; page++)
        empty_tables[page] = 0;
    if (argument) {
        u64 root;
        __asm__ volatile("movq %%cr3, %0; movq %0, %%cr3" : "=r"(root) : : "memory");
    } else {
        for (u64 page = 0; page < PAGES; page++)
            __asm__ volatile("invlpg (%0)" : : "r"(DEMAND + (page << 12)) : "memory");
    }
    return faults;
}

static u64 call(u64 number, u64 argument)
{
    u64 value;
    __asm__ volatile("syscall"
                     : "=a"(value), "+D"(number), "+S"(argument)
                     :
                     : "rcx", "r11", "rdx", "r8", "r9", "r10", "memory", "cc");
    return value;
}

static void user(void)
{
    u64 hash = 0;
    for (u64 round = 0; round < rounds; round++) {
        for (u64 page = 0; page < PAGES; page++) {
            u64 *word = (u64 *)(DEMAND + (page << 12) + (round * 8 & 0xff8));
            *word += page + round;
            hash = mix(hash, *word);
            for (u64 i = 0; i < CALLS; i++)
                hash ^= call(ADD, page + i);
        }
        hash = mix(hash, call(UNMAP, round & 1));
    }
    result = hash;
    call(LEAVE, 0);
}

u64 bench(u64 iterations)
{
    write_msr(0xc0000081, 0x18ul << 48 | 0x08ul << 32); /* STAR */
    write_msr(0xc0000082, (u64)system_call_entry); /* LSTAR */
    write_msr(0xc0000084, 0x700); /* FMASK: TF, IF, DF */
    for (u64 i = 0; i < PAGES * 512; i++)
        ((u64 *)FRAMES)[i] = 0;
    for (u64 page = 0; page < PAGES; page++)
        empty_tables[page] = 0;
    u64 root;
    __asm__ volatile("movq %%cr3, %0; movq %0, %%cr3" : "=r"(root) : : "memory");
    total = 0;
    faults = 0;
    rounds = iterations;
    run_user(user, stack + sizeof stack - 8);
    return mix(result, faults);
}
