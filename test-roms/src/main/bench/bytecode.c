/*
 * An interpreter of a stack machine that jumps through a table of labels. Its program counts primes by trial division and
 * the steps of Collatz sequences.
 */
#include "bench.h"

const u64 bench_default = 160;

enum { CONST, ADD, SUB, MUL, REM, HALF, LOAD, STORE, JUMP, JZ, JNZ, LESS, ODD, DUP, HALT };

enum { I, K, COUNT, X, STEPS, LIMIT, VARIABLES };

static i32 code[128];
static int end;

static int emit(i32 word)
{
    code[end] = word;
    return end++;
}

static void load(int variable)
{
    emit(LOAD);
    emit(variable);
}

static void store(int variable)
{
    emit(STORE);
    emit(variable);
}

static void constant(i32 value)
{
    emit(CONST);
    emit(value);
}

/* Emits a jump and returns the place of its target. */
static int jump(int operation, int target)
{
    emit(operation);
    return emit(target);
}

static void add_one(int variable)
{
    load(variable);
    constant(1);
    emit(ADD);
    store(variable);
}

static void assemble(void)
{
    end = 0;
    constant(2);
    store(I);
    int next_number = end;
    load(I);
    load(LIMIT);
    emit(LESS);
    int done = jump(JZ, 0);
    constant(2);
    store(K);
    int next_divisor = end;
    load(I);
    load(K);
    emit(DUP);
    emit(MUL);
    emit(LESS);
    int prime = jump(JNZ, 0);
    load(I);
    load(K);
    emit(REM);
    int composite = jump(JZ, 0);
    add_one(K);
    jump(JUMP, next_divisor);
    code[prime] = end;
    add_one(COUNT);
    code[composite] = end;
    load(I);
    store(X);
    int next_step = end;
    load(X);
    constant(1);
    emit(SUB);
    int reached = jump(JZ, 0);
    add_one(STEPS);
    load(X);
    emit(ODD);
    int even = jump(JZ, 0);
    load(X);
    constant(3);
    emit(MUL);
    constant(1);
    emit(ADD);
    store(X);
    jump(JUMP, next_step);
    code[even] = end;
    load(X);
    emit(HALF);
    store(X);
    jump(JUMP, next_step);
    code[reached] = end;
    add_one(I);
    jump(JUMP, next_number);
    code[done] = end;
    emit(HALT);
}

static void run(i64 *variables)
{
    static const void *const labels[] = {
        &&l_const, &&l_add, &&l_sub, &&l_mul, &&l_rem, &&l_half, &&l_load, &&l_store,
        &&l_jump, &&l_jz, &&l_jnz, &&l_less, &&l_odd, &&l_dup, &&l_halt,
    };
    i64 stack[16];
    i64 *top = stack - 1;
    const i32 *pc = code;
#define NEXT goto *labels[*pc++]
    NEXT;
l_const:
    *++top = *pc++;
    NEXT;
l_add:
    top--;
    top[0] += top[1];
    NEXT;
l_sub:
    top--;
    top[0] -= top[1];
    NEXT;
l_mul:
    top--;
    top[0] *= top[1];
    NEXT;
l_rem:
    top--;
    top[0] = (i32)top[0] % (i32)top[1];
    NEXT;
l_half:
    top[0] >>= 1;
    NEXT;
l_load:
    *++top = variables[*pc++];
    NEXT;
l_store:
    variables[*pc++] = *top--;
    NEXT;
l_jump:
    pc = code + *pc;
    NEXT;
l_jz:
    pc = *top-- == 0 ? code + *pc : pc + 1;
    NEXT;
l_jnz:
    pc = *top-- != 0 ? code + *pc : pc + 1;
    NEXT;
l_less:
    top--;
    top[0] = top[0] < top[1];
    NEXT;
l_odd:
    top[0] &= 1;
    NEXT;
l_dup:
    top[1] = top[0];
    top++;
    NEXT;
l_halt:
    return;
}

u64 bench(u64 iterations)
{
    u64 hash = 0;
    assemble();
    for (u64 round = 0; round < iterations; round++) {
        i64 variables[VARIABLES] = {0};
        variables[LIMIT] = 3000 + (i64)(round % 7);
        run(variables);
        hash = mix(hash, (u64)(variables[COUNT] * 1000003 + variables[STEPS]));
    }
    return hash;
}
