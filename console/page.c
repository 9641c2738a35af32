/* SPDX-License-Identifier: Apache-2.0 */
#include "console/page.h"
#include <jansson.h>

static const char head[] =
    "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\">"
    "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">"
    "<meta http-equiv=\"refresh\" content=\"30\"><title>Tocsin</title><style>"
    ":root{color-scheme:light dark}"
    "body{font:16px/1.5 system-ui,sans-serif;margin:0 auto;max-width:72rem;padding:1rem}"
    "h1{font-size:1.5rem}h2{font-size:1.15rem;margin-top:2rem}"
    ".scroll{overflow-x:auto}table{border-collapse:collapse;width:100%}"
    "th,td{padding:.35rem .6rem;text-align:left;border-bottom:1px solid #8886;vertical-align:top}"
    "td.n{text-align:right;font-variant-numeric:tabular-nums}td.t{overflow-wrap:anywhere}"
    ".P1,.P2{font-weight:700}.P1{color:#c22}.bad{color:#c22;font-weight:700}"
    "a{color:inherit}</style></head><body><h1>Tocsin</h1>";

/* &, <, >, quotes and control characters as entities. */
static void escape(struct buffer *out, struct text t)
{
    for (size_t i = 0; i < t.len; i++) {
        unsigned char c = (unsigned char)t.at[i];
        if (c == '&' || c == '<' || c == '>' || c == '"' || c == '\'')
            buffer_printf(out, "&#%u;", (unsigned)c);
        else if (c < ' ' || c == 0x7F)
            buffer_append(out, TEXT("\xEF\xBF\xBD"));
        else
            buffer_byte(out, t.at[i]);
    }
}

static struct text member(const json_t *from, const char *key)
{
    const json_t *value = json_object_get(from, key);
    return (struct text){json_string_value(value), json_string_length(value)};
}

static void cell(struct buffer *out, const char *class, struct text value)
{
    buffer_printf(out, "<td%s>", class);
    escape(out, value);
    buffer_append(out, TEXT("</td>"));
}

/* "2026-11-22T06:00:00.000000Z" to the second, as people read it. */
static struct text short_time(struct text t)
{
    return text_head(t, sizeof "2026-11-22T06:00:00" - 1);
}

static void who(const json_t *entities, struct buffer *out)
{
    buffer_append(out, TEXT("<td class=\"t\">"));
    for (size_t i = 0; i < json_array_size(entities) && i < 3; i++) {
        const json_t *entity = json_array_get(entities, i);
        buffer_append(out, i ? TEXT("<br>") : TEXT(""));
        escape(out, member(entity, "kind"));
        buffer_byte(out, ' ');
        escape(out, text_head(member(entity, "value"), 120));
    }
    if (json_array_size(entities) > 3)
        buffer_printf(out, "<br>and %zu more", json_array_size(entities) - 3);
    buffer_append(out, TEXT("</td>"));
}

static void row(const json_t *incident, struct buffer *out)
{
    struct text id = member(incident, "id");
    struct text priority = member(incident, "priority");
    const json_t *times = json_object_get(incident, "times");
    struct text opened = member(times, "opened");
    buffer_append(out, TEXT("<tr class=\""));
    escape(out, priority);
    buffer_append(out, TEXT("\">"));
    cell(out, "", priority.len ? priority : member(incident, "severity"));
    cell(out, "", member(incident, "state"));
    buffer_printf(out, "<td class=\"n\">%.1f</td>",
                  json_number_value(json_object_get(incident, "score")));
    buffer_append(out, TEXT("<td class=\"t\"><a href=\"/api/v1/incidents/"));
    escape(out, id);
    buffer_append(out, TEXT("\">"));
    escape(out, text_head(member(incident, "title").len ? member(incident, "title") : id, 200));
    buffer_append(out, TEXT("</a></td>"));
    who(json_object_get(incident, "entities"), out);
    cell(out, "", short_time(opened.len ? opened : member(times, "last")));
    buffer_append(out, TEXT("</tr>"));
}

static void table(const char *title, const char *nothing, struct text json, struct buffer *out)
{
    json_t *root = json.len ? json_loadb(json.at, json.len, 0, NULL) : NULL;
    const json_t *list = json_object_get(root, "incidents");
    size_t count = json_array_size(list);
    buffer_printf(out, "<h2>%s</h2>", title);
    if (!json_is_array(list))
        buffer_append(out, TEXT("<p class=\"bad\">The record does not answer.</p>"));
    else if (!count)
        buffer_printf(out, "<p>%s</p>", nothing);
    else
        buffer_append(out, TEXT("<div class=\"scroll\"><table><thead><tr><th>Priority<th>State"
                                "<th>Score<th>What<th>Who<th>Since (UTC)</tr></thead><tbody>"));
    for (size_t i = 0; i < count; i++)
        row(json_array_get(list, i), out);
    if (count)
        buffer_append(out, TEXT("</tbody></table></div>"));
    json_decref(root);
}

void page_write(const struct page *p, struct buffer *out)
{
    buffer_append(out, text_of(head));
    if (p->not_ready.len) {
        buffer_append(out, TEXT("<p class=\"bad\">Not ready: "));
        escape(out, p->not_ready);
        buffer_append(out, TEXT("</p>"));
    }
    table("Open incidents", "Nothing is open.", p->incidents, out);
    table("Building up", "No candidate below the threshold.", p->candidates, out);
    buffer_append(out, TEXT("<p><a href=\"/api/v1/report\">Response times</a> &middot; "
                            "<a href=\"/api/v1/handover\">Handover</a> &middot; "
                            "<a href=\"/api/v1/rules\">Rules</a> &middot; "
                            "<a href=\"/api/v1/sources\">Sources</a> &middot; "
                            "<a href=\"/metrics\">Metrics</a> &middot; "
                            "<a href=\"/api/v1/openapi.json\">API</a></p></body></html>\n"));
}
