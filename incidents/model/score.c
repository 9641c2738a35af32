/* SPDX-License-Identifier: Apache-2.0 */
#include "incidents/model/score.h"
#include <math.h>

static const double prior_weight = 8;
static const double half_chance = 0.693147180559945309417; /* lambda of p = 0.5 */
static const double tactic_bonus = 0.25;
static const double chance_ceiling = 0.99;

double score_chance(enum rule_level level, double confidence)
{
    static const double severity[] = {0, .10, .30, .60, .90};
    double chance = severity[level] * confidence;
    return chance > chance_ceiling ? chance_ceiling : chance;
}

double score_confidence(double prior, double right, double wrong)
{
    return (right + prior_weight * prior) / (right + wrong + prior_weight);
}

/* t/h is about 2e4 days in doubles: 1e-12 is lost, far below what anyone reads. */
static double halves(int64_t t_us, int64_t half_life_us)
{
    return (double)t_us / (double)half_life_us;
}

double score_mark(double chance, int64_t t_us, int64_t half_life_us)
{
    return chance > 0 ? log2(-log1p(-chance)) + halves(t_us, half_life_us) : (double)-INFINITY;
}

double score_weight(double mark, int64_t t_us, int64_t half_life_us)
{
    return exp2(mark - halves(t_us, half_life_us));
}

struct score_reading score_read(const struct score_part *parts, uint32_t count, int64_t t_us,
                                int64_t half_life_us, double criticality)
{
    double lambda = 0, tactics = 0;
    for (uint32_t i = 0; i < count;) {
        double tactic = 0;
        uint32_t first = i;
        for (; i < count && text_equal(parts[i].tactic, parts[first].tactic); i++)
            tactic += score_weight(parts[i].mark, t_us, half_life_us);
        lambda += tactic;
        tactics += fmin(1, tactic / half_chance);
    }
    double diversity = 1 + tactic_bonus * fmax(0, tactics - 1);
    return (struct score_reading){
        .score = 100 * -expm1(-criticality * diversity * lambda),
        .severity = 100 * -expm1(-diversity * lambda),
        .diversity = diversity,
        .lambda = lambda,
    };
}
