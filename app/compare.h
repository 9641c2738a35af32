/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "app/command.h"
#include "app/load.h"
#include "app/rerun.h"

/*
 * The difference between two rulesets over the same input, as JSON lines on standard output:
 * {"change":"new|gone|changed","detection":{...},"was":{...}}, in the order of the input, and a
 * last line that counts. Two detections are the same one when rule, group and record agree.
 * Returns the exit status.
 */
int compare_rulesets(const struct rerun_options *run, struct ruleset *before,
                     const struct load_request *second);
