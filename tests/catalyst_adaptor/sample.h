/* SPDX-License-Identifier: BSD-3-Clause */
/* Frames, bases and rows whose values tell where they belong, for the tests of recordings. What is written
 * here is what the files in museum/ hold, frames of version 1: it must not change.
 *
 * A frame of step s has, in this order, conv1/weight [4,1,3,3], conv1/gradient, conv1/weight_range,
 * conv2/weight [2,4,3,3], conv2/gradient, conv2/weight_range. Value i of an array, counted over the whole
 * frame from 0 on, is (s + i) / 8, in gradients -(s + i) / 1024, in weight_range 0.5 + s. But the first four
 * of each weight are a NaN with the bits 7fa00000 + s, -0, the denormal with the bits 1 + s, and infinity.
 * epoch is s / 10, loss 1 / (s + 1), accuracy NaN.
 *
 * A base has conv1/initial and conv2/initial of the same shapes, all values i / 16 + w for base number w, and
 * step w.
 *
 * A row of step s, 40 bytes, has the float64 s and 1 / (s + 1), and the float32 s, s / 2, ... s / 6. */
#ifndef SAMPLE_H
#define SAMPLE_H

#include "recording.h"

#define SAMPLE_HEAD      "{\"sample\": \"rows of 40 bytes\"}"
#define SAMPLE_ROW_BYTES 40

/* To be freed with free(). */
void *sample_frame(uint64_t step);
void *sample_base(uint64_t which);
void sample_row(uint64_t step, void *row);

/* Whether two frames are the same to the last bit. */
int sample_is_same(const void *a, const void *b);

/* Adds the frame of `step` with the rows of the steps after `after` up to it. Returns what ws_recorder_add
 * returned. */
int sample_add(ws_recorder *recorder, uint64_t after, uint64_t step);

/* 1 if frame n is that of `step` with these rows, 0 if it is another, or the status with which it could not
 * be read. */
int sample_compare(ws_recording *recording, uint64_t n, uint64_t after, uint64_t step);

/* The same of its base. */
int sample_compare_base(ws_recording *recording, uint64_t n, uint64_t which);

#endif
