/* SPDX-License-Identifier: BSD-3-Clause */
/* CountSketch: a long vector in 64 numbers that keep inner products in expectation.
 * M. Charikar, K. Chen, M. Farach-Colton, "Finding frequent items in data streams", ICALP 2002. */
#ifndef WEIGHTSCAPE_SKETCH_H
#define WEIGHTSCAPE_SKETCH_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define WS_SKETCH_CELLS 64

/* Cell (low six bits) and sign (top bit) of each element 0..count-1: a fixed function of the element's
 * number, so that sketches of different sessions of a run can be compared. */
void ws_sketch_table(uint8_t *table, size_t count);

/* Where the weights [rows,columns,each] of a layer were in [.,whole_columns,each] when the run began:
 * filters, input channels, and the weights of one kernel. */
typedef struct ws_sketch_places {
    size_t rows, columns, each, whole_columns;
    const int32_t *row, *column; /* [rows], [columns]: the index that it had then; NULL: the one it has */
} ws_sketch_places;

/* Elements that a table must have for these places. */
size_t ws_sketch_places_count(const ws_sketch_places *places);

/* out[64]: sketch of weight - initial, added up in double, in the order of the elements. Those that are left
 * keep their cells and signs where some rows and columns are there no more, as if what is gone had its
 * initial values. */
void ws_sketch(const uint8_t *table, const ws_sketch_places *places, const float *weight,
               const float *initial, float out[WS_SKETCH_CELLS]);

#ifdef __cplusplus
}
#endif
#endif
