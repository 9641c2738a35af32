/* SPDX-License-Identifier: Apache-2.0 */
#include "incidents/store/effect.h"
#include <stdio.h>
#include <stdlib.h>

enum { FIXED_WORDS = 7 }; /* FCALL, name, number of keys, number, writer, ids' key, their count */

struct effect *effect_new(bool is_dry)
{
    struct effect *e = calloc(1, sizeof *e);
    if (!e)
        return NULL;
    buffer_init(&e->ids, EFFECT_BYTES);
    buffer_init(&e->words, EFFECT_BYTES);
    e->is_dry = is_dry;
    return e;
}

void effect_free(struct effect *e)
{
    if (!e)
        return;
    buffer_fini(&e->ids);
    buffer_fini(&e->words);
    free(e);
}

static void word(struct buffer *out, struct text t)
{
    buffer_printf(out, "$%zu\r\n", t.len);
    buffer_append(out, t);
    buffer_append(out, TEXT("\r\n"));
}

static void number_word(struct buffer *out, uint64_t value)
{
    char digits[24];
    int len = snprintf(digits, sizeof digits, "%llu", (unsigned long long)value);
    word(out, (struct text){digits, (size_t)len});
}

void effect_id(struct effect *e, struct hash128 id)
{
    e->id_count++;
    if (!e->is_dry)
        word(&e->ids, (struct text){(const char *)&id, sizeof id});
}

void effect_command(struct effect *e, const struct text *words, uint32_t count)
{
    e->word_count += count + 1;
    if (e->is_dry)
        return;
    number_word(&e->words, count);
    for (uint32_t i = 0; i < count; i++)
        word(&e->words, words[i]);
}

bool effect_is_empty(const struct effect *e)
{
    return !e->id_count && !e->word_count;
}

void effect_encode(const struct effect *e, struct text writer, struct buffer *out)
{
    buffer_printf(out, "*%u\r\n", FIXED_WORDS + e->id_count + e->word_count);
    word(out, TEXT("FCALL"));
    word(out, TEXT("tocsin_record"));
    word(out, TEXT("0"));
    number_word(out, e->number);
    word(out, writer);
    word(out, e->generation ? TEXT("tocsin:applied:1") : TEXT("tocsin:applied:0"));
    number_word(out, e->id_count);
    buffer_append(out, buffer_text(&e->ids));
    buffer_append(out, buffer_text(&e->words));
}
