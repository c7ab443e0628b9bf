/* SPDX-License-Identifier: BSD-3-Clause */
/* Networks and images for tests of similarity and merging. */
#ifndef MADE_NETS_H
#define MADE_NETS_H

#include "cnn/dataset.h"
#include "cnn/net.h"

enum { MADE_IMAGES = 96, MADE_SIDE = 9, MADE_CHANNELS = 2, MADE_CLASSES = 4 };

/* The images [first, first + count) of MADE_IMAGES: noise with shapes in it. Static memory. */
cnn_dataset made_images(uint32_t first, uint32_t count);

/* A network for them, no unit of which is dead; the test fails if it is refused. */
cnn_net *made_net(const char *spec, uint64_t seed);

/* Makes every odd unit of a layer `factor` times the unit before it, its bias `offset` more. */
void make_copies(cnn_layer *layer, float factor, float offset);

/* Exchanges the units of layer `index` of a network so that unit k of `to` is unit order[k] of `from`, with
 * the weights of layer `consumer` that read them; all else is copied. */
void permute_units(const cnn_net *from, int index, int consumer, const int *order, cnn_net *to);

/* What layer `index` says to all images: float [count, out], the caller frees it. */
float *made_outputs(cnn_net *net, int index, const cnn_dataset *set);

#endif
