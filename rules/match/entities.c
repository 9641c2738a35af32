/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/match/entities.h"
#include "rules/match/cidr.h"

struct text entities_text(struct fieldview *v, uint32_t field)
{
    for (struct fieldview_value *value = field == NAMES_NONE ? NULL : fieldview_first(v, field);
         value; value = fieldview_next(v, value))
        if (value->type != VALUE_NULL && value->type != VALUE_OBJECT)
            return fieldview_plain(v, value);
    return TEXT_NONE;
}

bool entities_group(struct fieldview *v, const uint32_t *fields, uint32_t count,
                    struct arena *arena, struct text *out, bool *out_is_full)
{
    *out_is_full = false;
    for (uint32_t i = 0; i < count; i++) {
        char room[16];
        struct text t = entities_text(v, fields[i]);
        if (!t.at)
            return false;
        out[i] = arena_copy(arena, cidr_canonical(t, room));
        if (!out[i].at) {
            *out_is_full = true;
            return false;
        }
    }
    return true;
}

static bool is_machine_account(struct text t)
{
    static const char *const names[] = {
        "system",   "local service", "network service", "anonymous logon", "localsystem",
        "s-1-5-18", "s-1-5-19",      "s-1-5-20",        "s-1-0-0",
    };
    struct text name = t;
    size_t slash = text_find_byte(t, '\\');
    if (slash < t.len)
        name = text_skip(t, slash + 1);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (text_equal_nocase(name, text_of(names[i])))
            return true;
    return name.len && name.at[name.len - 1] == '$';
}

bool entities_is_nobody(enum entity_kind kind, struct text value)
{
    static const char *const nobody[] = {"-",   "unknown", "(unknown)", "null",
                                         "n/a", "::",      "0.0.0.0"};
    struct address a;
    if (!value.len)
        return true;
    for (size_t i = 0; i < sizeof nobody / sizeof *nobody; i++)
        if (text_equal_nocase(value, text_of(nobody[i])))
            return true;
    if (kind == ENTITY_USER)
        return is_machine_account(value);
    if ((kind == ENTITY_ADDRESS || kind == ENTITY_HOST) && cidr_parse_address(value, &a))
        return cidr_is_loopback(&a) || cidr_is_unspecified(&a);
    return text_equal_nocase(value, TEXT("localhost"));
}

/* The header's host, or the peer where it is missing or says localhost. */
static struct text host_of(const struct event *e, struct text said)
{
    bool is_missing = !said.len || text_equal_nocase(said, TEXT("localhost"));
    return is_missing && e->record && e->record->peer.len ? e->record->peer : said;
}

static struct text join(struct arena *arena, struct text a, char between, struct text b)
{
    char *at = arena_bytes(arena, a.len + 1 + b.len);
    if (!at)
        return TEXT_NONE;
    memcpy(at, a.at, a.len);
    at[a.len] = between;
    if (b.len)
        memcpy(at + a.len + 1, b.at, b.len);
    return (struct text){at, a.len + 1 + b.len};
}

/* DOMAIN\user or user@host: the same name on another machine is somebody else. */
static struct text scoped_user(struct fieldview *v, const struct event *e,
                               const struct entity_ref *ref, struct text user, uint32_t host_field,
                               struct arena *arena)
{
    if (text_find_byte(user, '\\') < user.len || text_find_byte(user, '@') < user.len)
        return arena_copy(arena, user);
    struct text domain = entities_text(v, ref->domain);
    if (domain.len && !entities_is_nobody(ENTITY_SERVICE, domain))
        return join(arena, domain, '\\', user);
    struct text host = host_of(e, entities_text(v, host_field));
    return host.len ? join(arena, user, '@', host) : arena_copy(arena, user);
}

static bool has_already(const struct entity *out, uint32_t count, const struct entity *one)
{
    for (uint32_t i = 0; i < count; i++)
        if (out[i].kind == one->kind && text_equal(out[i].value, one->value))
            return true;
    return false;
}

static struct text bare_user(struct text t)
{
    size_t slash = text_find_byte(t, '\\');
    return slash < t.len ? text_skip(t, slash + 1) : text_head(t, text_find_byte(t, '@'));
}

/* One field gives the name alone, another the same name with its domain: one person, and the domain
 * says more than the host. True where `one` need not be added. */
static bool is_same_user(struct entity *out, uint32_t count, const struct entity *one)
{
    for (uint32_t i = 0; one->kind == ENTITY_USER && i < count; i++) {
        bool mine = text_find_byte(one->value, '\\') < one->value.len;
        bool other = text_find_byte(out[i].value, '\\') < out[i].value.len;
        if (out[i].kind != ENTITY_USER || (mine && other) ||
            !text_equal_nocase(bare_user(out[i].value), bare_user(one->value)))
            continue;
        if (mine)
            out[i].value = one->value;
        out[i].is_charged = out[i].is_charged || one->is_charged;
        return true;
    }
    return false;
}

static bool read_one(struct fieldview *v, const struct event *e, const struct entity_ref *ref,
                     uint32_t host_field, struct arena *arena, struct entity *out)
{
    char room[16];
    struct text t = entities_text(v, ref->field);
    if (ref->kind == ENTITY_HOST)
        t = host_of(e, t);
    t = text_trim(t);
    if (!t.len || text_equal(t, TEXT("-")))
        return false;
    bool is_nobody = entities_is_nobody(ref->kind, t);
    *out = (struct entity){.kind = ref->kind, .is_charged = ref->is_charged && !is_nobody};
    out->value = ref->kind == ENTITY_USER ? scoped_user(v, e, ref, t, host_field, arena)
                                          : arena_copy(arena, cidr_canonical(t, room));
    return out->value.at;
}

uint32_t entities_find(struct fieldview *v, const struct event *e, const struct entity_refs *refs,
                       uint32_t host_field, struct arena *arena, struct entity out[ENTITIES_MOST])
{
    uint32_t count = 0;
    bool has_charged = false;
    for (uint32_t i = 0; i < refs->count && count < ENTITIES_MOST - 1; i++) {
        struct entity one;
        if (!read_one(v, e, &refs->items[i], host_field, arena, &one) ||
            has_already(out, count, &one) || is_same_user(out, count, &one))
            continue;
        has_charged = has_charged || one.is_charged;
        out[count++] = one;
    }
    struct entity_ref host = {host_field, NAMES_NONE, ENTITY_HOST, true};
    struct entity one;
    if (!has_charged && read_one(v, e, &host, host_field, arena, &one) &&
        !has_already(out, count, &one))
        out[count++] = one;
    return count;
}
