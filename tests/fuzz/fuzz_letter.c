/* SPDX-License-Identifier: Apache-2.0 */
#include "sinks/defang.h"
#include "sinks/letter.h"
#include <assert.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const known[] = {"From:",
                                    "Subject:",
                                    "Date:",
                                    "Message-ID:",
                                    "In-Reply-To:",
                                    "References:",
                                    "Auto-Submitted:",
                                    "X-Tocsin-",
                                    "Importance:",
                                    "X-Priority:",
                                    "MIME-Version:",
                                    "Content-",
                                    "To:",
                                    " "};

static void check_line(struct text line, bool is_head)
{
    assert(line.len <= 998 && !memchr(line.at, '\r', line.len) && !memchr(line.at, '\n', line.len));
    bool is_known = !is_head;
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        is_known |= text_starts(line, text_of(known[i]));
    assert(is_known);
    for (size_t i = 0; i < line.len; i++)
        assert((unsigned char)line.at[i] >= ' ' && (unsigned char)line.at[i] <= '~');
}

/* Whatever subject, text and ids hold, a mail has our headers alone, CRLF at each end, and ASCII.
 */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct text all = {(const char *)data, size};
    struct letter_address to = {TEXT("Due"), TEXT("duty@example.org")};
    struct letter_address read;
    if (letter_read_address(all, &read))
        to = read;
    struct delivery d = {.id = all, .incident = all, .kind = NOTICE_RAISED, .priority = 1};
    struct buffer out, safe;
    buffer_init(&out, 16 << 20);
    buffer_init(&safe, 16 << 20);
    defang_append(&safe, all, 1 << 20);
    assert(text_is_utf8(buffer_text(&safe)));
    assert(text_find(buffer_text(&safe), TEXT("://")) == safe.len || !safe.len ||
           text_find(buffer_text(&safe), TEXT("[://]")) < safe.len);
    letter_write(&(struct letter){.from = {TEXT("SOC"), TEXT("soc@example.org")},
                                  .to = &to,
                                  .to_count = 1,
                                  .subject = all,
                                  .body = all,
                                  .delivery = &d},
                 &out);
    struct text rest = buffer_text(&out);
    bool is_head = true;
    while (rest.len) {
        size_t end = text_find(rest, TEXT("\r\n"));
        assert(end < rest.len);
        if (end)
            check_line(text_head(rest, end), is_head);
        else
            is_head = false;
        rest = text_skip(rest, end + 2);
    }
    buffer_fini(&safe);
    buffer_fini(&out);
    return 0;
}
