/* SPDX-License-Identifier: BSD-3-Clause */
/* Layouts and rows for the tests: any row can be made again from its number. */
#ifndef WEIGHTSCAPE_TEST_ROWS_H
#define WEIGHTSCAPE_TEST_ROWS_H

#include "cmocka_headers.h"
#include "row_layout.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Layers "a0", "a1", ..., the first `walks` of them convolutions. */
static inline ws_row_layout make_layout(uint32_t layer_count, uint32_t walks)
{
    ws_layers layers = {.count = layer_count};
    ws_row_layout layout;
    layers.at = calloc(layer_count + 1, sizeof *layers.at);
    assert_non_null(layers.at);
    for (uint32_t i = 0; i < layer_count; i++) {
        snprintf(layers.at[i].name, sizeof layers.at[i].name, "a%u", i);
        layers.at[i].kind = i < walks ? WS_CONVOLUTION : WS_OTHER;
    }
    assert_int_equal(ws_row_layout_of(&layers, &layout), WS_OK);
    free(layers.at);
    return layout;
}

/* Pseudo-random, from 0 to 1: 24 bits of an xorshift-multiply hash. */
static inline double noise(uint64_t number, uint64_t column)
{
    uint64_t x = number * 0x9e3779b97f4a7c15u + column * 0xd1342543de82ef95u + 1;
    x = (x ^ (x >> 31)) * 0xff51afd7ed558ccdu;
    x = (x ^ (x >> 29)) * 0xc4ceb9fe1a85ec53u;
    return (double)(x >> 40) / (1 << 24);
}

/* A column of row `number`: every kind of curve that there is. */
static inline double value_of_column(uint64_t number, uint32_t column)
{
    const double random = noise(number, column);
    if (column == 0)
        return 2.0 * (double)number + (double)(number > 500);
    if (column < 3)
        return (double)number / 100 * column;
    switch (column % 10) {
    case 3: /* ties */
        return floor(8 * random);
    case 4: /* falls */
        return 1 / (1 + (double)number) + 1e-3 * random;
    case 5: /* the same all the time, but for its sign */
        return number % 2 ? 0.0 : -0.0;
    case 6: /* no number at all */
        return NAN;
    case 7: /* seldom a number */
        return number % 1000 == 17 ? random : NAN;
    case 8: /* blows up now and then */
        return random < 1e-4 ? INFINITY : random < 2e-4 ? -INFINITY : random < 0.1 ? NAN : random;
    default:
        return random + fabs((double)(number % 6000) - 3000) / 3000;
    }
}

/* A sketch is not finite once in a while. */
static inline float value_of_sketch(uint64_t number, uint32_t walk, int cell)
{
    const double random = noise(number, 100000u + walk * 64 + (uint32_t)cell);
    if (cell == 5 && number % 97 == walk)
        return number % 2 ? NAN : INFINITY;
    return (float)(random * sqrt((double)number));
}

static inline void write_row(const ws_row_layout *layout, uint64_t number, void *row)
{
    double *values = row;
    for (uint32_t i = 0; i < layout->column_count; i++)
        values[i] = value_of_column(number, i);
    float *sketch = (float *)(values + layout->column_count);
    for (uint32_t walk = 0; walk < layout->walks; walk++)
        for (int cell = 0; cell < WS_SKETCH_CELLS; cell++)
            *sketch++ = value_of_sketch(number, walk, cell);
}

#endif
