/* Linked lists, a matrix product and a state machine. */
#include "bench.h"

#define NODES 20000
#define ORDER 64
#define TEXT 65536

const u64 bench_default = 800;

struct node {
    struct node *next;
    u64 value;
};

static struct node nodes[NODES];
static i32 a[ORDER][ORDER], b[ORDER][ORDER], c[ORDER][ORDER];
static char text[TEXT];

/* Links the nodes in a random order, then reverses, inserts and removes along the list. */
static u64 lists(u64 seed)
{
    struct node *head = 0;
    for (u32 i = 0; i < NODES; i++) {
        u32 k = (u32)((i * 7919ul + seed) % NODES);
        nodes[k].value = i ^ seed;
        nodes[k].next = head;
        head = &nodes[k];
    }
    struct node *reversed = 0;
    while (head) {
        struct node *next = head->next;
        head->next = reversed;
        reversed = head;
        head = next;
    }
    struct node **link = &reversed;
    u64 removed = 0;
    while (*link) {
        if ((*link)->value % 3 == 0) {
            removed += (*link)->value;
            *link = (*link)->next;
        } else {
            link = &(*link)->next;
        }
    }
    u64 sum = removed;
    for (struct node *n = reversed; n; n = n->next)
        sum = sum * 31 + n->value;
    return sum;
}

static u64 matrix(u64 seed)
{
    for (int i = 0; i < ORDER; i++)
        for (int k = 0; k < ORDER; k++) {
            a[i][k] = (i32)(i * 3 + k + seed);
            b[i][k] = (i32)(i - k * 5 + seed);
        }
    for (int i = 0; i < ORDER; i++)
        for (int k = 0; k < ORDER; k++) {
            i32 sum = 0;
            for (int m = 0; m < ORDER; m++)
                sum += a[i][m] * b[m][k];
            c[i][k] = sum;
        }
    u64 hash = 0;
    for (int i = 0; i < ORDER; i++)
        hash = hash * 31 + (u32)c[i][(i * 7) % ORDER];
    return hash;
}

/* Counts words, numbers, texts in quotes and comments. */
static u64 machine(void)
{
    enum { START, WORD, NUMBER, QUOTE, ESCAPE, SLASH, COMMENT } state = START;
    u64 counts[7] = {0};
    for (u32 i = 0; i < TEXT; i++) {
        char x = text[i];
        switch (state) {
        case START:
            if (x >= 'a' && x <= 'z')
                state = WORD;
            else if (x >= '0' && x <= '9')
                state = NUMBER;
            else if (x == '"')
                state = QUOTE;
            else if (x == '/')
                state = SLASH;
            break;
        case WORD:
            if (!((x >= 'a' && x <= 'z') || (x >= '0' && x <= '9')))
                state = x == '"' ? QUOTE : START;
            break;
        case NUMBER:
            if (!(x >= '0' && x <= '9'))
                state = x >= 'a' ? WORD : START;
            break;
        case QUOTE:
            if (x == '\\')
                state = ESCAPE;
            else if (x == '"')
                state = START;
            break;
        case ESCAPE:
            state = QUOTE;
            break;
        case SLASH:
            state = x == '/' ? COMMENT : START;
            break;
        case COMMENT:
            if (x == '\n')
                state = START;
            break;
        }
        counts[state]++;
    }
    u64 hash = 0;
    for (int i = 0; i < 7; i++)
        hash = hash * 131 + counts[i];
    return hash;
}

u64 bench(u64 iterations)
{
    static const char alphabet[] = "abcdefgxyz 0123456789  \"\"\\//\n\n+-";
    u64 seed = 12345678910111213ul;
    for (u32 i = 0; i < TEXT; i++)
        text[i] = alphabet[next_random(&seed) % (sizeof alphabet - 1)];
    u64 hash = 0;
    for (u64 round = 0; round < iterations; round++) {
        hash = mix(hash, lists(round));
        hash = mix(hash, matrix(round));
        hash = mix(hash, machine());
        text[round % TEXT] = alphabet[round % (sizeof alphabet - 1)];
    }
    return hash;
}
