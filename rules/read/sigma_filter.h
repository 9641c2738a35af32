/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "rules/read/draft.h"

/*
 * Sigma filters: a condition that is joined to the conditions of other rules. The specification's
 * prose and its examples disagree on whether a filter's condition says what to leave out (suppress:
 * rule and not filter) or what must hold (and: rule and filter), so a mode is declared: under
 * `tocsin: {mode: ..}` in the filter, or by the options.
 */
NODISCARD enum status sigma_filter_apply(struct draft *d, const struct document *document);
