/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/read/extension.h"
#include "base/option.h"

struct said {
    const struct yaml_node *entity, *first_seen;
    struct text tactic, family, playbook, max_entities;
    double confidence;
    int open, fire;
    int64_t renew, suppress, lateness, max_groups;
    bool absence, shadow;
};

struct memory {
    int64_t learn, remember;
};

static const char *const opens[] = {"score", "always", "never", NULL};
static const char *const fires[] = {"edge", "level", "consume", NULL};

#define ROW_OF(member, kind, fallback_, least_, most_, choices_, help_)                            \
    {                                                                                              \
        .name = #member, .type = (kind), .offset = offsetof(struct said, member),                  \
        .fallback = (fallback_), .least = (least_), .most = (most_), .choices = (choices_),        \
        .help = (help_)                                                                            \
    }

static const struct option rows[] = {
    ROW_OF(entity, OPTION_NODE, "", 0, 0, NULL, "What is charged: a list of field and kind."),
    ROW_OF(tactic, OPTION_TEXT, "", 0, 0, NULL, "Default: the first attack.* tactic tag."),
    ROW_OF(family, OPTION_TEXT, "", 0, 0, NULL, "Rules that watch the same lines share one."),
    ROW_OF(confidence, OPTION_DOUBLE, "0.9", 0.01, 1, NULL, "Default by status."),
    ROW_OF(open, OPTION_CHOICE, "score", 0, 0, opens, "When an incident opens."),
    ROW_OF(fire, OPTION_CHOICE, "edge", 0, 0, fires, "When a correlation fires again."),
    ROW_OF(renew, OPTION_DURATION, "15m", 0, 3650 * 86400e6, NULL, "Refresh while still true."),
    ROW_OF(suppress, OPTION_DURATION, "0s", 0, 3650 * 86400e6, NULL, "Uncharged after firing."),
    ROW_OF(max_entities, OPTION_TEXT, "50/10m", 0, 0, NULL, "Noise breaker: how many in how long."),
    ROW_OF(lateness, OPTION_DURATION, "0s", 0, 30 * 86400e6, NULL, "How long stragglers may take."),
    ROW_OF(max_groups, OPTION_INT, "1000000", 1, 1e9, NULL, "Most groups held at once."),
    ROW_OF(absence, OPTION_BOOL, "false", 0, 0, NULL, "Groups already seen that fell silent."),
    ROW_OF(first_seen, OPTION_NODE, "", 0, 0, NULL, "learn and remember."),
    ROW_OF(playbook, OPTION_TEXT, "", 0, 0, NULL, "The playbook of its incidents."),
    ROW_OF(shadow, OPTION_BOOL, "false", 0, 0, NULL, "Counted and recorded, never charged."),
};

static const struct option memory_rows[] = {
    {.name = "learn",
     .type = OPTION_DURATION,
     .offset = offsetof(struct memory, learn),
     .fallback = "7d",
     .least = 0,
     .most = 3650 * 86400e6,
     .help = "Nothing fires meanwhile."},
    {.name = "remember",
     .type = OPTION_DURATION,
     .offset = offsetof(struct memory, remember),
     .fallback = "30d",
     .least = 1,
     .most = 3650 * 86400e6,
     .help = "A value is new after this."},
};

static enum status pass(struct diagnostics *f, enum status status, const struct error *why)
{
    if (status)
        (void)diagnostic_at(f, why->line, why->column, "tocsin-key", "tocsin: %s", why->text);
    return status;
}

/* "50/10m" */
static enum status read_breaker(const struct yaml_node *node, struct text t, struct diagnostics *f,
                                struct extension *out)
{
    size_t slash = text_find_byte(t, '/');
    int64_t most = 0;
    if (!text_to_int64(text_head(t, slash), &most) || most < 1 || most > INT32_MAX ||
        !text_to_duration_us(text_skip(t, slash + 1), &out->max_entities_us))
        return diagnostic_error(f, yaml_get(node, TEXT("max_entities")), "tocsin-key",
                                "max_entities: want <count>/<duration>, for example 50/10m");
    out->max_entities = (uint32_t)most;
    return STATUS_OK;
}

static bool read_kind(struct text t, enum entity_kind *out)
{
    for (int i = ENTITY_ADDRESS; i <= ENTITY_SERVICE; i++)
        if (text_equal(t, text_of(correlation_entity_name((enum entity_kind)i)))) {
            *out = (enum entity_kind)i;
            return true;
        }
    return false;
}

static enum status read_entity(const struct yaml_node *node, struct arena *arena,
                               struct diagnostics *f, struct entity_spec *out)
{
    static const char *const keys[] = {"field", "kind", "charge", "domain"};
    if (node->kind != YAML_MAPPING)
        return diagnostic_error(f, node, "tocsin-key",
                                "an entity is {field: .., kind: address|host|user|service}");
    for (uint32_t i = 0; i < node->count; i++) {
        size_t k = 0;
        while (k < 4 && !text_equal(node->pairs[i].key->value, text_of(keys[k])))
            k++;
        if (k == 4)
            return diagnostic_error(f, node->pairs[i].key, "tocsin-key",
                                    "unknown key '%.*s' of an entity: field, kind, charge, domain",
                                    TEXT_ARG(node->pairs[i].key->value));
    }
    const struct yaml_node *field = yaml_get(node, TEXT("field"));
    const struct yaml_node *kind = yaml_get(node, TEXT("kind"));
    const struct yaml_node *charge = yaml_get(node, TEXT("charge"));
    const struct yaml_node *domain = yaml_get(node, TEXT("domain"));
    out->is_charged = true;
    if (!field || field->kind != YAML_SCALAR || !field->value.len)
        return diagnostic_error(f, node, "tocsin-key", "an entity needs its field");
    if (!kind || kind->kind != YAML_SCALAR || !read_kind(kind->value, &out->kind))
        return diagnostic_error(f, kind ? kind : node, "tocsin-key",
                                "an entity's kind is address, host, user or service");
    if (charge && !yaml_bool(charge, &out->is_charged))
        return diagnostic_error(f, charge, "tocsin-key", "charge is true or false");
    out->field = arena_copy(arena, field->value);
    out->domain = domain ? arena_copy(arena, domain->value) : TEXT_NONE;
    return out->field.at ? STATUS_OK : STATUS_NOMEM;
}

static enum status read_entities(const struct yaml_node *node, struct arena *arena,
                                 struct diagnostics *f, struct extension *out)
{
    bool is_list = node->kind == YAML_SEQUENCE;
    uint32_t count = is_list ? node->count : 1;
    struct entity_spec *specs = arena_zero(arena, ((size_t)count + 1) * sizeof *specs);
    if (!specs)
        return STATUS_NOMEM;
    for (uint32_t i = 0; i < count; i++) {
        enum status status = read_entity(is_list ? node->items[i] : node, arena, f, &specs[i]);
        if (status)
            return status;
    }
    out->entities = specs;
    out->entity_count = count;
    return STATUS_OK;
}

enum status extension_read(const struct yaml_node *node, struct arena *arena,
                           struct diagnostics *diagnostics, struct extension *out)
{
    struct error why = {.code = STATUS_OK};
    struct said said = {.open = 0};
    struct memory memory = {.learn = 0};
    enum status status = option_read(rows, sizeof rows / sizeof *rows, node, arena, &said, &why);
    if (pass(diagnostics, status, &why) != STATUS_OK)
        return status;
    struct extension e = {
        .tactic = said.tactic,
        .family = said.family,
        .playbook = said.playbook,
        .confidence = yaml_get(node, TEXT("confidence")) ? said.confidence : 0,
        .open = yaml_get(node, TEXT("open")) ? said.open : -1,
        .fire = yaml_get(node, TEXT("fire")) ? said.fire : -1,
        .renew_us = said.renew,
        .suppress_us = said.suppress,
        .lateness_us = yaml_get(node, TEXT("lateness")) ? said.lateness : -1,
        .max_groups = (uint32_t)said.max_groups,
        .is_absence = said.absence,
        .is_shadow = said.shadow,
    };
    if (said.first_seen) {
        status = option_read(memory_rows, sizeof memory_rows / sizeof *memory_rows, said.first_seen,
                             arena, &memory, &why);
        if (pass(diagnostics, status, &why) != STATUS_OK)
            return status;
        e.learn_us = memory.learn;
        e.remember_us = memory.remember;
    }
    status = read_breaker(node, said.max_entities, diagnostics, &e);
    if (!status && said.entity)
        status = read_entities(said.entity, arena, diagnostics, &e);
    if (!status)
        *out = e;
    return status;
}

bool extension_level(const struct yaml_node *node, struct diagnostics *diagnostics,
                     enum rule_level *out)
{
    static const char *const names[] = {"informational", "low", "medium", "high", "critical"};
    struct text t = node->kind == YAML_SCALAR ? node->value : TEXT_NONE;
    for (int i = LEVEL_INFORMATIONAL; i <= LEVEL_CRITICAL; i++)
        if (text_equal_nocase(t, text_of(names[i]))) {
            *out = (enum rule_level)i;
            return true;
        }
    const char *near = diagnostic_nearest(t, names, 5);
    (void)diagnostic_error(diagnostics, node, "bad-level",
                           "'%.*s' is no level: informational, low, medium, high, critical%s%s%s",
                           TEXT_ARG(t), near ? "; did you mean '" : "", near ? near : "",
                           near ? "'?" : "");
    return false;
}
