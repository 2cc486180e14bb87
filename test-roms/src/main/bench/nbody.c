/* The n-body simulation of the Sun and the large planets, in double precision by SSE2. */
#include "bench.h"

const u64 bench_default = 2400;

#define BODIES 5
#define STEPS 1000

struct body {
    double x[3], v[3], mass;
};

#define PI 3.141592653589793
#define SOLAR_MASS (4 * PI * PI)
#define DAYS 365.24

static const struct body start[BODIES] = {
    {{0, 0, 0}, {0, 0, 0}, SOLAR_MASS},
    {{4.84143144246472090e+00, -1.16032004402742839e+00, -1.03622044471123109e-01},
     {1.66007664274403694e-03 * DAYS, 7.69901118419740425e-03 * DAYS, -6.90460016972063023e-05 * DAYS},
     9.54791938424326609e-04 * SOLAR_MASS},
    {{8.34336671824457987e+00, 4.12479856412430479e+00, -4.03523417114321381e-01},
     {-2.76742510726411899e-03 * DAYS, 4.99852801234917238e-03 * DAYS, 2.30417297573763929e-05 * DAYS},
     2.85885980666130812e-04 * SOLAR_MASS},
    {{1.28943695621391310e+01, -1.51111514016986312e+01, -2.23307578892655734e-01},
     {2.96460137564761618e-03 * DAYS, 2.37847173959480950e-03 * DAYS, -2.96589568540237556e-05 * DAYS},
     4.36624404335156298e-05 * SOLAR_MASS},
    {{1.53796971148509165e+01, -2.59193146099879641e+01, 1.79258772950371181e-01},
     {2.68067772490389322e-03 * DAYS, 1.62824170038242295e-03 * DAYS, -9.51592254519715870e-05 * DAYS},
     5.15138902046611451e-05 * SOLAR_MASS},
};

static double root(double x)
{
    double y;
    __asm__("sqrtsd %1, %0" : "=x"(y) : "x"(x));
    return y;
}

static void advance(struct body *bodies, double dt)
{
    for (int i = 0; i < BODIES; i++) {
        for (int k = i + 1; k < BODIES; k++) {
            double d[3], square = 0;
            for (int m = 0; m < 3; m++) {
                d[m] = bodies[i].x[m] - bodies[k].x[m];
                square += d[m] * d[m];
            }
            double magnitude = dt / (square * root(square));
            for (int m = 0; m < 3; m++) {
                bodies[i].v[m] -= d[m] * bodies[k].mass * magnitude;
                bodies[k].v[m] += d[m] * bodies[i].mass * magnitude;
            }
        }
    }
    for (int i = 0; i < BODIES; i++)
        for (int m = 0; m < 3; m++)
            bodies[i].x[m] += dt * bodies[i].v[m];
}

u64 bench(u64 iterations)
{
    struct body bodies[BODIES];
    for (int i = 0; i < BODIES; i++)
        bodies[i] = start[i];
    u64 hash = 0;
    for (u64 round = 0; round < iterations; round++) {
        for (int step = 0; step < STEPS; step++)
            advance(bodies, 0.001);
        for (int i = 0; i < BODIES; i++) {
            union {
                double number;
                u64 bits;
            } x = {bodies[i].x[round % 3]};
            hash = mix(hash, x.bits);
        }
    }
    return hash;
}
