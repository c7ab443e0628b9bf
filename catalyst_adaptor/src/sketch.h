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

/* out[64]: sketch of weight - initial, added up in double, in the order of the elements. */
void ws_sketch(const uint8_t *table, const float *weight, const float *initial, size_t count,
               float out[WS_SKETCH_CELLS]);

#ifdef __cplusplus
}
#endif
#endif
