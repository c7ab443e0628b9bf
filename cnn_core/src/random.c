/* SPDX-License-Identifier: BSD-3-Clause */
#include "cnn/random.h"

void cnn_random_block(uint64_t seed, cnn_stream stream, uint64_t high, uint32_t block, uint32_t out[4])
{
    /* The constants of Philox4x32: two odd multipliers, and key increments from the golden ratio and sqrt(3).
     */
    const uint32_t multiplier0 = 0xD2511F53u, multiplier1 = 0xCD9E8D57u;
    const uint32_t increment0 = 0x9E3779B9u, increment1 = 0xBB67AE85u;

    uint32_t key0 = (uint32_t)seed, key1 = (uint32_t)(seed >> 32);
    uint32_t c0 = block, c1 = (uint32_t)stream, c2 = (uint32_t)high, c3 = (uint32_t)(high >> 32);
    for (int round = 0; round < 10; round++) {
        const uint64_t product0 = (uint64_t)multiplier0 * c0, product1 = (uint64_t)multiplier1 * c2;
        const uint32_t next0 = (uint32_t)(product1 >> 32) ^ c1 ^ key0;
        const uint32_t next2 = (uint32_t)(product0 >> 32) ^ c3 ^ key1;
        c0 = next0;
        c1 = (uint32_t)product1;
        c2 = next2;
        c3 = (uint32_t)product0;
        key0 += increment0;
        key1 += increment1;
    }
    out[0] = c0;
    out[1] = c1;
    out[2] = c2;
    out[3] = c3;
}

uint32_t cnn_random_word(uint64_t seed, cnn_stream stream, uint64_t high, uint64_t position)
{
    uint32_t words[4];
    cnn_random_block(seed, stream, high, (uint32_t)(position / 4), words);
    return words[position % 4];
}

void cnn_random_order(uint64_t seed, cnn_stream stream, uint64_t high, uint32_t *order, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        order[i] = i;
    for (uint32_t i = count; i > 1; i--) {
        /* Two words make the bias of the multiplication smaller than 2^-32. */
        uint32_t words[4];
        cnn_random_block(seed, stream, high, i, words);
        const uint64_t word = (uint64_t)words[0] << 32 | words[1];
        const uint32_t j = (uint32_t)(((unsigned __int128)word * i) >> 64);
        const uint32_t swapped = order[i - 1];
        order[i - 1] = order[j];
        order[j] = swapped;
    }
}
