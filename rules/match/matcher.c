/* SPDX-License-Identifier: Apache-2.0 */
#include "base/timestamp.h"
#include "rules/match/emission.h"
#include "rules/match/matcher_state.h"
#include <stdlib.h>

enum { TIMED_EVERY = 64 };

void matcher_free(struct matcher *m)
{
    if (!m)
        return;
    if (m->evaluation.memory)
        evaluation_fini(&m->evaluation);
    fieldview_free(m->view);
    memo_free(m->memo);
    decoder_scratch_free(m->decoding);
    free(m->seen);
    free(m->shortlist);
    free(m->atoms_seen);
    free(m->costs);
    free(m->feeds);
    free(m->detections);
    ruleset_unref(m->ruleset);
    free(m);
}

static uint32_t most_atoms(const struct ruleset *r)
{
    uint32_t most = 0;
    for (uint32_t i = 0; i < r->partitions.count; i++)
        if (r->partitions.items[i].atom_count > most)
            most = r->partitions.items[i].atom_count;
    return most;
}

enum status matcher_new(struct ruleset *ruleset, struct matcher **out, struct error *err)
{
    AUTO(matcher) m = calloc(1, sizeof *m);
    if (!m)
        return error_set(err, STATUS_NOMEM, 0, "no memory for a matcher");
    m->ruleset = ruleset_ref(ruleset);
    m->atom_max = most_atoms(ruleset);
    m->seen = calloc((size_t)ruleset->rule_count + 1, sizeof *m->seen);
    m->shortlist = calloc((size_t)ruleset->rule_count + 1, sizeof *m->shortlist);
    m->atoms_seen = calloc((size_t)m->atom_max + 1, sizeof *m->atoms_seen);
    m->costs = calloc((size_t)ruleset->rule_count + ruleset->relation_count + 1, sizeof *m->costs);
    if (!m->seen || !m->shortlist || !m->atoms_seen || !m->costs)
        return error_set(err, STATUS_NOMEM, 0, "no memory for a matcher");
    enum status status = fieldview_new(ruleset->maps, ruleset->map_count,
                                       names_count(ruleset->names), &m->view, err);
    if (!status)
        status = evaluation_init(&m->evaluation, ruleset->predicates, m->view, err);
    if (!status)
        status = memo_new(ruleset->partitions.field_total, &m->memo, err);
    if (!status)
        status = decoder_scratch_new(&m->decoding, err);
    if (!status)
        *out = MOVE(m);
    return status;
}

void matcher_decode(struct matcher *m, struct event *e, struct arena *arena)
{
    mapping_apply(m->ruleset->mappings, e);
    m->times_unreadable += !mapping_set_time(m->ruleset->mappings, e, arena);
    m->decoder = decoder_apply(m->ruleset->decoders, m->decoding, e, arena);
    m->unread_values += mapping_inner_decode(m->ruleset->mappings, m->decoding, e, arena);
    m->decoded = e;
}

static bool evaluate(struct matcher *m, uint32_t rule)
{
    struct rule_cost *cost = &m->costs[rule];
    const struct node *root = m->ruleset->rules[rule].root;
    const struct partitions *partitions = &m->ruleset->partitions;
    uint64_t limits = m->evaluation.answers.regex_limits;
    bool is_timed = ++m->evaluations % TIMED_EVERY == 0;
    m->evaluation.decided = partitions->items[partitions->of_rule[rule]].decided;
    uint64_t start = is_timed ? timestamp_monotonic_ns() : 0;
    bool is_match = evaluation_holds(&m->evaluation, root);
    if (is_timed)
        cost->ns += (timestamp_monotonic_ns() - start) * TIMED_EVERY;
    cost->evaluated++;
    cost->matched += is_match;
    cost->limits += m->evaluation.answers.regex_limits - limits;
    return is_match;
}

void matcher_match(struct matcher *m, const struct event *e, struct arena *arena,
                   struct match_result *out)
{
    m->events++;
    fieldview_open(m->view, e);
    evaluation_begin(&m->evaluation);
    shortlist_find(m, e);
    m->candidates_total += m->shortlist_count;
    for (uint32_t i = 0; i < m->shortlist_count; i++)
        if (evaluate(m, m->shortlist[i]))
            emission_run(m, e, &m->ruleset->rules[m->shortlist[i]], arena, out);
}

void matcher_reset(struct matcher *m, struct match_result *out)
{
    (void)m;
    out->feed_count = 0;
    out->detection_count = 0;
    out->refused = 0;
}

const struct rule_cost *matcher_costs(const struct matcher *m, uint32_t *out_count)
{
    *out_count = m->ruleset->rule_count + m->ruleset->relation_count;
    return m->costs;
}

/* With what was before. */
static void read_totals(const struct matcher *m, uint64_t out[MATCHER_TOTALS])
{
    const struct decoder_counters *decoding = decoder_get_counters(m->decoding);
    const uint64_t own[MATCHER_TOTALS] = {
        [TOTAL_EVENTS] = m->events,
        [TOTAL_CANDIDATES] = m->candidates_total,
        [TOTAL_DECODED] = decoding->decoded,
        [TOTAL_UNDECODED] = decoding->undecoded,
        [TOTAL_TIMES_UNREADABLE] = m->times_unreadable + decoding->times_unreadable,
        [TOTAL_GROUPS_WITHOUT_FIELD] = m->groups_without_field,
        [TOTAL_CUT_VALUES] = fieldview_cut_values(m->view),
        [TOTAL_UNREAD_VALUES] = m->unread_values,
        [TOTAL_RULE_LIMITS] = m->evaluation.answers.regex_limits,
        [TOTAL_DECODER_LIMITS] = decoding->regex_limits,
    };
    for (size_t i = 0; i < MATCHER_TOTALS; i++)
        out[i] = m->before[i] + own[i];
}

void matcher_take_costs(struct matcher *m, const struct matcher *from)
{
    uint32_t theirs = 0; /* both are in order of their keys */
    for (uint32_t i = 0; i < m->ruleset->rule_count; i++) {
        const struct rule *rule = &m->ruleset->rules[i].rule;
        int order = -1;
        while (theirs < from->ruleset->rule_count &&
               (order = text_compare(from->ruleset->rules[theirs].rule.key, rule->key)) < 0)
            theirs++;
        if (order == 0 && hash_equal(from->ruleset->rules[theirs].rule.content, rule->content))
            m->costs[i] = from->costs[theirs];
    }
    read_totals(from, m->before);
}

void matcher_metrics(const struct matcher *m, metric_fn tell, void *context)
{
    static const struct {
        const char *name, *help, *labels;
    } all[MATCHER_TOTALS] = {
        [TOTAL_EVENTS] = {"rules_events_total", "Events matched against the rules.", NULL},
        [TOTAL_CANDIDATES] = {"rules_candidates_total",
                              "Rules that the index found worth evaluating.", NULL},
        [TOTAL_DECODED] = {"rules_decoded_total", "Events that a decoder read.", NULL},
        [TOTAL_UNDECODED] = {"rules_undecoded_total",
                             "Events that a decoder is responsible for and could not read.", NULL},
        [TOTAL_TIMES_UNREADABLE] =
            {"rules_times_unreadable_total",
             "Events whose time stands where a decoder or mapping says, in no form that it names.",
             NULL},
        [TOTAL_GROUPS_WITHOUT_FIELD] =
            {"rules_groups_without_field_total",
             "Matches that opened no window, for a group-by field was missing.", NULL},
        [TOTAL_CUT_VALUES] = {"rules_cut_values_total",
                              "Field values too long to be matched whole.", NULL},
        [TOTAL_UNREAD_VALUES] = {"rules_unread_values_total",
                                 "Values of long lists that no decoder read further.", NULL},
        [TOTAL_RULE_LIMITS] = {"rules_regex_limits_total",
                               "Regular expressions that met a limit of PCRE2.", "in=\"rule\""},
        [TOTAL_DECODER_LIMITS] = {"rules_regex_limits_total",
                                  "Regular expressions that met a limit of PCRE2.",
                                  "in=\"decoder\""},
    };
    uint64_t totals[MATCHER_TOTALS];
    read_totals(m, totals);
    for (size_t i = 0; i < MATCHER_TOTALS; i++) {
        const struct metric metric = {.name = all[i].name,
                                      .help = all[i].help,
                                      .labels = all[i].labels,
                                      .kind = METRIC_COUNTER,
                                      .value = (double)totals[i]};
        tell(context, &metric);
    }
}
