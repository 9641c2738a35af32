/* SPDX-License-Identifier: Apache-2.0 */
#include "incidents/store/ledger.h"
#include "base/json_write.h"
#include <openssl/evp.h>
#include <string.h>

void ledger_hash(const unsigned char before[LEDGER_HASH], struct text record,
                 unsigned char out[LEDGER_HASH])
{
    static const unsigned char leaf = 0x01;
    unsigned char result[LEDGER_HASH] = {0}; /* `out` may be `before` */
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    if (context && EVP_DigestInit_ex(context, EVP_sha256(), NULL) == 1 &&
        EVP_DigestUpdate(context, &leaf, 1) == 1 &&
        EVP_DigestUpdate(context, before, LEDGER_HASH) == 1 &&
        EVP_DigestUpdate(context, record.at, record.len) == 1)
        (void)EVP_DigestFinal_ex(context, result, NULL);
    EVP_MD_CTX_free(context);
    memcpy(out, result, sizeof result);
}

void ledger_to_hex(const unsigned char hash[LEDGER_HASH], char out[LEDGER_HEX + 1])
{
    static const char digits[] = "0123456789abcdef";
    for (int i = 0; i < LEDGER_HASH; i++) {
        out[2 * i] = digits[hash[i] >> 4];
        out[2 * i + 1] = digits[hash[i] & 15];
    }
    out[LEDGER_HEX] = 0;
}

static int digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool ledger_from_hex(struct text hex, unsigned char out[LEDGER_HASH])
{
    if (hex.len != LEDGER_HEX)
        return false;
    for (int i = 0; i < LEDGER_HASH; i++) {
        int high = digit(hex.at[2 * i]), low = digit(hex.at[2 * i + 1]);
        if (high < 0 || low < 0)
            return false;
        out[i] = (unsigned char)(high << 4 | low);
    }
    return true;
}

void ledger_append(struct ledger *l, const struct ledger_entry *e, struct buffer *out,
                   char out_hex[LEDGER_HEX + 1])
{
    char hex[LEDGER_HEX + 1];
    ledger_to_hex(l->head, hex);
    json_write_open(out, NULL, '{');
    json_write_uint(out, "sequence", l->sequence + 1);
    json_write_string(out, "before", (struct text){hex, LEDGER_HEX});
    json_write_time(out, "time", e->time_us);
    json_write_string(out, "kind", text_of(e->kind));
    if (e->incident.len)
        json_write_string(out, "incident", e->incident);
    if (e->by.len)
        json_write_string(out, "by", e->by);
    if (e->data.len)
        json_write_raw(out, "data", e->data);
    json_write_close(out, '}');
    ledger_hash(l->head, buffer_text(out), l->head);
    l->sequence++;
    ledger_to_hex(l->head, out_hex);
}
