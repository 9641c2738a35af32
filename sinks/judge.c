/* SPDX-License-Identifier: Apache-2.0 */
#include "sinks/judge.h"
#include <stdio.h>

struct answer {
    int from, to;
    enum delivery_state state;
    bool is_down;
    const char *words;
};

static const struct answer http_answers[] = {
    {200, 299, DELIVERY_DELIVERED, false, "answered %d"},
    {300, 399, DELIVERY_FAILED_TEMP, true, "answered %d: redirects are not followed, set the url"},
    {401, 401, DELIVERY_FAILED_TEMP, true, "answered %d: the credentials are refused"},
    {403, 403, DELIVERY_FAILED_TEMP, true, "answered %d: the credentials are refused"},
    {404, 405, DELIVERY_FAILED_TEMP, true, "answered %d: nobody takes it at this url"},
    {407, 408, DELIVERY_FAILED_TEMP, true, "answered %d"},
    {410, 410, DELIVERY_FAILED_PERM, false, "answered %d: asked never to be called again"},
    {425, 425, DELIVERY_FAILED_TEMP, false, "answered %d"},
    {429, 429, DELIVERY_FAILED_TEMP, false, "answered %d: too many"},
    {400, 499, DELIVERY_FAILED_PERM, false, "answered %d: refused"},
    {500, 599, DELIVERY_FAILED_TEMP, true, "answered %d"},
    {0, 1000000, DELIVERY_FAILED_TEMP, true, "answered %d, which means nothing here"},
};

static const struct answer mail_answers[] = {
    {200, 299, DELIVERY_ACCEPTED, false, "answered %d"},
    {421, 421, DELIVERY_FAILED_TEMP, true, "answered %d"},
    {454, 454, DELIVERY_FAILED_TEMP, true, "answered %d"},
    {400, 499, DELIVERY_FAILED_TEMP, false, "answered %d"},
    {530, 530, DELIVERY_FAILED_TEMP, true, "answered %d: the credentials are refused"},
    {534, 538, DELIVERY_FAILED_TEMP, true, "answered %d: the credentials are refused"},
    {500, 599, DELIVERY_FAILED_PERM, false, "answered %d: refused"},
    {0, 1000000, DELIVERY_FAILED_TEMP, true, "answered %d, which means nothing here"},
};

static const struct answer *find(const struct answer *answers, int code)
{
    while (code < answers->from || code > answers->to)
        answers++; /* the last row takes every code */
    return answers;
}

/* A server's words for a log and a page: printable, one line. */
static void clean(const char *from, char *out, size_t size)
{
    size_t len = 0;
    for (; *from && len + 1 < size; from++)
        out[len++] = *from >= ' ' && *from <= '~' ? *from : '?';
    out[len] = '\0';
}

static void tell_answer(const struct answer *answers, const struct transfer_reply *reply,
                        struct attempt *out)
{
    const struct answer *a = find(answers, reply->code);
    char digits[16];
    (void)snprintf(digits, sizeof digits, "%d", reply->code);
    struct text words = text_of(a->words);
    size_t at = text_find(words, TEXT("%d"));
    char why[120];
    clean(reply->why, why, sizeof why);
    kind_tell(out, a->state, "%.*s%s%s%s%s", (int)at, words.at, digits, a->words + at + 2,
              why[0] ? "; " : "", why);
    out->http_status = reply->code;
    out->is_down = a->is_down;
}

static void tell_silence(const struct transfer_reply *reply, enum delivery_state if_ambiguous,
                         struct attempt *out)
{
    char why[140];
    clean(reply->why, why, sizeof why);
    switch (reply->end) {
    case TRANSFER_ANSWERED:
        break;
    case TRANSFER_UNREACHED:
        kind_tell(out, DELIVERY_FAILED_TEMP, "not reached: %s", why);
        break;
    case TRANSFER_REFUSED:
        kind_tell(out, DELIVERY_FAILED_PERM, "not called: %s", why);
        break;
    case TRANSFER_AMBIGUOUS:
    case TRANSFER_ABANDONED:
        kind_tell(out, if_ambiguous, "no answer: %s", why);
        break;
    }
    out->is_down = true;
}

void judge_http(const struct transfer_reply *reply, struct attempt *out)
{
    if (reply->end != TRANSFER_ANSWERED) {
        tell_silence(reply, DELIVERY_FAILED_TEMP, out);
        return;
    }
    tell_answer(http_answers, reply, out);
    if (out->state == DELIVERY_FAILED_TEMP)
        out->retry_after_us = reply->retry_after_us;
    out->must_disable = reply->code == 410;
}

void judge_mail(const struct transfer_reply *reply, struct attempt *out)
{
    if (reply->end != TRANSFER_ANSWERED)
        tell_silence(reply, DELIVERY_UNKNOWN, out);
    else
        tell_answer(mail_answers, reply, out);
}
