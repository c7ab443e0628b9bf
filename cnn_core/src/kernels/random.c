/* SPDX-License-Identifier: BSD-3-Clause */
/* As cnn_random_block (random.c), for several blocks at once: one in each 64-bit lane, whose upper half may
 * hold anything between rounds. */
#include "names.h"
#include "vector.h"

enum { BLOCKS = VECTOR_BYTES / 8 };

typedef uint64_t words64 __attribute__((vector_size(VECTOR_BYTES)));

/* Products of the lower halves. */
INLINE words64 multiply(words64 a, uint64_t factor)
{
#if defined(__AVX512F__)
    return (words64)_mm512_mul_epu32((__m512i)a, _mm512_set1_epi64((long long)factor));
#elif defined(__AVX2__)
    return (words64)_mm256_mul_epu32((__m256i)a, _mm256_set1_epi64x((long long)factor));
#elif defined(__SSE2__)
    return (words64)_mm_mul_epu32((__m128i)a, _mm_set1_epi64x((long long)factor));
#else
    return (a & 0xFFFFFFFFu) * factor;
#endif
}

/* Words 0 and 1 of each block, and words 2 and 3. */
typedef struct pairs {
    words64 low, high;
} pairs;

INLINE pairs blocks(uint64_t seed, uint32_t stream, uint64_t high, words64 block)
{
    uint32_t key0 = (uint32_t)seed, key1 = (uint32_t)(seed >> 32);
    words64 c0 = block, c1 = (words64){0} + stream, c2 = (words64){0} + high,
            c3 = (words64){0} + (high >> 32);
    for (int round = 0; round < 10; round++) {
        const words64 product0 = multiply(c0, 0xD2511F53u), product1 = multiply(c2, 0xCD9E8D57u);
        c0 = (product1 >> 32) ^ c1 ^ key0;
        c2 = (product0 >> 32) ^ c3 ^ key1;
        c1 = product1;
        c3 = product0;
        key0 += 0x9E3779B9u;
        key1 += 0xBB67AE85u;
    }
    return (pairs){(c0 & 0xFFFFFFFFu) | c1 << 32, (c2 & 0xFFFFFFFFu) | c3 << 32};
}

/* Words of the first `count` blocks: from memory, since lanes are slow to take out of a vector. */
INLINE void write_words(const pairs *made, int count, uint32_t *words)
{
    uint64_t pair[2][BLOCKS];
    memcpy(pair[0], &made->low, sizeof pair[0]);
    memcpy(pair[1], &made->high, sizeof pair[1]);
    for (int block = 0; block < count; block++)
        for (int word = 0; word < 4; word++)
            words[4 * block + word] = (uint32_t)(pair[word / 2][block] >> (word % 2 * 32));
}

void KERNEL(random)(uint64_t seed, uint32_t stream, uint64_t high, uint32_t block, int count, uint32_t *words)
{
    words64 lanes;
    for (int lane = 0; lane < BLOCKS; lane++)
        lanes[lane] = (uint64_t)lane;
    for (int first = 0; first < count; first += BLOCKS) {
        const pairs made = blocks(seed, stream, high, lanes + (block + (uint32_t)first));
        if (count - first >= BLOCKS)
            write_words(&made, BLOCKS, words + 4 * first);
        else
            write_words(&made, count - first, words + 4 * first);
    }
}
