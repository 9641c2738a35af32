/* SPDX-License-Identifier: Apache-2.0 */
#include "base/zone_names.h"
#include <stddef.h>

bool zone_names_find(struct text name, int32_t *out_s)
{
    static const struct {
        char name[5];
        int16_t minutes;
    } zones[] = {
        {"UTC", 0},     {"GMT", 0},    {"Z", 0},      {"UT", 0},     {"WET", 0},     {"CET", 60},
        {"CEST", 120},  {"WEST", 60},  {"BST", 60},   {"EET", 120},  {"EEST", 180},  {"MSK", 180},
        {"MEZ", 60},    {"MESZ", 120}, {"EST", -300}, {"EDT", -240}, {"CST", -360},  {"CDT", -300},
        {"MST", -420},  {"MDT", -360}, {"PST", -480}, {"PDT", -420}, {"AKST", -540}, {"AKDT", -480},
        {"HST", -600},  {"AST", -240}, {"ADT", -180}, {"NST", -210}, {"NDT", -150},  {"BRT", -180},
        {"BRST", -120}, {"ART", -180}, {"IST", 330},  {"PKT", 300},  {"JST", 540},   {"KST", 540},
        {"HKT", 480},   {"SGT", 480},  {"AWST", 480}, {"ACST", 570}, {"ACDT", 630},  {"AEST", 600},
        {"AEDT", 660},  {"NZST", 720}, {"NZDT", 780}, {"SAST", 120}, {"TRT", 180},   {"GST", 240},
        {"ICT", 420},   {"WIB", 420},
    };
    for (size_t i = 0; i < sizeof zones / sizeof *zones; i++) {
        size_t len = 0;
        while (len < sizeof zones[i].name && zones[i].name[len])
            len++;
        if (text_equal(name, (struct text){zones[i].name, len})) {
            *out_s = zones[i].minutes * 60;
            return true;
        }
    }
    return false;
}
